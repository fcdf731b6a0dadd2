//! Documents.

use crate::laws::op::{ElementOp, Few, NodeOp, NodesOp, Put, RegisterOp, SetOp, StampedMapOp, StampedOp};
use crate::laws::spec::{self, Shown};
use crate::laws::store::Enrolled;
use crate::laws::subject::Refused;
use crate::types::record::{Name, Nodes};
use crate::{
    BoundedCounter, Counter, Document, DocumentMap, DwFlag, Edit, Element, EwFlag, Float, GCounter, GSet, LwwMap,
    LwwRegister, MvRegister, Node, OrSet, PnCounter, RwSet, Value,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::format;
use std::prelude::rust_2024::*;

impl Few for Value {
    fn few() -> [Self; 4] {
        // One of each of several types: a column then holds a mixture.
        let half = Float::new(0.5).expect("a half is finite");
        [Self::Int(1), Self::Text("a".into()), Self::Null, Self::Float(half)]
    }
}

impl Enrolled for Document {
    type Spec = spec::Nodes<String>;

    const SHARES_PATHS: bool = true;

    fn perform(document: &mut Edit<'_, Self>, op: &NodesOp<String>) -> Result<(), Refused> {
        match op {
            NodesOp::Remove(name) => {
                document.remove(name.as_str());
                Ok(())
            }
            NodesOp::At(name, op) => match op {
                NodeOp::Growing(op) => GCounter::perform(&mut document.g_counter(name), op),
                NodeOp::Bounded(op) => BoundedCounter::perform(&mut document.bounded_counter(name), op),
                NodeOp::DisableWins(op) => DwFlag::perform(&mut document.dw_flag(name), op),
                NodeOp::RemoveWins(op) => RwSet::perform(&mut document.rw_set(name), &element_op(op)),
                NodeOp::Totals(op) => PnCounter::perform(&mut document.pn_counter(name), op),
                NodeOp::GrowingSet(op) => GSet::perform(&mut document.g_set(name), &Put(op.0.to_value())),
                NodeOp::Record(op) => Document::perform(&mut document.record(name), op),
                op => perform_anywhere(document, name.clone(), op),
            },
        }
    }

    fn read(&self) -> BTreeMap<String, Shown> {
        shown(self, String::clone)
    }

    fn looks_alike(one: &Self, other: &Self) -> bool {
        listened(one) == listened(other)
    }
}

/// What may be asked under a name of a document and under a key of a map in it.
fn perform_anywhere<K: Name>(nodes: &mut Edit<'_, Nodes<K>>, name: K, op: &NodeOp) -> Result<(), Refused> {
    match op {
        NodeOp::Counter(op) => Counter::perform(&mut nodes.counter(name), op),
        NodeOp::Flag(op) => EwFlag::perform(&mut nodes.flag(name), op),
        NodeOp::Set(op) => OrSet::perform(&mut nodes.set(name), &set_op(op)),
        NodeOp::Register(op) => MvRegister::perform(&mut nodes.register(name), &register_op(op)),
        NodeOp::Stamped(op) => LwwRegister::perform(&mut nodes.lww(name), &stamped_op(op)),
        NodeOp::StampedMap(op) => LwwMap::perform(&mut nodes.lww_map(name), &stamped_map_op(op)),
        NodeOp::Map(op) => perform_map(&mut nodes.map(name), op),
        other => unreachable!("no history asks {other:?} of a place that can be removed"),
    }
}

fn perform_map(map: &mut Edit<'_, DocumentMap>, op: &NodesOp<u8>) -> Result<(), Refused> {
    match op {
        NodesOp::Remove(key) => {
            map.remove(*key);
            Ok(())
        }
        NodesOp::At(key, op) => perform_anywhere(map, key.to_value(), op),
    }
}

// The operations as asked of a store of values whose type is found out at run time.

fn set_op(op: &SetOp<u8>) -> SetOp<Value> {
    match op {
        SetOp::Insert(element) => SetOp::Insert(element.to_value()),
        SetOp::Remove(element) => SetOp::Remove(element.to_value()),
        SetOp::Clear => SetOp::Clear,
    }
}

fn element_op(op: &ElementOp<u8>) -> ElementOp<Value> {
    match op {
        ElementOp::Insert(element) => ElementOp::Insert(element.to_value()),
        ElementOp::Remove(element) => ElementOp::Remove(element.to_value()),
    }
}

fn register_op(op: &RegisterOp<u8>) -> RegisterOp<Value> {
    match op {
        RegisterOp::Write(value) => RegisterOp::Write(value.to_value()),
        RegisterOp::WriteOverFirst(value) => RegisterOp::WriteOverFirst(value.to_value()),
        RegisterOp::Clear => RegisterOp::Clear,
    }
}

fn stamped_op(op: &StampedOp<u8>) -> StampedOp<Value> {
    match op {
        StampedOp::Write(stamp, value) => StampedOp::Write(*stamp, value.to_value()),
        StampedOp::Clear => StampedOp::Clear,
    }
}

fn stamped_map_op(op: &StampedMapOp<u8, u8>) -> StampedMapOp<Value, Value> {
    match op {
        StampedMapOp::Insert(stamp, key, value) => StampedMapOp::Insert(*stamp, key.to_value(), value.to_value()),
        StampedMapOp::Remove(stamp, key) => StampedMapOp::Remove(*stamp, key.to_value()),
    }
}

/// The small number which a value stands for.
fn small(value: &Value) -> u8 {
    u8::from_value(value.clone()).expect("histories write small numbers")
}

fn smalls<'v, C: FromIterator<u8>>(values: impl IntoIterator<Item = &'v Value>) -> C {
    values.into_iter().map(small).collect()
}

