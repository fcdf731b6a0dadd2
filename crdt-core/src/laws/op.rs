//! What an edit may ask for: one small language per type, drawn and shrunk by quickcheck.
//!
//! Keys and values come from [`Few`]: four of each, so that concurrent edits meet at the same place. The specifications
//! speak these languages; the subjects translate them into calls of the real types.

use quickcheck::{Arbitrary, Gen, empty_shrinker};
use std::fmt::Debug;
use std::prelude::rust_2024::*;
use std::vec;

mod document;

pub use document::{NodeOp, NodesOp};

/// Draws one of `choices`.
pub fn one_of<T: Clone>(g: &mut Gen, choices: &[T]) -> T {
    g.choose(choices).expect("a list of choices is never empty").clone()
}

/// Draws a number below `bound`.
pub fn below(g: &mut Gen, bound: usize) -> usize {
    // A modulus is uneven by less than one part in 10¹⁷: nothing here notices.
    usize::arbitrary(g) % bound
}

/// A type that names four of its values, the simplest first.
///
/// Histories draw keys and elements from these four, so edits meet at the same key. Choose values that differ in
/// how they are written: the lengths and limits at which codecs go wrong.
pub trait Few: Clone + Ord + Debug + 'static {
    /// The four values.
    fn few() -> [Self; 4];
}

macro_rules! few {
    ($($number:ty: $($value:expr),+;)+) => { $(
        impl Few for $number {
            fn few() -> [Self; 4] {
                [$($value),+]
            }
        }
    )+ };
}
few! {
    u8: 1, 2, 128, u8::MAX;
    u16: 1, 2, 128, u16::MAX;
    u32: 1, 2, 128, u32::MAX;
    u64: 1, 128, 1 << 53, u64::MAX;
    u128: 1, 128, 1 << 64, u128::MAX;
    i8: 0, 1, -1, i8::MIN;
    i16: 0, 1, -1, i16::MIN;
    i32: 0, 1, -1, i32::MIN;
    i64: 0, -1, 1 << 53, i64::MIN;
    i128: 0, -1, i128::MAX, i128::MIN;
    bool: false, true, false, true;
    (): (), (), (), ();
}

impl Few for String {
    fn few() -> [Self; 4] {
        // Composed and decomposed: two keys, as no normalisation is promised.
        ["a", "", "é", "e\u{301}"].map(String::from)
    }
}

impl Few for Vec<u8> {
    fn few() -> [Self; 4] {
        [vec![1], vec![], vec![0], vec![255, 0]]
    }
}

impl<T: Few> Few for Option<T> {
    fn few() -> [Self; 4] {
        let [first, second, third, _] = T::few();
        [Some(first), None, Some(second), Some(third)]
    }
}

impl<T: Few, U: Few> Few for (T, U) {
    fn few() -> [Self; 4] {
        let [a, b, c, _] = T::few();
        let [k, l, m, _] = U::few();
        [(a.clone(), k.clone()), (a, l), (b, k), (c, m)]
    }
}

/// Draws one of the four, the first ones more often: the more edits meet, the better.
fn draw<T: Few>(g: &mut Gen) -> T {
    let index = one_of(g, &[0, 0, 0, 0, 1, 1, 1, 2, 2, 3]);
    T::few()[index].clone()
}

/// Simpler values to try in place of `value`.
fn simpler<T: Few>(value: &T) -> impl Iterator<Item = T> + use<T> {
    let value = value.clone();
    T::few().into_iter().take_while(move |candidate| *candidate != value)
}

/// How an edit takes away: counted, so that a run shows that it met the case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Removal {
    /// It takes nothing away.
    None,
    /// It removes something itself.
    Direct,
    /// It removes a part that holds other parts.
    Nested,
}

/// One thing to ask of a replica.
pub trait Operation: Arbitrary + Debug {
    /// The few operations which the bounded-exhaustive search combines: two keys, each kind of edit.
    fn alphabet() -> Vec<Self>;

    /// Whether it takes something away.
    fn removal(&self) -> Removal {
        Removal::None
    }

    /// Whether the language has operations that take away: then a run must have met some that hit.
    fn can_remove() -> bool {
        Self::alphabet().iter().any(|op| op.removal() != Removal::None)
    }

    /// Whether it has operations that take away whole parts.
    fn can_remove_nested() -> bool {
        Self::alphabet().iter().any(|op| op.removal() == Removal::Nested)
    }
}

/// Asked of any counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CounterOp {
    /// Count up by this much.
    Add(u8),
    /// Count down by this much.
    Sub(u8),
}

