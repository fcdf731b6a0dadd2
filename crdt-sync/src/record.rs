//! What one flush of one writer makes: the unit that is pushed, logged, acknowledged and repaired.

pub(crate) mod codec;

use core::fmt;

use crdt_core::{Delta, Dot, DotSet, DotStore, ReplicaId, Timestamp};

/// The dots that one record creates: `first..=last` of one replica. A record is never split, so neither is this.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Own {
    /// Who wrote it.
    pub replica: ReplicaId,
    /// Its first dot.
    pub first: u64,
    /// Its last dot; not before the first.
    pub last: u64,
}

impl Own {
    /// Whether one of its dots is in the set.
    #[must_use]
    pub fn touches(&self, dots: &DotSet) -> bool {
        !dots.intersection(&self.to_dot_set()).is_empty()
    }

    /// Whether all of its dots are in the set.
    #[must_use]
    pub fn is_within(&self, dots: &DotSet) -> bool {
        self.to_dot_set().is_subset(dots)
    }

    /// The same as a set.
    #[must_use]
    pub fn to_dot_set(&self) -> DotSet {
        let mut set = DotSet::new();
        set.insert_run(self.replica, self.first, self.last);
        set
    }

    /// Its last dot.
    #[must_use]
    pub fn last_dot(&self) -> Dot {
        Dot::new(self.replica, self.last).expect("runs start at 1 or above")
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}..={}", self.replica, self.first, self.last)
    }
}

/// What a record says.
#[derive(Clone)]
pub enum Payload<S: DotStore> {
    /// An edit of the data. The delta creates exactly the record's own dots.
    Edit(Delta<S>),
    /// An edit of the roster: that replica will make no dots above `last`. As to the data, the record's own dots are
    /// retired at birth.
    Retire {
        /// Who is retired.
        replica: ReplicaId,
        /// The last dot it made.
        last: u64,
    },
}

/// Bytes which a newer version put into a record, and which this one keeps, logs and relays as they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Extension {
    /// What it is. Odd tags must be understood by whoever takes the record in, so this version refuses them.
    pub tag: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// One delta group as its writer flushed it. Records stay separate in outbox, log and frames: dropping what is known
/// is then a set difference, where a joined one with a single new dot would have to travel whole.
#[derive(Clone)]
pub struct Record<S: DotStore> {
    /// The dots it creates.
    pub own: Own,
    /// The maximal dots it was made on, without the writer's own previous one (Prakash, Raynal, Singhal 1997).
    pub after: DotSet,
    /// When it was closed, by the writer's hybrid clock.
    pub time: Timestamp,
    /// What it says.
    pub payload: Payload<S>,
    /// What newer versions said beside.
    pub extensions: Vec<Extension>,
}

impl<S: DotStore> Record<S> {
    /// What it does to the data.
    pub fn delta(&self) -> Delta<S> {
        match &self.payload {
            Payload::Edit(delta) => delta.clone(),
            Payload::Retire { .. } => Delta::retiring(self.own.to_dot_set(), DotSet::new()),
        }
    }
}

// By hand, as a derived one would ask the same of the store itself, of which there is none in here.
impl<S: DotStore> PartialEq for Payload<S> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Edit(mine), Self::Edit(theirs)) => mine == theirs,
            (Self::Retire { replica, last }, Self::Retire { replica: theirs, last: their_last }) => {
                replica == theirs && last == their_last
            }
            _ => false,
        }
    }
}

impl<S: DotStore> fmt::Debug for Payload<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edit(delta) => f.debug_tuple("Edit").field(delta).finish(),
            Self::Retire { replica, last } => {
                f.debug_struct("Retire").field("replica", replica).field("last", last).finish()
            }
        }
    }
}

impl<S: DotStore> PartialEq for Record<S> {
    fn eq(&self, other: &Self) -> bool {
        self.own == other.own
            && self.after == other.after
            && self.time == other.time
            && self.payload == other.payload
            && self.extensions == other.extensions
    }
}

impl<S: DotStore> fmt::Debug for Record<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("own", &self.own)
            .field("after", &self.after)
            .field("time", &self.time)
            .field("payload", &self.payload)
            .field("extensions", &self.extensions)
            .finish()
    }
}
