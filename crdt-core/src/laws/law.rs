//! The laws by name, and how a broken one is reported.

use std::fmt;
use std::prelude::rust_2024::*;

/// A law every type must keep. Its id stands in failure messages and test names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Law {
    /// a ⊔ b = b ⊔ a.
    L1,
    /// (a ⊔ b) ⊔ c = a ⊔ (b ⊔ c).
    L2,
    /// a ⊔ a = a.
    L3,
    /// a ⊔ b is above a and above b, and below everything that is above both.
    L4,
    /// An edit only grows the state, and reading never changes it.
    L5,
    /// The edited state is the old one merged with the edit's delta, wherever that delta arrives later.
    L6,
    /// A state is the join of its smallest parts, and none of them can be left out.
    L7,
    /// A difference brings the receiver to the join, says nothing it has, and is empty between equals.
    L8,
    /// Deltas in any order, repeated, in any grouping, give one state: equal knowledge, equal state.
    L9,
    /// Equal states have equal bytes; decoding gives back the state; accepted bytes encode to themselves.
    L10,
    /// What a reader sees is what the specification says of the events known there.
    L11,
    /// When everybody has heard from everybody, all replicas have equal bytes and equal values.
    L12,
    /// The state's own invariants hold after every step.
    L13,
    /// A type inside a map keeps these laws; removing the key takes exactly what the removal saw.
    L14,
    /// Whatever is kept incrementally equals what is computed anew.
    L15,
    /// A merge touches what differs, not what is held.
    L16,
    /// What fails leaves the state as it was.
    L17,
    /// `merge` answers true iff the state changed.
    Truthful,
    /// What a merge says it removed and added leads from the old state to the new one.
    Effect,
    /// The live dots are those that the store holds, and a delta names exactly its dots.
    Live,
    /// `delta_since(v)` is as good as the whole state for anyone who has seen v.
    Since,
    /// A resolver gives one answer for every order and repetition of the siblings.
    C8,
    /// No history makes the type panic.
    Panics,
    /// A run met the cases it is meant for.
    Floor,
}

impl Law {
    /// The id as it stands in messages.
    pub fn id(self) -> &'static str {
        match self {
            Self::L1 => "L1",
            Self::L2 => "L2",
            Self::L3 => "L3",
            Self::L4 => "L4",
            Self::L5 => "L5",
            Self::L6 => "L6",
            Self::L7 => "L7",
            Self::L8 => "L8",
            Self::L9 => "L9",
            Self::L10 => "L10",
            Self::L11 => "L11",
            Self::L12 => "L12",
            Self::L13 => "L13",
            Self::L14 => "L14",
            Self::L15 => "L15",
            Self::L16 => "L16",
            Self::L17 => "L17",
            Self::Truthful => "truthful",
            Self::Effect => "effect",
            Self::Live => "live",
            Self::Since => "since",
            Self::C8 => "C8",
            Self::Panics => "panics",
            Self::Floor => "floor",
        }
    }

    /// The law in a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::L1 => "merging is commutative",
            Self::L2 => "merging is associative",
            Self::L3 => "merging again changes nothing",
            Self::L4 => "the join is the least state above both",
            Self::L5 => "an edit only grows the state",
            Self::L6 => "the delta carries the whole edit",
            Self::L7 => "a state is the join of its parts, and needs each",
            Self::L8 => "a difference is sufficient and minimal",
            Self::L9 => "equal knowledge gives equal states, however it came",
            Self::L10 => "bytes are canonical",
            Self::L11 => "the value is what the specification says",
            Self::L12 => "replicas that heard everything agree",
            Self::L13 => "the invariants hold",
            Self::L14 => "removing a part takes exactly what was seen of it",
            Self::L15 => "what is kept equals what is computed anew",
            Self::L16 => "a merge touches what differs, not what is held",
            Self::L17 => "a failure leaves the state as it was",
            Self::Truthful => "merge answers whether the state changed",
            Self::Effect => "old - removed + added = new",
            Self::Live => "the live dots are the store's dots",
            Self::Since => "a delta since v serves anyone who has seen v",
            Self::C8 => "a resolver does not depend on the order of the siblings",
            Self::Panics => "no history makes the type panic",
            Self::Floor => "the run met what it is meant to meet",
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id(), self.sentence())
    }
}

/// A law that did not hold, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Which law.
    pub law: Law,
    /// What was compared, with both sides.
    pub story: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is broken: {}", self.law, self.story)
    }
}

impl Law {
    /// Ok if the law holds. The story is only told if it does not.
    pub fn holds(self, condition: bool, story: impl FnOnce() -> String) -> Result<(), Broken> {
        if condition { Ok(()) } else { Err(Broken { law: self, story: story() }) }
    }

    /// Ok if both sides are equal.
    pub fn equal<T: PartialEq + fmt::Debug>(self, place: &str, left: &T, right: &T) -> Result<(), Broken> {
        self.holds(left == right, || std::format!("{place}\n   one: {left:?}\n other: {right:?}"))
    }
}
