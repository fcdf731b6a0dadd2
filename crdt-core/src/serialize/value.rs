//! Data without a Rust type.
//!
//! Tagged by kind in every format: what tells bytes from a list, or 2 from 2.0, is part of the value, and most formats
//! lose it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::number::Int;
use super::octets;
use crate::Value;
use crate::codec::{DEPTH_MAX, DecodeErrorKind};

const NAME: &str = "Value";

#[derive(Deserialize)]
enum Tag {
    Null,
    Bool,
    Int,
    Float,
    Text,
    Bytes,
    List,
    Record,
}

const TAGS: &[&str] = &["Null", "Bool", "Int", "Float", "Text", "Bytes", "List", "Record"];

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => to.serialize_unit_variant(NAME, 0, "Null"),
            Value::Bool(bool) => to.serialize_newtype_variant(NAME, 1, "Bool", bool),
            Value::Int(int) => to.serialize_newtype_variant(NAME, 2, "Int", &Int(*int)),
            Value::Float(float) => to.serialize_newtype_variant(NAME, 3, "Float", float),
            Value::Text(text) => to.serialize_newtype_variant(NAME, 4, "Text", text),
            Value::Bytes(bytes) => to.serialize_newtype_variant(NAME, 5, "Bytes", &Bytes(bytes)),
            Value::List(items) => to.serialize_newtype_variant(NAME, 6, "List", items),
            Value::Record(fields) => to.serialize_newtype_variant(NAME, 7, "Record", &Fields(fields)),
        }
    }
}

struct Bytes<'v>(&'v [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        octets::serialize(self.0, to)
    }
}

struct Fields<'v>(&'v [(String, Value)]);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            fields.serialize_entry(name, value)?;
        }
        fields.end()
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        AtDepth(0).deserialize(from)
    }
}

/// A value that lies so deep in others. Many formats would follow any depth, down to the end of the stack.
#[derive(Clone, Copy)]
struct AtDepth(usize);

impl AtDepth {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.0 == DEPTH_MAX { Err(E::custom(DecodeErrorKind::TooDeep)) } else { Ok(Self(self.0 + 1)) }
    }
}

impl<'de> DeserializeSeed<'de> for AtDepth {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_enum(NAME, TAGS, self)
    }
}

impl<'de> Visitor<'de> for AtDepth {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value under the name of its kind")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Value, A::Error> {
        let (tag, content) = data.variant()?;
        Ok(match tag {
            Tag::Null => {
                content.unit_variant()?;
                Value::Null
            }
            Tag::Bool => Value::Bool(content.newtype_variant()?),
            Tag::Int => Value::Int(content.newtype_variant::<Int>()?.0),
            Tag::Float => Value::Float(content.newtype_variant()?),
            Tag::Text => Value::Text(content.newtype_variant()?),
            Tag::Bytes => Value::Bytes(content.newtype_variant::<OwnedBytes>()?.0),
            Tag::List => Value::List(content.newtype_variant_seed(ListOf(self.deeper()?))?),
            Tag::Record => Value::Record(content.newtype_variant_seed(RecordOf(self.deeper()?))?),
        })
    }
}

struct OwnedBytes(Vec<u8>);

impl<'de> Deserialize<'de> for OwnedBytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        octets::deserialize(from).map(Self)
    }
}

struct ListOf(AtDepth);

impl<'de> DeserializeSeed<'de> for ListOf {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Vec<Value>, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ListOf {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Value>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self.0)? {
            items.push(item);
        }
        Ok(items)
    }
}

struct RecordOf(AtDepth);

impl<'de> DeserializeSeed<'de> for RecordOf {
    type Value = Vec<(String, Value)>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RecordOf {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("named values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::<(String, Value)>::new();
        while let Some(name) = map.next_key()? {
            fields.push((name, map.next_value_seed(self.0)?));
        }
        // JSON objects have no order; a record has one.
        fields.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        if fields.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(A::Error::custom("a name stands in a record twice"));
        }
        Ok(fields)
    }
}
