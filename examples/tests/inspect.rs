//! What a look at a store shows, and that it leaves no trace.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crdt_core::{Counter, EwFlag, LwwRegister, MvRegister, OrMap, OrSet, Timestamp};
use crdt_examples::scratch::Scratch;
use crdt_sync::drive::Node;
use crdt_sync::{Config, RedbStorage, ScopeId};
use serde_json::{Value as Json, json};

crdt_core::fields! { struct Stall { price: LwwRegister<u64>, stock: Counter } }
crdt_core::fields! {
    struct Market { stalls: OrMap<String, Stall>, days: OrSet<u8>, note: MvRegister<String>, open: EwFlag }
}

fn config() -> Config {
    Config::new(ScopeId::from_bytes(*b"a market in town"))
}

fn look(path: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_inspect")).arg(path).args(options).output().unwrap()
}

fn seen(path: &Path) -> Json {
    let output = look(path, &["--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A refusal is one line that names the file.
fn refused(path: &Path) -> String {
    let output = look(path, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.lines().count() == 1 && said.contains(path.to_str().unwrap()), "{said}");
    said
}

#[test]
fn a_store_is_shown_whole_and_left_as_it_was() {
    let folder = Scratch::new("crdt-inspect").unwrap();
    let (path, far) = (folder.path().join("store"), folder.path().join("far"));
    let open = |path: &Path| Node::<Market>::open(RedbStorage::open(path).unwrap(), config()).unwrap();
    let (node, other) = (open(&path), open(&far));
    node.edit(|market| {
        market.stalls().entry("apples").stock().add(12);
        market.stalls().entry("apples").price().write(Timestamp::new(1, 0), 3_u64);
        market.days().insert(2);
        market.days().insert(6);
        market.note().write("bring change");
        market.open().enable();
    })
    .wait()
    .unwrap();
    other.edit(|market| market.note().write("cards only")).wait().unwrap();
    let parcel = other.export_all().unwrap().wait().unwrap();
    node.import(&parcel).unwrap().wait().unwrap();
    let (id, other_id) = (node.id().to_string(), other.id().to_string());

    assert!(refused(&path).contains("a replica has it open"));
    node.close().wait().unwrap();
    let marker = folder.path().join("store.marker");
    let files = || (fs::read(&path).unwrap(), fs::read(&marker).unwrap(), fs::read_dir(folder.path()).unwrap().count());
    let before = files();

    let report = seen(&path);
    let text = String::from_utf8(look(&path, &[]).stdout).unwrap();
    assert_eq!(files(), before, "a look writes nothing");
    assert_eq!(report["replica"], json!(id));
    assert_eq!(report["scope"], json!("61206d61726b657420696e20746f776e"));
    assert_eq!(report["closed_cleanly"], json!(true));
    assert_eq!(report["marker_fits"], json!(true));
    let own = |run: &&Json| run["replica"] == json!(id);
    let received = report["received"].as_array().unwrap();
    let last = received.iter().find(own).unwrap()["last"].as_u64().unwrap();
    assert_eq!(report["next_dot"], json!(last + 1));
    assert!(received.contains(&json!({ "replica": other_id, "first": 1, "last": 1 })));
    assert_eq!(report["log"]["records"], json!(1), "the other one came by itself, not as a record");
    assert_eq!(report["content"]["kind"], json!("Record"));
    let data = &report["content"]["data"];
    assert_eq!(data["stalls"], json!({ "apples": { "price": 3, "stock": 12 } }));
    assert_eq!((&data["days"], &data["open"]), (&json!([2, 6]), &json!(true)));
    let mut notes = data["note"]["conflict"].as_array().unwrap().clone();
    notes.sort_by_key(ToString::to_string);
    assert_eq!(notes, [json!("bring change"), json!("cards only")]);

    for line in [
        &format!("{id}, next dot {}, closed cleanly", last + 1),
        "fits: this id goes on",
        "      stock: 12",
        "  days: [2,6]",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }

    // A copy shows that it is one.
    let copy = folder.path().join("copy");
    fs::copy(&path, &copy).unwrap();
    assert_eq!(seen(&copy)["marker_fits"], json!(false));
    // And the store goes on as if nobody had looked.
    assert_eq!(open(&path).id().to_string(), id);
}

#[test]
fn every_kind_of_data_can_be_looked_at() {
    fn content<S: crdt_sync::drive::Data>(edit: impl FnOnce(&mut S::Cursor<'_>)) -> Json {
        let folder = Scratch::new("crdt-inspect").unwrap();
        let path = folder.path().join("store");
        let node = Node::<S>::open(RedbStorage::open(&path).unwrap(), config()).unwrap();
        node.edit(edit).wait().unwrap();
        node.close().wait().unwrap();
        seen(&path)["content"].clone()
    }
    let sets = content::<OrSet<String>>(|set| {
        set.insert("b");
        set.insert("a");
    });
    assert_eq!(sets, json!({ "kind": "OrSet", "data": ["a", "b"] }));
    let maps = content::<OrMap<u8, Counter>>(|map| map.entry(7).add(-2));
    assert_eq!(maps, json!({ "kind": "OrMap", "data": [[7, -2]] }));
    let total = content::<crdt_core::PnCounter>(|counter| counter.decrement(5).unwrap());
    assert_eq!(total, json!({ "kind": "PnCounter", "data": -5 }));
    let empty = content::<OrSet<String>>(|set| {
        set.insert("a");
        set.remove("a");
    });
    assert_eq!(empty, json!({ "kind": null, "data": null }));
}

#[test]
fn what_cannot_be_shown_is_refused_in_one_line() {
    let folder = Scratch::new("crdt-inspect").unwrap();
    let path = folder.path().join("store");
    assert!(refused(&path).contains("there is no such file"));
    assert!(refused(folder.path()).contains("a folder, but a store is a file"));
    fs::write(&path, "a letter to a friend, which is no database at all").unwrap();
    assert!(refused(&path).contains("this is no store"));
    fs::write(&path, "").unwrap();
    refused(&path);
    fs::remove_file(&path).unwrap();
    drop(RedbStorage::open(&path).unwrap());
    assert!(refused(&path).contains("no replica has opened it yet"));

    let whole = folder.path().join("whole");
    let node = Node::<OrSet<String>>::open(RedbStorage::open(&whole).unwrap(), config()).unwrap();
    node.edit(|set| (0..5_000_u64).map(|n| set.insert(n.to_string())).filter(|new| *new).count()).wait().unwrap();
    node.close().wait().unwrap();
    let bytes = fs::read(&whole).unwrap();
    fs::write(&whole, &bytes[..bytes.len() / 2]).unwrap();
    refused(&whole);
    assert_eq!(look(Path::new("a"), &["b"]).status.code(), Some(2));
}

/// The file of a replica that was killed has to be put right before it can be read: in a copy.
#[test]
fn the_store_of_a_replica_that_was_killed_is_shown_and_left_as_it_was() {
    let folder = Scratch::new("crdt-inspect").unwrap();
    let path = folder.path().join("store");
    let mut device = Command::new(env!("CARGO_BIN_EXE_settings"))
        .arg(&path)
        .args(["listen", "127.0.0.1:0", "brightness=70"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(device.stdout.take().unwrap()).read_line(&mut line).unwrap();
    device.kill().unwrap();
    device.wait().unwrap();
    let before = fs::read(&path).unwrap();
    let report = seen(&path);
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(report["closed_cleanly"], json!(false));
    assert_eq!(report["content"]["data"]["values"], json!({ "brightness": "70" }));
}
