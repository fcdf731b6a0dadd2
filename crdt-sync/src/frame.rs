//! Messages as bytes. `PROTOCOL.md` has the whole layout; what holds for every frame is here.
//!
//! ```text
//! frame      := version u8 · kind u8 · flags u8 · [scope, 16 bytes] · [new ids] · body · [extensions]
//! flags      := bit 0: scope · 1: new ids · 2: forget all ids before these · 3: extensions · others 0
//! new ids    := count · per id: kind u8 (0: plain) · 16 bytes; ascending, none known before, each used in the body
//! extensions := count · per extension: tag · length · bytes; odd tags must be understood
//! ```
//!
//! Nothing says how long a frame is: WebSockets and datagrams delimit by themselves, a byte stream needs a length in
//! front. On a stream the scope stands in `Open` alone, as a link carries one scope; frames that may arrive without
//! their `Open` (datagrams, somebody else's message system) all name it, since merging another scope's dots could not
//! be undone. Such frames bring all their ids along; a stream's dictionary lasts as long as the link.

mod body;
mod sets;

use crdt_core::codec::{DecodeLimits, Decoder, Encoder, Ids};
use crdt_core::{DecodeErrorKind, DotStore, ReplicaId};

use crate::record::codec::read_extensions;
use crate::{FrameError, Limits, LinkKind, Message, Open, ScopeId};

const SCOPE: u8 = 1;
const NEW_IDS: u8 = 1 << 1;
const FORGET: u8 = 1 << 2;
const EXTENSIONS: u8 = 1 << 3;
const KNOWN_FLAGS: u8 = SCOPE | NEW_IDS | FORGET | EXTENSIONS;

/// The kind of dictionary entry that is an id as it is. A tab's provisional ids will be another kind.
const PLAIN: u8 = 0;

/// From this kind on, frames of a kind that is not known are skipped.
const SKIPPED_FROM: u8 = 128;

/// Where kinds that this build knows end.
const KINDS_END: u8 = 26;

const OPEN: u8 = 0;
const REFUSE: u8 = 1;

fn names_scope(link: LinkKind, kind: u8) -> bool {
    link != LinkKind::Stream || kind == OPEN
}

fn ids_max(link: LinkKind, limits: &Limits) -> usize {
    match link {
        LinkKind::Stream | LinkKind::Hint => limits.dictionary_ids_max,
        LinkKind::Datagram => limits.datagram_ids_max,
    }
}

fn bytes_max(link: LinkKind, limits: &Limits) -> usize {
    match link {
        LinkKind::Stream | LinkKind::Hint => limits.frame_bytes_max,
        LinkKind::Datagram => limits.datagram_bytes_max,
    }
}

/// The scope that a frame asks for, if it is an `Open`: what a server of many scopes has to know before it has a reader.
/// The head of an `Open` is the same in every version.
#[cfg(feature = "relay")]
pub(crate) fn scope_opened(frame: &[u8]) -> Option<ScopeId> {
    match frame {
        [_, OPEN, flags, rest @ ..] if flags & SCOPE != 0 => rest.first_chunk().copied().map(ScopeId::from_bytes),
        _ => None,
    }
}

/// Writes the frames of one link, in the order in which they are sent.
///
/// On a stream it remembers which ids the other end knows, so every frame that was written has to be sent, before the
/// next one. Take a new writer when a link comes up again.
#[derive(Clone)]
pub struct FrameWriter {
    link: LinkKind,
    scope: ScopeId,
    ids: Ids,
    /// Whether the next frame has to say that all ids before it are void.
    forget: bool,
    ids_max: usize,
    bytes_max: usize,
}

impl FrameWriter {
    /// A writer for a link that has just come up.
    #[must_use]
    pub fn new(link: LinkKind, scope: ScopeId, limits: &Limits) -> Self {
        Self {
            link,
            scope,
            ids: Ids::default(),
            forget: false,
            ids_max: ids_max(link, limits),
            bytes_max: bytes_max(link, limits),
        }
    }

