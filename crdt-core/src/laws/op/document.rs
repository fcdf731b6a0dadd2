//! What a document may be asked for: every kind of node under text names, and maps and records inside it.

use super::{
    CounterOp, ElementOp, Few, FlagOp, Increment, Operation, Put, RegisterOp, Removal, RightsOp, SetOp, StampedMapOp,
    StampedOp, below, draw, simpler,
};
use quickcheck::{Arbitrary, Gen, empty_shrinker};
use std::prelude::rust_2024::*;
use std::vec;

/// Asked of nodes under names or keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodesOp<K> {
    /// Ask something of the node of some kind under a name. A name and a kind make a node: several kinds may stand under
    /// one name.
    At(K, NodeOp),
    /// Remove the nodes under a name, of whatever kind that can be removed.
    Remove(K),
}

/// Asked of one node, whose kind it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeOp {
    /// Of a `Counter`.
    Counter(CounterOp),
    /// Of an `EwFlag`.
    Flag(FlagOp),
    /// Of an `OrSet`.
    Set(SetOp<u8>),
    /// Of an `MvRegister`.
    Register(RegisterOp<u8>),
    /// Of an `LwwRegister`.
    Stamped(StampedOp<u8>),
    /// Of an `LwwMap`.
    StampedMap(StampedMapOp<u8, u8>),
    /// Of a map of nodes.
    Map(Box<NodesOp<u8>>),
    /// Of a document inside the document.
    Record(Box<NodesOp<String>>),
    /// Of a `GCounter`, which stays when its name is removed.
    Growing(Increment),
    /// Of a `BoundedCounter`, which stays when its name is removed.
    Bounded(RightsOp),
    /// Of a `DwFlag`, which stays when its name is removed.
    DisableWins(FlagOp),
    /// Of an `RwSet`, which stays when its name is removed.
    RemoveWins(ElementOp<u8>),
    /// Of a `PnCounter`, which stays when its name is removed.
    Totals(CounterOp),
    /// Of a `GSet`, which stays when its name is removed.
    GrowingSet(Put<u8>),
}

/// Where nodes stand: outermost, or inside a map or record that may itself be removed.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Root,
    Inside(usize),
}

/// How many containers lie in each other at most.
const DEPTH_MAX: usize = 2;

impl NodeOp {
    fn draw(g: &mut Gen, place: Place) -> Self {
        let depth = match place {
            Place::Root => 0,
            Place::Inside(depth) => depth,
        };
        match below(g, if place == Place::Root { 16 } else { 10 }) {
            0 | 1 => Self::Counter(CounterOp::arbitrary(g)),
            2 => Self::Flag(FlagOp::arbitrary(g)),
            3 | 4 => Self::Set(SetOp::arbitrary(g)),
            5 => Self::Register(RegisterOp::arbitrary(g)),
            6 => Self::Stamped(StampedOp::arbitrary(g)),
            7 => Self::StampedMap(StampedMapOp::arbitrary(g)),
            8 | 9 if depth == DEPTH_MAX => Self::Counter(CounterOp::arbitrary(g)),
            8 => Self::Map(Box::new(NodesOp::draw(g, Place::Inside(depth + 1)))),
            // A record under a key of a map has no way to be reached.
            9 if place == Place::Root => Self::Record(Box::new(NodesOp::draw(g, Place::Inside(depth + 1)))),
            9 => Self::Flag(FlagOp::arbitrary(g)),
            10 => Self::Growing(Increment::arbitrary(g)),
            11 => Self::Bounded(RightsOp::arbitrary(g)),
            12 => Self::DisableWins(FlagOp::arbitrary(g)),
            13 => Self::RemoveWins(ElementOp::arbitrary(g)),
            14 => Self::Totals(CounterOp::arbitrary(g)),
            _ => Self::GrowingSet(Put::arbitrary(g)),
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self {
            Self::Counter(op) => Box::new(op.shrink().map(Self::Counter)),
            Self::Flag(op) => Box::new(op.shrink().map(Self::Flag)),
            Self::Set(op) => Box::new(op.shrink().map(Self::Set)),
            Self::Register(op) => Box::new(op.shrink().map(Self::Register)),
            Self::Stamped(op) => Box::new(op.shrink().map(Self::Stamped)),
            Self::StampedMap(op) => Box::new(op.shrink().map(Self::StampedMap)),
            Self::Map(op) => Box::new(op.shrink().map(Self::Map)),
            Self::Record(op) => Box::new(op.shrink().map(Self::Record)),
            Self::Growing(op) => Box::new(op.shrink().map(Self::Growing)),
            Self::Bounded(op) => Box::new(op.shrink().map(Self::Bounded)),
            Self::DisableWins(op) => Box::new(op.shrink().map(Self::DisableWins)),
            Self::RemoveWins(op) => Box::new(op.shrink().map(Self::RemoveWins)),
            Self::Totals(op) => Box::new(op.shrink().map(Self::Totals)),
            Self::GrowingSet(op) => Box::new(op.shrink().map(Self::GrowingSet)),
        }
    }

    fn removal(&self) -> Removal {
        match self {
            Self::Counter(op) => op.removal(),
            Self::Flag(op) | Self::DisableWins(op) => op.removal(),
            Self::Set(op) => op.removal(),
            Self::Register(op) => op.removal(),
            Self::Stamped(op) => op.removal(),
            Self::StampedMap(op) => op.removal(),
            Self::Map(op) => op.removal(),
            Self::Record(op) => op.removal(),
            Self::RemoveWins(op) => op.removal(),
            Self::Growing(_) | Self::Bounded(_) | Self::Totals(_) | Self::GrowingSet(_) => Removal::None,
        }
    }
}

impl<K: Few> NodesOp<K> {
    fn draw(g: &mut Gen, place: Place) -> Self {
        if below(g, 4) == 0 { Self::Remove(draw(g)) } else { Self::At(draw(g), NodeOp::draw(g, place)) }
    }
}

impl<K: Few> Arbitrary for NodesOp<K> {
    fn arbitrary(g: &mut Gen) -> Self {
        Self::draw(g, Place::Root)
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self {
            Self::At(name, op) => {
                let (same_name, same_op) = (name.clone(), op.clone());
                let simpler_name = simpler(name).map(move |name| Self::At(name, same_op.clone()));
                Box::new(simpler_name.chain(op.shrink().map(move |op| Self::At(same_name.clone(), op))))
            }
            Self::Remove(name) => {
                let mut names = simpler(name).peekable();
                if names.peek().is_none() { empty_shrinker() } else { Box::new(names.map(Self::Remove)) }
            }
        }
    }
}

impl<K: Few> Operation for NodesOp<K> {
    fn alphabet() -> Vec<Self> {
        let [first, second, ..] = K::few();
        let inside = NodesOp::At(1, NodeOp::Counter(CounterOp::Add(2)));
        vec![
            Self::At(first.clone(), NodeOp::Counter(CounterOp::Add(1))),
            Self::At(second, NodeOp::Set(SetOp::Insert(1))),
            Self::At(first.clone(), NodeOp::Map(Box::new(inside))),
            Self::Remove(first),
        ]
    }

    fn removal(&self) -> Removal {
        match self {
            Self::At(_, op) => op.removal(),
            Self::Remove(_) => Removal::Nested,
        }
    }
}
