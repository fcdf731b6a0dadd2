//! A server for browsers and other replicas: many documents, each a replica of its own with a durable store.
//!
//! It knows no types: what it holds are [`Document`]s. It stores, acknowledges, repairs and passes on like any other
//! replica, and lends ids to tabs that have none. The program `crdt-relay` is this with a configuration file.
//!
//! ```text
//! WebSocket ──► [ text: the token ] ──► binary: Open, which names the scope ──► frames, both ways
//!                                        │
//!                                        ├─ may this token enter this document?  no: closed with 4001
//!                                        └─ a replica for it, opened if it is not yet
//! ```
//!
//! **Presence.** What somebody shows of themselves (a name, a pointer: `Gossip` frames) goes to all others who are linked with
//! the same document at that moment. It is never stored and no part of the document; messages of 4 KiB at most, 16 KiB a
//! second from one link after a burst of 64, each passed on once. What is more is left out, and so is what a slow link would
//! get too late.
//!
//! **Bounded.** Sockets, documents on disk and documents open at a time have limits in [`RelayConfig`]; one socket costs
//! what [`Limits`] allows a link. A document that nobody is connected to is closed when its place is
//! wanted. Sockets are pinged every 20 seconds, which browsers answer by themselves however rarely they let a page in the
//! background run; one from which nothing comes for a minute is let go.

mod config;
mod documents;
mod door;
mod presence;

use std::io;
use std::path::Path;
use std::sync::Arc;

use crdt_core::Document;
use futures_util::{StreamExt as _, stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

pub use config::{DocumentAccess, RelayConfig, RelayConfigError, RelayTls};
pub use documents::Guest;
pub(super) use presence::{Presence, WAITING_BYTES_MAX};

use self::documents::Documents;
use super::tcp::{Service, accept, server_tls};
use super::websocket::{Alive, PACE};
use super::{GREETING_WITHIN, Node, NodeError, websocket};
use crate::frame::scope_opened;
use crate::{Limits, ScopeId};

/// Documents for whoever connects.
pub struct Relay {
    documents: Documents,
    config: RelayConfig,
    limits: Limits,
    tls: Option<TlsAcceptor>,
    sockets: Arc<Semaphore>,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("data", &self.config.data).finish_non_exhaustive()
    }
}

/// Why a socket is closed at the door: what its close frame says.
struct Closed {
    code: u16,
    reason: &'static str,
}

impl Closed {
    /// The token does not open this document, or the document is none of ours. Which of the two is not told.
    const UNAUTHORIZED: Self = Self { code: websocket::NOT_LET_IN, reason: "not let in" };
    /// Too many documents are open or kept: later there may be room.
    const FULL: Self = Self { code: 1013, reason: "no room for this document now" };
    const NOT_OURS: Self = Self { code: 1002, reason: "the first frame has to be an Open" };
    const FAILED: Self = Self { code: 1011, reason: "the store of this document failed" };
}

impl Relay {
    /// Makes the data folder and reads the certificates; documents are opened when somebody comes for them.
    ///
    /// # Errors
    /// If the configuration contradicts itself, the folder can't be made, or a certificate can't be read.
    pub fn new(config: RelayConfig) -> Result<Arc<Self>, RelayConfigError> {
        config.check()?;
        let at = |path: &Path| {
            let path = path.to_owned();
            move |error| RelayConfigError::File(path, error)
        };
        std::fs::create_dir_all(&config.data).map_err(at(&config.data))?;
        let tls = match &config.tls {
            None => None,
            Some(tls) => {
                let read = |path: &Path| std::fs::read_to_string(path).map_err(at(path));
                let acceptor = server_tls(&read(&tls.certificate)?, &read(&tls.key)?);
                Some(acceptor.map_err(at(&tls.certificate))?)
            }
        };
        Ok(Arc::new(Self {
            documents: Documents::new(&config),
            sockets: Arc::new(Semaphore::new(config.sockets_max)),
            limits: Limits::default(),
            config,
            tls,
        }))
    }

    /// Takes connections until what it returns is dropped. Must be called inside a tokio runtime.
    pub fn serve(self: &Arc<Self>, listener: TcpListener) -> Service {
        let relay = Arc::clone(self);
        Service::spawn(accept(listener, self.config.sockets_max, move |stream| {
            let relay = Arc::clone(&relay);
            async move { relay.socket(stream).await }
        }))
    }

    /// The replica of a document, opened if it is not: to read it, or to edit it beside those who are connected. The
    /// document stays open for as long as what is returned lives.
    ///
    /// # Errors
    /// If there is no room for it, or its store can't be opened.
    pub async fn document(&self, name: &str) -> Result<Guest, NodeError> {
        self.documents.enter(ScopeId::named(name)).await?.ok_or(NodeError::Closed)
    }

    /// Closes every document, so that the next start finds them closed cleanly. Connections end, and nothing is opened
    /// any more.
    ///
    /// # Errors
    /// That of the first store that failed; the others are closed nevertheless.
    pub async fn close(&self) -> Result<(), NodeError> {
        self.sockets.close();
        self.documents.close().await
    }

    async fn socket(&self, stream: TcpStream) -> io::Result<()> {
        // With all places taken a new one is not even greeted.
        let Ok(_place) = Arc::clone(&self.sockets).try_acquire_owned() else { return Ok(()) };
        stream.set_nodelay(true)?;
        match &self.tls {
            None => self.greet(stream).await,
            Some(tls) => self.greet(timeout(GREETING_WITHIN, tls.accept(stream)).await??).await,
        }
    }

    async fn greet<T: AsyncRead + AsyncWrite + Unpin + Send>(&self, stream: T) -> io::Result<()> {
        let check = door::check(&self.config.origins);
        let greeting = accept_hdr_async_with_config(stream, check, Some(websocket::bounds(&self.limits)));
        let mut socket = timeout(GREETING_WITHIN, greeting).await?.map_err(websocket::io_error)?;
        match timeout(GREETING_WITHIN, self.admit(&mut socket)).await? {
            Ok((guest, open)) => {
                let (outgoing, incoming) = websocket::halves(Alive::new(socket, PACE));
                let first = stream::once(std::future::ready(Ok(open)));
                super::tcp::run(&guest.node().core, first.chain(incoming), outgoing, None, &|_| ()).await
            }
            Err(Closed { code, reason }) => {
                let frame = CloseFrame { code: code.into(), reason: reason.into() };
                timeout(GREETING_WITHIN, socket.close(Some(frame))).await?.map_err(websocket::io_error)
            }
        }
    }

    /// Listens to the first words: a token perhaps, and then the frame that opens a document.
    async fn admit<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        socket: &mut WebSocketStream<T>,
    ) -> Result<(Guest, Bytes), Closed> {
        let mut token = None;
        let open = loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) if token.is_none() => token = Some(text),
                Some(Ok(Message::Binary(frame))) => break frame,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return Err(Closed::NOT_OURS),
            }
        };
        let scope = scope_opened(&open).ok_or(Closed::NOT_OURS)?;
        if !self.config.lets_in(scope, token.as_deref()) {
            return Err(Closed::UNAUTHORIZED);
        }
        match self.documents.enter(scope).await {
            Ok(Some(guest)) => Ok((guest, open)),
            Ok(None) => Err(Closed::FULL),
            Err(_) => Err(Closed::FAILED),
        }
    }
}

/// What a relay holds.
pub type RelayNode = Node<Document>;
