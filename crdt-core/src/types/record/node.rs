//! A store of any kind.

use core::fmt;

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::document::{DocumentMap, Nodes};
use crate::change::{Observed, Path};
use crate::codec::{DecodeError, Decoder, Encoder, Kind};
use crate::types::counter::{BoundedCounter, Counter, GCounter, PnCounter};
use crate::types::flag::{DwFlag, EwFlag};
use crate::types::map::LwwMap;
use crate::types::register::{LwwRegister, MvRegister};
use crate::types::set::{GSet, OrSet, RwSet};
use crate::{Dot, DotStore, Place, Value};
use alloc::string::String;

macro_rules! nodes {
    ($($kind:ident: $store:ty, $get:ident;)+) => {
        /// A store whose kind is found out at run time. What would be a type parameter is [`Value`].
        #[derive(Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Node {
            $(
                #[doc = concat!("[`", stringify!($kind), "`](crate::codec::Kind::", stringify!($kind), ")")]
                $kind($store),
            )+
        }

        /// An entry of a [`Node`].
        #[derive(Clone, PartialEq, Debug)]
        #[non_exhaustive]
        pub enum NodeEntry {
            $(
                #[doc = concat!("Of a [`", stringify!($kind), "`](crate::codec::Kind::", stringify!($kind), ")")]
                $kind(<$store as DotStore>::Entry),
            )+
        }

        /// The place of an entry in a [`Node`].
        #[derive(Clone, PartialEq)]
        #[non_exhaustive]
        pub enum NodePlace {
            $(
                #[doc = concat!("In a [`", stringify!($kind), "`](crate::codec::Kind::", stringify!($kind), ")")]
                $kind(<$store as DotStore>::Place),
            )+
        }

        impl Place for NodePlace {
            // Nodes hold nodes: an axis per level would have no end. The innermost is the one that edits go along.
            const AXES: u8 = 1;

            fn along(&self, axis: u8, steps: u32) -> Self {
                match self {
                    $(NodePlace::$kind(place) => NodePlace::$kind(place.along(axis, steps)),)+
                }
            }
        }

        impl NodeEntry {
            /// The kind of store that this is an entry of.
            #[must_use]
            pub fn kind(&self) -> Kind {
                match self {
                    $(NodeEntry::$kind(_) => Kind::$kind,)+
                }
            }

            pub(super) fn weigh(&self, levels: usize) -> Option<usize> {
                match self {
                    $(NodeEntry::$kind(entry) => <$store as DotStore>::weigh(entry, levels),)+
                }
            }
        }

        impl Node {
            $(
                pub(super) fn $get(&self) -> Option<&$store> {
                    if let Node::$kind(store) = self { Some(store) } else { None }
                }
            )+

            /// What kind of store this is.
            #[must_use]
            pub fn kind(&self) -> Kind {
                match self {
                    $(Node::$kind(_) => Kind::$kind,)+
                }
            }

            pub(super) fn empty(kind: Kind, seed: u64) -> Self {
                match kind {
                    $(Kind::$kind => Node::$kind(<$store>::with_seed(seed)),)+
                }
            }

            pub(super) fn is_bottom(&self) -> bool {
                match self {
                    $(Node::$kind(store) => store.is_bottom(),)+
                }
            }

            pub(super) fn graft(&mut self, dot: Dot, entry: NodeEntry) -> NodePlace {
                match (self, entry) {
                    $((Node::$kind(store), NodeEntry::$kind(entry)) => NodePlace::$kind(store.graft(dot, entry)),)+
                    _ => unreachable!("nodes are found by the kind of the entry"),
                }
            }

            pub(super) fn graft_from(&mut self, dot: Dot, from: &Self, place: &NodePlace) -> NodePlace {
                match (self, from, place) {
                    $((Node::$kind(store), Node::$kind(from), NodePlace::$kind(place)) => {
                        NodePlace::$kind(store.graft_from(dot, from, place))
                    })+
                    _ => unreachable!("nodes are found by their kind"),
                }
            }

            pub(super) fn prune(&mut self, dot: Dot, place: &NodePlace) {
                match (self, place) {
                    $((Node::$kind(store), NodePlace::$kind(place)) => store.prune(dot, place),)+
                    _ => unreachable!("a place keeps its kind"),
                }
            }

            pub(super) fn entry(&self, dot: Dot, place: &NodePlace) -> NodeEntry {
                match (self, place) {
                    $((Node::$kind(store), NodePlace::$kind(place)) => NodeEntry::$kind(store.entry(dot, place)),)+
                    _ => unreachable!("a place keeps its kind"),
                }
            }

            pub(super) fn visit(&self, visit: &mut dyn FnMut(Dot, NodePlace)) {
                match self {
                    $(Node::$kind(store) => store.visit(&mut |dot, place| visit(dot, NodePlace::$kind(place))),)+
                }
            }

            pub(super) fn observe(&self, entry: &NodeEntry, path: &mut Path) -> Observed {
                match (self, entry) {
                    $((Node::$kind(store), NodeEntry::$kind(entry)) => store.observe(entry, path),)+
                    _ => Observed::Absent,
                }
            }

            pub(super) fn heap_bytes(&self) -> usize {
                match self {
                    $(Node::$kind(store) => store.heap_bytes(),)+
                }
            }

            /// Writes nodes that are all of one kind.
            pub(super) fn encode_many(kind: Kind, nodes: &[&Self], to: &mut Encoder<'_>) {
                match kind {
                    $(Kind::$kind => {
                        let stores: Vec<&$store> = nodes.iter().filter_map(|node| node.$get()).collect();
                        <$store>::encode_many(&stores, to);
                    })+
                }
            }

            pub(super) fn decode_many(
                kind: Kind,
                count: usize,
                from: &mut Decoder<'_>,
            ) -> Result<Vec<Self>, DecodeError> {
                match kind {
                    $(Kind::$kind => {
                        Ok(<$store>::decode_many(count, from)?.into_iter().map(Node::$kind).collect())
                    })+
                }
            }
        }

        impl fmt::Debug for Node {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Node::$kind(store) => store.fmt(f),)+
                }
            }
        }
    };
}

