//! Limits and intervals, each with its reason.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use crate::{Open, PeerId, Role, ScopeId};

/// In which order records take effect at a reader.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Mode {
    /// On arrival. Exact deltas converge without any order; a reader may see an answer before its question.
    Immediate,
    /// Each writer's records in order.
    Fifo,
    /// After all they were made on: what has been seen is what was received, gap-free and closed under causes.
    #[default]
    Causal,
}

/// When an edit may be shown to others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Durability {
    /// After its record is on disk: nothing acknowledged is lost.
    #[default]
    Strict,
    /// After a lease of counters is on disk: no dot is used twice, but after an unclean stop the last edits are gone
    /// and the replica takes a fresh id.
    Lease,
    /// At once: nothing is kept, and the replica lives as long as its memory does. No batch comes out. Before the first
    /// link is up no record is made either, as a repair tells a newcomer all; an edit then costs what the data costs.
    Memory,
}

/// What a replica is told once.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which data this is.
    pub scope: ScopeId,
    /// What this replica is to the scope.
    pub role: Role,
    /// In which order records take effect; the same at all replicas of a scope.
    pub mode: Mode,
    /// When an edit may be shown.
    pub durability: Durability,
    /// A hash of what the data's type has to agree in; 0 stands for the kind of its outermost container. Leave out what
    /// may be extended (the fields of a struct), or a rolling upgrade splits the group.
    pub schema: u64,
    /// A secret of the scope's members, where there is one: it keys the hash of sketches, so that no outsider can
    /// craft dots that never decode.
    pub sketch_key: Option<u64>,
    /// Whether [`Event::Changed`](crate::Event::Changed) says what looks different; costs a look at what is touched,
    /// before and after.
    pub report_changes: bool,
    /// Whether, where that is not wanted, it names the places where something may look different: a change of each, from
    /// and to [`Observed::Absent`](crdt_core::Observed::Absent). For whoever keeps what was read.
    pub report_places: bool,
    /// Whom to let in, asked when a peer has said who it is. Drivers authenticate links; this is about the scope.
    /// Everybody who has a link, if none.
    pub authorise: Option<Authorise>,
    /// Intervals.
    pub timing: Timing,
    /// Bounds.
    pub limits: Limits,
    /// What this replica does wrong on purpose, so that a test can show that it would be noticed.
    #[cfg(any(test, feature = "sim"))]
    pub faults: crate::Faults,
    /// How this replica answers a repair, whatever that costs; by the sizes if none.
    #[cfg(any(test, feature = "sim"))]
    pub plan: Option<crate::Plan>,
}

impl Config {
    /// The defaults for a full member of this scope.
    #[must_use]
    pub fn new(scope: ScopeId) -> Self {
        Self {
            scope,
            role: Role::Replica,
            mode: Mode::default(),
            durability: Durability::default(),
            schema: 0,
            sketch_key: None,
            report_changes: false,
            report_places: false,
            authorise: None,
            timing: Timing::default(),
            limits: Limits::default(),
            #[cfg(any(test, feature = "sim"))]
            faults: crate::Faults::default(),
            #[cfg(any(test, feature = "sim"))]
            plan: None,
        }
    }
}

/// Who asks to be let into a scope.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Applicant<'a> {
    /// The link.
    pub peer: PeerId,
    /// What it says of itself, its scope and its id among it: nothing here proves any of that.
    pub open: &'a Open,
    /// The certificate of which it has proved to hold the key, in DER, where the link is TLS: the same bytes each time, so
    /// they may be compared, or looked up by a hash of them.
    pub certificate: Option<&'a [u8]>,
}

/// A question that the application answers: may the peer behind this link have the scope?
///
/// It is asked again whenever a peer introduces itself, and answers at once: no waiting, and no call of the replica that
/// asks. Who is turned away hears [`Forbidden`](crate::RefuseReason::Forbidden) and nothing of the data.
///
/// ```
/// use std::collections::BTreeSet;
/// use crdt_sync::{Authorise, Config, ScopeId};
///
/// // Certificates of those who may have this scope, in DER; others of the same authority have other scopes.
/// let members: BTreeSet<Vec<u8>> = BTreeSet::new();
///
/// let mut config = Config::new(ScopeId::named("accounts"));
/// config.authorise = Some(Authorise::new(move |applicant| {
///     applicant.certificate.is_some_and(|certificate| members.contains(certificate))
/// }));
/// ```
#[derive(Clone)]
pub struct Authorise(Arc<Question>);

