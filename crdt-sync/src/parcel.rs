//! What a peer lacks, as bytes for any channel: a file on a stick, the body of an HTTP answer.
//!
//! ```text
//! parcel := "crdt-sync" · version u8 · kind u8 (0: request, 1: answer) · (length u32, big-endian · frame)* · seal
//! seal   := XXH3-128 of all that comes before it, 16 bytes, little-endian
//!
//! request := Open · Summary                                        what is here
//! answer  := Open · Summary{Log} · Push* · Finish                  the records that are not there, causes first
//!          | Open · Summary{LiveSet} · Entries* · LiveSet+ · Finish
//!          | Open · Summary{Whole} · Entries* · Finish             each of them: · Retirements*
//! ```
//! The frames are those that a stream link would carry, so whoever reads a link can read a parcel. An answer is one
//! side of a repair; there is nobody to ask for more cells, so it has no sketch. The seal finds out what broke on the
//! way. It does not say who packed it: sign or encrypt a parcel where the channel is not trusted.

use core::fmt;

use crdt_core::DotStore;
use xxhash_rust::xxh3::xxh3_128;

use crate::{CancelReason, Config, FrameError, FrameReader, FrameWriter, LinkKind, Message, Open, RefuseReason};

const MAGIC: &[u8; 9] = b"crdt-sync";
const VERSION: u8 = 1;
const SEAL_BYTES: usize = 16;

/// A parcel was not made, or not taken in. Nothing has changed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ParcelError {
    /// The bytes are no parcel, or a request where an answer belongs, or the other way round.
    Foreign,
    /// A version of the format that is not known here: a newer build made it.
    Version(u8),
    /// Cut short, or changed on the way: get it again.
    Damaged,
    /// It is about another scope.
    OtherScope,
    /// It was made for data of another type, or for records in another order.
    Incompatible(RefuseReason),
    /// It breaks a rule of the protocol. Who made it is at fault.
    Frame(FrameError),
    /// What it says does not fit together. Who made it is at fault.
    Contradictory,
    /// It builds on what this replica has not got: it answers somebody else's request, or this replica's from before it
    /// lost its state. Make a new request.
    Gap,
    /// It is, or would be, longer than the limit `staged_bytes_max` allows.
    TooLarge {
        /// How many bytes that is.
        allowed: usize,
    },
    /// The store failed; reopen it.
    StoreFailed,
}

impl fmt::Display for ParcelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => write!(f, "the bytes are not the kind of parcel that belongs here"),
            Self::Version(version) => write!(f, "parcels of version {version} are not known here"),
            Self::Damaged => write!(f, "the parcel was cut short or changed on the way"),
            Self::OtherScope => write!(f, "the parcel is about another scope"),
            Self::Incompatible(reason) => write!(f, "the parcel was made for other data: {reason:?}"),
            Self::Frame(error) => write!(f, "the parcel breaks a rule: {error}"),
            Self::Contradictory => write!(f, "what the parcel says does not fit together"),
            Self::Gap => write!(f, "the parcel builds on what this replica has not got"),
            Self::TooLarge { allowed } => write!(f, "the parcel is longer than the {allowed} bytes allowed"),
            Self::StoreFailed => write!(f, "the store failed and has to be opened again"),
        }
    }
}

impl std::error::Error for ParcelError {}

impl From<FrameError> for ParcelError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::OtherScope => Self::OtherScope,
            error => Self::Frame(error),
        }
    }
}

impl ParcelError {
    pub(crate) fn of(reason: CancelReason, config: &Config) -> Self {
        match reason {
            CancelReason::TooLarge | CancelReason::Partial => {
                Self::TooLarge { allowed: config.limits.staged_bytes_max }
            }
            _ => Self::Contradictory,
        }
    }
}

/// Which of the two it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Request,
    Answer,
}