    /// The same, with the seed of its hash table: ids come from outside, and may be chosen to collide.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.ids = Ids::with_seed(seed);
        self
    }

    /// The other end takes no longer frames than this, as its `Open` says.
    pub fn peer_takes(&mut self, frame_bytes_max: u32) {
        self.bytes_max = self.bytes_max.min(usize::try_from(frame_bytes_max).unwrap_or(usize::MAX));
    }

    /// The frame of a message, however long it is.
    #[must_use]
    pub fn write<S: DotStore>(&mut self, message: &Message<S>) -> Vec<u8> {
        let kind = message.kind();
        let mut flags = if names_scope(self.link, kind) { SCOPE } else { 0 };
        let new = self.take_in_ids(message, &mut flags);
        let mut to = Encoder::new(&self.ids);
        to.byte(Open::VERSION);
        to.byte(kind);
        to.byte(flags | if new.is_empty() { 0 } else { NEW_IDS });
        if flags & SCOPE != 0 {
            to.raw(&self.scope.to_bytes());
        }
        if !new.is_empty() {
            to.varint(new.len() as u64);
            for id in &new {
                to.byte(PLAIN);
                to.raw(&id.to_bytes());
            }
        }
        message.write_body(&mut to);
        to.into_bytes()
    }

    /// The frame of a message, if the other end takes it.
    ///
    /// # Errors
    /// If it is longer, or brings more ids, than the limits allow. Send something shorter instead.
    pub fn try_write<S: DotStore>(&mut self, message: &Message<S>) -> Result<Vec<u8>, FrameError> {
        let frame = self.write(message);
        let error = if frame.len() > self.bytes_max {
            too_long(self.link, self.bytes_max)
        } else if self.ids.len() > self.ids_max {
            too_many_ids(self.link, self.ids_max)
        } else {
            return Ok(frame);
        };
        // The other end will not hear of this frame's ids, so start over with them.
        self.ids = Ids::with_seed(self.ids.seed());
        self.forget = self.link == LinkKind::Stream;
        Err(error)
    }

    /// Gives the message's ids their places; returns those that the other end has to be told.
    fn take_in_ids<S: DotStore>(&mut self, message: &Message<S>, flags: &mut u8) -> Vec<ReplicaId> {
        let mut new = Vec::new();
        message.each_id(&mut |id| new.push(id));
        new.sort_unstable();
        new.dedup();
        if self.link == LinkKind::Stream {
            let all = new.clone();
            new.retain(|id| self.ids.index_of(*id).is_none());
            if self.forget || self.ids.len() + new.len() > self.ids_max {
                self.ids = Ids::with_seed(self.ids.seed());
                *flags |= FORGET;
                new = all;
            }
            self.forget = false;
        } else {
            self.ids = Ids::with_seed(self.ids.seed());
        }
        for id in &new {
            self.ids.insert(*id);
        }
        new
    }
}

fn too_long(link: LinkKind, allowed: usize) -> FrameError {
    let limit = if link == LinkKind::Datagram { "datagram_bytes_max" } else { "frame_bytes_max" };
    FrameError::too_large(limit, allowed as u64)
}

fn too_many_ids(link: LinkKind, allowed: usize) -> FrameError {
    let limit = if link == LinkKind::Datagram { "datagram_ids_max" } else { "dictionary_ids_max" };
    FrameError::too_large(limit, allowed as u64)
}

/// Reads the frames of one link, in the order in which they arrive.
///
/// A frame that is refused is left out, but for its new ids: the other end goes on with them. Where a frame of a stream
/// is so broken that they can't be told, the dictionaries are out of step, and to guess would be to take one replica's
/// dots for another's; all later frames are then refused too.
#[derive(Clone)]
pub struct FrameReader {
    link: LinkKind,
    scope: ScopeId,
    limits: Limits,
    ids: Ids,
    seed: u64,
    opened: bool,
    out_of_step: bool,
    /// Takes a count of ids for granted before it is held against what is left, for a fault.
    #[cfg(any(test, feature = "sim"))]
    believes: bool,
}

