//! Data whose shape is found out at run time.

use core::fmt;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::columns::{self, Columns};
use super::node::{Node, NodeEntry, NodePlace};
use crate::change::{Observed, Path, Step};
use crate::codec::{DecodeError, DecodeErrorKind, Decoder, Encoder, Kind};
use crate::keyed::Keyed;
use crate::sort::Sort as _;
use crate::types::counter::{BoundedCounter, Counter, GCounter, PnCounter};
use crate::types::flag::{DwFlag, EwFlag};
use crate::types::map::LwwMap;
use crate::types::register::{LwwRegister, MvRegister};
use crate::types::set::{GSet, OrSet, RwSet};
use crate::{Dot, DotStore, Edit, Element, Value};

/// Stores of any kind under text names, found out at run time: a struct without its Rust type.
///
/// It reads and writes the same bytes as a struct made by [`fields!`](crate::fields), so a relay, a browser or a
/// debugging tool needs no Rust types. A name and a kind together make a field: a counter and a register under one name
/// are two fields, so replicas that disagree about a field's kind lose nothing.
///
/// | concurrent | result |
/// |---|---|
/// | edit under name x ∥ edit under name y | both |
/// | edit under name x ∥ edit under name x, same kind | the rules of that kind |
/// | write name x as a register ∥ count under name x | both: two fields |
/// | edit under name x ∥ remove name x | x stays, with that edit alone |
///
/// ```
/// use crdt_core::{Causal, Counter, Document, EwFlag, Merge, OrMap, ReplicaId, Writer, decode};
///
/// crdt_core::fields! { pub struct Cart { items: OrMap<String, Counter>, paid: EwFlag } }
///
/// let (mut app, mut relay) = (Writer::new(ReplicaId::from_u128(1)), Writer::new(ReplicaId::from_u128(2)));
/// let mut cart = Causal::<Cart>::new();
/// let _ = cart.edit(&mut app, |cart| cart.items().entry("milk").add(2));
///
/// let mut any: Causal<Document> = decode(&cart.encode()).unwrap();       // without the Rust type
/// let (more, ()) = any.edit(&mut relay, |doc| doc.map("items").counter("milk").add(1));
/// let _ = cart.edit(&mut app, |cart| cart.items().remove("milk"));       // concurrently
/// cart.merge(crdt_core::Delta::decode(&more.encode()).unwrap());
/// assert_eq!(cart.items().get("milk").unwrap().value(), 1);
/// ```
///
/// **Cost.** As the kinds it holds; beside it 16 bytes more per entry and level.
///
/// **Source.** As [`OrMap`](crate::OrMap); the name and kind as one key is ours, so that merging two programs' ideas of a
/// field needs no rule.
///
/// **Choose** [`fields!`](crate::fields) where the shape is known when the program is written.
pub type Document = Nodes<String>;

/// An [`OrMap`](crate::OrMap) whose keys and values are found out at run time.
pub type DocumentMap = Nodes<Value>;

/// Nodes under names or keys: a [`Document`], or a [`DocumentMap`].
#[derive(Clone)]
pub struct Nodes<K: Name> {
    nodes: Keyed<(K, Kind), Node>,
}

/// What nodes stand under: text for fields of a document, any value for keys of a map.
pub trait Name: Element {
    /// The kind of the whole.
    #[doc(hidden)]
    const KIND: Kind;

    /// The step of a path.
    #[doc(hidden)]
    fn step(&self) -> Step;

    #[doc(hidden)]
    fn encode_many(stores: &[&Nodes<Self>], to: &mut Encoder<'_>);

    #[doc(hidden)]
    fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Nodes<Self>>, DecodeError>;
}

impl<K: Name> Nodes<K> {
    pub(super) fn node(&self, name: &(K, Kind)) -> Option<&Node> {
        self.nodes.get(name)
    }

    fn put_node(&mut self, name: K, node: Node) {
        let kind = node.kind();
        self.nodes.slot_or_insert_with((name, kind), || node);
    }

    /// What is under a name as a store of this kind.
    #[must_use]
    pub fn get(&self, name: impl Into<K>, kind: Kind) -> Option<&Node> {
        self.node(&(name.into(), kind))
    }

    /// Names and nodes, by name, then by kind. Costs a sort.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &Node)> {
        self.nodes.sorted().into_iter().map(|((name, _), node)| (name, node))
    }

