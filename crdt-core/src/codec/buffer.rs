//! Whole buffers: a header, the ids, and a state, a delta or a set of dots.

use alloc::vec::Vec;

use super::parts::entries_of;
use super::{DecodeError, DecodeErrorKind, DecodeLimits, Decoder, Encoder, Ids, Kind};
use crate::causal::Invalid;
use crate::{Causal, Delta, DotSet, DotStore, ReplicaId, Summary, VersionVector};

/// 0xC, the format; 1, its version.
const FORMAT: u8 = 0xC1;

/// What a buffer holds: the high three bits of its second byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Form {
    State = 0,
    Delta = 1,
    /// A delta that creates what its entries name, and retires nothing: the dots are not written a second time.
    Additions = 2,
    Dots = 3,
    Version = 4,
    Summary = 5,
    /// A value that merges by itself, without having seen anything.
    Plain = 6,
}

const FORMS: [Form; 7] =
    [Form::State, Form::Delta, Form::Additions, Form::Dots, Form::Version, Form::Summary, Form::Plain];

/// The low five bits of the second byte, where there are more ids than they can say: the rest follows as a varint.
const MANY_IDS: usize = 31;

/// A value with canonical bytes: equal values have equal bytes, on every platform.
pub trait Canonical: Sized {
    /// The bytes.
    #[must_use]
    fn encode(&self) -> Vec<u8>;

    /// The value that has these bytes.
    ///
    /// Whatever the bytes, this neither panics nor allocates more than a fixed multiple of their length, and for copies
    /// what [`DecodeLimits::of_len`] says.
    ///
    /// # Errors
    /// If no value of this type has these bytes; see [`DecodeErrorKind`].
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_within(bytes, DecodeLimits::of_len(bytes.len()))
    }

    /// As [`decode`](Self::decode), within limits of your own. Where bytes come from people who may choose keys or ids to
    /// collide, pass a random [`seed`](DecodeLimits::seed).
    ///
    /// # Errors
    /// If no value of this type has these bytes, or it is beyond the limits.
    fn decode_within(bytes: &[u8], limits: DecodeLimits) -> Result<Self, DecodeError> {
        let value = Self::read(bytes, limits)?;
        // One spelling per value: what is read must be what would be written.
        let again = value.encode();
        if again == bytes {
            return Ok(value);
        }
        let at = again.iter().zip(bytes).take_while(|(again, given)| again == given).count();
        Err(DecodeError { at, kind: DecodeErrorKind::NotCanonical })
    }

    /// Reads without checking the spelling.
    #[doc(hidden)]
    fn read(bytes: &[u8], limits: DecodeLimits) -> Result<Self, DecodeError>;
}

/// The value that has these bytes; see [`Canonical::decode`].
///
/// # Errors
/// If no value of this type has these bytes.
pub fn decode<T: Canonical>(bytes: &[u8]) -> Result<T, DecodeError> {
    T::decode(bytes)
}

