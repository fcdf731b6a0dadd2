//! From what a store holds to a replica, and from a replica to a store that was closed cleanly.

use std::collections::VecDeque;

use crdt_core::{Causal, Delta, DotSet, DotStore, HybridClock, Merge, ReplicaId, Timestamp, Writer};

use super::{Disk, Due, Fetches, Gaps, Pending, Replica};
use crate::few::Few;
use crate::inbox::Inbox;
use crate::log::Log;
use crate::repair::Repairs;
use crate::roster::Roster;
use crate::schedule::Draw;
use crate::sketch::{LiveSketch, SketchKey};
use crate::{Config, Durability, Loaded, Meta, Now, OpenError, Role, Stats, Ticket};

impl<S: DotStore> Replica<S> {
    /// A replica that goes on with what was loaded.
    ///
    /// `fresh` must be drawn from the system's generator for this call. It is taken as the replica's id where the store
    /// is new, was copied or restored (its marker does not match), or, in lease mode, was not closed cleanly (a dot that is
    /// made twice has two values, and one of them vanishes), and where the old one was retired. `seed` drives waiting times and the choice of
    /// partners, and nothing else.
    ///
    /// # Errors
    /// If the store holds another scope's data, or is damaged. Nothing was changed.
    pub fn open(loaded: Loaded, config: Config, fresh: ReplicaId, seed: [u8; 32], now: Now) -> Result<Self, OpenError> {
        let mut draw = Draw::new(seed);
        let store_seed = draw.next();
        let state = state_of::<S>(&loaded, store_seed)?;
        Self::open_on(state, loaded, config, fresh, (seed, draw, store_seed), now)
    }

    /// As [`open`](Self::open), for a store that has its own form of the state: `loaded.rows` and `loaded.seen` are not
    /// looked at.
    ///
    /// # Errors
    /// As `open`, and if something was received that was never seen.
    pub fn open_state(
        state: Causal<S>,
        loaded: Loaded,
        config: Config,
        fresh: ReplicaId,
        seed: [u8; 32],
        now: Now,
    ) -> Result<Self, OpenError> {
        if !loaded.received.is_subset(state.seen()) {
            return Err(OpenError::Inconsistent("a record is there that was never seen"));
        }
        let mut draw = Draw::new(seed);
        let store_seed = draw.next();
        Self::open_on(state, loaded, config, fresh, (seed, draw, store_seed), now)
    }

    fn open_on(
        state: Causal<S>,
        loaded: Loaded,
        config: Config,
        fresh: ReplicaId,
        (seed, mut draw, store_seed): ([u8; 32], Draw, u64),
        now: Now,
    ) -> Result<Self, OpenError> {
        let meta = loaded.meta.clone();
        if meta.as_ref().is_some_and(|meta| meta.scope != config.scope) {
            return Err(OpenError::OtherScope);
        }
        let writer = writer_of(&loaded, &config, fresh);
        let sketch = LiveSketch::asleep(SketchKey::of(&config));
        let (roster, time_hi) = match &meta {
            None => (Roster::default(), 0),
            Some(meta) => (Roster::load(&meta.acked, &loaded.retired, &meta.stable, now.steady), meta.time_hi),
        };
        let mut clock = HybridClock::new(config.limits.skew_ms_max);
        // All that was issued before lies below what was stored; the clock goes on above it.
        let _ = clock.observe(time_hi, Timestamp::new(time_hi, 0));
        let lent = meta.iter().flat_map(|meta| meta.lent.iter().copied()).collect();
        let doubted = is_copied(&loaded);
        let log = Log::new(&loaded.log);
        let mut repairs = Repairs::new(draw.next());
        repairs.restore(&loaded.staged, &config, now);
        let (repair, known) = (now.steady, now.steady + config.timing.known_every);
        let lease_last = writer.last();
        // Not of the seed alone: a copy of this store may be opened with the same one.
        let mut unlike = Draw::new(seed_with(seed, fresh));
        let mut replica = Self {
            instance: unlike.next(),
            writer,
            clock,
            state,
            received: loaded.received.clone(),
            frontier: loaded.frontier,
            sketch,
            log,
            inbox: Inbox::new(),
            roster,
            repairs,
            outbox: Vec::new(),
            mended: DotSet::new(),
            open: None,
            pending: Pending { meta: true, ..Pending::default() },
            disk: Disk {
                persists: VecDeque::new(),
                last: Ticket(0),
                durable: Ticket(0),
                on_the_way: VecDeque::new(),
                received: loaded.received,
                failed: false,
                time_hi,
                lease: (lease_last, Ticket(0)),
                marker: unlike.next(),
                clean: false,
            },
            peers: Few::new(),
            gaps: Gaps::default(),
            due: Due { repair, known, announce: None, fresh_id: now.steady },
            draw,
            seed: store_seed,
            frozen: false,
            linked: false,
            held: VecDeque::new(),
            held_bytes: 0,
            ready: VecDeque::new(),
            events: VecDeque::new(),
            fetches: Fetches { next: 0, asked: VecDeque::new(), wanted: Few::new() },
            repairing: VecDeque::new(),
            lent,
            lent_heard: Few::new(),
            pool: Vec::new(),
            stats: Stats::default(),
            #[cfg(any(test, feature = "sim"))]
            kept_writer: None,
            config,
        };
        if doubted {
            replica.doubt_lent();
        }
        // The id and the new marker are on disk before the first dot is shown.
        replica.commit(now);
        Ok(replica)
    }

