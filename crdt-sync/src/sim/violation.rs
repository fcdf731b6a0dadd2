//! What a run may find wrong.

use std::fmt;

/// A promise that every run holds the machine to.
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
    /// I8: what is held stays below its limits.
    Limits,
    /// I10: the same seed gives the same run.
    Repeatable,
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

impl Check {
    /// Nothing, if it holds; else the story.
    pub(super) fn holds(self, holds: bool, story: impl FnOnce() -> String) -> Result<(), Violation> {
        if holds { Ok(()) } else { Err(self.broken(story())) }
    }

    pub(super) fn broken(self, story: impl Into<String>) -> Violation {
        Violation { check: self, story: story.into() }
    }
}
