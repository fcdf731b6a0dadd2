//! What is at a place: as an answer to JavaScript, and as a reader sees it for changes.

use crdt_sync::crdt_core::types::record::{Name as Named, Nodes};
use crdt_sync::crdt_core::{Document, DocumentMap, Kind, Node, Observed, Path, ReplicaId, Step, Value};

use crate::code::Code;
use crate::convert::Out;
use crate::handle::{Handle, Name};

/// Where a way leads.
#[derive(Clone, Copy)]
pub(crate) enum Place<'s> {
    Record(&'s Document),
    Map(&'s DocumentMap),
    Leaf(&'s Node),
}

impl<'s> Place<'s> {
    fn of(node: &'s Node) -> Self {
        match node {
            Node::Record(record) => Self::Record(record),
            Node::OrMap(map) => Self::Map(map),
            leaf => Self::Leaf(leaf),
        }
    }

    /// What is at the end of the way; none where there is nothing yet.
    pub(crate) fn at(root: &'s Document, way: &[&Handle]) -> Option<Self> {
        let mut place = Self::Record(root);
        for handle in way {
            let node = match (place, &handle.name) {
                (Self::Record(record), Name::Field(name)) => record.get(name.as_str(), handle.kind),
                (Self::Map(map), Name::Key(key)) => map.get(key.clone(), handle.kind),
                _ => None,
            };
            place = Self::of(node?);
        }
        Some(place)
    }

    /// How many elements, keys or fields.
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Record(record) => record.len(),
            Self::Map(map) => map.len(),
            Self::Leaf(Node::GSet(set)) => set.len(),
            Self::Leaf(Node::OrSet(set)) => set.len(),
            Self::Leaf(Node::RwSet(set)) => set.len(),
            Self::Leaf(Node::LwwMap(map)) => map.len(),
            Self::Leaf(_) => 0,
        }
    }

    /// Whether it holds this element or key.
    pub(crate) fn has(self, item: &Value) -> bool {
        match self {
            Self::Map(map) => Kind::ALL.into_iter().any(|kind| map.get(item.clone(), kind).is_some()),
            Self::Leaf(Node::GSet(set)) => set.contains(item),
            Self::Leaf(Node::OrSet(set)) => set.contains(item),
            Self::Leaf(Node::RwSet(set)) => set.contains(item),
            Self::Leaf(Node::LwwMap(map)) => map.contains_key(item),
            Self::Record(_) | Self::Leaf(_) => false,
        }
    }

    /// The number that a counter shows.
    pub(crate) fn number(self) -> Option<i128> {
        match self {
            Self::Leaf(Node::GCounter(counter)) => Some(i128::try_from(counter.value()).unwrap_or(i128::MAX)),
            Self::Leaf(Node::PnCounter(counter)) => Some(counter.value()),
            Self::Leaf(Node::BoundedCounter(counter)) => Some(counter.value()),
            Self::Leaf(Node::Counter(counter)) => Some(counter.value()),
            _ => None,
        }
    }

    /// Whether a flag is set.
    pub(crate) fn flag(self) -> bool {
        match self {
            Self::Leaf(Node::EwFlag(flag)) => flag.is_set(),
            Self::Leaf(Node::DwFlag(flag)) => flag.is_set(),
            _ => false,
        }
    }

    fn write(self, me: ReplicaId, out: &mut Out) {
        match self {
            Self::Record(record) => {
                out.u32(record.len());
                for (name, node) in record.iter() {
                    out.u8(node.kind() as u8);
                    out.bytes(name.as_bytes());
                }
            }
            Self::Map(map) => {
                out.u32(map.len());
                for (key, node) in map.iter() {
                    out.u8(node.kind() as u8);
                    out.value(key);
                }
            }
            Self::Leaf(Node::BoundedCounter(counter)) => {
                out.i128(counter.value());
                out.raw(&counter.available(me).to_le_bytes());
            }
            Self::Leaf(Node::LwwRegister(register)) => {
                let value = register.get();
                out.u32(usize::from(value.is_some()));
                value.into_iter().for_each(|value| out.value(value));
                out.u8(u8::from(register.siblings().len() > 1));
            }
            Self::Leaf(Node::MvRegister(register)) => {
                let siblings = register.siblings();
                out.u32(siblings.values.len());
                for (dot, value) in siblings.dots.iter().zip(&siblings.values) {
                    out.id(dot.replica());
                    out.count(dot.counter());
                    out.value(value);
                }
            }
            Self::Leaf(Node::EwFlag(_) | Node::DwFlag(_)) => out.u8(u8::from(self.flag())),
            Self::Leaf(Node::GSet(set)) => items(set.iter(), out),
            Self::Leaf(Node::OrSet(set)) => items(set.iter(), out),
            Self::Leaf(Node::RwSet(set)) => items(set.iter(), out),
            Self::Leaf(Node::LwwMap(map)) => {
                let entries: Vec<_> = map.iter().collect();
                out.u32(entries.len());
                for (key, value) in entries {
                    out.value(key);
                    out.value(value);
                }
            }
            Self::Leaf(_) => out.i128(self.number().unwrap_or(0)),
        }
    }

    /// All that a reader sees at and below a place, by path; `path` leads here.
    fn observe(self, path: &mut Path, see: &mut dyn FnMut(&Path, Observed)) {
        match self {
            Self::Record(record) => observe_each(record, path, see, false),
            Self::Map(map) => observe_each(map, path, see, true),
            Self::Leaf(Node::EwFlag(_) | Node::DwFlag(_)) => see(path, Observed::Flag(self.flag())),
            Self::Leaf(Node::LwwRegister(register)) => {
                see(path, Observed::Values(register.get().cloned().into_iter().collect()));
            }
            Self::Leaf(Node::MvRegister(register)) => {
                see(path, Observed::Values(register.values().into_iter().cloned().collect()));
            }
            Self::Leaf(Node::GSet(set)) => set.iter().for_each(|item| present(item, path, see)),
            Self::Leaf(Node::OrSet(set)) => set.iter().for_each(|item| present(item, path, see)),
            Self::Leaf(Node::RwSet(set)) => set.iter().for_each(|item| present(item, path, see)),
            Self::Leaf(Node::LwwMap(map)) => {
                for (key, value) in map.iter() {
                    path.push(Step::Key(key.clone()));
                    see(path, Observed::Values(vec![value.clone()]));
                    path.pop();
                }
            }
            Self::Leaf(_) => see(path, self.number().map_or(Observed::Absent, Observed::Number)),
        }
    }
}

