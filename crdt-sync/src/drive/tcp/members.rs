//! Peers that find each other: each knows one address to begin with, and links to all that are there.

mod directory;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::net::{TcpStream, lookup_host};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep, sleep_until};

use super::super::backoff::Backoff;
use super::super::core::Core;
use super::super::swim::{Change, Swim};
use super::super::watch::Watch;
use super::{Data, Node, Security, Service, Side, pause, serve};
use crate::{PeerId, Steady};
use directory::Directory;

/// Notes that wait for the membership; it is a protocol for messages that are lost.
const NOTES_MAX: usize = 4_096;

/// How a node takes part in a group whose members find each other.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Membership {
    /// The address at which the others reach this node's listener.
    pub advertise: SocketAddr,
    /// Where to ask for others: host and port, as those advertise it. One is enough; they are asked again whenever they
    /// are out of reach, so that a group that fell apart comes together again.
    pub seeds: Vec<String>,
    /// A random member is probed this often; one that does not answer is suspected for some eight times as long, and
    /// then dropped.
    pub probe_every: Duration,
    /// Members that are remembered, those that are gone included. Each is linked to, so it is no greater than the links
    /// that a node may have.
    pub members_max: usize,
}

impl Membership {
    /// With one probe a second, and up to 200 members.
    #[must_use]
    pub fn new(advertise: SocketAddr, seeds: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let seeds = seeds.into_iter().map(Into::into).collect();
        Self { advertise, seeds, probe_every: Duration::from_secs(1), members_max: 200 }
    }
}

/// What the membership of a node is told.
pub(in crate::drive) enum Note {
    /// A link that was dialled is up; who was dialled.
    Dialled(PeerId, SocketAddr),
    /// The other end has said who it is.
    Opened(PeerId),
    /// Bytes of the protocol.
    Heard(PeerId, Vec<u8>),
    /// A link is down.
    Closed(PeerId),
    /// The node is closed, or its store failed.
    Stopped,
}

/// A node's part in its group. Its links to members end when this is dropped, and the others find out.
#[derive(Debug)]
#[must_use = "the node leaves the group when this is dropped"]
pub struct Members {
    up: Arc<Watch<Vec<SocketAddr>>>,
    leave: Option<Sender<()>>,
    _service: Service,
}

impl Members {
    /// Those that are there, by their addresses, without this one.
    #[must_use]
    pub fn up(&self) -> Vec<SocketAddr> {
        self.up.read(Clone::clone)
    }

    /// Resolves when at least so many others are there.
    pub async fn at_least(&self, count: usize) {
        self.up.when(|up| (up.len() >= count).then_some(())).await;
    }

