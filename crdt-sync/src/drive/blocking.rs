//! TCP with threads of the standard library: two for each link, and no runtime.
//!
//! Frames follow each other, each behind its length as four bytes, the highest first. For many links, or for TLS, take
//! the tokio driver.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::backoff::{Backoff, Refusal};
use super::core::Core;
use super::{Data, FAREWELL_WITHIN, GREETING_WITHIN, Node, WRITE_WITHIN};
use crate::LinkKind;

/// A listener or a connection in the background; it ends when this is dropped.
#[derive(Debug)]
pub struct Service {
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by its own hook.
            let _ = thread.join();
        }
    }
}

/// How soon a background thread notices that it should end.
const LOOK_EVERY: Duration = Duration::from_millis(20);

fn service(name: &str, run: impl FnOnce(&AtomicBool) + Send + 'static) -> io::Result<Service> {
    let stopped = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stopped);
    let thread = thread::Builder::new().name(format!("crdt-sync {name}")).spawn(move || run(&seen))?;
    Ok(Service { stopped, thread: Some(thread) })
}

/// Takes connections of peers. Links that are up when the service ends stay up.
///
/// # Errors
/// If the listener can't be asked without blocking, or no thread can be started.
pub fn listen<S: Data>(node: &Node<S>, listener: TcpListener) -> io::Result<Service> {
    listener.set_nonblocking(true)?;
    let core = Arc::clone(&node.core);
    service("listener", move |stopped| {
        while !stopped.load(Ordering::Relaxed) {
            let Ok((stream, _)) = listener.accept() else {
                // Nobody is there, or the system is short of something: look again in a moment.
                thread::sleep(LOOK_EVERY);
                continue;
            };
            let core = Arc::clone(&core);
            let link = thread::Builder::new().name("crdt-sync link".to_owned());
            // Without a thread the stream is dropped, and the peer tries again.
            let _ =
                link.spawn(move || stream.set_nonblocking(false).and_then(|()| run(&core, &stream, stopped_never())));
        }
    })
}

/// Keeps a connection to a peer, again and again, with growing pauses.
///
/// # Errors
/// If no thread can be started.
pub fn connect<S: Data>(node: &Node<S>, address: impl ToSocketAddrs + Send + 'static) -> io::Result<Service> {
    let core = Arc::clone(&node.core);
    service("connection", move |stopped| {
        let mut backoff = Backoff::new();
        while !stopped.load(Ordering::Relaxed) && !core.is_closed() {
            backoff.begin();
            let ended = TcpStream::connect(&address).and_then(|stream| run(&core, &stream, stopped));
            let mut left = backoff.ended(&ended);
            while !stopped.load(Ordering::Relaxed) && !core.is_closed() && !left.is_zero() {
                let nap = left.min(LOOK_EVERY);
                thread::sleep(nap);
                left -= nap;
            }
        }
    })
}

fn stopped_never() -> &'static AtomicBool {
    static NEVER: AtomicBool = AtomicBool::new(false);
    &NEVER
}

/// Runs one link until it ends.
fn run<S: Data>(core: &Arc<Core<S>>, stream: &TcpStream, stopped: &AtomicBool) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_WITHIN))?;
    let Some((peer, link)) = core.link_up(LinkKind::Stream, None) else { return Ok(()) };
    let (reading, read) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let link = &link;
        scope.spawn(move || {
            while let Some(frame) = link.wait_next() {
                if write_frame(stream, &frame).is_err() {
                    break;
                }
                core.sent(peer);
            }
            if link.refusal().is_some() && stream.shutdown(Shutdown::Write).is_ok() {
                // What the peer still says is read: one that can't write any more may never read why.
                let _ = read.recv_timeout(FAREWELL_WITHIN);
            }
            // The reader below is woken by this.
            let _ = stream.shutdown(Shutdown::Both);
        });
        let ended = read_frames(stream, core, stopped, |frame| {
            // A refused frame is a strike against the peer; the machine closes the link when there are too many.
            let _ = core.receive(peer, frame);
        });
        drop(reading);
        core.link_down(peer);
        Refusal::ended(link.refusal(), ended)
    })
}

fn write_frame(mut stream: &TcpStream, frame: &[u8]) -> io::Result<()> {
    let length = u32::try_from(frame.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let whole = [&length.to_be_bytes(), frame].concat();
    stream.write_all(&whole)
}

fn read_frames<S: Data>(
    stream: &TcpStream,
    core: &Core<S>,
    stopped: &AtomicBool,
    mut take: impl FnMut(&[u8]),
) -> io::Result<()> {
    let mut greeting = Some(std::time::Instant::now() + GREETING_WITHIN);
    // A short wait at a time, so that the service can be stopped.
    stream.set_read_timeout(Some(LOOK_EVERY.max(Duration::from_millis(50))))?;
    let mut frame = Vec::new();
    loop {
        core.disk.wait_room(core.limits.held_bytes_max);
        let mut length = [0; 4];
        fill(stream, &mut length, stopped, greeting)?;
        let length = u32::from_be_bytes(length) as usize;
        // Checked before a byte of it is buffered.
        if length > core.limits.frame_bytes_max {
            return Err(io::ErrorKind::InvalidData.into());
        }
        frame.clear();
        frame.resize(length, 0);
        fill(stream, &mut frame, stopped, greeting)?;
        greeting = None;
        take(&frame);
    }
}

/// As `read_exact`, with an end from outside.
fn fill(
    mut stream: &TcpStream,
    mut into: &mut [u8],
    stopped: &AtomicBool,
    deadline: Option<std::time::Instant>,
) -> io::Result<()> {
    while !into.is_empty() {
        match stream.read(into) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => into = &mut into[read..],
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if stopped.load(Ordering::Relaxed) || deadline.is_some_and(|deadline| std::time::Instant::now() > deadline) {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
    Ok(())
}
