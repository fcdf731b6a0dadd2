//! Which place of a document a handle stands for.

use std::collections::BTreeMap;

use crdt_sync::crdt_core::{Canonical, Kind, Path, Step, Value};

use crate::code::Code;
use crate::table::{NEVER, Table};

/// The root of a document.
pub(crate) const ROOT: u32 = 0;

/// How deep containers may lie in each other.
const DEPTH_MAX: usize = 32;

/// What a place is called in its parent.
#[derive(Clone)]
pub(crate) enum Name {
    Field(String),
    Key(Value),
}

impl Name {
    pub(crate) fn step(&self) -> Step {
        match self {
            Self::Field(name) => Step::Field(name.clone()),
            Self::Key(key) => Step::Key(key.clone()),
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Field(name) => name.as_bytes().to_vec(),
            Self::Key(key) => key.encode(),
        }
    }
}

/// One place that somebody holds.
pub(crate) struct Handle {
    pub(crate) parent: u32,
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    depth: usize,
    /// Whether it stands under a key, so that it can be removed.
    below_map: bool,
    /// How many `field` calls and children hold it.
    holders: usize,
}

/// The places of one document that somebody holds.
pub(crate) struct Handles {
    table: Table<Handle>,
    /// By parent, name in bytes, and kind.
    index: BTreeMap<(u32, Vec<u8>, Kind), u32>,
    /// Places that are named for what comes next, each in the one before it. Their numbers begin at `NEVER`.
    passing: Vec<Handle>,
}

impl Handles {
    pub(crate) fn new() -> Self {
        let mut table = Table::new();
        let name = Name::Field(String::new());
        let root = Handle { parent: ROOT, name, kind: Kind::Record, depth: 0, below_map: false, holders: 1 };
        let number = table.insert(root);
        debug_assert_eq!(number, Some(ROOT));
        Self { table, index: BTreeMap::new(), passing: Vec::new() }
    }

    pub(crate) fn get(&self, number: u32) -> Result<&Handle, Code> {
        let handle = match number.checked_sub(NEVER) {
            Some(at) => self.passing.get(at as usize),
            None => self.table.get(number),
        };
        handle.ok_or(Code::Disposed)
    }

    /// A number for a child that is good until the next one is asked for that is not below it. Nothing is held by it, and nothing
    /// is put into a table and taken out again: it costs a third.
    pub(crate) fn pass(&mut self, parent: u32, name: Name, kind: Kind) -> Result<u32, Code> {
        let handle = self.child(parent, name, kind)?;
        self.passing.truncate(parent.checked_sub(NEVER).map_or(0, |at| at as usize + 1));
        self.passing.push(handle);
        // No deeper than `DEPTH_MAX`.
        Ok(NEVER + self.passing.len() as u32 - 1)
    }

    /// The handle of a child, held once more.
    pub(crate) fn open(&mut self, parent: u32, name: Name, kind: Kind) -> Result<u32, Code> {
        let handle = self.child(parent, name, kind)?;
        let key = (parent, handle.name.to_bytes(), kind);
        if let Some(number) = self.index.get(&key) {
            let number = *number;
            self.hold(number);
            return Ok(number);
        }
        let number = self.table.insert(handle).ok_or(Code::TooLarge)?;
        self.index.insert(key, number);
        self.hold(parent);
        Ok(number)
    }

    fn child(&self, parent: u32, name: Name, kind: Kind) -> Result<Handle, Code> {
        let above = self.get(parent)?;
        let below_map = above.below_map || above.kind == Kind::OrMap;
        let depth = above.depth + 1;
        if below_map && !kind.is_removable() && kind != Kind::Record || depth > DEPTH_MAX {
            return Err(Code::Schema);
        }
        Ok(Handle { parent, name, kind, depth, below_map, holders: 1 })
    }

    pub(crate) fn hold(&mut self, number: u32) {
        if let Some(handle) = self.table.get_mut(number) {
            handle.holders += 1;
        }
    }

    /// Held once less; it is freed with its last holder, and its parent then, if nobody else holds that.
    pub(crate) fn release(&mut self, number: u32) -> Result<(), Code> {
        self.get(number)?;
        let mut next = number;
        while next != ROOT {
            let Some(handle) = self.table.get_mut(next) else { break };
            handle.holders -= 1;
            if handle.holders > 0 {
                break;
            }
            let Some(handle) = self.table.remove(next) else { break };
            self.index.remove(&(handle.parent, handle.name.to_bytes(), handle.kind));
            next = handle.parent;
        }
        Ok(())
    }

    /// The way from the root, without the root.
    pub(crate) fn way(&self, number: u32) -> Result<Vec<&Handle>, Code> {
        let mut way = Vec::new();
        let mut next = number;
        while next != ROOT {
            let handle = self.get(next)?;
            way.push(handle);
            next = handle.parent;
        }
        way.reverse();
        Ok(way)
    }

    pub(crate) fn path(&self, number: u32) -> Result<Path, Code> {
        Ok(self.way(number)?.into_iter().map(|handle| handle.name.step()).collect())
    }

    /// The deepest open handle on a path, and how many steps it takes. `fits` says whether a place of this kind is what
    /// the last step leads to: paths do not say so.
    pub(crate) fn resolve(&self, path: &[Step], fits: impl Fn(Kind) -> bool) -> (u32, usize) {
        let (mut at, mut taken) = (ROOT, 0);
        while taken < path.len() {
            let bytes = match &path[taken] {
                Step::Field(name) => name.as_bytes().to_vec(),
                Step::Key(key) => key.encode(),
                Step::Element(_) => break,
            };
            let next = path.get(taken + 1);
            let children = self.index.range((at, bytes.clone(), Kind::GCounter)..);
            let mut children = children.take_while(|((parent, name, _), _)| *parent == at && *name == bytes);
            let child = children.find(|((.., kind), _)| match next {
                None => fits(*kind),
                Some(Step::Field(_)) => *kind == Kind::Record,
                Some(Step::Key(_)) => matches!(kind, Kind::OrMap | Kind::LwwMap),
                Some(Step::Element(_)) => matches!(kind, Kind::GSet | Kind::OrSet | Kind::RwSet),
            });
            let Some((_, child)) = child else { break };
            (at, taken) = (*child, taken + 1);
        }
        (at, taken)
    }
}
