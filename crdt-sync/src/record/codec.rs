//! A record's bytes, in a frame and alone.
//!
//! ```text
//! record   := head u8 · [own] · time · [after] · payload · [extensions]
//! head     := bit 0: it retires a replica · 1: its dots follow those of the record before it · 2: it has one dot
//!             3: after · 4: extensions · others 0
//! own      := [index · first]                     unless bit 1        · [last − first] unless bit 2
//! time     := milliseconds, zigzag, less those of the record before it (0 for the first) · counter
//! after    := few dots                            if bit 3
//! payload  := retired: few dots · root            or, if bit 0: index · last
//! alone    := 0x01 (version) · ids: count, 16 bytes each, ascending · record, as the first of a frame
//! ```
//!
//! The dots it creates stand in front, so its delta does not repeat them, and columns of dots start at the first one.

use crdt_core::codec::{DecodeLimits, Decoder, Encoder, Ids};
use crdt_core::{COUNTER_MAX, DecodeError, DecodeErrorKind, Delta, DotSet, DotStore, ReplicaId, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use crate::{Extension, FrameError, Limits, Own, Payload, Record};

/// The version of the form that stands alone.
const ALONE: u8 = 1;

const RETIRE: u8 = 1;
const FOLLOWS: u8 = 1 << 1;
const ONE_DOT: u8 = 1 << 2;
const AFTER: u8 = 1 << 3;
const EXTENSIONS: u8 = 1 << 4;
const KNOWN: u8 = RETIRE | FOLLOWS | ONE_DOT | AFTER | EXTENSIONS;

/// What a record leaves out where the one before it in the frame says it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Before {
    own: Option<Own>,
    ms: u64,
}

impl Before {
    fn is_followed_by(&self, own: Own) -> bool {
        self.own.is_some_and(|before| before.replica == own.replica && before.last + 1 == own.first)
    }
}

impl<S: DotStore> Record<S> {
    /// Its canonical bytes, with full ids: what the log keeps and its hash is made of. In a frame it takes no more.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut ids = Vec::new();
        self.each_id(&mut |id| ids.push(id));
        let ids = Ids::ascending(ids);
        let mut to = Encoder::new(&ids);
        to.byte(ALONE);
        to.varint(ids.len() as u64);
        ids.as_slice().iter().for_each(|id| to.raw(&id.to_bytes()));
        self.write(&mut Before::default(), &mut to);
        to.into_bytes()
    }

    /// The record that has these bytes.
    ///
    /// # Errors
    /// If there is none within the default limits. An extension that must be understood, and is not, is an unknown code.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_within(bytes, &Limits::default())
    }

    /// The same within other limits: those under which it was written.
    ///
    /// # Errors
    /// If there is none within them.
    pub fn decode_within(bytes: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        let no_ids = Ids::default();
        let mut from = Decoder::new(bytes, &no_ids);
        let version = from.byte()?;
        if version != ALONE {
            return Err(DecodeError { at: 0, kind: DecodeErrorKind::NewerVersion(version) });
        }
        let count = from.count(16)?;
        let mut ids = Ids::default();
        for id in from.raw(16 * count)?.chunks_exact(16) {
            let id = ReplicaId::from_bytes(id.try_into().expect("chunks of 16"));
            if ids.as_slice().last().is_some_and(|before| *before >= id) {
                return Err(from.error(DecodeErrorKind::NotCanonical));
            }
            ids.insert(id);
        }
        let start = from.position();
        let parts = DecodeLimits {
            set_replicas_max: limits.set_replicas_max,
            set_runs_max: limits.set_runs_max,
            entries_max: limits.record_dots_max,
            copied_bytes_max: limits.copied_bytes_max,
            ..DecodeLimits::default()
        };
        let mut from = Decoder::within(bytes, start, &ids, parts);
        let record = Self::read(&mut Before::default(), limits, &mut from).map_err(|error| match error {
            FrameError::Malformed(error) => error,
            FrameError::Extension { tag } => from.error(DecodeErrorKind::Unknown(tag as u8)),
            _ => from.error(DecodeErrorKind::TooLarge),
        })?;
        if from.remaining() > 0 {
            return Err(from.error(DecodeErrorKind::TooLong));
        }
        let mut used = Vec::new();
        record.each_id(&mut |id| used.push(id));
        if Ids::ascending(used).len() < ids.len() {
            return Err(DecodeError { at: start, kind: DecodeErrorKind::NotCanonical });
        }
        Ok(record)
    }

    /// A hash of its bytes: two records with the same dots and different hashes are two memories under one id.
    #[must_use]
    pub fn hash64(&self) -> u64 {
        xxh3_64(&self.encode())
    }

    /// Every id that its bytes name, some more than once.
    pub(crate) fn each_id(&self, take: &mut dyn FnMut(ReplicaId)) {
        take(self.own.replica);
        self.after.runs().for_each(|(id, ..)| take(id));
        match &self.payload {
            Payload::Edit(delta) => delta.retired().runs().for_each(|(id, ..)| take(id)),
            Payload::Retire { replica, .. } => take(*replica),
        }
    }

    pub(crate) fn write(&self, before: &mut Before, to: &mut Encoder<'_>) {
        let follows = before.is_followed_by(self.own);
        let one = self.own.first == self.own.last;
        let flag = |bit: u8, set: bool| if set { bit } else { 0 };
        to.byte(
            flag(RETIRE, matches!(self.payload, Payload::Retire { .. }))
                | flag(FOLLOWS, follows)
                | flag(ONE_DOT, one)
                | flag(AFTER, !self.after.is_empty())
                | flag(EXTENSIONS, !self.extensions.is_empty()),
        );
        if !follows {
            to.id(self.own.replica);
            to.varint(self.own.first);
        }
        if !one {
            to.varint(self.own.last - self.own.first);
        }
        // Both take 48 bits.
        to.zigzag(self.time.ms().wrapping_sub(before.ms) as i64);
        to.varint(u64::from(self.time.counter()));
        if !self.after.is_empty() {
            to.few_dots(&self.after);
        }
        match &self.payload {
            Payload::Edit(delta) => {
                debug_assert_eq!(*delta.own(), self.own.to_dot_set(), "a record creates the dots of its delta");
                delta.write_to(to);
            }
            Payload::Retire { replica, last } => {
                to.id(*replica);
                to.varint(*last);
            }
        }
        if !self.extensions.is_empty() {
            write_extensions(&self.extensions, to);
        }
        *before = Before { own: Some(self.own), ms: self.time.ms() };
    }

    pub(crate) fn read(before: &mut Before, limits: &Limits, from: &mut Decoder<'_>) -> Result<Self, FrameError> {
        let start = from.position();
        let head = from.byte()?;
        if head & !KNOWN != 0 {
            return Err(from.error(DecodeErrorKind::Unknown(head)).into());
        }
        let own = read_own(head, before, limits, from)?;
        let time = read_time(before.ms, from)?;
        let after = if head & AFTER == 0 { DotSet::new() } else { from.few_dots()? };
        if after.len() > limits.after_dots_max as u64 {
            return Err(FrameError::too_large("after_dots_max", limits.after_dots_max as u64));
        }
        if head & AFTER != 0 && after.is_empty() {
            return Err(from.error(DecodeErrorKind::NotCanonical).into());
        }
        let payload = if head & RETIRE == 0 {
            Payload::Edit(Delta::read_from(own.to_dot_set(), from)?)
        } else {
            Payload::Retire { replica: from.replica()?, last: read_last(from)? }
        };
        let extensions = if head & EXTENSIONS == 0 { Vec::new() } else { read_extensions(limits, from)? };
        if from.position() - start > limits.record_bytes_max {
            return Err(FrameError::too_large("record_bytes_max", limits.record_bytes_max as u64));
        }
        *before = Before { own: Some(own), ms: time.ms() };
        Ok(Self { own, after, time, payload, extensions })
    }
}