impl Arbitrary for CounterOp {
    fn arbitrary(g: &mut Gen) -> Self {
        let amount = one_of(g, &[1, 2, 3, 200]);
        if below(g, 5) < 3 { Self::Add(amount) } else { Self::Sub(amount) }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self {
            Self::Add(1) => empty_shrinker(),
            Self::Add(_) => Box::new([Self::Add(1)].into_iter()),
            Self::Sub(1) => Box::new([Self::Add(1)].into_iter()),
            Self::Sub(amount) => Box::new([Self::Add(*amount), Self::Sub(1)].into_iter()),
        }
    }
}

impl Operation for CounterOp {
    fn alphabet() -> Vec<Self> {
        vec![Self::Add(1), Self::Sub(2)]
    }
}

/// Asked of a counter that only grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Increment(
    /// By how much.
    pub u8,
);

impl Arbitrary for Increment {
    fn arbitrary(g: &mut Gen) -> Self {
        Self(one_of(g, &[1, 2, 3, 200]))
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        if self.0 == 1 { empty_shrinker() } else { Box::new([Self(1)].into_iter()) }
    }
}

impl Operation for Increment {
    fn alphabet() -> Vec<Self> {
        vec![Self(1), Self(2)]
    }
}

/// Asked of a bounded counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RightsOp {
    /// Make this many, with the right to spend them.
    Mint(u8),
    /// Hand rights to another writer.
    Grant {
        /// To whom: writers 0, 1 and 2 receive.
        to: u8,
        /// How many.
        amount: u8,
    },
    /// Use up this many, if one has the rights.
    Spend(u8),
}

impl Arbitrary for RightsOp {
    fn arbitrary(g: &mut Gen) -> Self {
        match below(g, 5) {
            0 | 1 => Self::Mint(one_of(g, &[1, 2, 5])),
            2 => Self::Grant { to: below(g, 3) as u8, amount: one_of(g, &[1, 2, 4]) },
            _ => Self::Spend(one_of(g, &[1, 2, 3])),
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match *self {
            Self::Mint(1) => empty_shrinker(),
            Self::Mint(_) => Box::new([Self::Mint(1)].into_iter()),
            Self::Grant { amount: 1, .. } | Self::Spend(1) => Box::new([Self::Mint(1)].into_iter()),
            Self::Grant { to, .. } => Box::new([Self::Grant { to, amount: 1 }].into_iter()),
            Self::Spend(_) => Box::new([Self::Spend(1)].into_iter()),
        }
    }
}

impl Operation for RightsOp {
    fn alphabet() -> Vec<Self> {
        vec![Self::Mint(2), Self::Grant { to: 1, amount: 1 }, Self::Spend(1)]
    }
}

/// Asked of a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlagOp {
    /// Set it.
    Enable,
    /// Unset it.
    Disable,
}

impl Arbitrary for FlagOp {
    fn arbitrary(g: &mut Gen) -> Self {
        if below(g, 5) < 3 { Self::Enable } else { Self::Disable }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self {
            Self::Enable => empty_shrinker(),
            Self::Disable => Box::new([Self::Enable].into_iter()),
        }
    }
}

impl Operation for FlagOp {
    fn alphabet() -> Vec<Self> {
        vec![Self::Enable, Self::Disable]
    }

    fn removal(&self) -> Removal {
        if *self == Self::Disable { Removal::Direct } else { Removal::None }
    }
}

/// Asked of a register that keeps concurrent writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterOp<T> {
    /// Write over everything visible.
    Write(T),
    /// Write over the first sibling only, as a caller would who read before the others came.
    WriteOverFirst(T),
    /// Take back every visible write.
    Clear,
}

impl<T: Few> Arbitrary for RegisterOp<T> {
    fn arbitrary(g: &mut Gen) -> Self {
        match below(g, 6) {
            0 => Self::Clear,
            1 => Self::WriteOverFirst(draw(g)),
            _ => Self::Write(draw(g)),
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self {
            Self::Write(value) => Box::new(simpler(value).map(Self::Write)),
            Self::WriteOverFirst(value) => {
                Box::new(std::iter::once(Self::Write(value.clone())).chain(simpler(value).map(Self::WriteOverFirst)))
            }
            Self::Clear => empty_shrinker(),
        }
    }
}

impl<T: Few> Operation for RegisterOp<T> {
    fn alphabet() -> Vec<Self> {
        let [first, second, ..] = T::few();
        vec![Self::Write(first), Self::WriteOverFirst(second), Self::Clear]
    }

    fn removal(&self) -> Removal {
        if matches!(self, Self::Clear) { Removal::Direct } else { Removal::None }
    }
}

/// Asked of a register in which the last write wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StampedOp<T> {
    /// Write with this time stamp. Stamps are few, so that they tie, and come in any order.
    Write(u8, T),
    /// Take back every visible write.
    Clear,
}

