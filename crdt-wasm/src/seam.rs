//! The functions that JavaScript calls: convert, call, convert back. What each takes and answers is in `SEAM.md`.
#![allow(clippy::unit_arg, reason = "each function here is one call, and most of them answer nothing")]

use std::cell::RefCell;

use crdt_sync::crdt_core::Kind;
use crdt_sync::{PeerId, ScopeId, Ticket};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::code::Code;
use crate::convert::{self, Out, SAFE_MAX};
use crate::edit::Op;
use crate::replica::Doc;
use crate::rows::Stored;
use crate::table::Table;

thread_local! {
    static DOCS: RefCell<Table<Box<Doc>>> = const { RefCell::new(Table::new()) };
    /// What was read so far of documents that are being opened.
    static LOADS: RefCell<Table<Box<Stored>>> = const { RefCell::new(Table::new()) };
}

fn with<R>(doc: u32, f: impl FnOnce(&mut Doc) -> Result<R, Code>) -> Result<R, Code> {
    DOCS.with_borrow_mut(|docs| f(docs.get_mut(doc).ok_or(Code::Disposed)?))
}

/// The same at a later time.
fn at<R>(doc: u32, (steady, wall): (f64, f64), f: impl FnOnce(&mut Doc) -> Result<R, Code>) -> Result<R, Code> {
    with(doc, |doc| {
        doc.now = convert::now(steady, wall);
        f(doc)
    })
}

fn number(answer: Result<f64, Code>) -> f64 {
    answer.unwrap_or_else(Code::as_number)
}

fn done(answer: Result<(), Code>) -> f64 {
    number(answer.map(|()| 0.0))
}

fn changed(answer: Result<bool, Code>) -> f64 {
    number(answer.map(|changed| f64::from(u8::from(changed))))
}

fn bytes(answer: impl FnOnce(&mut Out) -> Result<(), Code>) -> Vec<u8> {
    let mut out = Out::answer();
    match answer(&mut out) {
        Ok(()) => out.into_bytes(),
        Err(code) => vec![code as u8],
    }
}

/// Begins to read the rows of a document.
#[wasm_bindgen]
pub fn load_begin(seed: f64) -> f64 {
    let stored = Box::new(Stored::new(seed.to_bits()));
    number(LOADS.with_borrow_mut(|loads| loads.insert(stored)).map(f64::from).ok_or(Code::TooLarge))
}

/// Reads some of them.
#[wasm_bindgen]
pub fn load(load: u32, rows: &[u8]) -> f64 {
    done(LOADS.with_borrow_mut(|loads| loads.get_mut(load).ok_or(Code::Disposed)?.take(rows)))
}

/// Some of the same in fewer rows.
#[wasm_bindgen]
pub fn fold(load: u32) -> Vec<u8> {
    bytes(|out| LOADS.with_borrow_mut(|loads| loads.get_mut(load).ok_or(Code::Disposed)?.fold(out)))
}

/// Opens a document from what was read.
#[wasm_bindgen]
pub fn open(scope: &[u8], fresh: &[u8], seed: &[u8], flags: u32, load: u32, steady: f64, wall: f64) -> f64 {
    let opened = || {
        let stored = LOADS.with_borrow_mut(|loads| loads.remove(load)).ok_or(Code::Disposed)?;
        let (scope, seed) = (convert::array(scope)?, convert::array(seed)?);
        let doc = Doc::open(scope, convert::id(fresh)?, seed, flags, *stored, convert::now(steady, wall))?;
        DOCS.with_borrow_mut(|docs| docs.insert(Box::new(doc))).map(f64::from).ok_or(Code::TooLarge)
    };
    number(opened())
}

/// Forgets what was read.
#[wasm_bindgen]
pub fn load_drop(load: u32) -> f64 {
    done(LOADS.with_borrow_mut(|loads| loads.remove(load)).map(drop).ok_or(Code::Disposed))
}

/// Frees a document.
#[wasm_bindgen]
pub fn dispose(doc: u32) -> f64 {
    done(DOCS.with_borrow_mut(|docs| docs.remove(doc)).map(drop).ok_or(Code::Disposed))
}