type Question = dyn Fn(&Applicant<'_>) -> bool + Send + Sync;

impl Authorise {
    /// Asks this closure.
    #[must_use]
    pub fn new(may: impl Fn(&Applicant<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(may))
    }

    pub(crate) fn allows(&self, applicant: &Applicant<'_>) -> bool {
        (self.0)(applicant)
    }
}

impl fmt::Debug for Authorise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorise")
    }
}

/// How long things wait.
#[derive(Clone, Debug)]
pub struct Timing {
    /// An open record is closed after this: edits in quick succession travel as one.
    pub flush_after: Duration,
    /// What was received is announced after this, so that one announcement speaks of many records.
    pub announce_after: Duration,
    /// A gap is asked for after this, as what fills it is mostly on its way along another path.
    pub want_after: Duration,
    /// The next holder is asked after this.
    pub want_next_after: Duration,
    /// The shortest time between two repairs that this side opens without need.
    pub repair_every_min: Duration,
    /// The longest one; drawn anew each time, so that replicas do not fall into step.
    pub repair_every_max: Duration,
    /// A repair in which nothing is heard for this long is given up.
    pub repair_idle_max: Duration,
    /// The same on a link that may lose frames: what was lost is not coming.
    pub datagram_idle_max: Duration,
    /// What is known of others' receipt is told to one peer this often.
    pub known_every: Duration,
    /// A hash of the whole content rides on a Hello this often.
    pub content_hash_every: Duration,
    /// Entries of a cut repair are kept for this long.
    pub staged_for: Duration,
    /// A replica that was silent for this long no longer holds back stability.
    pub dormant_after: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            flush_after: Duration::from_millis(5),
            announce_after: Duration::from_millis(20),
            want_after: Duration::from_millis(80),
            want_next_after: Duration::from_millis(40),
            repair_every_min: Duration::from_secs(1),
            repair_every_max: Duration::from_secs(10),
            repair_idle_max: Duration::from_secs(30),
            datagram_idle_max: Duration::from_secs(1),
            known_every: Duration::from_secs(30),
            content_hash_every: Duration::from_secs(600),
            staged_for: Duration::from_secs(600),
            dormant_after: Duration::from_secs(24 * 3600),
        }
    }
}