impl<T: Few> Arbitrary for StampedOp<T> {
    fn arbitrary(g: &mut Gen) -> Self {
        if below(g, 6) == 0 { Self::Clear } else { Self::Write(below(g, 3) as u8, draw(g)) }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self {
            Self::Write(stamp, value) => {
                let earlier = (0..*stamp).map({
                    let value = value.clone();
                    move |stamp| Self::Write(stamp, value.clone())
                });
                let stamp = *stamp;
                Box::new(earlier.chain(simpler(value).map(move |value| Self::Write(stamp, value))))
            }
            Self::Clear => empty_shrinker(),
        }
    }
}

impl<T: Few> Operation for StampedOp<T> {
    fn alphabet() -> Vec<Self> {
        let [first, second, ..] = T::few();
        vec![Self::Write(1, first), Self::Write(0, second), Self::Clear]
    }

    fn removal(&self) -> Removal {
        if matches!(self, Self::Clear) { Removal::Direct } else { Removal::None }
    }
}

/// Asked of anything that only takes in: a grow-only set, a maximum, a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put<T>(
    /// What is put in.
    pub T,
);

impl<T: Few> Arbitrary for Put<T> {
    fn arbitrary(g: &mut Gen) -> Self {
        Self(draw(g))
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        Box::new(simpler(&self.0).map(Self))
    }
}

impl<T: Few> Operation for Put<T> {
    fn alphabet() -> Vec<Self> {
        let [first, second, ..] = T::few();
        vec![Self(first), Self(second)]
    }
}

/// Asked of a plain last-writer register, which can't be cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StampedPut<T>(
    /// The time stamp.
    pub u8,
    /// The value.
    pub T,
);

impl<T: Few> Arbitrary for StampedPut<T> {
    fn arbitrary(g: &mut Gen) -> Self {
        Self(below(g, 3) as u8, draw(g))
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let stamp = self.0;
        let earlier = (0..stamp).map({
            let value = self.1.clone();
            move |stamp| Self(stamp, value.clone())
        });
        Box::new(earlier.chain(simpler(&self.1).map(move |value| Self(stamp, value))))
    }
}

impl<T: Few> Operation for StampedPut<T> {
    fn alphabet() -> Vec<Self> {
        let [first, second, ..] = T::few();
        vec![Self(1, first), Self(0, second)]
    }
}

/// Asked of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetOp<T> {
    /// Put an element in.
    Insert(T),
    /// Take an element out, whether it is there or not.
    Remove(T),
    /// Take everything out.
    Clear,
}

impl<T: Few> Arbitrary for SetOp<T> {
    fn arbitrary(g: &mut Gen) -> Self {
        match below(g, 20) {
            0..12 => Self::Insert(draw(g)),
            12..19 => Self::Remove(draw(g)),
            _ => Self::Clear,
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self {
            Self::Insert(element) => Box::new(simpler(element).map(Self::Insert)),
            Self::Remove(element) => Box::new(simpler(element).map(Self::Remove)),
            Self::Clear => Box::new(T::few().into_iter().map(Self::Remove)),
        }
    }
}

impl<T: Few> Operation for SetOp<T> {
    fn alphabet() -> Vec<Self> {
        let [first, second, ..] = T::few();
        vec![Self::Insert(first.clone()), Self::Insert(second.clone()), Self::Remove(first), Self::Remove(second)]
    }

    fn removal(&self) -> Removal {
        if matches!(self, Self::Insert(_)) { Removal::None } else { Removal::Direct }
    }
}

/// Asked of a set whose removals are entries too: it has no way to clear, as there is no end to what it would name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElementOp<T> {
    /// Put an element in.
    Insert(T),
    /// Take an element out, whether it is there or not.
    Remove(T),
}

impl<T: Few> Arbitrary for ElementOp<T> {
    fn arbitrary(g: &mut Gen) -> Self {
        if below(g, 5) < 3 { Self::Insert(draw(g)) } else { Self::Remove(draw(g)) }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self {
            Self::Insert(element) => Box::new(simpler(element).map(Self::Insert)),
            Self::Remove(element) => Box::new(simpler(element).map(Self::Remove)),
        }
    }
}

impl<T: Few> Operation for ElementOp<T> {
    fn alphabet() -> Vec<Self> {
        let [first, second, ..] = T::few();
        vec![Self::Insert(first.clone()), Self::Insert(second.clone()), Self::Remove(first), Self::Remove(second)]
    }

