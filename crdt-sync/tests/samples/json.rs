//! Messages as JSON, for readers of frames that are not written in Rust.

use crdt_core::{Delta, DotSet, DotStore, ReplicaId, Timestamp};
use crdt_sync::{Message, Payload, Record, SummaryOf};
use serde_json::{Value, json};

use super::Page;

type Entry = <Page as DotStore>::Entry;

fn id(id: ReplicaId) -> Value {
    Value::String(id.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// `{ id: [[first, last], …] }`.
pub fn set(dots: &DotSet) -> Value {
    let mut rows = serde_json::Map::new();
    for (replica, first, last) in dots.runs() {
        let runs = rows.entry(id(replica).as_str().unwrap_or_default()).or_insert_with(|| json!([]));
        runs.as_array_mut().expect("made above").push(json!([first, last]));
    }
    Value::Object(rows)
}

fn time(time: Timestamp) -> Value {
    json!([time.ms(), time.counter()])
}

/// `[id, counter, the way to it…, what is there]`, by id and counter.
fn entries(delta: &Delta<Page>) -> Value {
    let entry = |(dot, entry): (crdt_core::Dot, &Entry)| {
        let mut all = vec![id(dot.replica()), json!(dot.counter())];
        all.extend(match entry {
            Entry::title((stamp, text)) => vec![json!("title"), time(*stamp), json!(text)],
            Entry::tags(tag) => vec![json!("tags"), json!(tag)],
            Entry::votes(amount) => vec![json!("votes"), json!(amount)],
            Entry::links((key, link)) => vec![json!("links"), json!(key), json!(link)],
            other => panic!("no sample has a field beyond: {other:?}"),
        });
        Value::Array(all)
    };
    delta.entries().map(entry).collect()
}

fn record(record: &Record<Page>) -> Value {
    let payload = match &record.payload {
        Payload::Edit(delta) => json!({ "retired": set(delta.retired()), "entries": entries(delta) }),
        Payload::Retire { replica, last } => json!({ "retire": [id(*replica), last] }),
    };
    let extensions: Vec<Value> = record.extensions.iter().map(|ext| json!([ext.tag, ext.bytes])).collect();
    json!({
        "own": [id(record.own.replica), record.own.first, record.own.last],
        "after": set(&record.after),
        "time": time(record.time),
        "payload": payload,
        "extensions": extensions,
    })
}

fn summary(of: &SummaryOf) -> Value {
    json!({
        "repair": of.repair.0,
        "plan": format!("{:?}", of.plan),
        "base": of.base,
        "received": set(&of.received),
        "ahead": set(&of.ahead),
        "frontier": set(&of.frontier),
        "live_count": of.live_count,
        "staged": set(&of.staged),
        "retired": [of.retired.0, of.retired.1],
        "left_out": of.left_out.as_ref().map(set),
        "sketch_key": of.sketch_key,
    })
}

fn rows<T>(rows: &[(ReplicaId, T)], value: impl Fn(&T) -> Value) -> Value {
    rows.iter().map(|(replica, row)| json!([id(*replica), value(row)])).collect()
}

pub fn message(message: &Message<Page>) -> Value {
    let body = match message {
        Message::Open(open) => json!({
            "versions": [open.versions.0, open.versions.1],
            "features": open.features,
            "replica": id(open.replica),
            "role": format!("{:?}", open.role),
            "instance": open.instance,
            "frame_bytes_max": open.frame_bytes_max,
            "scope": open.scope.to_string(),
            "schema": open.schema,
            "mode": format!("{:?}", open.mode),
        }),
        Message::Refuse(refuse) => {
            json!({ "reason": format!("{:?}", refuse.reason), "kind": refuse.kind, "detail": refuse.detail })
        }
        Message::Push(records) => records.iter().map(|one| record(one)).collect(),
        Message::Have(dots) | Message::Want(dots) | Message::NotInLog(dots) => set(dots),
        Message::Prune | Message::Graft | Message::Borrow => Value::Null,
        Message::Hello(hello) => json!({
            "repair": hello.repair.0,
            "received_hash": hello.received_hash,
            "state_hash": hello.state_hash,
            "summary": hello.summary.as_deref().map(summary),
            "content_hash": hello.content_hash.map(|hash| format!("{hash:032x}")),
        }),
        Message::Same(repair) => json!({ "repair": repair.0 }),
        Message::Summary(of) => summary(of),
        Message::Entries { repair, index, entries: part } => {
            json!({ "repair": repair.0, "index": index, "entries": entries(part) })
        }
        Message::Cells { repair, from, cells } => {
            let cells: Vec<Value> =
                cells.iter().map(|cell| json!([format!("{:032x}", cell.symbol), cell.check, cell.count])).collect();
            json!({ "repair": repair.0, "from": from, "cells": cells })
        }
        Message::LiveSet { repair, live } => json!({ "repair": repair.0, "live": set(live) }),
        Message::More { repair, from, count } => json!({ "repair": repair.0, "from": from, "count": count }),
        Message::Finish(finish) => json!({
            "repair": finish.repair.0,
            "since": set(&finish.since),
            "since_ahead": set(&finish.since_ahead),
            "frontier": set(&finish.frontier),
            "kept": set(&finish.kept),
            "retired": set(&finish.retired),
            "entry_count": finish.entry_count,
            "entry_hash": finish.entry_hash,
            "check": finish.check,
        }),
        Message::Done { repair, check } => json!({ "repair": repair.0, "check": check }),
        Message::Cancel { repair, reason } => json!({ "repair": repair.0, "reason": format!("{reason:?}") }),
        Message::Known(known) => rows(known, set),
        Message::Retirements(retired) => rows(retired, |last| json!(last)),
        Message::Lent { replica, next } => json!({ "replica": id(*replica), "next": next }),
        Message::Return { replica, last } => json!({ "replica": id(*replica), "last": last }),
        Message::Write(bytes) | Message::Written(bytes) | Message::Gossip(bytes) => json!(bytes),
        other => panic!("no sample is of another kind: {other:?}"),
    };
    json!({ "kind": message.kind(), "body": body })
}
