//! A market stall in browser tabs and native replicas: what `cargo xtask demo` starts.
//!
//! `market serve PAGE DATA` serves the page, with a relay and two replicas that edit now and then, until Ctrl-C.
//! `market terminal RELAY DOCUMENT` is one more replica, which does what it is told.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that people start by hand")]

use std::error::Error;
use std::io::{stdin, stdout};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use crdt_examples::market::goods::{Stall, first_morning};
use crdt_examples::market::hand::{Work, introduce, work};
use crdt_examples::market::{site, terminal};
use crdt_examples::random::Random;
use crdt_sync::drive::relay::{DocumentAccess, Relay, RelayConfig};
use crdt_sync::drive::{Node, websocket};
use crdt_sync::{Config, MemoryStorage, RedbStorage, ScopeId};
use tokio::net::TcpListener;

const USAGE: &str = "\
usage: market serve PAGE DATA [--port N] [--listen IP] [--relay ADDRESS] [--quiet]
       market terminal RELAY DOCUMENT

serve: PAGE is the folder of the built page, DATA that of what is kept; with --relay it uses the one that listens there
instead of starting its own, and with --quiet nobody edits by themselves. Without --listen only this machine gets in;
with the address that it has on a network, whoever is there.";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", page, data, options @ ..] => match Options::read(page, data, options) {
            Some(options) => serve(options).await,
            None => Err(USAGE.into()),
        },
        ["terminal", relay, document] => follow(relay, document).await,
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("market: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    page: PathBuf,
    data: PathBuf,
    port: u16,
    /// Under which address of this machine page and relay are found.
    host: IpAddr,
    relay: Option<String>,
    quiet: bool,
}

impl Options {
    fn read(page: &str, data: &str, options: &[&str]) -> Option<Self> {
        let host = IpAddr::from([127, 0, 0, 1]);
        let mut read = Self { page: page.into(), data: data.into(), port: 0, host, relay: None, quiet: false };
        let mut options = options.iter();
        while let Some(option) = options.next() {
            match *option {
                "--port" => read.port = options.next()?.parse().ok()?,
                // The page tells browsers where the relay is: an address that stands for all of them leads nowhere.
                "--listen" => {
                    read.host = options.next()?.parse().ok().filter(|host: &IpAddr| !host.is_unspecified())?
                }
                "--relay" => read.relay = Some((*options.next()?).to_owned()),
                "--quiet" => read.quiet = true,
                _ => return None,
            }
        }
        Some(read)
    }
}

async fn serve(options: Options) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(&options.data)?;
    let document = document(&options.data)?;

    // The relay: a replica that knows no types, and keeps what everybody sends.
    let (relay, address) = match options.relay {
        Some(address) => (None, address),
        None => {
            let mut config = RelayConfig::default();
            config.data = options.data.join("relay");
            // Also on an address where others than this machine get in: this one document, for whoever knows its name.
            config.documents.insert(document.clone(), DocumentAccess::default());
            let relay = Relay::new(config)?;
            let listener = TcpListener::bind((options.host, 0)).await?;
            let address = listener.local_addr()?.to_string();
            (Some((relay.serve(listener), relay)), address)
        }
    };

    // Two replicas in Rust, linked with it like any tab.
    let (mut hands, mut natives) = (Vec::new(), Vec::new());
    for kind in [Work::Warehouse, Work::Kiosk] {
        let store = RedbStorage::open(options.data.join(format!("{}.redb", kind.name())))?;
        let node = Node::<Stall>::open(store, Config::new(ScopeId::named(&document)))?;
        if kind == Work::Warehouse && node.received().is_empty() {
            node.try_edit(first_morning)?.await?;
        }
        let link = websocket::connect(&node, address.as_str());
        introduce(&node, kind.name()).await?;
        if !options.quiet {
            tokio::spawn(work(node.clone(), kind, Random::new(seed(kind))));
        }
        natives.push((kind.name(), node.clone()));
        hands.push((node, link));
    }

    // The page. What is shown last is the one address that people need.
    let listener = listen(options.host, options.port).await?;
    let site = site::site(&options.page, &address, &document, natives)?;
    println!("relay     ws://{address}  document {document}");
    println!("page      http://{}/", listener.local_addr()?);
    axum::serve(listener, site).with_graceful_shutdown(interrupted()).await?;

    for (node, link) in hands {
        drop(link);
        node.close().await?;
    }
    if let Some((service, relay)) = relay {
        drop(service);
        relay.close().await?;
    }
    Ok(())
}

/// On the port that was asked for, so that the browser finds what it kept for this address; on another if it is taken.
async fn listen(host: IpAddr, port: u16) -> std::io::Result<TcpListener> {
    match TcpListener::bind((host, port)).await {
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => TcpListener::bind((host, 0)).await,
        result => result,
    }
}

async fn interrupted() {
    // Where signals can't be had, the process is ended in another way.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The name of the document: drawn with the folder, as what a browser kept of another stall is none of this one's.
fn document(data: &Path) -> std::io::Result<String> {
    let file = data.join("document");
    if let Ok(name) = std::fs::read_to_string(&file) {
        return Ok(name);
    }
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let name = format!("stall-{:08x}", Random::new(nanos as u64).draw() >> 32);
    std::fs::write(&file, &name)?;
    Ok(name)
}

/// Another day, another order of things.
fn seed(kind: Work) -> u64 {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    nanos as u64 ^ kind as u64
}

async fn follow(relay: &str, document: &str) -> Result<(), Box<dyn Error>> {
    let node = Node::<Stall>::open(MemoryStorage::new(), Config::new(ScopeId::named(document)))?;
    introduce(&node, "Terminal").await?;
    Ok(terminal::obey(&node, relay, stdin().lock(), stdout().lock())?)
}
