//! One document: a replica, the handles into it, and what waits to be told.

use crdt_sync::crdt_core::{Delta, Document, DotSet, Kind, ReplicaId, Step, Timestamp, Value};
use crdt_sync::{Config, Durability, LinkKind, Now, PeerId, Replica, Role, ScopeId};

use crate::change::{self, Touched};
use crate::code::Code;
use crate::convert::{self, Out};
use crate::edit::{Op, apply};
use crate::handle::{Handle, Handles, Name};
use crate::read::{self, Place};
use crate::rows::{self, Stored};
use crate::table::NEVER;

/// A tab that never counts for stability.
const TAB: u32 = 1;
/// Nothing is stored, and everything counts as durable.
const MEMORY: u32 = 2;
/// Deltas are wanted.
const DELTAS: u32 = 4;

/// How far another clock may be ahead before it is not followed: browsers' clocks are set by people.
const SKEW_MS_MAX: u64 = 60_000;

/// Bytes of records that are kept for peers: what is older they get by a repair. In memory a small record takes some
/// twenty times its bytes, and a page has not much.
const LOG_BYTES_MAX: usize = 512 << 10;

/// Bytes on their way to one peer, above which pushes are dropped for a repair to bring: what a page queues is its memory.
const LINK_BYTES_MAX: usize = 1 << 20;

/// One document.
pub(crate) struct Doc {
    pub(crate) replica: Replica<Document>,
    pub(crate) handles: Handles,
    pub(crate) now: Now,
    /// Tells this run of the document from all others in the names of rows.
    run: u64,
    links: u32,
    /// The link that stands for the application's own transports.
    pub(crate) deltas: Option<PeerId>,
    /// What the edits of this batch touch; none if nobody wants to know.
    touched: Option<Touched>,
    /// The counter of the last dot before the first edit of this batch.
    before: Option<u64>,
    /// Items for the next `poll`.
    pub(crate) items: Out,
    /// Deltas that build on what is not here.
    pub(crate) waiting: Vec<(Delta<Document>, DotSet)>,
    /// Bytes of frames that came in.
    pub(crate) bytes_in: u64,
}

impl Doc {
    pub(crate) fn open(
        scope: [u8; 16],
        fresh: ReplicaId,
        seed: [u8; 32],
        flags: u32,
        stored: Stored,
        now: Now,
    ) -> Result<Self, Code> {
        stored.check()?;
        let scope = ScopeId::from_bytes(scope);
        let mut config = Config::new(scope);
        if flags & MEMORY != 0 {
            config.durability = Durability::Memory;
        }
        config.role = if flags & TAB != 0 { Role::Tab } else { Role::Replica };
        config.report_changes = true;
        config.report_places = true;
        config.limits.skew_ms_max = SKEW_MS_MAX;
        config.limits.log_bytes_max = LOG_BYTES_MAX;
        config.limits.log_memory_bytes_max = LOG_BYTES_MAX;
        config.limits.link_bytes_max = LINK_BYTES_MAX;
        let part = |at: usize| u64::from_le_bytes(seed[at..at + 8].try_into().expect("eight bytes"));
        let (state, loaded) = stored.into_loaded(scope, fresh);
        let replica = Replica::open_state(state, loaded, config, fresh, seed, now)?;
        let mut doc = Self {
            replica,
            handles: Handles::new(),
            now,
            // Not what drives the machine, and drawn by the same call.
            run: part(8).rotate_left(17) ^ part(16),
            links: 0,
            deltas: None,
            touched: Some(Touched::default()),
            before: None,
            items: Out::default(),
            waiting: Vec::new(),
            bytes_in: 0,
        };
        if flags & DELTAS != 0 {
            doc.set_deltas(true);
        }
        doc.settle();
        Ok(doc)
    }

    pub(crate) fn scope(&self) -> ScopeId {
        self.replica.config().scope
    }

    fn own_last(&self) -> u64 {
        self.replica.state().seen().last(self.replica.id())
    }

    /// Hands batches on to the store.
    pub(crate) fn settle(&mut self) {
        while let Some(persist) = self.replica.poll_persist() {
            self.items.u8(2);
            self.items.count(persist.ticket.0);
            rows::write(&persist, self.replica.state(), self.run, &mut self.items);
        }
        // Only what is in memory is in the log, so this is for questions that nobody can answer.
        while let Some(fetch) = self.replica.poll_fetch() {
            self.replica.fetched(fetch.id, Vec::new(), self.now);
        }
    }

    /// A name for a link that no link had before.
    fn new_link(&mut self) -> PeerId {
        self.links += 1;
        PeerId(u64::from(self.links))
    }

    pub(crate) fn link_open(&mut self, kind: LinkKind) -> u32 {
        let link = self.new_link();
        self.replica.peer_up(link, kind, self.now);
        self.settle();
        self.links
    }

    /// Raises or shuts the link of the application's own transports.
    pub(crate) fn set_deltas(&mut self, wanted: bool) {
        match (self.deltas, wanted) {
            (None, true) => {
                let link = self.new_link();
                self.replica.peer_up(link, LinkKind::Hint, self.now);
                self.deltas = Some(link);
            }
            (Some(link), false) => {
                self.replica.peer_down(link, self.now);
                self.deltas = None;
            }
            _ => {}
        }
        self.settle();
    }

    /// The handle of a child, held.
    pub(crate) fn field(&mut self, parent: u32, key: &[u8], kind: u32) -> Result<u32, Code> {
        let (name, kind) = self.child(parent, key, kind)?;
        // What holds what passes would outlast it.
        if parent >= NEVER {
            return Err(Code::Disposed);
        }
        self.handles.open(parent, name, kind)
    }

