//! Many values under one type tag.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::decode::unzigzag;
use super::encode::{varint_len, zigzag};
use super::{DecodeError, DecodeErrorKind, Decoder, Encoder, VALUE_BYTES_MAX};
use crate::value::{Element, Float, Value};

/// The type of a column. Which one is used follows from the values alone, never from the Rust type, so typed and
/// untyped writers agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[doc(hidden)]
pub enum ColumnTag {
    /// Values of several types, or of a type without a column of its own: each names its type.
    Mixed = 0,
    Unsigned1 = 1,
    Unsigned2 = 2,
    Unsigned4 = 3,
    Unsigned8 = 4,
    /// Integers from 0 up as varints, where that is shorter than the narrowest fixed width.
    Unsigned = 5,
    /// Integers of which one is negative or above 2⁶⁴ − 1.
    Signed = 6,
    /// Texts of one length, which stands before them.
    TextsAlike = 7,
    Texts = 8,
    BytesAlike = 9,
    Bytes = 10,
    Bools = 11,
    Floats = 12,
}

const TAGS: [ColumnTag; 13] = [
    ColumnTag::Mixed,
    ColumnTag::Unsigned1,
    ColumnTag::Unsigned2,
    ColumnTag::Unsigned4,
    ColumnTag::Unsigned8,
    ColumnTag::Unsigned,
    ColumnTag::Signed,
    ColumnTag::TextsAlike,
    ColumnTag::Texts,
    ColumnTag::BytesAlike,
    ColumnTag::Bytes,
    ColumnTag::Bools,
    ColumnTag::Floats,
];

const WIDTHS: [(ColumnTag, usize); 4] =
    [(ColumnTag::Unsigned1, 1), (ColumnTag::Unsigned2, 2), (ColumnTag::Unsigned4, 4), (ColumnTag::Unsigned8, 8)];

impl Encoder<'_> {
    fn tag(&mut self, tag: ColumnTag) {
        self.byte(tag as u8);
    }

    /// A column with its tag. Of an empty one only the tag is there, the same for all types.
    pub fn column<T: Element>(&mut self, items: &[&T]) {
        if items.is_empty() { self.tag(ColumnTag::Mixed) } else { T::write_column(items, self) }
    }

    /// A column of integers from 0 up.
    pub fn unsigned(&mut self, count: usize, int: impl Fn(usize) -> u64) {
        let highest = (0..count).map(&int).max().unwrap_or(0);
        let (tag, width) =
            *WIDTHS.iter().find(|(_, width)| *width == 8 || highest >> (8 * width) == 0).expect("8 bytes hold any");
        // Only where some take fewer bytes than the widest can varints win.
        let fixed = count * width;
        let varints = width > 1 && (0..count).map(|at| varint_len(int(at))).sum::<usize>() < fixed;
        if varints {
            self.tag(ColumnTag::Unsigned);
            (0..count).for_each(|at| self.varint(int(at)));
        } else {
            self.tag(tag);
            self.out.reserve(fixed);
            match width {
                8 => (0..count).for_each(|at| self.out.extend_from_slice(&int(at).to_le_bytes())),
                width => (0..count).for_each(|at| self.out.extend_from_slice(&int(at).to_le_bytes()[..width])),
            }
        }
    }

    /// A column of integers.
    pub fn signed(&mut self, count: usize, int: impl Fn(usize) -> i128) {
        if (0..count).all(|at| u64::try_from(int(at)).is_ok()) {
            return self.unsigned(count, |at| int(at) as u64);
        }
        self.tag(ColumnTag::Signed);
        for at in 0..count {
            self.varint_128(zigzag(int(at)));
        }
    }

    /// A column of texts.
    pub fn texts<'s>(&mut self, count: usize, text: impl Fn(usize) -> &'s str) {
        self.octets(count, |at| text(at).as_bytes(), ColumnTag::TextsAlike, ColumnTag::Texts);
    }

    fn octets<'s>(&mut self, count: usize, octets: impl Fn(usize) -> &'s [u8], alike: ColumnTag, each: ColumnTag) {
        let len = if count > 0 { octets(0).len() } else { 0 };
        // Empty ones are written one by one: each value takes at least a byte, or a count could promise any number.
        if len > 0 && (1..count).all(|at| octets(at).len() == len) {
            self.tag(alike);
            self.varint(len as u64);
            (0..count).for_each(|at| self.raw(octets(at)));
        } else {
            self.tag(each);
            (0..count).for_each(|at| self.bytes(octets(at)));
        }
    }

    /// A column of values of any type.
    pub fn values(&mut self, values: &[&Value]) {
        let count = values.len();
        match values.first() {
            Some(Value::Int(_)) if values.iter().all(|value| matches!(value, Value::Int(_))) => {
                let int = |at: usize| if let Value::Int(int) = values[at] { *int } else { 0 };
                self.signed(count, int);
            }
            Some(Value::Text(_)) if values.iter().all(|value| matches!(value, Value::Text(_))) => {
                self.texts(count, |at| if let Value::Text(text) = values[at] { text } else { "" });
            }
            Some(Value::Bytes(_)) if values.iter().all(|value| matches!(value, Value::Bytes(_))) => {
                let bytes = |at: usize| if let Value::Bytes(bytes) = values[at] { bytes.as_slice() } else { &[] };
                self.octets(count, bytes, ColumnTag::BytesAlike, ColumnTag::Bytes);
            }
            Some(Value::Bool(_)) if values.iter().all(|value| matches!(value, Value::Bool(_))) => {
                self.tag(ColumnTag::Bools);
                values.iter().for_each(|value| self.byte(u8::from(**value == Value::Bool(true))));
            }
            Some(Value::Float(_)) if values.iter().all(|value| matches!(value, Value::Float(_))) => {
                self.tag(ColumnTag::Floats);
                for value in values {
                    if let Value::Float(float) = value {
                        self.raw(&float.get().to_le_bytes());
                    }
                }
            }
            _ => {
                self.tag(ColumnTag::Mixed);
                values.iter().for_each(|value| self.value(value));
            }
        }
    }

    /// One value that names its type.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.byte(0),
            Value::Bool(bool) => self.byte(1 + u8::from(*bool)),
            Value::Int(int) if *int >= 0 => {
                self.byte(3);
                self.varint_128(*int as u128);
            }
            Value::Int(int) => {
                self.byte(4);
                self.varint_128(!*int as u128);
            }
            Value::Float(float) => {
                self.byte(5);
                self.raw(&float.get().to_le_bytes());
            }
            Value::Text(text) => {
                self.byte(6);
                self.bytes(text.as_bytes());
            }
            Value::Bytes(bytes) => {
                self.byte(7);
                self.bytes(bytes);
            }
            Value::List(items) => {
                self.byte(8);
                self.varint(items.len() as u64);
                items.iter().for_each(|item| self.value(item));
            }
            Value::Record(fields) => {
                self.byte(9);
                self.varint(fields.len() as u64);
                for (name, value) in fields {
                    self.bytes(name.as_bytes());
                    self.value(value);
                }
            }
        }
    }
}