fn observe_each<K: Named>(nodes: &Nodes<K>, path: &mut Path, see: &mut dyn FnMut(&Path, Observed), keys: bool) {
    for (name, node) in nodes.iter() {
        path.push(name.step());
        if keys {
            see(path, Observed::Present);
        }
        Place::of(node).observe(path, see);
        path.pop();
    }
}

fn present(item: &Value, path: &mut Path, see: &mut dyn FnMut(&Path, Observed)) {
    path.push(Step::Element(item.clone()));
    see(path, Observed::Present);
    path.pop();
}

/// Texts in one run, as that is how JavaScript reads many of them soonest.
fn items<'v>(items: impl Iterator<Item = &'v Value>, out: &mut Out) {
    let items: Vec<&Value> = items.collect();
    let texts: Vec<&str> =
        items.iter().filter_map(|item| if let Value::Text(text) = item { Some(&**text) } else { None }).collect();
    let all_texts = texts.len() == items.len();
    out.u8(u8::from(all_texts));
    out.u32(items.len());
    if all_texts {
        texts.iter().for_each(|text| out.u32(text.len()));
        texts.iter().for_each(|text| out.raw(text.as_bytes()));
    } else {
        items.into_iter().for_each(|item| out.value(item));
    }
}

/// The answer of `read`, also where there is nothing.
pub(crate) fn read(place: Option<Place<'_>>, kind: Kind, me: ReplicaId, out: &mut Out) -> Result<(), Code> {
    let Some(place) = place else {
        match kind {
            Kind::GCounter | Kind::PnCounter | Kind::Counter => out.i128(0),
            Kind::BoundedCounter => {
                out.i128(0);
                out.raw(&[0; 8]);
            }
            Kind::LwwRegister => {
                out.u32(0);
                out.u8(0);
            }
            Kind::EwFlag | Kind::DwFlag => out.u8(0),
            Kind::GSet | Kind::OrSet | Kind::RwSet => items(core::iter::empty(), out),
            Kind::MvRegister | Kind::OrMap | Kind::LwwMap | Kind::Record => out.u32(0),
            _ => return Err(Code::Schema),
        }
        return Ok(());
    };
    place.write(me, out);
    Ok(())
}

/// What a reader sees in one part of a place: all of it, or one step below.
pub(crate) fn observe(
    place: Option<Place<'_>>,
    step: Option<&Step>,
    deep: bool,
    path: &mut Path,
    see: &mut dyn FnMut(&Path, Observed),
) {
    let Some(place) = place else { return };
    let Some(step) = step else { return place.observe(path, see) };
    path.push(step.clone());
    match (place, step) {
        (Place::Map(map), Step::Key(key)) => {
            for kind in Kind::ALL {
                if let Some(node) = map.get(key.clone(), kind) {
                    see(path, Observed::Present);
                    if deep {
                        Place::of(node).observe(path, see);
                    }
                }
            }
        }
        (Place::Leaf(Node::LwwMap(map)), Step::Key(key)) => {
            if let Some(value) = map.get(key) {
                see(path, Observed::Values(vec![value.clone()]));
            }
        }
        (place, Step::Element(item)) if place.has(item) => see(path, Observed::Present),
        _ => {}
    }
    path.pop();
}