/// The most of everything.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a frame: the most that a stranger makes us buffer.
    pub frame_bytes_max: usize,
    /// Bytes of a datagram: fits any path.
    pub datagram_bytes_max: usize,
    /// Bytes of a record. A larger one is neither pushed nor logged; a repair carries it entry by entry.
    pub record_bytes_max: usize,
    /// Dots that one record may create: work and memory of taking it in.
    pub record_dots_max: u64,
    /// An open record is closed at about this size: a record should fit a datagram.
    pub flush_bytes: usize,
    /// Records in one frame.
    pub push_records_max: usize,
    /// Entries in one frame: one byte can stand for sixteen of them.
    pub frame_entries_max: u64,
    /// Bytes of keys that entries of one frame or record hold copies of: a long key may have many entries.
    pub copied_bytes_max: u64,
    /// Replicas, and runs, in one set of dots: 2 MiB of memory.
    pub set_replicas_max: usize,
    /// Runs in one set of dots.
    pub set_runs_max: usize,
    /// Ids in a connection's dictionary: 1 MiB for a link.
    pub dictionary_ids_max: usize,
    /// Ids in a datagram's.
    pub datagram_ids_max: usize,
    /// How far above the highest known one a replica's counter may jump: one forged dot must not end an id's life.
    pub counter_jump_max: u64,
    /// Extensions in one frame or record.
    pub extensions_max: usize,
    /// Bytes of those: they are relayed blindly.
    pub extension_bytes_max: usize,
    /// Dots in `after`: as many as there are replicas that write at the same time. A record that needs more is left to a
    /// repair, which takes seconds, so this is far above what tabs at one relay come to.
    pub after_dots_max: usize,
    /// Records that wait for their causes, per writer. Dropping more is safe, as nothing was acknowledged.
    pub inbox_records_max: usize,
    /// Bytes of those, of all writers, counted as for [`staged_bytes_max`](Self::staged_bytes_max).
    pub inbox_bytes_max: usize,
    /// Bytes of outputs that wait for the disk; above it an edit answers `Busy`.
    pub held_bytes_max: usize,
    /// Bytes on their way to one peer; above it pushes are dropped, and a repair brings them.
    pub link_bytes_max: usize,
    /// Bytes of records in the log, whoever has not got them yet: a silent peer pins nothing.
    pub log_bytes_max: usize,
    /// Of those, how many are held in memory.
    pub log_memory_bytes_max: usize,
    /// How old a record in the log may get.
    pub log_age_max: Duration,
    /// Runs in one Want: a small question must not have an endless answer.
    pub want_runs_max: usize,
    /// Bytes of its answer.
    pub want_bytes_max: usize,
    /// Bytes of a set of live dots; a whole state is sent instead of a larger one.
    pub live_set_bytes_max: usize,
    /// A state of at most this size travels whole in a repair: finding out what differs would cost about as much.
    pub whole_bytes_max: usize,
    /// Repairs at once.
    pub repairs_max: usize,
    /// Bytes of entries that one repair copies.
    pub part_bytes_max: usize,
    /// Bytes of entries that wait for the end of a repair: a state that is larger by more than
    /// [`part_bytes_max`](Self::part_bytes_max) cannot move to a replica that has nothing of it. That is told as
    /// [`TooLarge`](crate::Event::TooLarge). They are counted as they travel, and as a quarter of what
    /// they are with a key for each where that is more: so many they are in memory.
    pub staged_bytes_max: usize,
    /// Cells in one window of a sketch.
    pub window_cells_max: usize,
    /// Links at once.
    pub links_max: usize,
    /// Replicas in the roster.
    pub roster_max: usize,
    /// Runs in what all of them together are known to have: 16 MiB. Beyond it what is new is not noted, as less than they
    /// have is always safe.
    pub roster_runs_max: usize,
    /// Retired replicas, at 24 bytes each.
    pub retired_max: usize,
    /// Ids lent to tabs by one home.
    pub lent_ids_max: usize,
    /// Milliseconds by which another clock may be ahead before ours is not advanced to it.
    pub skew_ms_max: u64,
    /// Bad frames on one link before it is closed.
    pub strikes_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes_max: 1 << 20,
            datagram_bytes_max: 1_200,
            record_bytes_max: 256 << 10,
            record_dots_max: 65_536,
            flush_bytes: 1_200,
            push_records_max: 1_024,
            frame_entries_max: 262_144,
            copied_bytes_max: 64 << 20,
            set_replicas_max: 65_536,
            set_runs_max: 65_536,
            dictionary_ids_max: 65_536,
            datagram_ids_max: 32,
            counter_jump_max: 1 << 32,
            extensions_max: 16,
            extension_bytes_max: 4_096,
            after_dots_max: 4_096,
            inbox_records_max: 1_024,
            inbox_bytes_max: 16 << 20,
            held_bytes_max: 8 << 20,
            link_bytes_max: 4 << 20,
            log_bytes_max: 64 << 20,
            log_memory_bytes_max: 4 << 20,
            log_age_max: Duration::from_secs(7 * 24 * 3600),
            want_runs_max: 4_096,
            want_bytes_max: 1 << 20,
            live_set_bytes_max: 16 << 20,
            whole_bytes_max: 4_096,
            repairs_max: 8,
            part_bytes_max: 32 << 20,
            staged_bytes_max: 64 << 20,
            window_cells_max: 4_096,
            links_max: 256,
            roster_max: 10_000,
            roster_runs_max: 1 << 20,
            retired_max: 1_000_000,
            lent_ids_max: 64,
            skew_ms_max: 500,
            strikes_max: 3,
        }
    }
}
