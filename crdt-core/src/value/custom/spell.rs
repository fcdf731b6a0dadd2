//! Anything that serde can write, as a [`Value`].

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::ser::{self, Serialize};

use crate::value::wrap_some;
use crate::{Float, Value};

/// Writes one value.
pub(super) struct Spell;

/// A type's own code refused to be written or read, or there is nothing of the type in the value.
#[derive(Debug)]
pub(super) struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Refused {}

impl ser::Error for Refused {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl serde::de::Error for Refused {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// The content of a variant, under its name.
fn tagged(variant: Option<&'static str>, content: Value) -> Value {
    match variant {
        Some(name) => Value::Record([(name.to_owned(), content)].into()),
        None => content,
    }
}

macro_rules! integers {
    ($($method:ident $int:ty;)+) => {$(
        fn $method(self, int: $int) -> Result<Value, Refused> {
            Ok(Value::Int(int.into()))
        }
    )+};
}

impl ser::Serializer for Spell {
    type Ok = Value;
    type Error = Refused;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Pairs;
    type SerializeStruct = Pairs;
    type SerializeStructVariant = Pairs;

    integers! {
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_i128 i128;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
    }

    fn serialize_u128(self, int: u128) -> Result<Value, Refused> {
        Ok(i128::try_from(int).map_or_else(|_| Value::Bytes(int.to_be_bytes().to_vec()), Value::Int))
    }

    fn serialize_bool(self, bool: bool) -> Result<Value, Refused> {
        Ok(Value::Bool(bool))
    }

    fn serialize_f32(self, number: f32) -> Result<Value, Refused> {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result<Value, Refused> {
        Ok(Float::new(number).map_or_else(|| Value::Text(number.to_string()), Value::Float))
    }

    fn serialize_char(self, char: char) -> Result<Value, Refused> {
        Ok(Value::Text(char.into()))
    }

    fn serialize_str(self, text: &str) -> Result<Value, Refused> {
        Ok(Value::Text(text.to_owned()))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Value, Refused> {
        Ok(Value::Bytes(bytes.to_owned()))
    }

    fn serialize_none(self) -> Result<Value, Refused> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, item: &T) -> Result<Value, Refused> {
        item.serialize(self).map(wrap_some)
    }

    fn serialize_unit(self) -> Result<Value, Refused> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Refused> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Value, Refused> {
        Ok(Value::Text(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, item: &T) -> Result<Value, Refused> {
        item.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        item: &T,
    ) -> Result<Value, Refused> {
        item.serialize(self).map(|content| tagged(Some(variant), content))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items, Refused> {
        Ok(Items::default())
    }

    fn serialize_tuple(self, _: usize) -> Result<Items, Refused> {
        Ok(Items::default())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items, Refused> {
        Ok(Items::default())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items, Refused> {
        Ok(Items { variant: Some(variant), ..Items::default() })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Pairs, Refused> {
        Ok(Pairs::default())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Pairs, Refused> {
        Ok(Pairs::default())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Pairs, Refused> {
        Ok(Pairs { variant: Some(variant), ..Pairs::default() })
    }
}

/// A list under way.
#[derive(Default)]
pub(super) struct Items {
    variant: Option<&'static str>,
    items: Vec<Value>,
}

impl Items {
    fn push<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Refused> {
        self.items.push(item.serialize(Spell)?);
        Ok(())
    }

    fn finish(self) -> Value {
        tagged(self.variant, Value::List(self.items))
    }
}

/// A record or map under way.
#[derive(Default)]
pub(super) struct Pairs {
    variant: Option<&'static str>,
    key: Option<Value>,
    pairs: Vec<(Value, Value)>,
}

impl Pairs {
    fn push<T: Serialize + ?Sized>(&mut self, key: Value, item: &T) -> Result<(), Refused> {
        self.pairs.push((key, item.serialize(Spell)?));
        Ok(())
    }

    /// A record where the keys are names, each once; else pairs.
    fn finish(mut self) -> Value {
        self.pairs.sort();
        let names = self.pairs.iter().all(|(key, _)| matches!(key, Value::Text(_)))
            && self.pairs.windows(2).all(|pair| pair[0].0 != pair[1].0);
        let content = if names {
            let field = |(key, item)| if let Value::Text(name) = key { Some((name, item)) } else { None };
            Value::Record(self.pairs.into_iter().filter_map(field).collect())
        } else {
            Value::List(self.pairs.into_iter().map(|(key, item)| Value::List([key, item].into())).collect())
        };
        tagged(self.variant, content)
    }
}

macro_rules! lists {
    ($($trait:ident $method:ident;)+) => {$(
        impl ser::$trait for Items {
            type Ok = Value;
            type Error = Refused;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Refused> {
                self.push(item)
            }

            fn end(self) -> Result<Value, Refused> {
                Ok(self.finish())
            }
        }
    )+};
}

lists! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! records {
    ($($trait:ident)+) => {$(
        impl ser::$trait for Pairs {
            type Ok = Value;
            type Error = Refused;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, item: &T) -> Result<(), Refused> {
                self.push(Value::Text(name.to_owned()), item)
            }

            fn end(self) -> Result<Value, Refused> {
                Ok(self.finish())
            }
        }
    )+};
}

records!(SerializeStruct SerializeStructVariant);

impl ser::SerializeMap for Pairs {
    type Ok = Value;
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        self.key = Some(key.serialize(Spell)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Refused> {
        let key = self.key.take().ok_or_else(|| ser::Error::custom("a map's value came before its key"))?;
        self.push(key, item)
    }

    fn end(self) -> Result<Value, Refused> {
        Ok(self.finish())
    }
}
