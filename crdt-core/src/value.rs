//! What sets, registers and keys may hold.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::ReplicaId;
use crate::codec::{
    Canonical, ColumnTag, DecodeError, DecodeErrorKind, DecodeLimits, Decoder, Encoder, Ids, VALUE_BYTES_MAX,
};

#[cfg(feature = "serde")]
mod custom;
#[cfg(feature = "serde")]
pub use custom::Custom;

/// Data without a Rust type: what a [`Document`](crate::Document), a browser or a relay sees.
///
/// Every [`Element`] is one of these, and is written as one. All integers are one kind, whatever the width of the Rust
/// type. Values are ordered by kind, then within it: numbers by size, texts and bytes as Rust orders them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Value {
    /// Nothing: `()` and `None`.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i128),
    /// Any other number.
    Float(Float),
    /// Text. Bytes decide: texts that look alike but are composed differently are different.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Several values in order: sequences and tuples.
    List(Vec<Value>),
    /// Named values, ascending by name, each name once.
    Record(Vec<(String, Value)>),
}

/// A value alone is its tag and its payload: 0 nothing, 1 false, 2 true, 3 an integer from 0 up, 4 one below (as its
/// complement), 5 a float, 6 text, 7 bytes, 8 a list, 9 a record.
///
/// ```
/// use crdt_core::{Canonical, Value};
///
/// assert_eq!(Value::from("milk").encode(), b"\x06\x04milk");
/// assert_eq!(Value::from(-1).encode(), [4, 0]);
/// assert!(Value::decode(&[3, 0x80, 0]).is_err());                    // a longer spelling of 0
/// ```
impl Canonical for Value {
    fn encode(&self) -> Vec<u8> {
        let no_ids = Ids::default();
        let mut to = Encoder::new(&no_ids);
        to.value(self);
        to.into_bytes()
    }

    fn read(bytes: &[u8], limits: DecodeLimits) -> Result<Self, DecodeError> {
        let no_ids = Ids::default();
        let mut from = Decoder::within(bytes, 0, &no_ids, limits);
        let value = from.value()?;
        if from.remaining() > 0 { Err(from.error(DecodeErrorKind::TooLong)) } else { Ok(value) }
    }
}

/// A finite number. Infinities and NaN are refused, and −0 is 0, so that equal numbers have equal bytes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Float(f64);

