//! Faults that tests switch on: a check which no fault can turn red checks nothing.

/// One thing that a replica does wrong. Each names what must notice it, as a check of the simulator is called; the table
/// in `tests/faults.rs` holds each to that, with what sees it before, and the repair's own model has its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// A repair tells what was seen as if it had been received: a record whose own delta never came is then never asked
    /// for again. (`Effect`, `Whole`.)
    ReceivedIsSeen,
    /// A pushed record whose dots were all seen counts as known, and as received. (`Effect`; a divergence: `Peace`.)
    PushedIsSeen,
    /// Equal hashes are not noticed, so a repair goes on where there is nothing to do. (`Same`.)
    HashesUnread,
    /// A repair takes over the other's received dots before the end: a cut then leaves effects that nobody sends again.
    /// (`Effect`.)
    UnitedBeforeFinish,
    /// A repair merges each part on arrival and counts its dots as received. (`Effect`.)
    UnitedPerChunk,
    /// A repair takes a Finish whose entries are not all there: what is missing is taken for removed. (`Reads`.)
    FinishWithoutProof,
    /// A repair does not name what it retired since its summary. (The sum in Finish, told as a divergence: `Peace`; where
    /// that is not looked at, `Effect`.)
    RetiredSinceUnnamed,
    /// The sum in a Finish is not held against what it speaks of. It is an alarm that comes before others, and is
    /// switched off to see them.
    SumUnread,
    /// A repair sketches all live dots rather than those that both have seen: it is never read off. (`Converges`.)
    SketchOverLive,
    /// A driver flushes again after a failed flush, and takes the second answer for both. (`Ledger`, after a crash.)
    FlushRetried,
    /// A driver draws fresh ids from what lies in the store: two copies draw the same. (`OneDotOneEdit`.)
    FreshFromStore,
    /// A record claims all that its writer made before it, rather than the dots it creates and retires. (`Reads`.)
    VersionPrefix,
    /// A removal takes no dot of its own. (`Effect`; a divergence, as the hashes say: `Peace`.)
    RemovalUndotted,
    /// The dots of a removal are told, and not what it removed. (`Reads`, `Effect`.)
    RemovalUntold,
    /// Which counters were used is forgotten in a crash, so they are used again. (`OneDotOneEdit`; an equivocation:
    /// `Peace`; `Reads`.)
    UsedIsForgotten,
    /// Summaries leave out retired replicas, and do not say which of their dots are missing. (`Belief`.)
    RetiredLeftOut,
    /// Frames and events do not wait for the disk. (`Shown`; `Belief`; `Reads`, after a crash.)
    ShownBeforeDurable,
    /// What was sent counts as received. (`Belief`.)
    SentIsAcked,
    /// What was handed to somebody else's message system counts as received by all. (`Belief`.)
    HintIsAcked,
    /// A replica that was silent for long counts again before it was repaired. (`Belief`.)
    DormantCounts,
    /// What is stable does not wait for one of the active replicas. (`Belief`.)
    StableSkipsOne,
    /// A record that finds no room to wait in counts as received. (`Causes`, `Reads`.)
    OverflowAcknowledged,
    /// A record's causes are taken when it is opened, not when it is closed. (`Causes`.)
    AfterAtOpening,
    /// A copied or restored store keeps its id. (`OneDotOneEdit`; an equivocation: `Peace`; `Reads`.)
    CopyKeepsId,
    /// Dots that nobody sends are declared never to have been. (`Reads`.)
    HoleVoid,
    /// Records of a writer whose clock is ahead are refused. (A bad frame of an honest peer: `Peace`.)
    SkewRefused,
    /// A record whose timestamp is not the largest is taken for overwritten. (`Reads`.)
    LargestTimeWins,
    /// An id that a tab has is lent to another one. (`OneDotOneEdit`, `Reads`.)
    LentAgain,
    /// A count is believed before it is held against the bytes that are left. (`Panics`.)
    LengthBelieved,
    /// The dictionary of a link is kept when it comes back. (A bad frame of an honest peer: `Peace`; `Converges`.)
    DictionaryKept,
    /// Records go back to where they came from. (Redundancy, on a tree: `tests/simulated/redundancy.rs`.)
    PushedBack,
    /// Records that were known go on as if they were new, to peers that have them. (Redundancy, on a mesh.)
    PushedAgain,
    /// Nobody asks to be spared pushes of what is known. (Redundancy, on a mesh.)
    NeverPruned,
}

/// The faults that are switched on; none by default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Switches one on.
    pub fn insert(&mut self, fault: Fault) {
        if !self.has(fault) {
            self.0.push(fault);
        }
    }

    /// Whether it is on.
    #[must_use]
    pub fn has(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        let mut all = Self::default();
        faults.into_iter().for_each(|fault| all.insert(fault));
        all
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}