/// Packs messages, the introduction first. The receiver takes frames of at most that size.
pub(crate) fn pack<S: DotStore>(
    kind: Kind,
    open: Open,
    messages: Vec<Message<S>>,
    frame_bytes_max: u32,
    config: &Config,
) -> Result<Vec<u8>, ParcelError> {
    let mut out = MAGIC.to_vec();
    out.extend([VERSION, kind as u8]);
    let mut frames = FrameWriter::new(LinkKind::Stream, config.scope, &config.limits);
    frames.peer_takes(frame_bytes_max);
    for message in core::iter::once(Message::Open(open)).chain(messages) {
        let frame = frames.try_write(&message)?;
        out.extend(u32::try_from(frame.len()).expect("a frame is shorter than 4 GiB").to_be_bytes());
        out.extend(frame);
        if out.len() + SEAL_BYTES > config.limits.staged_bytes_max {
            return Err(ParcelError::TooLarge { allowed: config.limits.staged_bytes_max });
        }
    }
    out.extend(xxh3_128(&out).to_le_bytes());
    Ok(out)
}

/// The introduction, and the messages after it.
pub(crate) struct Unpacked<'b> {
    pub(crate) open: Open,
    pub(crate) messages: Messages<'b>,
}

/// What a parcel says, read as it is asked for: of a long one there is one message in memory at a time.
pub(crate) struct Messages<'b> {
    rest: &'b [u8],
    frames: FrameReader,
}

impl Messages<'_> {
    /// The next message, with the size of its frame.
    pub(crate) fn next<S: DotStore>(&mut self) -> Result<Option<(Message<S>, usize)>, ParcelError> {
        while let Some((length, after)) = self.rest.split_first_chunk() {
            let length = u32::from_be_bytes(*length) as usize;
            let (frame, after) = after.split_at_checked(length).ok_or(ParcelError::Damaged)?;
            self.rest = after;
            // Others are of a kind that may be skipped.
            if let Some(message) = self.frames.read::<S>(frame)? {
                return Ok(Some((message, length)));
            }
        }
        if self.rest.is_empty() { Ok(None) } else { Err(ParcelError::Damaged) }
    }
}

