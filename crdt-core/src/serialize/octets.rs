//! Bytes: as they are, or as text in formats for people.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Display};
use core::marker::PhantomData;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::ser::Serializer;

/// The 64 digits of base64url (RFC 4648, section 5): fit for URLs and file names as they are.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// How much room a sequence that claims a length gets before it has shown its items.
const CLAIMED_MAX: usize = 4096;

pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    if to.is_human_readable() { to.serialize_str(&base64(bytes)) } else { to.serialize_bytes(bytes) }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    parse(from, "bytes", |bytes| Ok::<_, fmt::Error>(bytes.to_vec()))
}

/// Reads bytes, and `parse`s what they stand for.
pub(super) fn parse<'de, D: Deserializer<'de>, T, E: Display>(
    from: D,
    expected: &'static str,
    parse: impl FnOnce(&[u8]) -> Result<T, E>,
) -> Result<T, D::Error> {
    let octets = Octets { expected, parse, result: PhantomData };
    if from.is_human_readable() { from.deserialize_str(octets) } else { from.deserialize_bytes(octets) }
}

/// Takes bytes in any guise: some formats have none and write a sequence, and what serde sets aside to look at later
/// forgets for whom it was written.
struct Octets<F, T, E> {
    expected: &'static str,
    parse: F,
    result: PhantomData<(T, E)>,
}

impl<'de, T, E: Display, F: FnOnce(&[u8]) -> Result<T, E>> Visitor<'de> for Octets<F, T, E> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, as bytes or base64url", self.expected)
    }

    fn visit_bytes<R: Error>(self, bytes: &[u8]) -> Result<T, R> {
        (self.parse)(bytes).map_err(R::custom)
    }

    fn visit_str<R: Error>(self, text: &str) -> Result<T, R> {
        let bytes = from_base64(text).ok_or_else(|| R::custom("not canonical base64url without padding"))?;
        self.visit_bytes(&bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<T, A::Error> {
        let mut bytes = Vec::with_capacity(items.size_hint().unwrap_or(0).min(CLAIMED_MAX));
        while let Some(byte) = items.next_element()? {
            bytes.push(byte);
        }
        self.visit_bytes(&bytes)
    }
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let digits = (0..=chunk.len()).map(|at| DIGITS[(bits >> (18 - 6 * at) & 63) as usize]);
        text.extend(digits.map(char::from));
    }
    text
}

/// `None` for a character that is no digit, a length that is none, and spare bits that are set: one spelling only.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for digit in chunk {
            bits = bits << 6 | u32::from(value_of(*digit)?);
        }
        let len = chunk.len() * 6 / 8;
        let spare = chunk.len() * 6 - len * 8;
        if len == 0 || bits & ((1 << spare) - 1) != 0 {
            return None;
        }
        bytes.extend_from_slice(&(bits >> spare).to_be_bytes()[4 - len..]);
    }
    Some(bytes)
}

const fn value_of(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
            assert_eq!(from_base64(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(base64(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn bytes_have_one_spelling() {
        for text in ["Z", "Zh", "Zm9", "Zm9vY", "Zg==", "+/8", "Zm 8", "é"] {
            assert_eq!(from_base64(text), None, "{text}");
        }
    }
}
