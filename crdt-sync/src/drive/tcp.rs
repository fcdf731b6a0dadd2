//! TCP on tokio: static peers, reconnection, and TLS where the feature `tls` is on.
//! With the feature `foca`, peers that find each other, too.
//!
//! Frames follow each other, each behind its length as four bytes, the highest first; a length above the limit ends the
//! link before anything of the frame is buffered.

#[cfg(feature = "foca")]
mod members;
#[cfg(feature = "tls")]
mod tls;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet, yield_now};
use tokio::time::{sleep, timeout};
use tokio_util::bytes::Bytes;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

#[cfg(feature = "foca")]
pub(super) use members::Note;
#[cfg(feature = "foca")]
pub use members::{Members, Membership, join};
#[cfg(feature = "tls")]
pub use tls::Tls;
#[cfg(feature = "relay")]
pub(super) use tls::server as server_tls;

use super::backoff::{Backoff, Refusal};
use super::core::Core;
use super::{Data, FAREWELL_WITHIN, GREETING_WITHIN, Node, WRITE_WITHIN};
use crate::{Limits, LinkKind, PeerId};

/// Who may listen in, and who is let in.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Security {
    /// Anybody who reaches the port. For one machine, or a network that is trusted.
    #[default]
    Plain,
    /// Both ends show a certificate of the same authority.
    #[cfg(feature = "tls")]
    Tls(Tls),
}

/// A listener or a connection in the background. It and its links end when this is dropped.
#[derive(Debug)]
#[must_use = "the service ends when this is dropped"]
pub struct Service {
    task: JoinHandle<()>,
}

impl Service {
    pub(super) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { task: tokio::spawn(task) }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes connections of peers. Must be called inside a tokio runtime.
pub fn listen<S: Data>(node: &Node<S>, listener: TcpListener, security: Security) -> Service {
    let core = Arc::clone(&node.core);
    Service::spawn(accept(listener, sockets_max(&core.limits), move |stream| {
        let (core, security) = (Arc::clone(&core), security.clone());
        async move { serve(&core, stream, &security, Side::Server, &|_| ()).await }
    }))
}

/// Keeps a connection to a peer, again and again, with growing pauses. Must be called inside a tokio runtime.
pub fn connect<S: Data>(node: &Node<S>, address: impl Into<String>, security: Security) -> Service {
    let (core, address) = (Arc::clone(&node.core), address.into());
    Service::spawn(async move {
        let mut backoff = Backoff::new();
        while !core.is_closed() {
            backoff.begin();
            let ended = match TcpStream::connect(&address).await {
                Ok(stream) => serve(&core, stream, &security, Side::Client, &|_| ()).await,
                Err(error) => Err(error),
            };
            super::trace_link(&address, &ended);
            pause(&core, backoff.ended(&ended)).await;
        }
    })
}

/// Waits before the next attempt, unless nothing more comes of the node.
pub(super) async fn pause<S: Data>(core: &Core<S>, wait: Duration) {
    let _ = timeout(wait, core.have.when(|have| have.closed.then_some(()))).await;
}

/// As many sockets as may be links, and as many again that have not said who they are: strangers that say nothing take
/// the place of nobody who has a link.
pub(super) fn sockets_max(limits: &Limits) -> usize {
    limits.links_max.saturating_mul(2)
}

/// Hands each connection to a task of its own. One above `most` is closed before anything is read of it.
pub(super) async fn accept<F>(listener: TcpListener, most: usize, serve: impl Fn(TcpStream) -> F)
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let mut links = JoinSet::new();
    loop {
        let accepted = listener.accept().await;
        while links.try_join_next().is_some() {}
        match accepted {
            Ok((stream, from)) if links.len() < most => {
                let link = serve(stream);
                links.spawn(async move { super::trace_link(&from, &link.await) });
            }
            Ok((stream, _)) => drop(stream),
            // Out of sockets, mostly. Those that are open go on, and some will end.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Server,
    Client,
}

async fn serve<S: Data>(
    core: &Arc<Core<S>>,
    stream: TcpStream,
    security: &Security,
    #[cfg_attr(not(feature = "tls"), allow(unused_variables, reason = "only TLS tells the sides apart"))] side: Side,
    up: &(dyn Fn(PeerId) + Sync),
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match security {
        Security::Plain => frames(core, stream, None, up).await,
        #[cfg(feature = "tls")]
        Security::Tls(tls) => match side {
            Side::Server => {
                let stream = timeout(GREETING_WITHIN, tls.accept(stream)).await??;
                let certificate = tls::certificate_of(stream.get_ref().1.peer_certificates());
                frames(core, stream, certificate, up).await
            }
            Side::Client => {
                let stream = timeout(GREETING_WITHIN, tls.connect(stream)).await??;
                let certificate = tls::certificate_of(stream.get_ref().1.peer_certificates());
                frames(core, stream, certificate, up).await
            }
        },
    }
}

async fn frames<S: Data>(
    core: &Arc<Core<S>>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    certificate: Option<Vec<u8>>,
    up: &(dyn Fn(PeerId) + Sync),
) -> io::Result<()> {
    let codec = LengthDelimitedCodec::builder().max_frame_length(core.limits.frame_bytes_max).new_codec();
    let (outgoing, incoming) = Framed::new(stream, codec).split();
    let outgoing = outgoing.with(|frame: Vec<u8>| std::future::ready(io::Result::Ok(Bytes::from(frame))));
    run(core, incoming, outgoing, certificate, up).await
}

/// A link that is up, for as long as this lives.
struct Up<'c, S: Data> {
    core: &'c Arc<Core<S>>,
    peer: PeerId,
}

impl<S: Data> Drop for Up<'_, S> {
    fn drop(&mut self) {
        self.core.link_down(self.peer);
    }
}