nodes! {
    GCounter: GCounter, g_counter;
    PnCounter: PnCounter, pn_counter;
    BoundedCounter: BoundedCounter, bounded_counter;
    Counter: Counter, counter;
    LwwRegister: LwwRegister<Value>, lww_register;
    MvRegister: MvRegister<Value>, mv_register;
    EwFlag: EwFlag, ew_flag;
    DwFlag: DwFlag, dw_flag;
    GSet: GSet<Value>, g_set;
    OrSet: OrSet<Value>, or_set;
    RwSet: RwSet<Value>, rw_set;
    OrMap: Box<DocumentMap>, or_map;
    LwwMap: LwwMap<Value, Value>, lww_map;
    Record: Box<Nodes<String>>, record;
}

/// A store behind a pointer: a node that holds nodes.
impl<S: DotStore> DotStore for Box<S> {
    type Entry = Box<S::Entry>;
    type Place = Box<S::Place>;
    type Cursor<'a> = crate::Edit<'a, Self>;

    const KIND: Kind = S::KIND;

    fn with_seed(seed: u64) -> Self {
        Box::new(S::with_seed(seed))
    }

    fn is_bottom(&self) -> bool {
        (**self).is_bottom()
    }

    fn graft(&mut self, dot: Dot, entry: Self::Entry) -> Self::Place {
        Box::new((**self).graft(dot, *entry))
    }

    fn graft_from(&mut self, dot: Dot, from: &Self, place: &Self::Place) -> Self::Place {
        Box::new((**self).graft_from(dot, from, place))
    }

    fn weigh(entry: &Self::Entry, levels: usize) -> Option<usize> {
        S::weigh(entry, levels)
    }

    fn prune(&mut self, dot: Dot, place: &Self::Place) {
        (**self).prune(dot, place);
    }

    fn entry(&self, dot: Dot, place: &Self::Place) -> Self::Entry {
        Box::new((**self).entry(dot, place))
    }

    fn visit(&self, visit: &mut dyn FnMut(Dot, Self::Place)) {
        (**self).visit(&mut |dot, place| visit(dot, Box::new(place)));
    }

    fn observe(&self, entry: &Self::Entry, path: &mut Path) -> Observed {
        (**self).observe(entry, path)
    }

    fn encode_many(stores: &[&Self], to: &mut Encoder<'_>) {
        S::encode_many(&stores.iter().map(|store| &***store).collect::<Vec<_>>(), to);
    }

    fn decode_many(count: usize, from: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        Ok(S::decode_many(count, from)?.into_iter().map(Box::new).collect())
    }

    fn heap_bytes(&self) -> usize {
        size_of::<S>() + (**self).heap_bytes()
    }
}
