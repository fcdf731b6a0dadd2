//! Anything that serde can read, from a [`Value`].

use alloc::string::String;
use alloc::vec::Vec;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, Error, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::spell::Refused;
use crate::Value;
use crate::value::unwrap_some;

/// Reads one value.
pub(super) struct Read(pub(super) Value);

impl<'de> IntoDeserializer<'de, Refused> for Read {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Read {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(bool) => visitor.visit_bool(bool),
            // The narrowest that fits: what serde sets aside to look at later has no room for more than 64 bits.
            Value::Int(int) => match (i64::try_from(int), u64::try_from(int)) {
                (Ok(int), _) => visitor.visit_i64(int),
                (_, Ok(int)) => visitor.visit_u64(int),
                _ => visitor.visit_i128(int),
            },
            Value::Float(float) => visitor.visit_f64(float.get()),
            Value::Text(text) => visitor.visit_string(text),
            Value::Bytes(bytes) => visitor.visit_byte_buf(bytes),
            Value::List(items) => {
                let mut items = SeqDeserializer::new(items.into_iter().map(Read));
                let answer = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(answer)
            }
            Value::Record(fields) => pairs(fields.into_iter().map(|(name, item)| (Value::Text(name), item)), visitor),
        }
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.0 {
            Value::Int(int) => visitor.visit_i128(int),
            other => Read(other).deserialize_any(visitor),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.0 {
            Value::Int(int) => match u128::try_from(int) {
                Ok(int) => visitor.visit_u128(int),
                Err(_) => visitor.visit_i128(int),
            },
            Value::Bytes(bytes) => match <[u8; 16]>::try_from(bytes) {
                Ok(bytes) => visitor.visit_u128(u128::from_be_bytes(bytes)),
                Err(bytes) => visitor.visit_byte_buf(bytes),
            },
            other => Read(other).deserialize_any(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match &self.0 {
            Value::Text(text) => match text.as_str() {
                "NaN" => visitor.visit_f64(f64::NAN),
                "inf" => visitor.visit_f64(f64::INFINITY),
                "-inf" => visitor.visit_f64(f64::NEG_INFINITY),
                _ => self.deserialize_any(visitor),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            value => visitor.visit_some(Read(unwrap_some(value))),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let Value::List(items) = self.0 else { return self.deserialize_any(visitor) };
        let pair = |item| match item {
            Value::List(pair) => <[Value; 2]>::try_from(pair).ok().map(|[key, item]| (key, item)),
            _ => None,
        };
        let read: Option<Vec<_>> = items.into_iter().map(pair).collect();
        pairs(read.ok_or_else(|| Refused::custom("a map is a list of pairs"))?.into_iter(), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        match self.0 {
            Value::Text(name) => visitor.visit_enum(Variant { name, content: None }),
            Value::Record(mut fields) if fields.len() == 1 => {
                let (name, content) = fields.remove(0);
                visitor.visit_enum(Variant { name, content: Some(content) })
            }
            _ => Err(Refused::custom("a variant is a name, or a record of one field")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct struct
        identifier
    }
}

fn pairs<'de, V: Visitor<'de>>(pairs: impl Iterator<Item = (Value, Value)>, visitor: V) -> Result<V::Value, Refused> {
    let mut pairs = MapDeserializer::new(pairs.map(|(key, item)| (Read(key), Read(item))));
    let answer = visitor.visit_map(&mut pairs)?;
    pairs.end()?;
    Ok(answer)
}

/// One variant of an enum.
struct Variant {
    name: String,
    content: Option<Value>,
}

impl<'de> de::EnumAccess<'de> for Variant {
    type Error = Refused;
    type Variant = Content;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Content), Refused> {
        let name = seed.deserialize(Read(Value::Text(self.name)))?;
        Ok((name, Content(self.content)))
    }
}

/// What a variant holds; a bare name holds nothing.
struct Content(Option<Value>);

impl Content {
    fn read(self) -> Result<Read, Refused> {
        self.0.map(Read).ok_or_else(|| Refused::custom("the variant has content"))
    }
}

impl<'de> de::VariantAccess<'de> for Content {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        match self.0 {
            None => Ok(()),
            Some(_) => Err(Refused::custom("the variant has no content")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Refused> {
        seed.deserialize(self.read()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Refused> {
        self.read()?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Refused> {
        self.read()?.deserialize_any(visitor)
    }
}