/// What stands before the body.
struct Head {
    kind: u8,
    flags: u8,
    scope: Option<ScopeId>,
    new: Vec<ReplicaId>,
    body: usize,
}

impl FrameReader {
    /// A reader for a link that has just come up.
    #[must_use]
    pub fn new(link: LinkKind, scope: ScopeId, limits: &Limits) -> Self {
        Self {
            link,
            scope,
            limits: limits.clone(),
            ids: Ids::default(),
            seed: 0,
            opened: false,
            out_of_step: false,
            #[cfg(any(test, feature = "sim"))]
            believes: false,
        }
    }

    /// Whether a frame of this stream could not be read up to where its new ids end: what comes after it might name the
    /// wrong replicas, so nothing of it is read.
    pub(crate) fn is_out_of_step(&self) -> bool {
        self.out_of_step
    }

    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn believing(mut self, believes: bool) -> Self {
        self.believes = believes;
        self
    }

    /// The same, with the seed of hash tables in what it reads: ids and keys may be chosen to collide.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.seed = seed;
        self.ids = Ids::with_seed(seed);
        self
    }

    /// The message in a frame; none if it is of a kind that is not known and may be skipped.
    ///
    /// Memory and time are bounded by the frame's length and the limits, whatever it says.
    ///
    /// # Errors
    /// If the frame breaks a rule; see [`FrameError`].
    pub fn read<S: DotStore>(&mut self, frame: &[u8]) -> Result<Option<Message<S>>, FrameError> {
        if self.out_of_step {
            return Err(FrameError::Closed);
        }
        let head = match self.head(frame) {
            Ok(head) => head,
            Err(error) => {
                self.out_of_step = self.link == LinkKind::Stream;
                return Err(error);
            }
        };
        if self.link != LinkKind::Stream || head.flags & FORGET != 0 {
            self.ids = Ids::with_seed(self.seed);
        }
        for id in &head.new {
            self.ids.insert(*id);
        }
        if head.scope.is_some_and(|scope| scope != self.scope) {
            return Err(FrameError::OtherScope);
        }
        if self.link == LinkKind::Stream && !self.opened && !matches!(head.kind, OPEN | REFUSE) {
            return Err(FrameError::OutOfTurn(head.kind));
        }
        self.opened |= head.kind == OPEN;
        if head.kind >= SKIPPED_FROM {
            return Ok(None);
        }
        if head.kind >= KINDS_END {
            return Err(FrameError::Unsupported(head.kind));
        }
        self.body(frame, &head).map(Some)
    }

    fn head(&self, frame: &[u8]) -> Result<Head, FrameError> {
        let bytes_max = bytes_max(self.link, &self.limits);
        if frame.len() > bytes_max {
            return Err(too_long(self.link, bytes_max));
        }
        let mut from = Decoder::new(frame, &self.ids);
        let version = from.byte()?;
        if version != Open::VERSION {
            return Err(FrameError::Version(version));
        }
        let (kind, flags) = (from.byte()?, from.byte()?);
        if flags & !KNOWN_FLAGS != 0 {
            return Err(from.error(DecodeErrorKind::Unknown(flags)).into());
        }
        // Of a kind that is not known nobody can say whether it names the scope.
        let says_scope = flags & SCOPE != 0;
        if kind < KINDS_END && says_scope != names_scope(self.link, kind)
            || flags & FORGET != 0 && self.link != LinkKind::Stream
        {
            return Err(from.error(DecodeErrorKind::NotCanonical).into());
        }
        let scope =
            if says_scope { Some(ScopeId::from_bytes(from.raw(16)?.try_into().expect("16 bytes"))) } else { None };
        let new = if flags & NEW_IDS != 0 { self.new_ids(flags, &mut from)? } else { Vec::new() };
        Ok(Head { kind, flags, scope, new, body: from.position() })
    }

    fn new_ids(&self, flags: u8, from: &mut Decoder<'_>) -> Result<Vec<ReplicaId>, FrameError> {
        let count = self.count_of_ids(from)?;
        let keeps = self.link == LinkKind::Stream && flags & FORGET == 0;
        let known = if keeps { self.ids.len() } else { 0 };
        let ids_max = ids_max(self.link, &self.limits);
        if known + count > ids_max {
            return Err(too_many_ids(self.link, ids_max));
        }
        if count == 0 {
            return Err(from.error(DecodeErrorKind::NotCanonical).into());
        }
        let mut new: Vec<ReplicaId> = Vec::with_capacity(count);
        for _ in 0..count {
            let kind = from.byte()?;
            if kind != PLAIN {
                return Err(from.error(DecodeErrorKind::Unknown(kind)).into());
            }
            let id = ReplicaId::from_bytes(from.raw(16)?.try_into().expect("16 bytes"));
            if new.last().is_some_and(|before| *before >= id) || keeps && self.ids.index_of(id).is_some() {
                return Err(from.error(DecodeErrorKind::NotCanonical).into());
            }
            new.push(id);
        }
        Ok(new)
    }

    /// Held against what is left before anything is allocated.
    fn count_of_ids(&self, from: &mut Decoder<'_>) -> Result<usize, FrameError> {
        #[cfg(any(test, feature = "sim"))]
        if self.believes {
            let count = from.varint()? as usize;
            drop(Vec::<ReplicaId>::with_capacity(count));
            let fits = count <= from.remaining() / 17;
            return if fits { Ok(count) } else { Err(from.error(DecodeErrorKind::TooShort).into()) };
        }
        Ok(from.count(17)?)
    }

    fn body<S: DotStore>(&self, frame: &[u8], head: &Head) -> Result<Message<S>, FrameError> {
        let limits = DecodeLimits {
            set_replicas_max: self.limits.set_replicas_max,
            set_runs_max: self.limits.set_runs_max,
            entries_max: self.limits.frame_entries_max,
            copied_bytes_max: self.limits.copied_bytes_max,
            seed: self.seed,
        };
        let mut from = Decoder::within(frame, head.body, &self.ids, limits);
        let message =
            Message::read_body(head.kind, self.scope, &self.limits, &mut from).map_err(|error| self.named(error))?;
        if head.flags & EXTENSIONS != 0 {
            // None is known yet: what need not be understood is left out.
            read_extensions(&self.limits, &mut from)?;
        }
        if from.remaining() > 0 {
            return Err(from.error(DecodeErrorKind::TooLong).into());
        }
        if !head.new.is_empty() {
            let mut used = Vec::new();
            message.each_id(&mut |id| used.push(id));
            used.sort_unstable();
            if head.new.iter().any(|id| used.binary_search(id).is_err()) {
                return Err(crdt_core::DecodeError { at: head.body, kind: DecodeErrorKind::NotCanonical }.into());
            }
        }
        Ok(message)
    }

    /// A limit that core met, by its name.
    fn named(&self, error: FrameError) -> FrameError {
        let FrameError::Malformed(broken) = &error else { return error };
        match broken.kind {
            DecodeErrorKind::TooManyReplicas => {
                FrameError::too_large("set_replicas_max", self.limits.set_replicas_max as u64)
            }
            DecodeErrorKind::TooManyRuns => FrameError::too_large("set_runs_max", self.limits.set_runs_max as u64),
            DecodeErrorKind::TooManyEntries => {
                FrameError::too_large("frame_entries_max", self.limits.frame_entries_max)
            }
            DecodeErrorKind::TooManyCopies => FrameError::too_large("copied_bytes_max", self.limits.copied_bytes_max),
            _ => error,
        }
    }
}
