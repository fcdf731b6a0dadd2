//! What an application holds.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crdt_core::{Causal, DotSet, ReplicaId};

use super::core::{Core, Durable, Events, Have, now_since};
use super::disk::Done;
use super::watch::Watch;
use super::{Data, NodeError, behind, fresh_id, fresh_seed, own_dots};
use crate::{Config, Event, Replica, Stats, Storage, Ticket};

/// A replica that runs: with its store, its clock and its links.
///
/// It needs no runtime. Two threads serve it, one for the store and one for time; whatever has to be waited for can be
/// awaited by a task and waited for by a thread. Clones are handles to the same replica; when the last one is dropped,
/// its links end and what it was given is still written.
///
/// ```
/// use crdt_core::OrSet;
/// use crdt_sync::drive::Node;
/// use crdt_sync::{Config, MemoryStorage, ScopeId};
///
/// let node = Node::<OrSet<String>>::open(MemoryStorage::new(), Config::new(ScopeId::from_bytes([1; 16])))?;
/// node.edit(|set| set.insert("milk")).wait()?;                  // or `.await?`: it is on disk then
/// assert!(node.read(|set| set.contains("milk")));
/// node.close().wait()?;
/// # Ok::<(), crdt_sync::drive::NodeError>(())
/// ```
pub struct Node<S: Data> {
    pub(super) core: Arc<Core<S>>,
    threads: Arc<Threads<S>>,
}

impl<S: Data> Clone for Node<S> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), threads: Arc::clone(&self.threads) }
    }
}

impl<S: Data> std::fmt::Debug for Node<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("id", &self.id()).finish_non_exhaustive()
    }
}

/// Ends the threads when the last handle goes.
struct Threads<S: Data> {
    core: Arc<Core<S>>,
    running: Mutex<Vec<JoinHandle<()>>>,
}

impl<S: Data> Threads<S> {
    /// Waits for both threads, so that the store is free for the next one who opens it.
    fn end(&self) {
        self.core.urge();
        self.core.stop();
        let running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        let here = std::thread::current().id();
        for thread in running.into_iter().filter(|thread| thread.thread().id() != here) {
            // A panic of one of them has been reported by its own hook.
            let _ = thread.join();
        }
    }
}

impl<S: Data> Drop for Threads<S> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<S: Data> Node<S> {
    /// Opens the replica that the store holds, or a new one.
    ///
    /// # Errors
    /// If the store can't be read, holds another scope's data, or is damaged. It was not changed.
    pub fn open(mut storage: impl Storage + Send + 'static, config: Config) -> Result<Self, NodeError> {
        let loaded = storage.load()?;
        let started = Instant::now();
        let mut replica = Replica::open(loaded, config, fresh_id(), fresh_seed(), now_since(started))?;
        let lendable = replica.config().limits.lent_ids_max;
        replica.offer_ids(std::iter::repeat_with(fresh_id).take(lendable));
        let core = Arc::new(Core::new(replica, started));
        let answered = Arc::downgrade(&core);
        let report = move |done: Done| {
            if let Some(core) = answered.upgrade() {
                core.done(done);
            }
        };
        let store = core.disk.start(storage, report).map_err(|error| NodeError::Store(error.into()))?;
        let clock = core.start_clock().map_err(|error| NodeError::Store(error.into()))?;
        let threads = Arc::new(Threads { core: Arc::clone(&core), running: Mutex::new(vec![store, clock]) });
        core.urge();
        Ok(Self { core, threads })
    }