    /// Says farewell, so that the others need not find out.
    pub async fn leave(mut self) {
        if let Some(leave) = self.leave.take() {
            let _ = leave.send(()).await;
            // It ends once the farewell is on its way.
            leave.closed().await;
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Joins a group: dials whoever is there, and drops whoever is gone. The node must be listening at the advertised
/// address, with the same security. Must be called inside a tokio runtime.
pub fn join<S: Data>(node: &Node<S>, membership: Membership, security: Security) -> Members {
    let (notes, heard) = channel(NOTES_MAX);
    node.core.note_members(notes.clone());
    let up = Arc::new(Watch::default());
    let (leave, left) = channel(1);
    let core = Arc::clone(&node.core);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let since = u64::try_from(since.as_millis()).unwrap_or(u64::MAX / 2);
    let now = core.now().steady;
    let swim = Swim::new(
        membership.advertise,
        since,
        membership.probe_every,
        membership.members_max.min(core.limits.links_max),
        super::super::random(),
        now,
    );
    let group = Group {
        dialler: Dialler { core, security, notes, directory: Arc::default() },
        swim,
        dialled: BTreeMap::new(),
        up: Arc::clone(&up),
        membership,
    };
    Members { up, leave: Some(leave), _service: Service::spawn(group.run(heard, left)) }
}

/// All that one node keeps of its group.
struct Group<S: Data> {
    dialler: Dialler<S>,
    swim: Swim,
    /// Connections that are kept.
    dialled: BTreeMap<SocketAddr, Service>,
    up: Arc<Watch<Vec<SocketAddr>>>,
    membership: Membership,
}

impl<S: Data> Group<S> {
    async fn run(mut self, mut notes: Receiver<Note>, mut left: Receiver<()>) {
        let seeds: Vec<Service> =
            self.membership.seeds.iter().map(|seed| self.dialler.keep_seed(seed, self.membership.advertise)).collect();
        loop {
            let due = self.swim.poll_timeout().unwrap_or(Steady(u64::MAX));
            let wait = due.0.saturating_sub(self.now().0).min(60_000);
            tokio::select! {
                note = notes.recv() => match note {
                    Some(note) => self.take(note),
                    None => break,
                },
                () = sleep_until(Instant::now() + Duration::from_millis(wait)) => self.swim.timeout(self.now()),
                _ = left.recv() => {
                    self.swim.leave(self.now());
                    self.send();
                    break;
                }
            }
            self.send();
            self.follow();
            if self.dialler.core.is_closed() {
                break;
            }
        }
        // The farewell is in the queues of the links; they end when those are dropped.
        drop(left);
        sleep(Duration::from_millis(10)).await;
        drop(seeds);
    }

    fn now(&self) -> Steady {
        self.dialler.core.now().steady
    }

    fn take(&mut self, note: Note) {
        match note {
            Note::Dialled(peer, addr) => self.dialler.directory(|directory| directory.reached(peer, addr)),
            Note::Opened(peer) => {
                // Whoever was dialled learns at once who it was.
                if let Some(addr) = self.dialler.directory(|directory| directory.behind(peer)) {
                    self.swim.announce(addr, self.now());
                }
            }
            Note::Heard(peer, bytes) => {
                if let Some(addr) = self.swim.hear(&bytes, self.now()) {
                    self.dialler.directory(|directory| directory.claimed(peer, addr));
                }
            }
            Note::Closed(peer) => self.dialler.directory(|directory| directory.closed(peer)),
            // Seen where the loop ends.
            Note::Stopped => {}
        }
        // That a link is down is lost where too many notes wait.
        let core = &self.dialler.core;
        self.dialler.directory(|directory| {
            if directory.len() > core.limits.links_max {
                directory.sweep(|peer| core.has_link(peer));
            }
        });
    }

    fn send(&mut self) {
        while let Some((to, bytes)) = self.swim.poll_send() {
            let link = self.dialler.directory(|directory| directory.link_to(to));
            if let Some(peer) = link {
                self.dialler.core.gossip(peer, bytes);
            }
        }
    }

    /// Links follow membership.
    fn follow(&mut self) {
        let mut changed = false;
        while let Some(change) = self.swim.poll_change() {
            changed = true;
            match change {
                Change::Up(addr) => {
                    // One side dials, and the other one if that comes to nothing.
                    let first = self.membership.advertise < addr;
                    let wait = if first { Duration::ZERO } else { 3 * self.membership.probe_every };
                    self.dialled.insert(addr, self.dialler.keep(addr, wait));
                }
                Change::Down(addr) => {
                    self.dialled.remove(&addr);
                }
            }
            #[cfg(feature = "tracing")]
            tracing::info!(?change, "membership");
        }
        if changed {
            let members = self.swim.up().iter().copied().collect();
            self.up.update(|up| *up = members);
        }
    }
}

/// What it takes to dial somebody.
struct Dialler<S: Data> {
    core: Arc<Core<S>>,
    security: Security,
    notes: Sender<Note>,
    directory: Arc<Mutex<Directory>>,
}

impl<S: Data> Clone for Dialler<S> {
    fn clone(&self) -> Self {
        Self {
            core: Arc::clone(&self.core),
            security: self.security.clone(),
            notes: self.notes.clone(),
            directory: Arc::clone(&self.directory),
        }
    }
}

impl<S: Data> Dialler<S> {
    /// Keeps a link to a member, unless that has one to here.
    fn keep(&self, addr: SocketAddr, wait: Duration) -> Service {
        let dialler = self.clone();
        Service::spawn(async move {
            sleep(wait).await;
            let mut backoff = Backoff::new();
            while !dialler.core.is_closed() {
                backoff.begin();
                let ended = dialler.dial(addr).await;
                pause(&dialler.core, backoff.ended(&ended)).await;
            }
        })
    }

    /// The same for a seed, whose address may change.
    fn keep_seed(&self, seed: &str, me: SocketAddr) -> Service {
        let (dialler, seed) = (self.clone(), seed.to_owned());
        Service::spawn(async move {
            let mut backoff = Backoff::new();
            while !dialler.core.is_closed() {
                backoff.begin();
                let found = lookup_host(&seed).await.ok().and_then(|mut found| found.next());
                let ended = match found.filter(|addr| *addr != me) {
                    Some(addr) => dialler.dial(addr).await,
                    None => Ok(()),
                };
                pause(&dialler.core, backoff.ended(&ended)).await;
            }
        })
    }

    fn directory<R>(&self, f: impl FnOnce(&mut Directory) -> R) -> R {
        f(&mut self.directory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn dial(&self, addr: SocketAddr) -> io::Result<()> {
        let link = self.directory(|directory| directory.link_to(addr));
        if link.is_some_and(|peer| self.core.has_link(peer)) {
            return Ok(());
        }
        let told = |peer| {
            let _ = self.notes.try_send(Note::Dialled(peer, addr));
        };
        let ended = match TcpStream::connect(addr).await {
            Ok(stream) => serve(&self.core, stream, &self.security, Side::Client, &told).await,
            Err(error) => Err(error),
        };
        super::super::trace_link(&addr, &ended);
        ended
    }
}

#[cfg(test)]
mod tests {
    use crdt_core::OrSet;

    use super::*;
    use crate::{Config, MemoryStorage, ScopeId};

    /// It found out at its next timer, after up to a minute, and kept all of the node until then.
    #[tokio::test]
    async fn the_task_of_a_group_ends_with_its_node() {
        let config = Config::new(ScopeId::from_bytes([6; 16]));
        let node = Node::<OrSet<u64>>::open(MemoryStorage::new(), config).unwrap();
        let mut membership = Membership::new(([127, 0, 0, 1], 1).into(), Vec::<String>::new());
        membership.probe_every = Duration::from_secs(3_600);
        let members = join(&node, membership, Security::Plain);
        tokio::task::yield_now().await;
        let core = Arc::downgrade(&node.core);
        node.close().await.unwrap();
        let start = std::time::Instant::now();
        while core.upgrade().is_some() {
            assert!(start.elapsed() < Duration::from_secs(20), "it is kept");
            sleep(Duration::from_millis(5)).await;
        }
        drop(members);
    }
}