pub(crate) fn write(
    form: Form,
    ids: impl IntoIterator<Item = ReplicaId>,
    body: impl FnOnce(&mut Encoder<'_>),
) -> Vec<u8> {
    let table = Ids::ascending(ids);
    let mut to = Encoder::new(&table);
    to.byte(FORMAT);
    to.byte((form as u8) << 5 | table.len().min(MANY_IDS) as u8);
    if table.len() >= MANY_IDS {
        to.varint((table.len() - MANY_IDS) as u64);
    }
    for id in table.as_slice() {
        to.raw(&id.to_bytes());
    }
    body(&mut to);
    to.into_bytes()
}

/// Reads a buffer of one of these forms.
pub(crate) fn read<T>(
    bytes: &[u8],
    limits: DecodeLimits,
    wanted: &[Form],
    body: impl FnOnce(Form, &mut Decoder<'_>) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    let mut ids = Ids::with_seed(limits.seed);
    let no_ids = Ids::default();
    let mut from = Decoder::new(bytes, &no_ids);
    let format = from.byte()?;
    if format >> 4 != FORMAT >> 4 || format < FORMAT {
        return Err(DecodeError { at: 0, kind: DecodeErrorKind::NotOurs });
    }
    if format != FORMAT {
        return Err(DecodeError { at: 0, kind: DecodeErrorKind::NewerVersion(format & 0x0f) });
    }
    let byte = from.byte()?;
    let form = FORMS.into_iter().find(|form| *form as u8 == byte >> 5 && wanted.contains(form));
    let Some(form) = form else {
        return Err(DecodeError { at: 1, kind: DecodeErrorKind::OtherForm });
    };
    let mut count = usize::from(byte & 0x1f);
    if count == MANY_IDS {
        count = from.count(16)?.saturating_add(MANY_IDS);
    }
    for _ in 0..count {
        let id = from.raw(16)?.try_into().expect("16 bytes");
        if !ids.insert(ReplicaId::from_bytes(id)) {
            return Err(from.error(DecodeErrorKind::NotCanonical));
        }
    }
    let mut from = Decoder::within(bytes, from.position(), &ids, limits);
    let value = body(form, &mut from)?;
    if from.remaining() > 0 {
        return Err(from.error(DecodeErrorKind::TooLong));
    }
    Ok(value)
}

pub(super) fn write_root<S: DotStore>(store: &S, to: &mut Encoder<'_>) {
    if store.is_bottom() {
        return to.byte(0);
    }
    to.byte(S::KIND.code());
    S::encode_many(&[store], to);
}

pub(crate) fn read_root<S: DotStore>(from: &mut Decoder<'_>) -> Result<S, DecodeError> {
    if from.peek() == Some(0) {
        from.byte()?;
        return Ok(S::with_seed(from.seed()));
    }
    read_store::<S>(1, from)?.pop().ok_or_else(|| from.error(DecodeErrorKind::TooShort))
}

/// A kind, and a column of that many stores.
pub(crate) fn read_store<S: DotStore>(count: usize, from: &mut Decoder<'_>) -> Result<Vec<S>, DecodeError> {
    let kind: Kind = from.kind()?;
    if kind != S::KIND {
        return Err(from.error(DecodeErrorKind::OtherKind));
    }
    let stores = from.deeper(|from| S::decode_many(count, from))?;
    // An absent key and an empty value are the same, and absence is how it is written.
    if stores.iter().any(DotStore::is_bottom) {
        return Err(from.error(DecodeErrorKind::NotCanonical));
    }
    Ok(stores)
}

fn ids_of(set: &DotSet) -> impl Iterator<Item = ReplicaId> + '_ {
    set.rows().map(|(replica, _)| replica)
}

fn invalid(from: &Decoder<'_>, fault: Invalid) -> DecodeError {
    from.error(match fault {
        Invalid::NotSeen(_) => DecodeErrorKind::NotSeen,
        _ => DecodeErrorKind::DotTwice,
    })
}

impl<S: DotStore> Canonical for Causal<S> {
    fn encode(&self) -> Vec<u8> {
        write(Form::State, ids_of(&self.seen), |to| {
            to.dot_set(&self.seen);
            write_root(&self.store, to);
        })
    }

    fn read(bytes: &[u8], limits: DecodeLimits) -> Result<Self, DecodeError> {
        read(bytes, limits, &[Form::State], |_, from| {
            let seen = from.dot_set()?;
            let store = read_root(from)?;
            Self::from_parts(store, seen, from.seed()).map_err(|fault| invalid(from, fault))
        })
    }
}

impl<S: DotStore> Causal<S> {
    /// Its canonical bytes; see [`Canonical::encode`].
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Canonical::encode(self)
    }

    /// What a state with these bytes has seen, without a look at the rest: who has received all of that need not read it.
    ///
    /// # Errors
    /// If these bytes do not begin as a state does.
    pub fn peek_seen(bytes: &[u8]) -> Result<DotSet, DecodeError> {
        let limits = DecodeLimits::of_len(bytes.len());
        read(bytes, limits, &[Form::State], |_, from| {
            let seen = from.dot_set()?;
            from.raw(from.remaining())?;
            Ok(seen)
        })
    }

    /// The state that has these bytes.
    ///
    /// # Errors
    /// See [`Canonical::decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Canonical::decode(bytes)
    }

    /// The state that has these bytes, within limits of your own.
    ///
    /// # Errors
    /// See [`Canonical::decode_within`].
    pub fn decode_within(bytes: &[u8], limits: DecodeLimits) -> Result<Self, DecodeError> {
        Canonical::decode_within(bytes, limits)
    }
}

