//! A device's settings, changed on two devices at once.
//!
//! ```text
//! settings STORE listen 127.0.0.1:7000 brightness=70 language=de
//! settings STORE connect 127.0.0.1:7000 brightness=30 volume=5
//! ```
//! Each process keeps its own store, and both end with the same settings. Where both have written one, both values
//! stand beside each other, for whoever reads them to decide; the next write settles it.
#![allow(clippy::print_stdout, reason = "a program's result belongs on the standard output")]

use std::error::Error;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crdt_core::{MvRegister, OrMap, OrSet};
use crdt_sync::drive::{Node, blocking};
use crdt_sync::{Config, RedbStorage, ScopeId};

// The application's own struct. Each field says what happens when two devices change it at once.
crdt_core::fields! {
    struct Settings {
        values: OrMap<String, MvRegister<String>>,
        devices: OrSet<String>,
    }
}

/// All devices of one owner: drawn once, the same in each copy of the program.
const OWNER: ScopeId = ScopeId::from_bytes(*b"settings example");

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store, role, address, changes @ ..] = arguments.as_slice() else {
        return Err("usage: settings STORE listen|connect ADDRESS [NAME=VALUE]...".into());
    };

    // A replica with a store on disk: a new one, or the one that was closed or killed here.
    let node = Node::<Settings>::open(RedbStorage::open(store)?, Config::new(OWNER))?;

    // Edits before anybody is connected: they are on disk when `wait` returns, and travel later.
    let device = node.id().to_string();
    node.edit(|settings| {
        settings.devices().insert(device.as_str());
        for (name, value) in changes.iter().filter_map(|change| change.split_once('=')) {
            settings.values().entry(name).write(value);
        }
    })
    .wait()?;

    // A link, which comes back by itself whenever it breaks.
    let _link = if role == "listen" {
        let listener = TcpListener::bind(address)?;
        println!("listening on {}", listener.local_addr()?);
        blocking::listen(&node, listener)?
    } else {
        blocking::connect(&node, address.clone())?
    };

    // Until the other device has what was written here, and its own edits are here.
    if !node.spread(1).wait(Duration::from_secs(60)) {
        return Err("no other device was heard of in a minute".into());
    }
    let start = Instant::now();
    while node.read(|settings| settings.devices().len()) < 2 && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(10));
    }

    node.read(|settings| {
        for (name, values) in settings.values().iter() {
            let values: Vec<String> = values.values().into_iter().map(ToString::to_string).collect();
            println!("{name}: {}", values.join(" or "));
        }
    });
    // The other one may still be waiting for the last word.
    std::thread::sleep(Duration::from_millis(500));
    Ok(node.close().wait()?)
}