/// The scope with a name.
#[wasm_bindgen]
pub fn scope_of(name: &[u8]) -> Vec<u8> {
    bytes(|out| {
        let name = str::from_utf8(name).map_err(|_| Code::BadValue)?;
        out.raw(&ScopeId::named(name).to_bytes());
        Ok(())
    })
}

/// Who writes.
#[wasm_bindgen]
pub fn replica(doc: u32) -> Vec<u8> {
    bytes(|out| with(doc, |doc| Ok(out.id(doc.replica.id()))))
}

/// Goes on under another id.
#[wasm_bindgen]
pub fn adopt(doc: u32, id: &[u8], next: f64, steady: f64, wall: f64) -> f64 {
    done(at(doc, (steady, wall), |doc| {
        let next = count(next)?;
        doc.adopt(convert::id(id)?, next);
        Ok(())
    }))
}

/// Switches deltas for the application's own transports.
#[wasm_bindgen]
pub fn set_deltas(doc: u32, on: u32) -> f64 {
    done(with(doc, |doc| Ok(doc.set_deltas(on != 0))))
}

/// The handle of a child.
#[wasm_bindgen]
pub fn field(doc: u32, parent: u32, key: &[u8], kind: u32) -> f64 {
    number(with(doc, |doc| doc.field(parent, key, kind)).map(f64::from))
}

/// A handle of a child for what comes next.
#[wasm_bindgen]
pub fn pass(doc: u32, parent: u32, key: &[u8], kind: u32) -> f64 {
    number(with(doc, |doc| doc.pass(parent, key, kind)).map(f64::from))
}

/// Holds a handle once less.
#[wasm_bindgen]
pub fn release(doc: u32, handle: u32) -> f64 {
    done(with(doc, |doc| doc.handles.release(handle)))
}

/// Sets the time of the edits that follow.
#[wasm_bindgen]
pub fn begin(doc: u32, steady: f64, wall: f64) -> f64 {
    done(at(doc, (steady, wall), |_| Ok(())))
}

/// Adds to a counter; spends rights of a bounded one.
#[wasm_bindgen]
pub fn add(doc: u32, handle: u32, by: f64) -> f64 {
    changed(with(doc, |doc| doc.edit(handle, &Op::Add(convert::integer(by)?))))
}

/// Hands rights to another replica.
#[wasm_bindgen]
pub fn grant(doc: u32, handle: u32, to: &[u8], amount: f64) -> f64 {
    changed(with(doc, |doc| doc.edit(handle, &Op::Grant(convert::id(to)?, count(amount)?))))
}

/// Sets a flag or takes it back.
#[wasm_bindgen]
pub fn set_flag(doc: u32, handle: u32, on: u32) -> f64 {
    changed(with(doc, |doc| doc.edit(handle, &Op::Flag(on != 0))))
}

/// Writes a register.
#[wasm_bindgen]
pub fn write(doc: u32, handle: u32, value: &[u8]) -> f64 {
    changed(with(doc, |doc| {
        let value = convert::value(value)?;
        let stamp = doc.stamp(handle)?;
        doc.edit(handle, &Op::Write(&value, stamp))
    }))
}

/// Writes an entry of a last-writer map.
#[wasm_bindgen]
pub fn write_entry(doc: u32, handle: u32, key: &[u8], value: &[u8]) -> f64 {
    changed(with(doc, |doc| {
        let (key, value) = (convert::value(key)?, convert::value(value)?);
        let stamp = doc.stamp(handle)?;
        doc.edit(handle, &Op::WriteEntry(&key, &value, stamp))
    }))
}

/// Adds an element.
#[wasm_bindgen]
pub fn insert(doc: u32, handle: u32, value: &[u8]) -> f64 {
    changed(with(doc, |doc| doc.edit(handle, &Op::Insert(&convert::value(value)?))))
}

/// Removes an element, or a key with all that is below it.
#[wasm_bindgen]
pub fn remove(doc: u32, handle: u32, value: &[u8]) -> f64 {
    changed(with(doc, |doc| {
        let value = convert::value(value)?;
        let stamp = doc.stamp(handle)?;
        doc.edit(handle, &Op::Remove(&value, stamp))
    }))
}