fn read_own(head: u8, before: &Before, limits: &Limits, from: &mut Decoder<'_>) -> Result<Own, FrameError> {
    let (replica, first) = if head & FOLLOWS == 0 {
        (from.replica()?, from.varint()?)
    } else {
        let before = before.own.ok_or_else(|| from.error(DecodeErrorKind::NotCanonical))?;
        (before.replica, before.last + 1)
    };
    let more = if head & ONE_DOT == 0 { from.varint()? } else { 0 };
    if head & ONE_DOT == 0 && more == 0 {
        return Err(from.error(DecodeErrorKind::NotCanonical).into());
    }
    let last = first.checked_add(more).filter(|last| first > 0 && *last <= COUNTER_MAX);
    let own = Own { replica, first, last: last.ok_or_else(|| from.error(DecodeErrorKind::Counter))? };
    if more >= limits.record_dots_max {
        return Err(FrameError::too_large("record_dots_max", limits.record_dots_max));
    }
    if head & FOLLOWS == 0 && before.is_followed_by(own) {
        return Err(from.error(DecodeErrorKind::NotCanonical).into());
    }
    Ok(own)
}

fn read_time(before_ms: u64, from: &mut Decoder<'_>) -> Result<Timestamp, DecodeError> {
    let ms = before_ms.wrapping_add(from.zigzag()? as u64);
    let counter = u16::try_from(from.varint()?);
    match counter {
        Ok(counter) if ms >> 48 == 0 => Ok(Timestamp::new(ms, counter)),
        _ => Err(from.error(DecodeErrorKind::TooLarge)),
    }
}

/// A counter that may be 0: the last dot of a replica which may have made none.
pub(crate) fn read_last(from: &mut Decoder<'_>) -> Result<u64, DecodeError> {
    let last = from.varint()?;
    if last > COUNTER_MAX { Err(from.error(DecodeErrorKind::Counter)) } else { Ok(last) }
}

/// Extensions: count, then tag and bytes each, in the order in which they stand.
pub(crate) fn write_extensions(extensions: &[Extension], to: &mut Encoder<'_>) {
    to.varint(extensions.len() as u64);
    for extension in extensions {
        to.varint(extension.tag);
        to.bytes(&extension.bytes);
    }
}

pub(crate) fn read_extensions(limits: &Limits, from: &mut Decoder<'_>) -> Result<Vec<Extension>, FrameError> {
    let count = from.count(2)?;
    if count > limits.extensions_max {
        return Err(FrameError::too_large("extensions_max", limits.extensions_max as u64));
    }
    if count == 0 {
        return Err(from.error(DecodeErrorKind::NotCanonical).into());
    }
    let mut extensions = Vec::new();
    let mut bytes_left = limits.extension_bytes_max;
    for _ in 0..count {
        let tag = from.varint()?;
        let bytes = from.bytes()?;
        bytes_left = bytes_left
            .checked_sub(bytes.len())
            .ok_or_else(|| FrameError::too_large("extension_bytes_max", limits.extension_bytes_max as u64))?;
        // Odd ones must be understood, and none is known yet.
        if tag & 1 == 1 {
            return Err(FrameError::Extension { tag });
        }
        extensions.push(Extension { tag, bytes: bytes.to_vec() });
    }
    Ok(extensions)
}