impl Float {
    /// This number; `None` if it is not finite.
    #[must_use]
    pub fn new(number: f64) -> Option<Self> {
        // Adding 0 turns −0 into 0 and leaves everything else.
        number.is_finite().then_some(Self(number + 0.0))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Eq for Float {}

impl PartialOrd for Float {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Float {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Hash for Float {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// What sets, registers and keys may hold. For a type of your own, implement `Custom` (feature `serde`), which takes
/// one line.
///
/// Values are compared by replicas that never met, so equality, order and hash must agree and must not depend on
/// anything outside the value. `from_value(to_value(x)) = x`.
///
/// An order that panics spoils only what it was asked for, such as a read or an encoding. Equality and hash are asked in
/// the middle of a merge and must not panic: what was merged until then stays, without the dots that say so.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a type that sets, registers and keys may hold",
    label = "not such a type",
    note = "for a type of your own, enable the feature `serde` and implement `crdt_core::Custom`, which takes one line",
    note = "for a float, use `crdt_core::Float`, which has an order"
)]
pub trait Element: Clone + Eq + Ord + Hash + fmt::Debug + 'static {
    /// Whether `Ord` here agrees with the order of [`Value`]s, so that keys need no sorting to be written.
    const ORDERED_AS_VALUES: bool = false;

    /// The value that this is written as.
    fn to_value(&self) -> Value;

    /// The element that a value stands for; `None` if it is none of this type.
    fn from_value(value: Value) -> Option<Self>;

    /// About how many bytes the value takes; `None` if it can't be read back: a text or bytes in it are longer than
    /// [`VALUE_BYTES_MAX`](crate::codec::VALUE_BYTES_MAX), or its lists and records lie more than `levels` deep in each
    /// other. An edit asks this of each key and value, so a type that knows it without making a [`Value`] should say so.
    fn weigh(&self, levels: usize) -> Option<usize> {
        weigh_value(&self.to_value(), levels)
    }

    /// Writes many at once.
    #[doc(hidden)]
    fn write_column(items: &[&Self], to: &mut Encoder<'_>) {
        let values: Vec<Value> = items.iter().map(|item| item.to_value()).collect();
        to.values(&values.iter().collect::<Vec<_>>());
    }

    /// Reads many at once.
    #[doc(hidden)]
    fn read_column(count: usize, tag: ColumnTag, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let mut items = Vec::new();
        from.values(count, tag, &mut |value| {
            items.push(Self::from_value(value)?);
            Some(())
        })?;
        Ok(items)
    }
}

impl Element for Value {
    const ORDERED_AS_VALUES: bool = true;

    fn to_value(&self) -> Value {
        self.clone()
    }

    fn from_value(value: Value) -> Option<Self> {
        Some(value)
    }

    fn weigh(&self, levels: usize) -> Option<usize> {
        weigh_value(self, levels)
    }

    fn write_column(items: &[&Self], to: &mut Encoder<'_>) {
        to.values(items);
    }
}

macro_rules! integers {
    ($write:ident, $read:ident: $($int:ty)+) => {$(
        impl Element for $int {
            const ORDERED_AS_VALUES: bool = true;

            fn to_value(&self) -> Value {
                Value::Int(*self as i128)
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::Int(int) => Self::try_from(int).ok(),
                    _ => None,
                }
            }

            #[inline]
            fn weigh(&self, _: usize) -> Option<usize> {
                Some(NUMBER_WEIGHT)
            }

            fn write_column(items: &[&Self], to: &mut Encoder<'_>) {
                to.$write(items.len(), |at| (*items[at]).into());
            }

            fn read_column(count: usize, tag: ColumnTag, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
                let mut items = Vec::new();
                from.$read(count, tag, &mut |int| {
                    items.push(Self::try_from(int).ok()?);
                    Some(())
                })?;
                Ok(items)
            }
        }
    )+};
}

integers!(unsigned, read_unsigned: u8 u16 u32 u64);
integers!(signed, read_signed: i8 i16 i32 i64 i128);

macro_rules! elements {
    ($($(#[$doc:meta])* $type:ty: $to:expr, $pattern:pat => $from:expr, $ordered:literal;)+) => {$(
        $(#[$doc])*
        impl Element for $type {
            const ORDERED_AS_VALUES: bool = $ordered;

            fn to_value(&self) -> Value {
                let to: fn(&Self) -> Value = $to;
                to(self)
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    $pattern => $from,
                    _ => None,
                }
            }

            #[inline]
            fn weigh(&self, _: usize) -> Option<usize> {
                Some(NUMBER_WEIGHT)
            }
        }
    )+};
}

elements! {
    (): |()| Value::Null, Value::Null => Some(()), true;
    bool: |bool| Value::Bool(*bool), Value::Bool(bool) => Some(bool), true;
    Float: |float| Value::Float(*float), Value::Float(float) => Some(float), true;
    usize: |int| Value::Int(*int as i128), Value::Int(int) => Self::try_from(int).ok(), true;
    char: |char| Value::Text(String::from(*char)), Value::Text(text) => {
        let mut chars = text.chars();
        chars.next().filter(|_| chars.next().is_none())
    }, true;
    /// As 16 bytes.
    uuid::Uuid: |uuid| Value::Bytes(uuid.as_bytes().to_vec()), Value::Bytes(bytes) => Self::from_slice(&bytes).ok(), true;
    /// As 16 bytes.
    ReplicaId: |id| Value::Bytes(id.to_bytes().to_vec()), Value::Bytes(bytes) => Some(Self::from_bytes(bytes.try_into().ok()?)), true;
}

impl Element for String {
    const ORDERED_AS_VALUES: bool = true;

    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn weigh(&self, _: usize) -> Option<usize> {
        weigh_bytes(self.len())
    }

    fn write_column(items: &[&Self], to: &mut Encoder<'_>) {
        to.texts(items.len(), |at| items[at].as_str());
    }

    fn read_column(count: usize, tag: ColumnTag, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let mut items = Vec::new();
        from.texts(count, tag, &mut |text| items.push(text.to_owned()))?;
        Ok(items)
    }
}

impl Element for &'static str {
    const ORDERED_AS_VALUES: bool = true;

    fn to_value(&self) -> Value {
        Value::Text((*self).to_owned())
    }

    /// Never: a text that was read lives no longer than its buffer. Names in code can be written, but to read them back
    /// use `String`.
    fn from_value(_: Value) -> Option<Self> {
        None
    }

    fn weigh(&self, _: usize) -> Option<usize> {
        weigh_bytes(self.len())
    }
}

/// As bytes if they are octets, else as a list. An empty list of octets is empty bytes.
impl Element for Vec<u8> {
    const ORDERED_AS_VALUES: bool = true;

    fn to_value(&self) -> Value {
        Value::Bytes(self.clone())
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn weigh(&self, _: usize) -> Option<usize> {
        weigh_bytes(self.len())
    }
}

impl<const N: usize> Element for [u8; N] {
    const ORDERED_AS_VALUES: bool = true;

