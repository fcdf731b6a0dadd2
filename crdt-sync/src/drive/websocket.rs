//! WebSockets, for browsers: each binary message is one frame, the same as on TCP.
//!
//! Served plain. Where the page comes over HTTPS, a proxy in front ends the TLS.

mod alive;

use std::io;
use std::sync::Arc;

use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{accept_async_with_config, client_async_with_config};

pub(super) use alive::{Alive, PACE};

use super::backoff::{Backoff, Refusal};
use super::core::Core;
use super::tcp::{Service, accept, pause, run, sockets_max};
use super::{Data, GREETING_WITHIN, Node};
use crate::Limits;

/// A server closes with this code when whoever came may not have what it asked for. Coming again changes nothing.
pub(super) const NOT_LET_IN: u16 = 4001;

/// Takes WebSocket connections, of any page: what a page may do here, the machine's limits say. Must be called inside a
/// tokio runtime.
pub fn listen<S: Data>(node: &Node<S>, listener: TcpListener) -> Service {
    let core = Arc::clone(&node.core);
    Service::spawn(accept(listener, sockets_max(&core.limits), move |stream| {
        let core = Arc::clone(&core);
        async move {
            stream.set_nodelay(true)?;
            let greeting = accept_async_with_config(stream, Some(bounds(&core.limits)));
            let socket = timeout(GREETING_WITHIN, greeting).await?.map_err(io_error)?;
            frames(&core, Alive::new(socket, PACE)).await
        }
    }))
}

/// Keeps a WebSocket to `ws://ADDRESS/`, again and again, with growing pauses. Must be called inside a tokio runtime.
pub fn connect<S: Data>(node: &Node<S>, address: impl Into<String>) -> Service {
    dial(node, address.into(), None)
}

/// The same to a server that asks for a token before it lets anybody into this scope.
pub fn connect_with_token<S: Data>(node: &Node<S>, address: impl Into<String>, token: impl Into<String>) -> Service {
    dial(node, address.into(), Some(token.into()))
}

fn dial<S: Data>(node: &Node<S>, address: String, token: Option<String>) -> Service {
    let core = Arc::clone(&node.core);
    Service::spawn(async move {
        let mut backoff = Backoff::new();
        while !core.is_closed() {
            backoff.begin();
            let ended = connect_once(&core, &address, token.as_deref()).await;
            super::trace_link(&address, &ended);
            pause(&core, backoff.ended(&ended)).await;
        }
    })
}

async fn connect_once<S: Data>(core: &Arc<Core<S>>, address: &str, token: Option<&str>) -> io::Result<()> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let greeting = client_async_with_config(format!("ws://{address}/"), stream, Some(bounds(&core.limits)));
    let (mut socket, _) = timeout(GREETING_WITHIN, greeting).await?.map_err(io_error)?;
    if let Some(token) = token {
        socket.send(Message::Text(token.into())).await.map_err(io_error)?;
    }
    frames(core, socket).await
}

/// A message is a frame, so what bounds frames bounds messages, before they are buffered.
pub(super) fn bounds(limits: &Limits) -> WebSocketConfig {
    let most = limits.frame_bytes_max;
    WebSocketConfig::default()
        .max_message_size(Some(most))
        .max_frame_size(Some(most))
        .max_write_buffer_size(limits.link_bytes_max.max(2 * most))
}

async fn frames<S: Data>(core: &Arc<Core<S>>, socket: impl Messages) -> io::Result<()> {
    let (outgoing, incoming) = halves(socket);
    run(core, incoming, outgoing, None, &|_| ()).await
}

/// A socket, which pings or does not.
pub(super) trait Messages: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin {}

impl<T: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin> Messages for T {}

/// Frames to send, and those that come.
pub(super) fn halves(
    socket: impl Messages,
) -> (impl Sink<Vec<u8>, Error = io::Error> + Unpin, impl Stream<Item = io::Result<Bytes>> + Unpin) {
    let (outgoing, incoming) = socket.split();
    let outgoing = outgoing
        .sink_map_err(io_error)
        .with(|frame: Vec<u8>| std::future::ready(io::Result::Ok(Message::Binary(frame.into()))));
    let incoming = incoming.filter_map(|message| {
        std::future::ready(match message {
            Ok(Message::Binary(frame)) => Some(Ok(frame)),
            // Pings are answered underneath, and answers have told that somebody is there.
            Ok(Message::Ping(_) | Message::Pong(_)) => None,
            Ok(Message::Close(Some(why))) if u16::from(why.code) == NOT_LET_IN => {
                Some(Err(io::Error::other(Refusal::Incompatible)))
            }
            Ok(_) => Some(Err(io::ErrorKind::InvalidData.into())),
            Err(error) => Some(Err(io_error(error))),
        })
    });
    (outgoing, incoming)
}

pub(super) fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}
