//! What a reader sees differently.

use std::collections::{BTreeMap, BTreeSet};

use crdt_sync::crdt_core::{Change, Document, Kind, Observed, Path, Step};

use crate::code::Code;
use crate::convert::Out;
use crate::handle::{Handles, Name};
use crate::read::{Place, observe};

/// Places by path and by what kind of thing is seen there, as two fields may have one name.
type Seen = BTreeMap<(Path, u8), Observed>;

/// The parts of a document that a batch of local edits touched, and what a reader saw there before.
#[derive(Default)]
pub(crate) struct Touched {
    parts: BTreeSet<Part>,
    before: Seen,
}

/// All of the place of a handle, or what is one step below: with everything under it, or just whether it is there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    handle: u32,
    step: Option<Step>,
    deep: bool,
}

impl Touched {
    /// Notes what is seen before an edit at `handle`, of one step below it or of all of it.
    pub(crate) fn note(
        &mut self,
        root: &Document,
        handles: &mut Handles,
        handle: u32,
        step: Option<Step>,
    ) -> Result<(), Code> {
        // An edit below a key may make the key.
        for (place, key) in keys_above(handles, handle)? {
            self.note_part(root, handles, Part { handle: place, step: Some(key), deep: false })?;
        }
        self.note_part(root, handles, Part { handle, step, deep: true })
    }

    pub(crate) fn release(self, handles: &mut Handles) {
        for part in self.parts {
            // It is held since it was noted.
            let _ = handles.release(part.handle);
        }
    }

    fn note_part(&mut self, root: &Document, handles: &mut Handles, part: Part) -> Result<(), Code> {
        if self.parts.contains(&part) {
            return Ok(());
        }
        let mut path = handles.path(part.handle)?;
        let before = &mut self.before;
        // What is not there now must not count as having been there when a larger part is noted later.
        if let Some(step) = &part.step {
            path.push(step.clone());
            let class = if matches!(handles.get(part.handle)?.kind, Kind::LwwMap) { VALUES } else { PRESENCE };
            if look(root, handles, &part)?.is_empty() {
                before.entry((path.clone(), class)).or_insert(Observed::Absent);
            }
        } else if let Some(class) = class_of(handles.get(part.handle)?.kind)
            && look(root, handles, &part)?.is_empty()
        {
            before.entry((path.clone(), class)).or_insert(Observed::Absent);
        }
        for (place, observed) in look(root, handles, &part)? {
            before.entry(place).or_insert(observed);
        }
        // Whoever asked for it may let go of it before the batch ends.
        handles.hold(part.handle);
        self.parts.insert(part);
        Ok(())
    }

    /// What differs now. The handles are let go by [`release`](Self::release), once the changes are told.
    pub(crate) fn changes(&self, root: &Document, handles: &Handles) -> Result<Vec<Change>, Code> {
        let mut after = Seen::new();
        for part in &self.parts {
            after.extend(look(root, handles, part)?);
        }
        let mut places = self.before.clone();
        for place in after.keys() {
            places.entry(place.clone()).or_insert(Observed::Absent);
        }
        let changes = places.into_iter().filter_map(|(place, before)| {
            let after = after.remove(&place).unwrap_or(Observed::Absent);
            (before != after).then_some(Change { path: place.0, before, after })
        });
        Ok(changes.collect())
    }
}

fn look(root: &Document, handles: &Handles, part: &Part) -> Result<Seen, Code> {
    let mut seen = Seen::new();
    let place = Place::at(root, &handles.way(part.handle)?);
    let mut path = handles.path(part.handle)?;
    observe(place, part.step.as_ref(), part.deep, &mut path, &mut |path, observed| {
        if let Some(class) = class(&observed) {
            seen.insert((path.clone(), class), observed);
        }
    });
    Ok(seen)
}

/// The keys of maps on the way to a handle, each with the handle of its map.
fn keys_above(handles: &Handles, handle: u32) -> Result<Vec<(u32, Step)>, Code> {
    let way = handles.way(handle)?;
    let keys = way.into_iter().filter(|handle| matches!(handle.name, Name::Key(_)));
    Ok(keys.map(|handle| (handle.parent, handle.name.step())).collect())
}

const FLAG: u8 = 0;
const NUMBER: u8 = 1;
const VALUES: u8 = 2;
const PRESENCE: u8 = 3;

fn class(observed: &Observed) -> Option<u8> {
    match observed {
        Observed::Flag(_) => Some(FLAG),
        Observed::Number(_) => Some(NUMBER),
        Observed::Values(_) => Some(VALUES),
        Observed::Present => Some(PRESENCE),
        _ => None,
    }
}

/// What a place of this kind shows; none of one that shows only what is below it.
fn class_of(kind: Kind) -> Option<u8> {
    match kind {
        Kind::EwFlag | Kind::DwFlag => Some(FLAG),
        Kind::GCounter | Kind::PnCounter | Kind::BoundedCounter | Kind::Counter => Some(NUMBER),
        Kind::LwwRegister | Kind::MvRegister => Some(VALUES),
        _ => None,
    }
}

/// Writes changes, each with the deepest open handle on its way.
pub(crate) fn write(changes: &[Change], handles: &Handles, out: &mut Out) {
    out.u32(changes.len());
    for change in changes {
        let class = class(&change.before).or_else(|| class(&change.after));
        // A place of which nothing more is said may be of any kind.
        let fits = |kind| class.is_none() || class_of(kind) == class || class == Some(PRESENCE);
        let (handle, taken) = handles.resolve(&change.path, fits);
        out.u32(handle as usize);
        let steps = &change.path[taken..];
        out.u8(steps.len() as u8);
        steps.iter().for_each(|step| write_step(step, out));
        write_observed(&change.before, out);
        write_observed(&change.after, out);
    }
}

fn write_step(step: &Step, out: &mut Out) {
    match step {
        Step::Field(name) => {
            out.u8(0);
            out.bytes(name.as_bytes());
        }
        Step::Key(key) => {
            out.u8(1);
            out.value(key);
        }
        Step::Element(element) => {
            out.u8(2);
            out.value(element);
        }
    }
}

fn write_observed(observed: &Observed, out: &mut Out) {
    match observed {
        Observed::Present => out.u8(1),
        Observed::Flag(set) => out.u8(2 + u8::from(*set)),
        Observed::Number(number) => {
            out.u8(4);
            out.i128(*number);
        }
        Observed::Values(values) => {
            out.u8(5);
            out.u32(values.len());
            values.iter().for_each(|value| out.value(value));
        }
        _ => out.u8(0),
    }
}