    /// Edits the data now; what comes back resolves, with the closure's answer, once the edit is durable. Dropping it
    /// does not undo the edit.
    ///
    /// If it is refused, with [`EditError::Busy`](crate::EditError::Busy) for instance, nothing has changed and the
    /// closure was not called. A closure that panics ends the node: open the store again.
    pub fn edit<R>(&self, f: impl FnOnce(&mut S::Cursor<'_>) -> R) -> Pending<R> {
        self.pending(self.core.edit(|replica, now| replica.edit(now, f)))
    }

    /// The same with a closure that may fail; then the state is as before, and nothing has to be waited for.
    ///
    /// # Errors
    /// Whatever the closure returns.
    pub fn try_edit<R, E>(&self, f: impl FnOnce(&mut S::Cursor<'_>) -> Result<R, E>) -> Result<Pending<R>, E> {
        match self.core.edit(|replica, now| replica.try_edit(now, f)) {
            Ok(Ok(done)) => Ok(self.pending(Ok(done))),
            Ok(Err(error)) => Err(error),
            Err(refused) => Ok(self.pending(Err(refused))),
        }
    }

    pub(super) fn pending<R>(&self, done: Result<(R, Ticket), NodeError>) -> Pending<R> {
        let core = Arc::clone(&self.core);
        Pending {
            outcome: Some(done),
            urge: Some(Box::new(move || core.urge())),
            durable: Arc::clone(&self.core.durable),
        }
    }

    /// Reads the data. The closure sees edits of this node that are not durable yet; no other replica does.
    pub fn read<R>(&self, f: impl FnOnce(&S) -> R) -> R {
        self.core.read(|replica| f(replica.state()))
    }

    /// Reads the data with all that was seen: digests, deltas, differences.
    pub fn read_causal<R>(&self, f: impl FnOnce(&Causal<S>) -> R) -> R {
        self.core.read(|replica| f(replica.state()))
    }

    /// Who writes here. It changes if the identity is lost.
    #[must_use]
    pub fn id(&self) -> ReplicaId {
        self.core.read(Replica::id)
    }

    /// The dots of all that took effect here.
    #[must_use]
    pub fn received(&self) -> DotSet {
        self.core.read(|replica| replica.received().clone())
    }

    /// What it has done so far, and what it holds.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.core.read(Replica::stats)
    }

    /// How many of its own edits the peer that lags most is not known to have.
    #[must_use]
    pub fn behind(&self) -> u64 {
        self.core.read(behind)
    }

    /// What happens from now on.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        Subscription { events: self.core.subscribe() }
    }

    /// Resolves when this many peers durably have all that was edited here until now.
    pub fn spread(&self, peers: usize) -> Spread {
        let dots = self.core.read(own_dots);
        self.core.urge();
        Spread { dots, peers, have: Arc::clone(&self.core.have) }
    }

    /// Writes what is open, marks the store as cleanly closed, ends all links. Wait for it: then the store is free.
    /// Other handles to the same node find it closed.
    #[must_use = "the node is closed once this was awaited or waited for"]
    pub fn close(self) -> Closing<S> {
        let ticket = self.core.close();
        let pending = self.pending(Ok(((), ticket)));
        Closing { pending, threads: self.threads }
    }

    /// Runs something on the store, after all that was edited until now. It is not in the way
    /// of edits and links, only of their becoming durable.
    pub fn with_store(&self, f: impl FnOnce(&mut dyn Storage) + Send + 'static) {
        self.core.flush();
        self.core.disk.run(Box::new(f));
    }
}

/// An edit on its way to the disk.
#[must_use = "an edit is durable once this was awaited or waited for"]
pub struct Pending<R> {
    outcome: Option<Result<(R, Ticket), NodeError>>,
    /// Taken by the first look: somebody waits.
    urge: Option<Box<dyn FnOnce() + Send>>,
    durable: Arc<Watch<Durable>>,
}

impl<R> std::fmt::Debug for Pending<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ticket = self.outcome.as_ref().and_then(|outcome| outcome.as_ref().ok()).map(|(_, ticket)| ticket);
        f.debug_struct("Pending").field("ticket", &ticket).finish_non_exhaustive()
    }
}

impl<R> Pending<R> {
    /// Blocks the thread until the edit is durable; answers what the closure did.
    ///
    /// # Errors
    /// If the edit was refused, or the store failed before it was durable: then it may be kept or lost, as after a
    /// crash, and nobody else has seen it.
    pub fn wait(mut self) -> Result<R, NodeError> {
        let ticket = match &self.outcome {
            Some(Ok((_, ticket))) => *ticket,
            _ => return Err(self.refusal()),
        };
        if let Some(urge) = self.urge.take() {
            urge();
        }
        let outcome = self.durable.wait(None, |durable| durable.reached(ticket));
        outcome.expect("without a deadline it is waited for the answer")?;
        self.take()
    }