    /// How many fields or entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The slot of a node, made if it is not there.
    fn slot(&mut self, name: (K, Kind)) -> u32 {
        let (seed, kind) = (self.nodes.seed(), name.1);
        self.nodes.slot_or_insert_with(name, || Node::empty(kind, seed))
    }
}

macro_rules! removable_kinds {
    ($($method:ident, $kind:ident, $store:ty, $get:ident;)+) => {
        impl<K: Name> Nodes<K> {
            $(
                #[doc = concat!("The ", stringify!($kind), " under a name.")]
                #[must_use]
                pub fn $method(&self, name: impl Into<K>) -> Option<&$store> {
                    self.node(&(name.into(), Kind::$kind)).and_then(Node::$get)
                }
            )+
        }

        impl<K: Name> Edit<'_, Nodes<K>> {
            $(
                #[doc = concat!("The ", stringify!($kind), " under a name, to be edited.")]
                pub fn $method(&mut self, name: impl Into<K>) -> Edit<'_, $store> {
                    self.inside(
                        (name.into(), Kind::$kind),
                        |nodes, name| nodes.node(name).and_then(Node::$get),
                        |name, entry| (name.0.clone(), NodeEntry::$kind(entry)),
                    )
                }
            )+
        }
    };
}

removable_kinds! {
    counter, Counter, Counter, counter;
    lww, LwwRegister, LwwRegister<Value>, lww_register;
    register, MvRegister, MvRegister<Value>, mv_register;
    flag, EwFlag, EwFlag, ew_flag;
    set, OrSet, OrSet<Value>, or_set;
    lww_map, LwwMap, LwwMap<Value, Value>, lww_map;
}

macro_rules! other_kinds {
    ($($method:ident, $kind:ident, $store:ty, $get:ident;)+) => {
        impl Document {
            $(
                #[doc = concat!("The ", stringify!($kind), " under a name.")]
                #[must_use]
                pub fn $method(&self, name: &str) -> Option<&$store> {
                    self.node(&(name.to_string(), Kind::$kind)).and_then(Node::$get)
                }
            )+
        }

        impl Edit<'_, Document> {
            $(
                #[doc = concat!("The ", stringify!($kind), " under a name, to be edited. It cannot live under a key of a map.")]
                pub fn $method(&mut self, name: &str) -> Edit<'_, $store> {
                    self.inside(
                        (name.to_string(), Kind::$kind),
                        |nodes, name| nodes.node(name).and_then(Node::$get),
                        |name, entry| (name.0.clone(), NodeEntry::$kind(entry)),
                    )
                }
            )+
        }
    };
}

other_kinds! {
    g_counter, GCounter, GCounter, g_counter;
    pn_counter, PnCounter, PnCounter, pn_counter;
    bounded_counter, BoundedCounter, BoundedCounter, bounded_counter;
    dw_flag, DwFlag, DwFlag, dw_flag;
    g_set, GSet, GSet<Value>, g_set;
    rw_set, RwSet, RwSet<Value>, rw_set;
}

impl<K: Name> Nodes<K> {
    /// The map under a name.
    #[must_use]
    pub fn map(&self, name: impl Into<K>) -> Option<&DocumentMap> {
        self.node(&(name.into(), Kind::OrMap)).and_then(Node::or_map).map(AsRef::as_ref)
    }

    /// The document under a name.
    #[must_use]
    pub fn record(&self, name: impl Into<K>) -> Option<&Document> {
        self.node(&(name.into(), Kind::Record)).and_then(Node::record).map(AsRef::as_ref)
    }
}

impl<K: Name> Edit<'_, Nodes<K>> {
    /// The map under a name, to be edited.
    pub fn map(&mut self, name: impl Into<K>) -> Edit<'_, DocumentMap> {
        self.inside(
            name.into(),
            |nodes, name| nodes.map(name.clone()),
            |name, entry| (name.clone(), NodeEntry::OrMap(Box::new(entry))),
        )
    }

    /// Takes out all that is under a name, of any kind; says how many entries that removed. Entries that cannot be
    /// removed (of running totals, say) stay.
    pub fn remove(&mut self, name: impl Into<K>) -> usize {
        let name = name.into();
        let mut dots = Vec::new();
        if let Some(nodes) = self.view() {
            for kind in Kind::ALL {
                if let Some(node) = nodes.node(&(name.clone(), kind)).filter(|node| node.is_removable()) {
                    node.visit(&mut |dot, _| dots.push(dot));
                }
            }
        }
        dots.order();
        dots.iter().for_each(|dot| self.retire(*dot));
        dots.len()
    }
}