    fn to_value(&self) -> Value {
        Value::Bytes(self.to_vec())
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => bytes.try_into().ok(),
            _ => None,
        }
    }

    fn weigh(&self, _: usize) -> Option<usize> {
        weigh_bytes(N)
    }
}

/// `None` is [`Value::Null`], `Some(x)` is x; where that could be mistaken (x is null itself, or null in lists of one),
/// x stands in a list of one.
impl<T: Element> Element for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, |item| wrap_some(item.to_value()))
    }

    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(unwrap_some(value)).map(Some),
        }
    }
}

/// What numbers and ids take at most.
const NUMBER_WEIGHT: usize = 20;
/// A tag and a length.
const LENGTH_WEIGHT: usize = 4;

fn weigh_bytes(len: usize) -> Option<usize> {
    (len <= VALUE_BYTES_MAX).then_some(len + LENGTH_WEIGHT)
}

/// Goes no deeper than `levels`: a value may be as deep as memory is large.
fn weigh_value(value: &Value, levels: usize) -> Option<usize> {
    match value {
        Value::Text(text) => weigh_bytes(text.len()),
        Value::Bytes(bytes) => weigh_bytes(bytes.len()),
        Value::List(items) => {
            let below = levels.checked_sub(1)?;
            items.iter().try_fold(LENGTH_WEIGHT, |sum, item| Some(sum + weigh_value(item, below)?))
        }
        Value::Record(fields) => {
            let below = levels.checked_sub(1)?;
            fields.iter().try_fold(LENGTH_WEIGHT, |sum, (name, value)| {
                Some(sum + weigh_bytes(name.len())? + weigh_value(value, below)?)
            })
        }
        Value::Int(int) => Some(2 + (128 - (int ^ (int >> 127)).leading_zeros() as usize) / 7),
        Value::Float(_) => Some(9),
        Value::Null | Value::Bool(_) => Some(1),
    }
}

fn mistakable(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::List(items) if items.len() == 1 => mistakable(&items[0]),
        _ => false,
    }
}

pub(crate) fn wrap_some(value: Value) -> Value {
    if mistakable(&value) { Value::List([value].into()) } else { value }
}

pub(crate) fn unwrap_some(value: Value) -> Value {
    match value {
        Value::List(mut items) if items.len() == 1 && mistakable(&items[0]) => items.remove(0),
        value => value,
    }
}

macro_rules! tuples {
    ($($name:ident $at:tt),+; $count:literal) => {
        /// As a list.
        impl<$($name: Element),+> Element for ($($name,)+) {
            const ORDERED_AS_VALUES: bool = $($name::ORDERED_AS_VALUES)&&+;

            fn to_value(&self) -> Value {
                Value::List([$(self.$at.to_value()),+].into())
            }

            fn from_value(value: Value) -> Option<Self> {
                let Value::List(items) = value else { return None };
                let mut items = items.into_iter();
                let tuple = ($($name::from_value(items.next()?)?,)+);
                items.next().is_none().then_some(tuple)
            }

            fn weigh(&self, levels: usize) -> Option<usize> {
                let below = levels.checked_sub(1)?;
                Some(LENGTH_WEIGHT $(+ self.$at.weigh(below)?)+)
            }
        }
    };
}

tuples!(A 0, B 1; 2);
tuples!(A 0, B 1, C 2; 3);
tuples!(A 0, B 1, C 2, D 3; 4);

macro_rules! from {
    ($($type:ty)+) => {$(
        impl From<$type> for Value {
            fn from(item: $type) -> Self {
                item.to_value()
            }
        }
    )+};
}

from!(() bool u8 u16 u32 u64 i8 i16 i32 i64 i128 usize Float char String Vec<u8>);

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn options_of_options_stay_apart() {
        fn there_and_back<T: Element>(item: T) {
            assert_eq!(T::from_value(item.to_value()), Some(item));
        }
        there_and_back(None::<Option<()>>);
        there_and_back(Some(None::<()>));
        there_and_back(Some(Some(())));
        there_and_back(Some(Some(None::<u8>)));
        there_and_back(Some(vec![0u8]));
        there_and_back(Some((1u8, 2i64)));
        there_and_back(Some(Value::List([Value::Null].into())));
        assert_eq!(Some(Value::List([Value::Int(1)].into())).to_value(), Value::List([Value::Int(1)].into()));
    }

    #[test]
    fn zero_has_one_spelling_and_only_finite_numbers_exist() {
        assert_eq!(Float::new(-0.0).unwrap().get().to_bits(), 0);
        assert_eq!(Float::new(f64::NAN), None);
        assert_eq!(Float::new(f64::INFINITY), None);
    }
}
