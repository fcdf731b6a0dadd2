//! What a replica has done, in numbers.

use crdt_core::DotStore;

use crate::{Message, RepairTier};

/// Which part of the protocol a message serves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Tier {
    /// Records as they come: pushes, announcements, questions for what is missing.
    Push,
    /// Repairs of what the pushes missed.
    Repair,
    /// All else: introductions, membership, who has what.
    Control,
}

impl Tier {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Push, Self::Repair, Self::Control];

    /// The tier of a message.
    #[must_use]
    pub fn of<S: DotStore>(message: &Message<S>) -> Self {
        match message {
            Message::Push(_)
            | Message::Have(_)
            | Message::Want(_)
            | Message::NotInLog(_)
            | Message::Prune
            | Message::Graft => Self::Push,
            Message::Hello(_)
            | Message::Same(_)
            | Message::Summary(_)
            | Message::Entries { .. }
            | Message::Cells { .. }
            | Message::LiveSet { .. }
            | Message::More { .. }
            | Message::Finish(_)
            | Message::Done { .. }
            | Message::Cancel { .. } => Self::Repair,
            _ => Self::Control,
        }
    }
}

/// Messages and their bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Traffic {
    /// How many messages.
    pub messages: u64,
    /// Bytes of their frames.
    pub bytes: u64,
}

/// Counts since the replica was opened, and what it holds now.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Sent, by tier: pushes, repairs, control.
    pub sent: [Traffic; 3],
    /// Received, by tier; frames that were refused are not in it.
    pub received: [Traffic; 3],
    /// Records that were pushed, counted for each peer.
    pub records_pushed: u64,
    /// Records that came for the first time.
    pub records_fresh: u64,
    /// Records that came again.
    pub records_repeated: u64,
    /// Messages that were left out, as their frames would have been too long.
    pub frames_too_large: u64,
    /// Frames that were refused.
    pub frames_refused: u64,
    /// Pushes left out because a link or the disk was too slow.
    pub pushes_dropped: u64,
    /// Records dropped because too much waited for its causes.
    pub parked_dropped: u64,
    /// Repairs that ended well, by what they used.
    pub repairs: [u64; 5],
    /// Repairs that were given up.
    pub repairs_failed: u64,
    /// Records that wait for their causes.
    pub parked_records: usize,
    /// The most that ever waited.
    pub parked_records_max: usize,
    /// Bytes of those that wait.
    pub parked_bytes: usize,
    /// Bytes of records in the log.
    pub log_bytes: usize,
    /// Bytes of messages that wait for the disk.
    pub held_bytes: usize,
}

impl Stats {
    pub(crate) fn sent<S: DotStore>(&mut self, message: &Message<S>, bytes: usize) {
        let traffic = &mut self.sent[Tier::of(message) as usize];
        traffic.messages += 1;
        traffic.bytes += bytes as u64;
        if let Message::Push(records) = message {
            self.records_pushed += records.len() as u64;
        }
    }

    pub(crate) fn received<S: DotStore>(&mut self, message: &Message<S>, bytes: usize) {
        let traffic = &mut self.received[Tier::of(message) as usize];
        traffic.messages += 1;
        traffic.bytes += bytes as u64;
    }

    pub(crate) fn repaired(&mut self, tier: RepairTier) {
        self.repairs[tier as usize] += 1;
    }

    /// Bytes sent for one part of the protocol.
    #[must_use]
    pub fn sent_by(&self, tier: Tier) -> Traffic {
        self.sent[tier as usize]
    }

    /// Bytes received for one part of the protocol.
    #[must_use]
    pub fn received_by(&self, tier: Tier) -> Traffic {
        self.received[tier as usize]
    }

    /// Repairs that ended with this.
    #[must_use]
    pub fn repairs_by(&self, tier: RepairTier) -> u64 {
        self.repairs[tier as usize]
    }
}