fn text<T: Debug>(shown: T) -> String {
    format!("{shown:?}")
}

/// What a reader sees under each name, by kind.
fn shown<K: Name, N: Ord>(nodes: &Nodes<K>, name: impl Fn(&K) -> N) -> BTreeMap<N, Shown> {
    let iterated = nodes.iter().len();
    assert_eq!((nodes.len(), nodes.is_empty()), (iterated, iterated == 0));
    let mut all = BTreeMap::<N, Shown>::new();
    for (key, node) in nodes.iter() {
        assert_eq!(nodes.get(key.clone(), node.kind()), Some(node), "what is iterated is found");
        let (kind, text) = match node {
            Node::Counter(counter) => ("Counter", text(counter.read())),
            Node::EwFlag(flag) => ("EwFlag", text(flag.read())),
            Node::OrSet(set) => ("OrSet", text(smalls::<BTreeSet<u8>>(set.iter()))),
            Node::MvRegister(register) => ("MvRegister", text(smalls::<Vec<u8>>(&register.read()))),
            Node::LwwRegister(register) => {
                ("LwwRegister", text(register.read().map(|(stamp, value)| (stamp, small(&value)))))
            }
            Node::LwwMap(map) => {
                let pairs = map.iter().map(|(key, value)| (small(key), small(value)));
                ("LwwMap", text(pairs.collect::<BTreeMap<u8, u8>>()))
            }
            Node::OrMap(map) => ("OrMap", text(shown(map, small))),
            Node::Record(document) => ("Record", text(document.read())),
            Node::GCounter(counter) => ("GCounter", text(Enrolled::read(counter))),
            Node::BoundedCounter(counter) => ("BoundedCounter", text(Enrolled::read(counter))),
            Node::DwFlag(flag) => ("DwFlag", text(flag.read())),
            Node::RwSet(set) => ("RwSet", text(smalls::<BTreeSet<u8>>(set.iter()))),
            Node::PnCounter(counter) => ("PnCounter", text(Enrolled::read(counter))),
            Node::GSet(set) => ("GSet", text(smalls::<BTreeSet<u8>>(set.iter()))),
        };
        all.entry(name(key)).or_default().insert(kind, text);
    }
    all
}

/// What changes tell of: less than [`shown`], as neither stamps nor rights are told, nor a removal that waits.
fn listened<K: Name>(nodes: &Nodes<K>) -> BTreeMap<(K, String), String> {
    let tells = |node: &Node| match node {
        Node::Counter(counter) => Some(text(counter.value())),
        Node::EwFlag(flag) => Some(text(flag.is_set())),
        Node::OrSet(set) => Some(text(set)),
        Node::MvRegister(register) => Some(text(register.values())),
        Node::LwwRegister(register) => Some(text(register.get())),
        Node::LwwMap(map) => (!map.is_empty()).then(|| text(map)),
        Node::OrMap(map) => Some(listened(map)).filter(|inside| !inside.is_empty()).map(text),
        Node::Record(document) => Some(listened(document)).filter(|inside| !inside.is_empty()).map(text),
        Node::GCounter(counter) => Some(text(counter.value())),
        Node::BoundedCounter(counter) => Some(text(counter.value())),
        Node::DwFlag(flag) => flag.is_set().then(|| text(true)),
        Node::RwSet(set) => (!set.is_empty()).then(|| text(set)),
        Node::PnCounter(counter) => Some(text(counter.value())),
        Node::GSet(set) => Some(text(set)),
    };
    let told = nodes.iter().filter_map(|(name, node)| Some(((name.clone(), text(node.kind())), tells(node)?)));
    told.collect()
}
