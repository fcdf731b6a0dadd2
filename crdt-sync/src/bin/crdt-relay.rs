//! A server for browsers and other replicas: `crdt-relay [CONFIG.toml]`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that people start by hand")]

use std::path::Path;
use std::process::ExitCode;

use crdt_sync::drive::relay::{Relay, RelayConfig};

const USAGE: &str = "\
usage: crdt-relay [CONFIG.toml]

Without a file it listens on 127.0.0.1:8787, keeps its documents in ./crdt-relay-data, and lets in whoever is on this
machine. The file's lines: address, data, origins, others, documents_max, documents_open_max, sockets_max,
[tls] certificate, key, and [documents.NAME] tokens.";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let config = match arguments.as_slice() {
        [] => Ok(RelayConfig::default()),
        [option] if option == "--help" || option == "-h" => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        [path] if !path.starts_with('-') => RelayConfig::read(Path::new(path)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("crdt-relay: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(
    config: Result<RelayConfig, crdt_sync::drive::relay::RelayConfigError>,
) -> Result<(), Box<dyn std::error::Error>> {
    let config = config?;
    let (address, secure) = (config.address, config.tls.is_some());
    let relay = Relay::new(config)?;
    let listener = tokio::net::TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))?;
    let scheme = if secure { "wss" } else { "ws" };
    println!("listening on {scheme}://{}", listener.local_addr()?);
    let service = relay.serve(listener);
    tokio::signal::ctrl_c().await?;
    drop(service);
    relay.close().await?;
    println!("closed");
    Ok(())
}