impl<S: DotStore> Canonical for Delta<S> {
    fn encode(&self) -> Vec<u8> {
        let store = self.to_store();
        if self.only_adds() {
            return write(Form::Additions, ids_of(&self.own), |to| write_root(&store, to));
        }
        write(Form::Delta, ids_of(&self.own).chain(ids_of(&self.retired)), |to| {
            to.dot_set(&self.own);
            to.dot_set(&self.retired);
            write_root(&store, to);
        })
    }

    fn read(bytes: &[u8], limits: DecodeLimits) -> Result<Self, DecodeError> {
        read(bytes, limits, &[Form::Delta, Form::Additions], |form, from| {
            let mut own = DotSet::with_seed(from.seed());
            let mut retired = DotSet::with_seed(from.seed());
            if form == Form::Delta {
                own = from.dot_set()?;
                retired = from.dot_set()?;
            }
            let store: S = read_root(from)?;
            let entries = entries_of::<S>(&store, from)?;
            if form == Form::Additions {
                own.extend(entries.iter().map(|(dot, _)| *dot));
            } else if entries.iter().any(|(dot, _)| !own.contains(*dot)) {
                return Err(from.error(DecodeErrorKind::NotSeen));
            }
            // What it creates and has no entry for is retired at birth; to name it twice is another spelling.
            if !own.intersection(&retired).is_empty() {
                return Err(from.error(DecodeErrorKind::NotCanonical));
            }
            Ok(Self { entries, own, retired })
        })
    }
}

impl<S: DotStore> Delta<S> {
    /// Its canonical bytes; see [`Canonical::encode`].
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Canonical::encode(self)
    }

    /// The delta that has these bytes.
    ///
    /// # Errors
    /// See [`Canonical::decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Canonical::decode(bytes)
    }

    /// The delta that has these bytes, within limits of your own.
    ///
    /// # Errors
    /// See [`Canonical::decode_within`].
    pub fn decode_within(bytes: &[u8], limits: DecodeLimits) -> Result<Self, DecodeError> {
        Canonical::decode_within(bytes, limits)
    }
}

impl Canonical for DotSet {
    fn encode(&self) -> Vec<u8> {
        write(Form::Dots, ids_of(self), |to| to.dot_set(self))
    }

    fn read(bytes: &[u8], limits: DecodeLimits) -> Result<Self, DecodeError> {
        read(bytes, limits, &[Form::Dots], |_, from| from.dot_set())
    }
}

impl Canonical for VersionVector {
    fn encode(&self) -> Vec<u8> {
        write(Form::Version, self.iter().map(|(replica, _)| replica), |to| to.dot_set(&DotSet::from(self)))
    }

    fn read(bytes: &[u8], limits: DecodeLimits) -> Result<Self, DecodeError> {
        read(bytes, limits, &[Form::Version], |_, from| from.dot_set().map(|set| set.version()))
    }
}

impl Canonical for Summary {
    fn encode(&self) -> Vec<u8> {
        write(Form::Summary, ids_of(&self.seen), |to| {
            to.dot_set(&self.seen);
            to.dot_set(&self.live);
        })
    }

    fn read(bytes: &[u8], limits: DecodeLimits) -> Result<Self, DecodeError> {
        read(bytes, limits, &[Form::Summary], |_, from| {
            let (seen, live) = (from.dot_set()?, from.dot_set()?);
            if !live.is_subset(&seen) {
                return Err(from.error(DecodeErrorKind::NotSeen));
            }
            Ok(Self { seen, live })
        })
    }
}