    fn removal(&self) -> Removal {
        if matches!(self, Self::Insert(_)) { Removal::None } else { Removal::Direct }
    }
}

/// Asked of a map whose values are stores of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapOp<K, Inner> {
    /// Ask something of the value under a key.
    At(K, Inner),
    /// Remove a key and all that is visible under it.
    Remove(K),
    /// Remove all keys.
    Clear,
}

impl<K: Few, Inner: Operation> Arbitrary for MapOp<K, Inner> {
    fn arbitrary(g: &mut Gen) -> Self {
        match below(g, 20) {
            0..14 => Self::At(draw(g), Inner::arbitrary(g)),
            14..19 => Self::Remove(draw(g)),
            _ => Self::Clear,
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self {
            Self::At(key, inner) => {
                let same_key = key.clone();
                let same_inner = inner.clone();
                let simpler_key = simpler(key).map(move |key| Self::At(key, same_inner.clone()));
                Box::new(simpler_key.chain(inner.shrink().map(move |inner| Self::At(same_key.clone(), inner))))
            }
            Self::Remove(key) => Box::new(simpler(key).map(Self::Remove)),
            Self::Clear => Box::new(K::few().into_iter().map(Self::Remove)),
        }
    }
}

impl<K: Few, Inner: Operation> Operation for MapOp<K, Inner> {
    fn alphabet() -> Vec<Self> {
        let [first, second, ..] = K::few();
        let mut inner = Inner::alphabet().into_iter();
        let plain = inner.next().expect("an alphabet has a letter");
        let mut letters =
            vec![Self::At(first.clone(), plain.clone()), Self::At(second, plain), Self::Remove(first.clone())];
        letters.extend(inner.next_back().map(|other| Self::At(first, other)));
        letters
    }

    fn removal(&self) -> Removal {
        match self {
            Self::At(_, inner) => inner.removal(),
            Self::Remove(_) | Self::Clear => Removal::Nested,
        }
    }
}

/// Asked of a map in which the last write of a key wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StampedMapOp<K, T> {
    /// Write a value under a key.
    Insert(u8, K, T),
    /// Write an absence under a key.
    Remove(u8, K),
}

impl<K: Few, T: Few> Arbitrary for StampedMapOp<K, T> {
    fn arbitrary(g: &mut Gen) -> Self {
        let stamp = below(g, 3) as u8;
        if below(g, 5) < 3 { Self::Insert(stamp, draw(g), draw(g)) } else { Self::Remove(stamp, draw(g)) }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self.clone() {
            Self::Insert(stamp, key, value) => {
                let earlier = (0..stamp).map({
                    let (key, value) = (key.clone(), value.clone());
                    move |stamp| Self::Insert(stamp, key.clone(), value.clone())
                });
                Box::new(earlier.chain(simpler(&key).map(move |key| Self::Insert(stamp, key, value.clone()))))
            }
            Self::Remove(stamp, key) => {
                let earlier = (0..stamp).map({
                    let key = key.clone();
                    move |stamp| Self::Remove(stamp, key.clone())
                });
                Box::new(earlier.chain(simpler(&key).map(move |key| Self::Remove(stamp, key))))
            }
        }
    }
}

impl<K: Few, T: Few> Operation for StampedMapOp<K, T> {
    fn alphabet() -> Vec<Self> {
        let [first, second, ..] = K::few();
        let [value, other, ..] = T::few();
        vec![
            Self::Insert(1, first.clone(), value.clone()),
            Self::Insert(0, first.clone(), other),
            Self::Insert(1, second, value),
            Self::Remove(1, first),
        ]
    }

    fn removal(&self) -> Removal {
        if matches!(self, Self::Remove(..)) { Removal::Direct } else { Removal::None }
    }
}

/// Asked of a pair: one of two parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first part.
    First(A),
    /// The second part.
    Second(B),
}

impl<A: Operation, B: Operation> Arbitrary for Either<A, B> {
    fn arbitrary(g: &mut Gen) -> Self {
        if bool::arbitrary(g) { Self::First(A::arbitrary(g)) } else { Self::Second(B::arbitrary(g)) }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self {
            Self::First(op) => Box::new(op.shrink().map(Self::First)),
            Self::Second(op) => Box::new(op.shrink().map(Self::Second)),
        }
    }
}

impl<A: Operation, B: Operation> Operation for Either<A, B> {
    fn alphabet() -> Vec<Self> {
        let first = A::alphabet().into_iter().map(Self::First);
        first.chain(B::alphabet().into_iter().map(Self::Second)).collect()
    }

    fn removal(&self) -> Removal {
        match self {
            Self::First(op) => op.removal(),
            Self::Second(op) => op.removal(),
        }
    }
}