impl Edit<'_, Document> {
    /// The document under a name, to be edited.
    pub fn record(&mut self, name: &str) -> Edit<'_, Document> {
        self.inside(
            name.to_string(),
            |nodes, name| nodes.record(name.clone()),
            |name, entry| (name.clone(), NodeEntry::Record(Box::new(entry))),
        )
    }
}

impl Node {
    /// Whether all that is in it may live under a key that can be removed.
    pub(super) fn is_removable(&self) -> bool {
        match self {
            Node::Record(fields) => fields.nodes.slots().all(|(_, (_, node))| node.is_removable()),
            node => node.kind().is_removable(),
        }
    }
}

impl<K: Name> Default for Nodes<K> {
    fn default() -> Self {
        Self::with_seed(0)
    }
}

impl<K: Name> DotStore for Nodes<K> {
    type Entry = (K, NodeEntry);
    type Place = (u32, NodePlace);
    type Cursor<'a> = Edit<'a, Self>;

    const KIND: Kind = <K as Name>::KIND;

    fn with_seed(seed: u64) -> Self {
        Self { nodes: Keyed::with_seed(seed) }
    }

    fn is_bottom(&self) -> bool {
        self.nodes.is_empty()
    }

    fn graft(&mut self, dot: Dot, (name, entry): Self::Entry) -> Self::Place {
        let slot = self.slot((name, entry.kind()));
        (slot, self.nodes.at_mut(slot).graft(dot, entry))
    }

    fn graft_from(&mut self, dot: Dot, from: &Self, (slot, place): &Self::Place) -> Self::Place {
        let (name, node) = from.nodes.at(*slot);
        let slot = match self.nodes.slot(name) {
            Some(slot) => slot,
            None => self.slot(name.clone()),
        };
        (slot, self.nodes.at_mut(slot).graft_from(dot, node, place))
    }

    #[inline]
    fn weigh((name, entry): &Self::Entry, levels: usize) -> Option<usize> {
        let below = levels.checked_sub(1)?;
        Some(Self::STORE_WEIGHT + name.weigh(below)? + entry.weigh(below)?)
    }

    fn prune(&mut self, dot: Dot, (slot, place): &Self::Place) {
        let node = self.nodes.at_mut(*slot);
        node.prune(dot, place);
        if node.is_bottom() {
            *node = Node::empty(node.kind(), 0);
            self.nodes.remove_slot(*slot);
        }
    }

    fn entry(&self, dot: Dot, (slot, place): &Self::Place) -> Self::Entry {
        let ((name, _), node) = self.nodes.at(*slot);
        (name.clone(), node.entry(dot, place))
    }

    fn visit(&self, visit: &mut dyn FnMut(Dot, Self::Place)) {
        for (slot, (_, node)) in self.nodes.slots() {
            node.visit(&mut |dot, place| visit(dot, (slot, place)));
        }
    }

    fn observe(&self, (name, entry): &Self::Entry, path: &mut Path) -> Observed {
        path.push(name.step());
        let kind = entry.kind();
        match self.node(&(name.clone(), kind)) {
            Some(node) => node.observe(entry, path),
            None => Node::empty(kind, 0).observe(entry, path),
        }
    }

    fn encode_many(stores: &[&Self], to: &mut Encoder<'_>) {
        K::encode_many(stores, to);
    }

    fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        K::decode_many(count, from)
    }

    fn heap_bytes(&self) -> usize {
        self.nodes.heap_bytes() + self.nodes.slots().map(|(_, (_, node))| node.heap_bytes()).sum::<usize>()
    }
}

/// Equal documents have equal nodes under equal names.
impl<K: Name> PartialEq for Nodes<K> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.nodes.slots().all(|(_, (name, node))| other.node(name) == Some(node))
    }
}

impl<K: Name> Eq for Nodes<K> {}

