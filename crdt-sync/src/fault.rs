//! Faults that tests switch on: a check which no fault can turn red checks nothing.

/// One thing that a replica does wrong. Each names the check that must notice it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// A repair tells what was seen as if it had been received: a record whose own delta never came is then never asked
    /// for again. (State = effect of what was received.)
    ReceivedIsSeen,
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
