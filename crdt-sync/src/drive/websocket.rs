//! WebSockets, for browsers: each binary message is one frame, the same as on TCP.
//!
//! Served plain. Where the page comes over HTTPS, a proxy in front ends the TLS.

use std::io;
use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async_with_config, client_async_with_config};

use super::backoff::Backoff;
use super::core::Core;
use super::tcp::{Service, accept, run};
use super::{Data, GREETING_WITHIN, Node};

/// Takes WebSocket connections, of any page: what a page may do here, the machine's limits say. Must be called inside a
/// tokio runtime.
pub fn listen<S: Data>(node: &Node<S>, listener: TcpListener) -> Service {
    let core = Arc::clone(&node.core);
    Service::spawn(accept(listener, move |stream| {
        let core = Arc::clone(&core);
        async move {
            stream.set_nodelay(true)?;
            let greeting = accept_async_with_config(stream, Some(bounds(&core)));
            let socket = timeout(GREETING_WITHIN, greeting).await?.map_err(io_error)?;
            frames(&core, socket).await
        }
    }))
}

/// Keeps a WebSocket to `ws://ADDRESS/`, again and again, with growing pauses. Must be called inside a tokio runtime.
pub fn connect<S: Data>(node: &Node<S>, address: impl Into<String>) -> Service {
    let (core, address) = (Arc::clone(&node.core), address.into());
    Service::spawn(async move {
        let mut backoff = Backoff::new();
        while !core.is_closed() {
            backoff.begin();
            let ended = connect_once(&core, &address).await;
            super::trace_link(&address, &ended);
            sleep(backoff.ended()).await;
        }
    })
}

async fn connect_once<S: Data>(core: &Arc<Core<S>>, address: &str) -> io::Result<()> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let greeting = client_async_with_config(format!("ws://{address}/"), stream, Some(bounds(core)));
    let (socket, _) = timeout(GREETING_WITHIN, greeting).await?.map_err(io_error)?;
    frames(core, socket).await
}

/// A message is a frame, so what bounds frames bounds messages, before they are buffered.
fn bounds<S: Data>(core: &Core<S>) -> WebSocketConfig {
    let most = core.limits.frame_bytes_max;
    WebSocketConfig::default()
        .max_message_size(Some(most))
        .max_frame_size(Some(most))
        .max_write_buffer_size(core.limits.link_bytes_max.max(2 * most))
}

async fn frames<S: Data>(core: &Arc<Core<S>>, socket: WebSocketStream<TcpStream>) -> io::Result<()> {
    let (outgoing, incoming) = socket.split();
    let outgoing = outgoing
        .sink_map_err(io_error)
        .with(|frame: Vec<u8>| std::future::ready(io::Result::Ok(Message::Binary(frame.into()))));
    let incoming = incoming.filter_map(|message| {
        std::future::ready(match message {
            Ok(Message::Binary(frame)) => Some(Ok(frame)),
            // Pings are answered underneath.
            Ok(Message::Ping(_) | Message::Pong(_)) => None,
            Ok(_) => Some(Err(io::ErrorKind::InvalidData.into())),
            Err(error) => Some(Err(io_error(error))),
        })
    });
    run(core, incoming, outgoing, &|_| ()).await
}

fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}
