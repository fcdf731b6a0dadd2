//! The data of a store as JSON.

use crdt_core::{
    BoundedCounter, Causal, Counter, Delta, Document, DocumentMap, DotStore, DwFlag, EwFlag, GCounter, GSet, Kind,
    LwwMap, LwwRegister, Merge, MvRegister, Node, OrSet, PnCounter, RwSet, Value,
};
use crdt_sync::{Loaded, OpenError};
use serde_json::{Map, Value as Json, json};

/// What the application sees: `{ "kind": …, "data": … }`. A register with several values is `{ "conflict": [ … ] }`.
pub fn content(loaded: &Loaded) -> Result<Json, String> {
    if loaded.rows.is_empty() {
        return Ok(json!({ "kind": null, "data": null }));
    }
    // The rows are of one kind, which they name; whoever reads them as another one hears of it at once.
    let mut refusal = None;
    let mut read = |outcome: Result<Node, OpenError>| match outcome {
        Ok(node) => Some(json!({ "kind": format!("{:?}", node.kind()), "data": json_of(&node) })),
        Err(error) => {
            // Of all complaints the one that is not about the kind tells what is wrong.
            let named = matches!(error, OpenError::Inconsistent(_));
            if named || refusal.is_none() {
                refusal = Some(error.to_string());
            }
            None
        }
    };
    macro_rules! first_of {
        ($($store:ty => $node:expr;)+) => {
            None$(.or_else(|| read(state::<$store>(loaded, $node))))+
        };
    }
    let found: Option<Json> = first_of! {
        Document => |store| Node::Record(Box::new(store));
        DocumentMap => |store| Node::OrMap(Box::new(store));
        OrSet<Value> => Node::OrSet;
        MvRegister<Value> => Node::MvRegister;
        Counter => Node::Counter;
        LwwMap<Value, Value> => Node::LwwMap;
        LwwRegister<Value> => Node::LwwRegister;
        GSet<Value> => Node::GSet;
        RwSet<Value> => Node::RwSet;
        EwFlag => Node::EwFlag;
        DwFlag => Node::DwFlag;
        GCounter => Node::GCounter;
        PnCounter => Node::PnCounter;
        BoundedCounter => Node::BoundedCounter;
    };
    found.ok_or_else(|| refusal.unwrap_or_default())
}

/// The rows joined, each under its own dot.
fn state<S: DotStore + Clone>(loaded: &Loaded, node: impl FnOnce(S) -> Node) -> Result<Node, OpenError> {
    let mut state = Causal::<S>::new();
    for (dot, bytes) in &loaded.rows {
        let row = Delta::<S>::decode(bytes).map_err(|error| OpenError::Broken { what: "entry", error })?;
        if !row.own().iter().eq([*dot]) || !loaded.seen.contains(*dot) {
            return Err(OpenError::Inconsistent("an entry lies under another dot than its own, or was never seen"));
        }
        state.merge(row);
    }
    Ok(node(S::clone(&state)))
}

fn json_of(node: &Node) -> Json {
    match node {
        Node::GCounter(counter) => number(counter.value()),
        Node::PnCounter(counter) => number(counter.value()),
        Node::BoundedCounter(counter) => number(counter.value()),
        Node::Counter(counter) => number(counter.value()),
        Node::LwwRegister(register) => register.get().map_or(Json::Null, plain),
        Node::MvRegister(register) => match register.values().as_slice() {
            [] => Json::Null,
            [one] => plain(one),
            several => json!({ "conflict": several.iter().map(|value| plain(value)).collect::<Vec<_>>() }),
        },
        Node::EwFlag(flag) => Json::Bool(flag.is_set()),
        Node::DwFlag(flag) => Json::Bool(flag.is_set()),
        Node::GSet(set) => set.iter().map(plain).collect(),
        Node::OrSet(set) => set.iter().map(plain).collect(),
        Node::RwSet(set) => set.iter().map(plain).collect(),
        Node::OrMap(map) => map_of(map.iter().map(|(key, node)| (key.clone(), node.kind(), json_of(node))).collect()),
        Node::LwwMap(map) => map_of(map.iter().map(|(key, value)| (key.clone(), Kind::LwwMap, plain(value))).collect()),
        Node::Record(fields) => {
            let named = |(name, node): (&String, &Node)| (Value::Text(name.clone()), node.kind(), json_of(node));
            map_of(fields.iter().map(named).collect())
        }
        other => json!({ "unknown": format!("{:?}", other.kind()) }),
    }
}

/// An object where all keys are texts, else a list of pairs. Where one name has stores of several kinds, they follow it.
fn map_of(entries: Vec<(Value, Kind, Json)>) -> Json {
    let name = |(key, kind, _): &(Value, Kind, Json)| match key {
        Value::Text(name) => {
            let twice = entries.iter().filter(|(other, ..)| other == key).count() > 1;
            Some(if twice { format!("{name} ({kind:?})") } else { name.clone() })
        }
        _ => None,
    };
    let names: Option<Vec<String>> = entries.iter().map(name).collect();
    match names {
        Some(names) => Json::Object(names.into_iter().zip(entries.into_iter().map(|(.., value)| value)).collect()),
        None => entries.into_iter().map(|(key, _, value)| json!([plain(&key), value])).collect(),
    }
}

/// Numbers that JSON's readers would round are texts.
fn number(number: impl ToString + TryInto<i64> + Copy) -> Json {
    number.try_into().map_or_else(|_| Json::String(number.to_string()), Json::from)
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Int(int) => number(*int),
        Value::Float(float) => json!(float.get()),
        Value::Text(text) => Json::String(text.clone()),
        Value::Bytes(bytes) => json!({ "bytes": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() }),
        Value::List(values) => values.iter().map(plain).collect(),
        Value::Record(fields) => {
            Json::Object(fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect::<Map<_, _>>())
        }
        other => Json::String(format!("{other:?}")),
    }
}