/// Takes out all that can be taken out.
#[wasm_bindgen]
pub fn clear(doc: u32, handle: u32) -> f64 {
    changed(with(doc, |doc| {
        let stamp = doc.stamp(handle)?;
        doc.edit(handle, &Op::Clear(stamp))
    }))
}

/// Ends a batch of edits.
#[wasm_bindgen]
pub fn commit(doc: u32, flush: u32) -> Vec<u8> {
    bytes(|out| with(doc, |doc| doc.commit(flush != 0, out)))
}

/// Switches whether `commit` says what changed.
#[wasm_bindgen]
pub fn set_changes(doc: u32, on: u32) -> f64 {
    done(with(doc, |doc| Ok(doc.set_changes(on != 0))))
}

/// Ends a batch of edits of which nothing is to be told.
#[wasm_bindgen]
pub fn end(doc: u32) -> f64 {
    number(with(doc, |doc| Ok(doc.end() as f64)))
}

/// Closes the open record.
#[wasm_bindgen]
pub fn flush(doc: u32, steady: f64, wall: f64) -> f64 {
    number(at(doc, (steady, wall), |doc| doc.ticket(true)).map(|ticket| ticket as f64))
}

/// A counter's number, where JavaScript has it exactly.
#[wasm_bindgen]
pub fn counter(doc: u32, handle: u32) -> f64 {
    let kinds = |kind| matches!(kind, Kind::GCounter | Kind::PnCounter | Kind::BoundedCounter | Kind::Counter);
    let number = with(doc, |doc| Ok(doc.place_of(handle, kinds)?.map_or(Some(0), |place| place.number())));
    let number = number.ok().flatten().map(|number| number as f64);
    number.filter(|number| number.abs() <= SAFE_MAX).unwrap_or(f64::NAN)
}

/// Whether a flag is set.
#[wasm_bindgen]
pub fn flag(doc: u32, handle: u32) -> f64 {
    let kinds = |kind| matches!(kind, Kind::EwFlag | Kind::DwFlag);
    changed(with(doc, |doc| Ok(doc.place_of(handle, kinds)?.is_some_and(|place| place.flag()))))
}

/// How many elements, keys or fields.
#[wasm_bindgen]
pub fn size(doc: u32, handle: u32) -> f64 {
    let kinds = |kind| kind >= Kind::GSet;
    number(with(doc, |doc| Ok(doc.place_of(handle, kinds)?.map_or(0, |place| place.len()) as f64)))
}

/// Whether an element or key is there.
#[wasm_bindgen]
pub fn has(doc: u32, handle: u32, value: &[u8]) -> f64 {
    changed(with(doc, |doc| doc.has(handle, &convert::value(value)?)))
}

/// What is at a place.
#[wasm_bindgen]
pub fn read(doc: u32, handle: u32) -> Vec<u8> {
    bytes(|out| with(doc, |doc| doc.read(handle, out)))
}

/// The bare state.
#[wasm_bindgen]
pub fn state(doc: u32) -> Vec<u8> {
    bytes(|out| with(doc, |doc| Ok(out.raw(&doc.replica.state().encode()))))
}

/// The state, with the name of its scope.
#[wasm_bindgen]
pub fn encode(doc: u32) -> Vec<u8> {
    bytes(|out| with(doc, |doc| Ok(doc.encode(out))))
}

/// The digests by which replicas compare what they have.
#[wasm_bindgen]
pub fn digest(doc: u32) -> Vec<u8> {
    bytes(|out| {
        with(doc, |doc| {
            out.raw(&doc.replica.state().dots_digest().to_le_bytes());
            Ok(out.raw(&doc.replica.state().content_digest().to_le_bytes()))
        })
    })
}

/// What was seen.
#[wasm_bindgen]
pub fn version(doc: u32) -> Vec<u8> {
    bytes(|out| with(doc, |doc| Ok(out.raw(&crate::rows::dots_to_bytes(doc.replica.state().seen())))))
}

