//! Whether anybody is still at the other end of a WebSocket.
//!
//! A browser lets a page in the background run its timers once a minute, or not at all: that a page says nothing proves
//! nothing. Its answers to pings come from underneath the page. So the serving side pings, and whatever comes, an answer
//! as well as a frame, is a sign of life.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

/// How often to ping, and after how long a silence nobody is there.
#[derive(Clone, Copy, Debug)]
pub(in crate::drive) struct Pace {
    ping_every: Duration,
    silent_for: Duration,
}

/// Proxies and routers mostly forget what is idle for a minute. Three pings without an answer are enough.
pub(in crate::drive) const PACE: Pace =
    Pace { ping_every: Duration::from_secs(20), silent_for: Duration::from_secs(60) };

/// A socket that pings, and ends when nothing came for too long. It has to be read all the time.
pub(in crate::drive) struct Alive<T> {
    socket: WebSocketStream<T>,
    tick: Interval,
    pace: Pace,
    heard: Instant,
    due: Due,
}

/// What is still to be done for the last ping.
#[derive(Clone, Copy, PartialEq)]
enum Due {
    Nothing,
    Ping,
    Flush,
}

impl<T> Alive<T> {
    pub(in crate::drive) fn new(socket: WebSocketStream<T>, pace: Pace) -> Self {
        let now = Instant::now();
        let mut tick = interval_at(now + pace.ping_every, pace.ping_every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { socket, tick, pace, heard: now, due: Due::Nothing }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Alive<T> {
    /// Pings, as far as the socket takes it now.
    fn ping(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.due == Due::Ping {
            ready!(Pin::new(&mut self.socket).poll_ready(context))?;
            Pin::new(&mut self.socket).start_send(Message::Ping(Bytes::new()))?;
            self.due = Due::Flush;
        }
        if self.due == Due::Flush {
            ready!(Pin::new(&mut self.socket).poll_flush(context))?;
            self.due = Due::Nothing;
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream for Alive<T> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut self.socket).poll_next(context);
        if next.is_ready() {
            self.heard = Instant::now();
            return next;
        }
        while self.tick.poll_tick(context).is_ready() {
            if self.heard.elapsed() >= self.pace.silent_for {
                return Poll::Ready(Some(Err(Error::Io(io::ErrorKind::TimedOut.into()))));
            }
            self.due = Due::Ping;
        }
        match self.ping(context) {
            Poll::Ready(Err(error)) => Poll::Ready(Some(Err(error))),
            _ => Poll::Pending,
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Sink<Message> for Alive<T> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.socket).poll_ready(context)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        Pin::new(&mut self.socket).start_send(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.socket).poll_close(context)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio::io::DuplexStream;
    use tokio::time::{sleep, timeout};
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;

    const FAST: Pace = Pace { ping_every: Duration::from_millis(40), silent_for: Duration::from_millis(400) };

    async fn pair() -> (Alive<DuplexStream>, WebSocketStream<DuplexStream>) {
        let (here, there) = tokio::io::duplex(1 << 16);
        let server = WebSocketStream::from_raw_socket(here, Role::Server, None).await;
        let page = WebSocketStream::from_raw_socket(there, Role::Client, None).await;
        (Alive::new(server, FAST), page)
    }

    fn is_timed_out(error: &Error) -> bool {
        matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::TimedOut)
    }

    /// A page in the background says nothing for a minute, and its browser goes on answering.
    #[tokio::test]
    async fn a_page_that_says_nothing_is_kept_while_its_browser_answers() {
        let (mut server, mut page) = pair().await;
        let browser = tokio::spawn(async move {
            let mut pings = 0;
            while pings < 30 {
                // Reading answers pings.
                pings += usize::from(matches!(page.next().await, Some(Ok(Message::Ping(_)))));
            }
            page.send(Message::Binary(vec![7].into())).await.unwrap();
            page
        });
        let said = timeout(Duration::from_secs(20), async {
            loop {
                match server.next().await {
                    Some(Ok(Message::Pong(_))) => {}
                    other => break other,
                }
            }
        });
        let said = said.await.expect("it is pinged").expect("it is still there").expect("nothing failed");
        assert_eq!(said, Message::Binary(vec![7].into()));
        drop(browser.await.unwrap());
    }

    #[tokio::test]
    async fn whoever_does_not_answer_is_let_go() {
        let (mut server, page) = pair().await;
        let start = Instant::now();
        let ended = timeout(Duration::from_secs(20), server.next()).await.expect("it ends");
        assert!(matches!(&ended, Some(Err(error)) if is_timed_out(error)), "{ended:?}");
        assert!(start.elapsed() >= FAST.silent_for);
        drop(page);
    }

    #[tokio::test]
    async fn frames_pass_both_ways_between_pings() {
        let (mut server, mut page) = pair().await;
        sleep(Duration::from_millis(100)).await;
        server.send(Message::Binary(vec![1].into())).await.unwrap();
        page.send(Message::Binary(vec![2].into())).await.unwrap();
        assert_eq!(server.next().await.unwrap().unwrap(), Message::Binary(vec![2].into()));
        assert_eq!(page.next().await.unwrap().unwrap(), Message::Binary(vec![1].into()));
    }
}