impl<K: Name> fmt::Debug for Nodes<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Document {
    /// Adds all fields of several documents to what is to be written.
    #[doc(hidden)]
    pub fn add_columns<'s>(documents: &[&'s Self], columns: &mut Columns<'s>) {
        let mut names: Vec<&'s (String, Kind)> =
            documents.iter().flat_map(|document| document.nodes.slots().map(|(_, (name, _))| name)).collect();
        names.order();
        names.dedup();
        for name in names {
            let nodes = documents.iter().enumerate().filter_map(|(at, document)| Some((at, document.node(name)?)));
            let (present, nodes): (Vec<usize>, Vec<&'s Node>) = nodes.unzip();
            columns.push(name.0.as_str().into(), name.1, present, move |to| Node::encode_many(name.1, &nodes, to));
        }
    }

    /// Reads a field that has no place of its own into the documents that have it.
    #[doc(hidden)]
    pub fn read_field<'d>(
        documents: impl Iterator<Item = &'d mut Self>,
        name: &str,
        kind: Kind,
        present: &[usize],
        from: &mut Decoder<'_>,
    ) -> Result<(), DecodeError> {
        let nodes = Node::decode_many(kind, present.len(), from)?;
        // An absent field and an empty one are the same, and absence is how it is written.
        if nodes.iter().any(Node::is_bottom) {
            return Err(from.error(DecodeErrorKind::NotCanonical));
        }
        // Each document holds the name, which is written once.
        from.charge_copy(name.len().saturating_mul(present.len().saturating_sub(1)))?;
        let mut nodes = nodes.into_iter();
        let mut present = present.iter().peekable();
        for (at, document) in documents.enumerate() {
            if present.next_if_eq(&&at).is_some() {
                let node = nodes.next().ok_or_else(|| from.error(DecodeErrorKind::TooShort))?;
                document.put_node(name.to_string(), node);
            }
        }
        Ok(())
    }
}

impl Name for String {
    const KIND: Kind = Kind::Record;

    fn step(&self) -> Step {
        Step::Field(self.clone())
    }

    fn encode_many(stores: &[&Document], to: &mut Encoder<'_>) {
        let mut columns = Columns::new(stores.len());
        Document::add_columns(stores, &mut columns);
        columns.write(to);
    }

    fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Document>, DecodeError> {
        let mut documents = Vec::new();
        documents.resize_with(count, Document::default);
        columns::read(count, from, &mut |name, kind, present, from| {
            Document::read_field(documents.iter_mut(), &name, kind, present, from)
        })?;
        Ok(documents)
    }
}

impl Name for Value {
    const KIND: Kind = Kind::OrMap;

    fn step(&self) -> Step {
        Step::Key(self.clone())
    }

    fn encode_many(stores: &[&DocumentMap], to: &mut Encoder<'_>) {
        let mut keys = Vec::new();
        let mut nodes = Vec::new();
        for store in stores {
            let sorted = store.nodes.sorted();
            to.varint(sorted.len() as u64);
            for ((key, _), node) in sorted {
                keys.push(key);
                nodes.push(node);
            }
        }
        to.column(&keys);
        for stretch in nodes.chunk_by(|left, right| left.kind() == right.kind()) {
            to.varint(stretch.len() as u64);
            to.byte(stretch[0].kind().code());
            Node::encode_many(stretch[0].kind(), stretch, to);
        }
    }

    fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<DocumentMap>, DecodeError> {
        let sizes = from.sizes(count)?;
        let total: usize = sizes.iter().sum();
        let mut keys = from.column::<Value>(total)?.into_iter();
        let mut nodes = Vec::new();
        while nodes.len() < total {
            let stretch = from.varint()?;
            if stretch == 0 || stretch > (total - nodes.len()) as u64 {
                return Err(from.error(DecodeErrorKind::TooShort));
            }
            let kind = from.kind()?;
            nodes.extend(from.deeper(|from| Node::decode_many(kind, stretch as usize, from))?);
        }
        if !nodes.iter().all(Node::is_removable) {
            return Err(from.error(DecodeErrorKind::OtherKind));
        }
        // An absent key and an empty value are the same, and absence is how it is written.
        if nodes.iter().any(Node::is_bottom) {
            return Err(from.error(DecodeErrorKind::NotCanonical));
        }
        let mut nodes = nodes.into_iter();
        let mut stores = Vec::new();
        for size in sizes {
            let mut store = DocumentMap::with_seed(from.seed());
            for (key, node) in keys.by_ref().zip(nodes.by_ref()).take(size) {
                let before = store.len();
                store.put_node(key, node);
                if store.len() == before {
                    return Err(from.error(DecodeErrorKind::KeyTwice));
                }
            }
            stores.push(store);
        }
        Ok(stores)
    }
}