/// What somebody at that version lacks.
#[wasm_bindgen]
pub fn delta_since(doc: u32, version: &[u8]) -> Vec<u8> {
    bytes(|out| with(doc, |doc| doc.delta_since(version, out)))
}

/// Takes in what was encoded somewhere.
#[wasm_bindgen]
pub fn merge(doc: u32, encoded: &[u8], steady: f64, wall: f64) -> Vec<u8> {
    bytes(|out| at(doc, (steady, wall), |doc| doc.merge(encoded, out)))
}

/// A link is up.
#[wasm_bindgen]
pub fn link_open(doc: u32, kind: u32, steady: f64, wall: f64) -> f64 {
    number(at(doc, (steady, wall), |doc| Ok(f64::from(doc.link_open(Doc::link_kind(kind)?)))))
}

/// A frame came.
#[wasm_bindgen]
pub fn link_receive(doc: u32, link: u32, frame: &[u8], steady: f64, wall: f64) -> f64 {
    done(at(doc, (steady, wall), |doc| doc.link_receive(link, frame)))
}

/// A link is down.
#[wasm_bindgen]
pub fn link_close(doc: u32, link: u32, steady: f64, wall: f64) -> f64 {
    done(at(doc, (steady, wall), |doc| {
        doc.replica.peer_down(peer(link), doc.now);
        doc.settle();
        Ok(())
    }))
}

/// How much still waits to be sent.
#[wasm_bindgen]
pub fn link_backlog(doc: u32, link: u32, bytes: f64) -> f64 {
    done(with(doc, |doc| Ok(doc.replica.set_backlog(peer(link), bytes as usize))))
}

/// No frame to there may be longer.
#[wasm_bindgen]
pub fn link_frames(doc: u32, link: u32, bytes_max: f64) -> f64 {
    done(with(doc, |doc| Ok(doc.replica.limit_frames(peer(link), bytes_max as usize))))
}

/// Asks a home for an id.
#[wasm_bindgen]
pub fn borrow(doc: u32, link: u32) -> f64 {
    done(with(doc, |doc| Ok(doc.replica.borrow_id(peer(link)))))
}

/// Gives a lent id back.
#[wasm_bindgen]
pub fn give_back(doc: u32, link: u32, steady: f64, wall: f64) -> f64 {
    done(at(doc, (steady, wall), |doc| {
        doc.replica.give_back(peer(link), doc.now);
        doc.settle();
        Ok(())
    }))
}

/// Hands bytes to the application at the other end.
#[wasm_bindgen]
pub fn gossip(doc: u32, link: u32, bytes: &[u8]) -> f64 {
    done(with(doc, |doc| Ok(doc.replica.gossip(peer(link), bytes.to_vec()))))
}

/// All that has gathered.
#[wasm_bindgen]
pub fn poll(doc: u32, steady: f64, wall: f64) -> Vec<u8> {
    bytes(|out| at(doc, (steady, wall), |doc| Ok(doc.poll(out))))
}

/// Rows up to this ticket are stored.
#[wasm_bindgen]
pub fn durable(doc: u32, ticket: f64, steady: f64, wall: f64) -> f64 {
    done(at(doc, (steady, wall), |doc| {
        let ticket = Ticket(count(ticket)?);
        doc.replica.durable(ticket, doc.now);
        doc.settle();
        Ok(())
    }))
}

/// Rows could not be stored.
#[wasm_bindgen]
pub fn store_failed(doc: u32) -> f64 {
    done(with(doc, |doc| Ok(doc.replica.persist_failed(Ticket(0)))))
}

/// What a document knows of itself and others.
#[wasm_bindgen]
pub fn inspect(doc: u32) -> Vec<u8> {
    bytes(|out| with(doc, |doc| Ok(doc.inspect(out))))
}

/// A number that counts something.
fn count(number: f64) -> Result<u64, Code> {
    u64::try_from(convert::integer(number)?).map_err(|_| Code::OutOfRange)
}

fn peer(link: u32) -> PeerId {
    PeerId(u64::from(link))
}
