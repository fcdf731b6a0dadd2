//! Numbers, exact in every format.

use alloc::string::ToString;
use core::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::Float;
use crate::codec::DecodeErrorKind;

pub(crate) fn serialize<S: Serializer>(int: &i128, to: S) -> Result<S::Ok, S::Error> {
    Int(*int).serialize(to)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<i128, D::Error> {
    Int::deserialize(from).map(|Int(int)| int)
}

/// An integer of up to 128 bits. In formats for people it is a number while every reader keeps it exactly, and else its
/// digits as text.
pub(super) struct Int(pub(super) i128);

/// The largest integer up to which every smaller one is a 64-bit float.
const SAFE_MAX: u64 = (1 << 53) - 1;

impl Serialize for Int {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0) {
            _ if !to.is_human_readable() => to.serialize_i128(self.0),
            Ok(int) if int.unsigned_abs() <= SAFE_MAX => to.serialize_i64(int),
            _ => to.collect_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() { from.deserialize_any(IntVisitor) } else { from.deserialize_i128(IntVisitor) }
    }
}

struct IntVisitor;

impl Visitor<'_> for IntVisitor {
    type Value = Int;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer, or its digits as text")
    }

    fn visit_i64<E: Error>(self, int: i64) -> Result<Int, E> {
        Ok(Int(int.into()))
    }

    fn visit_u64<E: Error>(self, int: u64) -> Result<Int, E> {
        Ok(Int(int.into()))
    }

    fn visit_i128<E: Error>(self, int: i128) -> Result<Int, E> {
        Ok(Int(int))
    }

    fn visit_u128<E: Error>(self, int: u128) -> Result<Int, E> {
        i128::try_from(int).map(Int).map_err(|_| E::custom(DecodeErrorKind::TooLarge))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Int, E> {
        text.parse().map(Int).map_err(E::custom)
    }
}

impl Serialize for Float {
    /// As text in formats for people: not every reader of JSON numbers takes the nearest float.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.serialize_str(&self.get().to_string()) } else { to.serialize_f64(self.get()) }
    }
}

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() { from.deserialize_any(FloatVisitor) } else { from.deserialize_f64(FloatVisitor) }
    }
}

struct FloatVisitor;

impl Visitor<'_> for FloatVisitor {
    type Value = Float;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a finite number, or its digits as text")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Float, E> {
        Float::new(number).ok_or_else(|| E::custom(DecodeErrorKind::NotFinite))
    }

    fn visit_i64<E: Error>(self, int: i64) -> Result<Float, E> {
        self.visit_f64(int as f64)
    }

    fn visit_u64<E: Error>(self, int: u64) -> Result<Float, E> {
        self.visit_f64(int as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Float, E> {
        text.parse().map_err(E::custom).and_then(|number| self.visit_f64(number))
    }
}