impl Decoder<'_> {
    /// The tag of a column.
    ///
    /// # Errors
    /// If there is no such tag.
    pub fn tag(&mut self) -> Result<ColumnTag, DecodeError> {
        let byte = self.byte()?;
        TAGS.get(usize::from(byte)).copied().ok_or_else(|| self.error(DecodeErrorKind::Unknown(byte)))
    }

    /// A column with its tag.
    ///
    /// # Errors
    /// If it is broken, or of another type.
    pub fn column<T: Element>(&mut self, count: usize) -> Result<Vec<T>, DecodeError> {
        let tag = self.tag()?;
        if count == 0 { Ok(Vec::new()) } else { T::read_column(count, tag, self) }
    }

    /// A column of integers from 0 up; `take` answers `None` to one that does not fit its type.
    ///
    /// # Errors
    /// If it is another column, or one does not fit.
    pub fn read_unsigned(
        &mut self,
        count: usize,
        tag: ColumnTag,
        take: &mut dyn FnMut(u64) -> Option<()>,
    ) -> Result<(), DecodeError> {
        if tag == ColumnTag::Unsigned {
            for _ in 0..count {
                let int = self.varint()?;
                take(int).ok_or_else(|| self.error(DecodeErrorKind::OtherType))?;
            }
            return Ok(());
        }
        let Some((_, width)) = WIDTHS.iter().find(|(fixed, _)| *fixed == tag) else {
            return Err(self.error(DecodeErrorKind::OtherType));
        };
        let octets = count.checked_mul(*width).ok_or_else(|| self.error(DecodeErrorKind::TooShort))?;
        for octets in self.raw(octets)?.chunks_exact(*width) {
            let mut int = [0; 8];
            int[..*width].copy_from_slice(octets);
            take(u64::from_le_bytes(int)).ok_or_else(|| self.error(DecodeErrorKind::OtherType))?;
        }
        Ok(())
    }

    /// A column of integers.
    ///
    /// # Errors
    /// If it is another column, or one does not fit.
    pub fn read_signed(
        &mut self,
        count: usize,
        tag: ColumnTag,
        take: &mut dyn FnMut(i128) -> Option<()>,
    ) -> Result<(), DecodeError> {
        if tag != ColumnTag::Signed {
            return self.read_unsigned(count, tag, &mut |int| take(i128::from(int)));
        }
        for _ in 0..count {
            let int = self.varint_128()?;
            take(unzigzag(int)).ok_or_else(|| self.error(DecodeErrorKind::OtherType))?;
        }
        Ok(())
    }

    /// A column of texts.
    ///
    /// # Errors
    /// If it is another column, or one is no text.
    pub fn texts(&mut self, count: usize, tag: ColumnTag, take: &mut dyn FnMut(&str)) -> Result<(), DecodeError> {
        let alike = match tag {
            ColumnTag::TextsAlike => true,
            ColumnTag::Texts => false,
            _ => return Err(self.error(DecodeErrorKind::OtherType)),
        };
        self.octets(count, alike, &mut |octets| core::str::from_utf8(octets).ok().map(&mut *take)).map_err(|error| {
            match error.kind {
                DecodeErrorKind::OtherType => DecodeError { kind: DecodeErrorKind::NotText, ..error },
                _ => error,
            }
        })
    }

    fn octets(
        &mut self,
        count: usize,
        alike: bool,
        take: &mut dyn FnMut(&[u8]) -> Option<()>,
    ) -> Result<(), DecodeError> {
        let len = if alike { Some(self.len()?) } else { None };
        if len == Some(0) {
            return Err(self.error(DecodeErrorKind::NotCanonical));
        }
        for _ in 0..count {
            let len = match len {
                Some(len) => len,
                None => self.len()?,
            };
            let octets = self.raw(len)?;
            self.note_len(len);
            take(octets).ok_or_else(|| self.error(DecodeErrorKind::OtherType))?;
        }
        Ok(())
    }

    fn len(&mut self) -> Result<usize, DecodeError> {
        let len = self.count(1)?;
        if len > VALUE_BYTES_MAX { Err(self.error(DecodeErrorKind::TooLarge)) } else { Ok(len) }
    }

    /// A column of values of any type.
    ///
    /// # Errors
    /// If one is broken, or `take` refuses it.
    pub fn values(
        &mut self,
        count: usize,
        tag: ColumnTag,
        take: &mut dyn FnMut(Value) -> Option<()>,
    ) -> Result<(), DecodeError> {
        match tag {
            ColumnTag::Mixed => {
                for _ in 0..count {
                    let start = self.position();
                    let value = self.value()?;
                    self.note_value(self.position() - start);
                    take(value).ok_or_else(|| self.error(DecodeErrorKind::OtherType))?;
                }
                Ok(())
            }
            ColumnTag::TextsAlike | ColumnTag::Texts => {
                let mut refused = false;
                self.texts(count, tag, &mut |text| refused |= take(Value::Text(text.to_owned())).is_none())?;
                if refused { Err(self.error(DecodeErrorKind::OtherType)) } else { Ok(()) }
            }
            ColumnTag::BytesAlike | ColumnTag::Bytes => {
                self.octets(count, tag == ColumnTag::BytesAlike, &mut |octets| take(Value::Bytes(octets.to_vec())))
            }
            ColumnTag::Bools => {
                for _ in 0..count {
                    let value = match self.byte()? {
                        0 => Value::Bool(false),
                        1 => Value::Bool(true),
                        other => return Err(self.error(DecodeErrorKind::Unknown(other))),
                    };
                    take(value).ok_or_else(|| self.error(DecodeErrorKind::OtherType))?;
                }
                Ok(())
            }
            ColumnTag::Floats => {
                for _ in 0..count {
                    let float = self.float()?;
                    take(Value::Float(float)).ok_or_else(|| self.error(DecodeErrorKind::OtherType))?;
                }
                Ok(())
            }
            _ => self.read_signed(count, tag, &mut |int| take(Value::Int(int))),
        }
    }

    fn float(&mut self) -> Result<Float, DecodeError> {
        let bits = self.raw(8)?.try_into().expect("eight bytes");
        Float::new(f64::from_le_bytes(bits)).ok_or_else(|| self.error(DecodeErrorKind::NotFinite))
    }

    fn text(&mut self) -> Result<String, DecodeError> {
        let len = self.len()?;
        let octets = self.raw(len)?;
        core::str::from_utf8(octets).map(str::to_owned).map_err(|_| self.error(DecodeErrorKind::NotText))
    }

    /// One value that names its type, as [`Encoder::value`] writes it. Other spellings of it are read, too: compare what
    /// is written again where that matters.
    ///
    /// # Errors
    /// If it is broken.
    pub fn value(&mut self) -> Result<Value, DecodeError> {
        Ok(match self.byte()? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            sign @ (3 | 4) => {
                let int = self.varint_128()?;
                let int = i128::try_from(int).map_err(|_| self.error(DecodeErrorKind::TooLarge))?;
                Value::Int(if sign == 3 { int } else { !int })
            }
            5 => Value::Float(self.float()?),
            6 => Value::Text(self.text()?),
            7 => {
                let len = self.len()?;
                Value::Bytes(self.raw(len)?.to_vec())
            }
            8 => {
                let count = self.count(1)?;
                let mut items = Vec::new();
                self.deeper(|from| {
                    for _ in 0..count {
                        items.push(from.value()?);
                    }
                    Ok(())
                })?;
                Value::List(items)
            }
            9 => {
                let count = self.count(2)?;
                let mut fields: Vec<(String, Value)> = Vec::new();
                self.deeper(|from| {
                    for _ in 0..count {
                        let name = from.text()?;
                        if fields.last().is_some_and(|(last, _)| *last >= name) {
                            return Err(from.error(DecodeErrorKind::NotCanonical));
                        }
                        fields.push((name, from.value()?));
                    }
                    Ok(())
                })?;
                Value::Record(fields)
            }
            other => return Err(self.error(DecodeErrorKind::Unknown(other))),
        })
    }
}
