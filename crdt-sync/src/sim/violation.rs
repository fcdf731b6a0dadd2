//! What a run may find wrong.

use std::fmt;

/// A promise that every run holds the machine to.
///
/// The invariants of the design, and where each is checked:
///
/// | | | |
/// |---|---|---|
/// | I1 | whole records, `received` within `seen` | [`Whole`](Self::Whole) |
/// | I2 | the state is the effect of what was received | [`Effect`](Self::Effect), and [`Reads`](Self::Reads) by the naive specification |
/// | I3 | nobody is believed to have more than is on its disk | [`Belief`](Self::Belief) |
/// | I4 | nothing shown before it is durable, no dot twice | [`Shown`](Self::Shown), [`OneDotOneEdit`](Self::OneDotOneEdit) |
/// | I5 | what fails leaves all as it was | [`Unchanged`](Self::Unchanged); for cut repairs `Effect` |
/// | I6 | a repair brings the full merge, the next one answers Same | [`Converges`](Self::Converges), [`Same`](Self::Same) |
/// | I7 | causes come first | [`Causes`](Self::Causes) |
/// | I8 | what is held for one peer is bounded, and a silent one pins nothing | [`Limits`](Self::Limits), and the tests named for `silent_peer` |
/// | I9 | every decode ends, in linear memory | [`Panics`](Self::Panics); sizes in `tests/hostile.rs` and the fuzz targets |
/// | I10 | a seed is a run | `the_same_schedule_puts_out_the_same_bytes` |
/// | I11 | all become equal once faults stop | `Converges`, [`Ledger`](Self::Ledger) |
/// | I12 | a tab's ticket edits once | tabs edit by themselves in this version: there are no tickets |
/// | I13 | a retirement changes no read and no later merge | [`Retirement`](Self::Retirement), `Converges` |
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Check {
    /// I1: `received` holds whole records, never shrinks, and all of it was seen.
    Whole,
    /// I2: the state is the effect of what was received, after every input.
    Effect,
    /// A reader sees what the naive specification says of the edits received there.
    Reads,
    /// I3: what is believed of others' disks is never more than what is on them.
    Belief,
    /// I4: nothing is shown before it is durable where it was made.
    Shown,
    /// I4: no dot is made twice.
    OneDotOneEdit,
    /// I5: what was refused has changed nothing.
    Unchanged,
    /// I7: what was received holds the causes of all in it, as the mode promises, and the frontier is its top.
    Causes,
    /// I6: a repair without faults brings both to the full merge, so the next one at rest answers Same.
    Same,
    /// I8: what is held stays below its limits, in all and for each peer.
    Limits,
    /// I11: once faults stop, all replicas are soon equal.
    Converges,
    /// I13: a retirement changes no read.
    Retirement,
    /// What was acknowledged is there in the end.
    Ledger,
    /// A parcel brings all that it was packed with, wherever nothing before it is missing.
    Carried,
    /// Replicas that keep the rules find nothing wrong with each other: no bad frames, no divergence, no two values
    /// under one dot.
    Peace,
    /// The machine asks to be woken only when there is something to do.
    Rest,
    /// Payloads travel about once: pushes that were already known stay below a bar.
    Redundancy,
    /// A store that a replica wrote opens again.
    Opens,
    /// No panic, whatever happens.
    Panics,
    /// A batch of runs met what it was meant to meet.
    Floor,
}

/// A promise that was broken, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Which.
    pub check: Check,
    /// How it was seen.
    pub story: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.check, self.story)
    }
}

impl std::error::Error for Violation {}

/// Checks that a run leaves out.
#[derive(Clone, Debug)]
pub(super) struct Blind(pub(super) Vec<Check>);

impl Blind {
    /// Nothing, if the check holds or is left out; else the story.
    pub(super) fn holds(&self, check: Check, holds: bool, story: impl FnOnce() -> String) -> Result<(), Violation> {
        check.holds(holds || self.0.contains(&check), story)
    }
}

impl Check {
    /// Nothing, if it holds; else the story.
    pub(super) fn holds(self, holds: bool, story: impl FnOnce() -> String) -> Result<(), Violation> {
        if holds { Ok(()) } else { Err(self.broken(story())) }
    }

    pub(super) fn broken(self, story: impl Into<String>) -> Violation {
        Violation { check: self, story: story.into() }
    }
}
