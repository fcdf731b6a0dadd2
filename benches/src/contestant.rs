//! Who is measured, and what may be compared.
//!
//! Every peer is used through its natural API. None of them does exactly what
//! crdt-core does, so a figure must be read with this in hand:
//!
//! | contestant | comparable | not comparable |
//! |---|---|---|
//! | `hashbrown` | a bare table (foldhash): the limit of what hashing costs | answers no question about concurrency and can't be merged after a removal |
//! | `crdts` | add-wins set and map without tombstones, whole-state merge, multi-value register | small integers as ids, where ours have 128 bits; its deltas are operations that must arrive exactly once per replica and in causal order; no last-writer register inside a map (a multi-value register stands in); no bytes of its own (postcard) |
//! | `crdt-kit` | add-wins set, last-writer map, multi-value register, counter | keeps a tombstone for every removal, for ever; edits yield no delta (it is computed by comparing two whole states); ids of 64 bits; no bytes of its own (postcard) |
//! | `dson` | dot stores with causal context; deltas; map of registers | has no set: `DotMap<u64, DotFun<()>>` stands in; 20-bit ids; an edit joins its delta into the whole map, so editing costs what is held; sets are built directly and measured before the first join fills its cache of dots, which favours it; no bytes of its own (postcard, which can't write its maps of registers) |
//! | `yrs` | map of last-written values, bytes | a document with one history: the order is by id, not by time; keeps what was deleted as ranges; merging goes through bytes, whose decoding is part of the merge and whose encoding is not |
//! | `loro` | map of last-written values, bytes | as yrs; `StateOnly` bytes drop the history which its snapshots keep |
//! | `automerge` | map of values with readable conflicts, bytes | keeps the whole history, and writes it compressed |

pub mod automerge;
pub mod crdt_kit;
pub mod crdts;
pub mod dson;
pub mod loro;
pub mod ours;
pub mod sync;
pub mod yrs;

/// Who works.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Who {
    /// crdt-core, the one this repository is about.
    Ours,
    /// A bare hash table: the limit.
    Hashbrown,
    Crdts,
    CrdtKit,
    Dson,
    Yrs,
    Loro,
    Automerge,
}

impl Who {
    /// All of them, in the order of the table's columns.
    pub const ALL: [Who; 8] =
        [Who::Ours, Who::Hashbrown, Who::Crdts, Who::CrdtKit, Who::Dson, Who::Yrs, Who::Loro, Who::Automerge];

    /// The name of its crate.
    pub fn name(self) -> &'static str {
        match self {
            Who::Ours => "crdt-core",
            Who::Hashbrown => "hashbrown",
            Who::Crdts => "crdts",
            Who::CrdtKit => "crdt-kit",
            Who::Dson => "dson",
            Who::Yrs => "yrs",
            Who::Loro => "loro",
            Who::Automerge => "automerge",
        }
    }
}