    /// Commits what is open and marks the store as cleanly closed. Nothing may be edited afterwards.
    pub fn close(&mut self, now: Now) {
        self.disk.clean = true;
        self.pending.meta = true;
        self.commit(now);
        self.frozen = true;
    }

    pub(super) fn meta(&self) -> Meta {
        Meta {
            scope: self.config.scope,
            replica: self.writer.id(),
            last: match self.config.durability {
                // After a clean stop no counter is skipped: everybody would wait for the records of the gap.
                _ if self.disk.clean => self.writer.last(),
                Durability::Strict | Durability::Memory => self.writer.last(),
                Durability::Lease => self.disk.lease.0,
            },
            time_hi: self.disk.time_hi,
            clean: self.disk.clean,
            marker: self.disk.marker,
            acked: self.roster.active().map(|(replica, known)| (replica, known.clone())).collect(),
            stable: self.roster.stable().clone(),
            lent: self.lent.iter().map(|(replica, last)| (*replica, *last)).collect(),
        }
    }
}

/// The seed of what must differ from run to run.
fn seed_with(mut seed: [u8; 32], fresh: ReplicaId) -> [u8; 32] {
    seed.iter_mut().zip(fresh.to_bytes()).for_each(|(byte, id)| *byte ^= id);
    seed
}

fn state_of<S: DotStore>(loaded: &Loaded, seed: u64) -> Result<Causal<S>, OpenError> {
    let mut state = Causal::<S>::with_seed(seed);
    for (dot, bytes) in &loaded.rows {
        let row = Delta::<S>::decode(bytes).map_err(|error| OpenError::Broken { what: "entry", error })?;
        if !row.own().iter().eq([*dot]) || row.entries().len() != 1 {
            return Err(OpenError::Inconsistent("an entry lies under another dot than its own"));
        }
        state.merge(row);
    }
    let live = state.live();
    if !live.is_subset(&loaded.seen) || !loaded.received.is_subset(&loaded.seen) {
        return Err(OpenError::Inconsistent("an entry or a record is there that was never seen"));
    }
    state.merge(Delta::retiring(loaded.seen.difference(&live), DotSet::new()));
    Ok(state)
}

/// Whether the store was copied or restored: its marker does not match the one beside it.
fn is_copied(loaded: &Loaded) -> bool {
    loaded.meta.as_ref().is_some_and(|meta| loaded.marker != Some(meta.marker))
}

/// Who writes from now on: the one who wrote before, if it is certain that nobody else does.
fn writer_of(loaded: &Loaded, config: &Config, fresh: ReplicaId) -> Writer {
    let Some(meta) = &loaded.meta else { return Writer::new(fresh) };
    if faulty!(config, UsedIsForgotten) {
        return Writer::resume(meta.replica, loaded.received.last(meta.replica));
    }
    let copied = is_copied(loaded) && !faulty!(config, CopyKeepsId);
    // More may have been shown than is here, also if it ran in lease mode before.
    let leased = config.durability == Durability::Lease || meta.last > loaded.received.last(meta.replica);
    let unclean = leased && !meta.clean;
    let retired = loaded.retired.iter().any(|(replica, _)| *replica == meta.replica);
    // Somebody else may write under it by now.
    let given_back =
        config.role == Role::Tab && meta.lent.iter().any(|(id, last)| *id == meta.replica && last.is_some());
    if copied || unclean || retired || given_back {
        return Writer::new(fresh);
    }
    Writer::resume(meta.replica, meta.last.max(loaded.received.last(meta.replica)))
}
