//! An effect in the application's words.

use alloc::string::String;
use alloc::vec::Vec;

use crate::Value;

/// The way from the root to something: fields by name, entries by key, elements of sets by value.
pub type Path = Vec<Step>;

/// One step of a [`Path`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Step {
    /// A field of a struct or document.
    Field(String),
    /// A key of a map.
    Key(Value),
    /// An element of a set.
    Element(Value),
}

/// What a reader sees at a place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Observed {
    /// Nothing.
    Absent,
    /// An element that is in its set.
    Present,
    /// A flag.
    Flag(bool),
    /// A counter's value. Sums of any number of counters' amounts fit.
    Number(#[cfg_attr(feature = "serde", serde(with = "crate::serialize::number"))] i128),
    /// A register's value; several where concurrent writes stand side by side.
    Values(Vec<Value>),
}

/// One thing that looks different after a merge.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Change {
    /// Where.
    pub path: Path,
    /// What a reader saw there before.
    pub before: Observed,
    /// What a reader sees there now.
    pub after: Observed,
}