    /// The handle of a child, for what comes next.
    pub(crate) fn pass(&mut self, parent: u32, key: &[u8], kind: u32) -> Result<u32, Code> {
        let (name, kind) = self.child(parent, key, kind)?;
        self.handles.pass(parent, name, kind)
    }

    /// What is called so in a place, if it can be there.
    fn child(&self, parent: u32, key: &[u8], kind: u32) -> Result<(Name, Kind), Code> {
        let kind = Kind::ALL.into_iter().find(|known| *known as u32 == kind).ok_or(Code::Schema)?;
        let name = match self.handles.get(parent)?.kind {
            Kind::Record => Name::Field(String::from_utf8(key.to_vec()).map_err(|_| Code::BadValue)?),
            Kind::OrMap => Name::Key(convert::value(key)?),
            _ => return Err(Code::Schema),
        };
        if let (Name::Field(name), Some(Place::Record(record))) = (&name, self.place(parent)?) {
            // Somebody else holds another kind for what this name means: two fields, of which readers would see one.
            if Kind::ALL.into_iter().any(|other| other != kind && record.get(name.as_str(), other).is_some()) {
                return Err(Code::Schema);
            }
        }
        Ok((name, kind))
    }

    fn place(&self, handle: u32) -> Result<Option<Place<'_>>, Code> {
        Ok(Place::at(self.replica.state(), &self.handles.way(handle)?))
    }

    /// Where a handle leads, if it is of one of these kinds.
    pub(crate) fn place_of(&self, handle: u32, fits: impl Fn(Kind) -> bool) -> Result<Option<Place<'_>>, Code> {
        if fits(self.handles.get(handle)?.kind) { self.place(handle) } else { Err(Code::Schema) }
    }

    pub(crate) fn read(&self, handle: u32, out: &mut Out) -> Result<(), Code> {
        read::read(self.place(handle)?, self.handles.get(handle)?.kind, self.replica.id(), out)
    }

    /// A timestamp for a write, where one is needed.
    pub(crate) fn stamp(&mut self, handle: u32) -> Result<Timestamp, Code> {
        let needed = matches!(self.handles.get(handle)?.kind, Kind::LwwRegister | Kind::LwwMap);
        Ok(if needed { self.replica.stamp(self.now) } else { Timestamp::default() })
    }

    /// Does one thing at one place; says whether anything changed.
    pub(crate) fn edit(&mut self, handle: u32, op: &Op<'_>) -> Result<bool, Code> {
        let kind = self.handles.get(handle)?.kind;
        if let Some(touched) = &mut self.touched {
            // What it changes is told at the end, when that number may mean another place.
            if handle >= NEVER {
                return Err(Code::Disposed);
            }
            let step = match (op, kind) {
                (Op::Insert(value) | Op::Remove(value, _), Kind::GSet | Kind::OrSet | Kind::RwSet) => {
                    Some(Step::Element((*value).clone()))
                }
                (Op::Remove(key, _) | Op::WriteEntry(key, ..), Kind::OrMap | Kind::LwwMap) => {
                    Some(Step::Key((*key).clone()))
                }
                _ => None,
            };
            touched.note(self.replica.state(), &mut self.handles, handle, step)?;
        }
        let before = self.own_last();
        self.before.get_or_insert(before);
        let way: Vec<&Handle> = self.handles.way(handle)?;
        self.replica.try_edit(self.now, |root| apply(root, &way, op))??;
        let changed = self.own_last() > before;
        self.settle();
        Ok(changed)
    }

    /// Switches whether it is said what changed, or just where; from now on, within a batch.
    pub(crate) fn set_changes(&mut self, wanted: bool) {
        self.replica.report_changes(wanted);
        if wanted {
            self.touched.get_or_insert_default();
        } else if let Some(touched) = self.touched.take() {
            touched.release(&mut self.handles);
        }
    }

    /// Ends a batch of which nothing is to be told; answers the counter of its last edit, 0 if it made none.
    pub(crate) fn end(&mut self) -> u64 {
        if let Some(touched) = self.touched.as_mut().map(core::mem::take) {
            touched.release(&mut self.handles);
        }
        let last = self.own_last();
        if self.before.take().is_some_and(|before| before < last) { last } else { 0 }
    }

    /// Ends a batch: what it changed, and how it is named.
    pub(crate) fn commit(&mut self, flush: bool, out: &mut Out) -> Result<(), Code> {
        let touched = self.touched.as_mut().map(core::mem::take).unwrap_or_default();
        let changes = touched.changes(self.replica.state(), &self.handles)?;
        out.count(self.ticket(flush)?);
        out.id(self.replica.id());
        let last = self.own_last();
        out.count(self.before.take().unwrap_or(last) + 1);
        out.count(last);
        change::write(&changes, &self.handles, out);
        touched.release(&mut self.handles);
        Ok(())
    }

    /// The ticket of the batch that covers all edits so far.
    pub(crate) fn ticket(&mut self, flush: bool) -> Result<u64, Code> {
        let ticket = self.replica.ticket();
        if flush {
            self.replica.flush(self.now);
            self.settle();
        }
        Ok(ticket?.0)
    }

    /// Goes on under another id.
    pub(crate) fn adopt(&mut self, id: ReplicaId, next: u64) {
        let next = next.max(self.replica.state().seen().last(id).saturating_add(1));
        self.replica.adopt_lent(id, next, self.now);
        self.settle();
    }

    /// Whether a place holds an element or key.
    pub(crate) fn has(&self, handle: u32, item: &Value) -> Result<bool, Code> {
        let kinds = |kind| matches!(kind, Kind::GSet | Kind::OrSet | Kind::RwSet | Kind::OrMap | Kind::LwwMap);
        Ok(self.place_of(handle, kinds)?.is_some_and(|place| place.has(item)))
    }
}