    fn refusal(&mut self) -> NodeError {
        match self.outcome.take() {
            Some(Err(error)) => error,
            _ => NodeError::Closed,
        }
    }

    fn take(&mut self) -> Result<R, NodeError> {
        match self.outcome.take() {
            Some(outcome) => outcome.map(|(answer, _)| answer),
            None => Err(NodeError::Closed),
        }
    }
}

impl<R: Unpin> Future for Pending<R> {
    type Output = Result<R, NodeError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ticket = match &self.outcome {
            Some(Ok((_, ticket))) => *ticket,
            _ => return Poll::Ready(Err(self.refusal())),
        };
        if let Some(urge) = self.urge.take() {
            urge();
        }
        match self.durable.poll(context, |durable| durable.reached(ticket)) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => Poll::Ready(self.take()),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }
}

impl Durable {
    fn reached(&self, ticket: Ticket) -> Option<Result<(), NodeError>> {
        if self.ticket >= ticket {
            return Some(Ok(()));
        }
        self.failed.as_ref().map(|reason| Err(NodeError::StoreFailed(reason.clone())))
    }
}

/// A node on its way to being closed.
#[must_use = "the node is closed once this was awaited or waited for"]
pub struct Closing<S: Data> {
    pending: Pending<()>,
    threads: Arc<Threads<S>>,
}

impl<S: Data> std::fmt::Debug for Closing<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Closing").finish_non_exhaustive()
    }
}

impl<S: Data> Closing<S> {
    /// Blocks the thread until the store is closed.
    ///
    /// # Errors
    /// If the store failed before that.
    pub fn wait(self) -> Result<(), NodeError> {
        let outcome = self.pending.wait();
        self.threads.end();
        outcome
    }
}

impl<S: Data> Future for Closing<S> {
    type Output = Result<(), NodeError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = Pin::new(&mut self.pending).poll(context);
        if outcome.is_ready() {
            // The last batch is durable, so both threads end at once.
            self.threads.end();
        }
        outcome
    }
}

/// Events since [`Node::subscribe`]. A subscriber that does not keep up loses the oldest ones, and is told how many.
#[derive(Debug)]
pub struct Subscription {
    events: Arc<Watch<Events>>,
}

impl Subscription {
    /// The next event; none once the node is closed.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.when(Self::take).await
    }

    /// The next event, waited for by a thread; none if the time is up or the node is closed.
    pub fn wait(&mut self, for_at_most: Duration) -> Option<Event> {
        self.events.wait(Some(Instant::now() + for_at_most), Self::take).flatten()
    }

    /// How many events were lost since the last call, because too many waited.
    pub fn missed(&mut self) -> u64 {
        self.events.update(|events| std::mem::take(&mut events.missed))
    }

    fn take(events: &mut Events) -> Option<Option<Event>> {
        match events.queue.pop_front() {
            Some(event) => Some(Some(event)),
            None => events.closed.then_some(None),
        }
    }
}

/// Edits on their way to the peers.
#[must_use = "the peers have the edits once this was awaited or waited for"]
#[derive(Debug)]
pub struct Spread {
    dots: DotSet,
    peers: usize,
    have: Arc<Watch<Have>>,
}

impl Spread {
    /// Blocks the thread until the peers have them; false if the time is up, the node is closed or its store failed.
    pub fn wait(self, for_at_most: Duration) -> bool {
        let deadline = Some(Instant::now() + for_at_most);
        self.have.wait(deadline, |have| have.answer(&self.dots, self.peers)).unwrap_or(false)
    }
}

impl Future for Spread {
    /// Whether they have; false if the node was closed, or its store failed, before.
    type Output = bool;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        self.have.poll(context, |have| have.answer(&self.dots, self.peers))
    }
}

impl Have {
    fn answer(&self, dots: &DotSet, peers: usize) -> Option<bool> {
        let holders = self.by.values().filter(|has| dots.is_subset(has)).count();
        if holders >= peers { Some(true) } else { self.closed.then_some(false) }
    }
}