/// Opens a parcel, once it is known to be whole. It costs memory in its length, whatever it says.
pub(crate) fn unpack<'b, S: DotStore>(
    kind: Kind,
    bytes: &'b [u8],
    seed: u64,
    config: &Config,
) -> Result<Unpacked<'b>, ParcelError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(ParcelError::Foreign)?;
    let [version, is, ..] = rest else { return Err(ParcelError::Damaged) };
    if *version != VERSION {
        return Err(ParcelError::Version(*version));
    }
    if bytes.len() > config.limits.staged_bytes_max {
        return Err(ParcelError::TooLarge { allowed: config.limits.staged_bytes_max });
    }
    let (sealed, seal) = bytes.split_last_chunk::<SEAL_BYTES>().ok_or(ParcelError::Damaged)?;
    if xxh3_128(sealed).to_le_bytes() != *seal {
        return Err(ParcelError::Damaged);
    }
    if *is != kind as u8 {
        return Err(ParcelError::Foreign);
    }
    let rest = sealed.get(MAGIC.len() + 2..).ok_or(ParcelError::Damaged)?;
    let frames = FrameReader::new(LinkKind::Stream, config.scope, &config.limits).seeded(seed);
    let mut messages = Messages { rest, frames };
    match messages.next::<S>()? {
        Some((Message::Open(open), _)) => Ok(Unpacked { open, messages }),
        _ => Err(ParcelError::Damaged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CancelReason, Limits, Loaded, Now, RepairId, Replica, ScopeId};
    use crdt_core::{OrSet, ReplicaId};

    fn config() -> Config {
        Config::new(ScopeId::from_bytes([7; 16]))
    }

    fn packed() -> Vec<u8> {
        let open = Open::new(ReplicaId::from_u128(1), 0, &config());
        let reason = CancelReason::Busy;
        let messages = vec![Message::<OrSet<u64>>::Cancel { repair: RepairId(0), reason }];
        pack(Kind::Request, open, messages, u32::MAX, &config()).unwrap()
    }

    fn unpacked(bytes: &[u8], kind: Kind) -> Result<usize, ParcelError> {
        let mut messages = unpack::<OrSet<u64>>(kind, bytes, 0, &config())?.messages;
        let mut count = 0;
        while messages.next::<OrSet<u64>>()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        assert_eq!(unpacked(&packed(), Kind::Request), Ok(1));
    }

    /// What version 1 is. It decodes for ever.
    #[test]
    fn the_bytes_of_a_parcel_do_not_change() {
        let hex: String = packed().iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = "637264742d73796e630100\
            00000037\
            01000307070707070707070707070707070707010000000000000000000000000000000001010100000000000000000000008080400002\
            00000005\
            0111000001\
            edcc2ad0eb96b7ca8538881a36a07c94";
        assert_eq!(hex, expected);
    }

    #[test]
    fn each_thing_that_is_wrong_has_its_error() {
        let bytes = packed();
        assert_eq!(unpacked(&bytes, Kind::Answer), Err(ParcelError::Foreign));
        assert_eq!(unpacked(b"a letter", Kind::Request), Err(ParcelError::Foreign));
        let mut newer = bytes.clone();
        newer[MAGIC.len()] = 2;
        assert_eq!(unpacked(&newer, Kind::Request), Err(ParcelError::Version(2)));
        let mut config = config();
        config.scope = ScopeId::from_bytes([8; 16]);
        let other = unpack::<OrSet<u64>>(Kind::Request, &bytes, 0, &config).err();
        assert_eq!(other, Some(ParcelError::OtherScope));
        config.limits.staged_bytes_max = 40;
        let long = unpack::<OrSet<u64>>(Kind::Request, &bytes, 0, &config).err();
        assert_eq!(long, Some(ParcelError::TooLarge { allowed: 40 }));
    }

    type Set = Replica<OrSet<u64>>;

    fn replica(id: u128, config: Config) -> Set {
        let fresh = ReplicaId::from_u128(id);
        Set::open(Loaded::default(), config, fresh, [id as u8; 32], Now::default()).unwrap()
    }

    /// Whoever makes a parcel can make the seal fit. What is refused then changes nothing; what is accepted says
    /// something else, and leaves a replica that works.
    #[test]
    fn a_forged_parcel_is_refused_or_is_another_parcel() {
        let now = Now::default();
        let logless = Limits { log_bytes_max: 0, whole_bytes_max: 0, ..Limits::default() };
        let mut refused = 0;
        for config in [config(), Config { limits: logless, ..config() }] {
            let (mut here, mut there) = (replica(1, config.clone()), replica(2, config.clone()));
            here.edit(now, |set| (0..40_u64).map(|n| set.insert(n)).filter(|new| *new).count()).unwrap();
            let (first, _) = here.export_all(now).unwrap();
            there.import(&first, now).unwrap();
            here.edit(now, |set| (10..20_u64).map(|n| set.remove(&n)).sum::<usize>()).unwrap();
            here.edit(now, |set| (40..60_u64).map(|n| set.insert(n)).filter(|new| *new).count()).unwrap();
            let (request, _) = there.export_request(now).unwrap();
            let (parcel, _) = here.export(&request, now).unwrap();
            let sealed = &parcel[..parcel.len() - SEAL_BYTES];
            let before = (there.state().encode(), there.received().clone());
            for at in MAGIC.len() + 2..sealed.len() {
                for bit in 0..8 {
                    let mut forged = sealed.to_vec();
                    forged[at] ^= 1 << bit;
                    forged.extend(xxh3_128(&forged).to_le_bytes());
                    let mut target = replica(2, config.clone());
                    target.import(&first, now).unwrap();
                    match target.import(&forged, now) {
                        Ok(_) => {
                            assert!(target.received().is_subset(target.state().seen()));
                            target.state().validate().unwrap();
                        }
                        Err(_) => {
                            refused += 1;
                            assert_eq!((target.state().encode(), target.received().clone()), before);
                        }
                    }
                }
            }
            there.import(&parcel, now).unwrap();
            assert_eq!(there.state().encode(), here.state().encode());
        }
        assert!(refused > 1_000, "{refused}");
    }

    /// Even where the seal was made to fit.
    #[test]
    fn a_length_that_lies_is_found_out_before_anything_is_believed() {
        let bytes = packed();
        for length in [0_u32, 1, 1 << 20, u32::MAX] {
            let mut lies = bytes[..bytes.len() - SEAL_BYTES].to_vec();
            lies[MAGIC.len() + 2..MAGIC.len() + 6].copy_from_slice(&length.to_be_bytes());
            lies.extend(xxh3_128(&lies).to_le_bytes());
            assert!(unpacked(&lies, Kind::Request).is_err(), "{length}");
        }
    }
}
