//! Faults that tests switch on: a check which no fault can turn red checks nothing.

/// One thing that a replica does wrong. Each names the check that must notice it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// A repair tells what was seen as if it had been received: a record whose own delta never came is then never asked
    /// for again. (State = effect of what was received.)
    ReceivedIsSeen,
    /// A pushed record whose dots were all seen counts as known, and as received. (State = effect of what was received.)
    PushedIsSeen,
    /// A repair takes over the other's received dots before the end: a cut then leaves effects that nobody sends again.
    /// (State = effect of what was received.)
    UnitedBeforeFinish,
    /// A repair merges each part on arrival and counts its dots as received. (State = effect of what was received.)
    UnitedPerChunk,
    /// A repair takes a Finish whose entries are not all there: what is missing is taken for removed. (Oracle.)
    FinishWithoutProof,
    /// A repair does not name what it retired since its summary. (State = effect of what was received.)
    RetiredSinceUnnamed,
    /// A repair sketches all live dots rather than those that both have seen. (The sum in Finish.)
    SketchOverLive,
    /// A driver flushes again after a failed flush, and takes the second answer for both. (The ledger, after a crash.)
    FlushRetried,
    /// A driver draws fresh ids from what lies in the store: two copies draw the same. (One dot, one edit.)
    FreshFromStore,
    /// A record claims all that its writer made before it, rather than the dots it creates and retires. (Reads.)
    VersionPrefix,
    /// The dots of a removal are told, and not what it removed. (Reads; state = effect of what was received.)
    RemovalUntold,
    /// Summaries leave out retired replicas, and do not say which of their dots are missing. (Belief.)
    RetiredLeftOut,
    /// Frames and events do not wait for the disk. (Nothing is shown before it is durable.)
    ShownBeforeDurable,
    /// What was sent counts as received, as when the acknowledgement of a message system does. (Belief.)
    SentIsAcked,
    /// What was handed to somebody else's message system counts as received by all. (Belief.)
    HintIsAcked,
    /// A replica that was silent for long counts again before it was repaired. (Belief.)
    DormantCounts,
    /// What is stable does not wait for one of the active replicas. (Belief.)
    StableSkipsOne,
    /// A record that finds no room to wait in counts as received. (State = effect of what was received.)
    OverflowAcknowledged,
    /// A record's causes are taken when it is opened, not when it is closed. (Causes.)
    AfterAtOpening,
    /// A copied or restored store keeps its id. (One dot, one edit.)
    CopyKeepsId,
    /// Dots that nobody sends are declared never to have been. (State = effect of what was received.)
    HoleVoid,
    /// Records of a writer whose clock is ahead are refused. (No bad frames among honest peers.)
    SkewRefused,
    /// A record whose timestamp is not the largest is taken for overwritten. (Reads.)
    LargestTimeWins,
    /// An id that a tab has is lent to another one. (One dot, one edit.)
    LentAgain,
    /// A count is believed before it is held against the bytes that are left. (No panic.)
    LengthBelieved,
    /// The dictionary of a link is kept when it comes back. (No bad frames among honest peers.)
    DictionaryKept,
    /// Records go to all peers, those included that they came from or that have them. (Redundancy.)
    PushedBack,
    /// Nobody asks to be spared pushes of what is known. (Redundancy.)
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

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}