/// Runs one link until it ends, over anything that carries frames, with the certificate that its greeting proved, if any;
/// its name is told once it is up.
pub(super) async fn run<S, F>(
    core: &Arc<Core<S>>,
    mut incoming: impl Stream<Item = io::Result<F>> + Unpin,
    mut outgoing: impl Sink<Vec<u8>, Error = io::Error> + Unpin,
    certificate: Option<Vec<u8>>,
    told: &(dyn Fn(PeerId) + Sync),
) -> io::Result<()>
where
    S: Data,
    F: AsRef<[u8]>,
{
    let Some((peer, link)) = core.link_up(LinkKind::Stream, certificate) else { return Ok(()) };
    let up = Up { core, peer };
    told(peer);
    let read = async {
        let mut next = timeout(GREETING_WITHIN, incoming.next()).await.map_err(io::Error::from)?;
        while let Some(frame) = next {
            // A refused frame is a strike against the peer; the machine closes the link when there are too many.
            let _ = core.receive(peer, frame?.as_ref());
            // A peer that floods is one task among others.
            yield_now().await;
            core.disk.room(core.limits.held_bytes_max).await;
            next = incoming.next().await;
        }
        Ok(())
    };
    let write = async {
        while let Some(frame) = link.next().await {
            timeout(WRITE_WITHIN, outgoing.feed(frame)).await??;
            core.sent(peer);
            if link.bytes() == 0 {
                timeout(WRITE_WITHIN, outgoing.flush()).await??;
            }
        }
        timeout(WRITE_WITHIN, outgoing.close()).await?
    };
    let ended = tokio::select! {
        ended = read => ended,
        ended = write => ended,
        () = link.gone() => Ok(()),
    };
    drop(up);
    let refusal = link.refusal();
    if refusal.is_some() {
        // A peer that finds the socket closed under what it writes may not have read why, or may never: some systems
        // drop what a reset connection had still to be read. Not knowing, it would come again at once.
        let _ = timeout(FAREWELL_WITHIN, async { while let Some(Ok(_)) = incoming.next().await {} }).await;
    }
    Refusal::ended(refusal, ended)
}
