//! The bytes of every type, as they were written once: version 1 in `tests/golden/v1/`.
//!
//! Each file holds one encoding, in hexadecimal. What it holds must decode, encode to itself, and be what a fixed
//! history gives today. `digests.txt` holds the two digests of the states. wasm32 reads the same files.
//!
//! **To add** a case, write it here and run
//!
//! ```text
//! GOLDEN=add cargo test -p crdt-core --all-features --test golden
//! ```
//!
//! which writes the files that are missing and touches no other. A file is never overwritten and never deleted: a
//! change to the bytes is a new version with a folder of its own, and the old folder must still decode.

mod sample;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use crdt_core::{
    BoundedCounter, Canonical, Causal, Counter, Custom, DecodeError, Delta, Document, Dot, DotSet, DotStore, DwFlag,
    Edit, Element, EwFlag, Float, GCounter, GSet, LwwMap, LwwRegister, Merge, MvRegister, OrMap, OrSet, PnCounter,
    ReplicaId, RwSet, Summary, Timestamp, Value, VersionVector, Writer,
};
use sample::{Record, Sample};
use serde::{Deserialize, Serialize};

const IDS: [u128; 3] = [1, 0x8000_0000_0000_0000_0000_0000_0000_0002, u128::MAX];

/// The two digests of the state that has these bytes.
type Digests = fn(&[u8]) -> (u64, u128);

/// One encoding: what it is called, its bytes today, and how it is read.
struct Case {
    name: String,
    bytes: Vec<u8>,
    /// Decodes and encodes again.
    again: fn(&[u8]) -> Result<Vec<u8>, DecodeError>,
    /// Of states.
    digests: Option<Digests>,
}

fn again<T: Canonical>(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    T::decode(bytes).map(|value| value.encode())
}

fn digests<S: DotStore>(bytes: &[u8]) -> (u64, u128) {
    let state = Causal::<S>::decode(bytes).expect("a golden state decodes");
    (state.dots_digest(), state.content_digest())
}

struct Cases(Vec<Case>);

impl Cases {
    fn plain<T: Canonical>(&mut self, name: &str, value: &T) {
        self.0.push(Case { name: name.into(), bytes: value.encode(), again: again::<T>, digests: None });
    }

    /// A store after a fixed history of three replicas, and four deltas of that history.
    fn store<S: DotStore>(&mut self, name: &str, edit: impl Fn(&mut S::Cursor<'_>, u8)) {
        let story = Story::play(edit);
        let state = |state: &Causal<S>| Case {
            name: format!("{name}.state"),
            bytes: state.encode(),
            again: again::<Causal<S>>,
            digests: Some(digests::<S>),
        };
        self.0.push(state(&story.joined));
        self.plain(&format!("{name}.delta"), &story.first);
        self.plain(&format!("{name}.group"), &story.group);
        self.plain(&format!("{name}.since"), &story.since);
    }

    fn sample<S: Sample>(&mut self, name: &str) {
        self.store::<S>(name, S::edit);
    }

    /// A register that holds each of these values at once, as concurrent writes.
    fn values<T: Element>(&mut self, name: &str, values: Vec<T>) {
        let mut state = Causal::<MvRegister<T>>::new();
        for (number, value) in values.into_iter().enumerate() {
            let mut writer = Writer::new(ReplicaId::from_u128(number as u128 + 1));
            let (delta, _) = Causal::<MvRegister<T>>::new().edit(&mut writer, |at| at.write(value));
            state.merge(delta);
        }
        let bytes = state.encode();
        self.0.push(Case {
            name: format!("values.{name}"),
            bytes,
            again: again::<Causal<MvRegister<T>>>,
            digests: Some(digests::<MvRegister<T>>),
        });
    }
}

/// Three replicas: the first two talk, the third writes from counter 300 on and is heard late.
struct Story<S: DotStore> {
    first: Delta<S>,
    group: Delta<S>,
    since: Delta<S>,
    joined: Causal<S>,
}

impl<S: DotStore> Story<S> {
    fn play(edit: impl Fn(&mut S::Cursor<'_>, u8)) -> Self {
        let mut states = [Causal::<S>::new(), Causal::new(), Causal::new()];
        let mut writers = [(0, 0), (1, 0), (2, 300)]
            .map(|(who, last): (usize, u64)| Writer::resume(ReplicaId::from_u128(IDS[who]), last));
        let mut deltas = Vec::new();
        let mut step = |who: usize, number: u8, states: &mut [Causal<S>; 3]| {
            let (delta, ()) = states[who].edit(&mut writers[who], |at| edit(at, number));
            deltas.push(delta);
        };
        step(0, 40, &mut states);
        for number in 0..20 {
            step(0, number * 7, &mut states);
        }
        let hello = states[0].clone();
        states[1].merge(&hello);
        for number in 0..20 {
            step(1, number * 11 + 1, &mut states);
            step(2, number * 13 + 2, &mut states);
        }
        let late = states[2].clone();
        states[0].merge(late);
        for number in 0..5 {
            step(0, number * 29 + 3, &mut states);
        }
        let mut joined = states[0].clone();
        joined.merge(&states[1]);
        let since = joined.delta_since(hello.seen());
        let first = deltas[0].clone();
        let mut group = Delta::new();
        for delta in deltas.into_iter().skip(10).take(25) {
            group.merge(delta);
        }
        Self { first, group, since, joined }
    }
}

#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Shape {
    Dot,
    Circle { radius: u32 },
    Line((i8, i8), Option<String>),
}

impl Custom for Shape {}

fn shape(number: u8) -> Shape {
    match number % 4 {
        0 => Shape::Dot,
        1 => Shape::Circle { radius: u32::from(number) << 24 },
        2 => Shape::Line((-1, number as i8), None),
        _ => Shape::Line((0, 127), Some("über".into())),
    }
}

/// Every kind of node, nested as far as kinds allow.
fn document(at: &mut Edit<'_, Document>, number: u8) {
    let few = i128::from(number) << 40;
    match number % 14 {
        0 => at.g_counter("likes").increment(300).expect("far from the end"),
        1 => at.pn_counter("balance").decrement(5).expect("far from the end"),
        2 => at.bounded_counter("seats").mint(70_000).expect("far from the end"),
        3 => at.counter("visits").add(-2),
        4 => at.lww("title").write(Timestamp::new(1 << 40, u16::from(number)), "title"),
        5 => {
            at.register("note").write(Value::Int(few));
        }
        6 => {
            at.flag("open").enable();
        }
        7 => {
            at.dw_flag("closed").enable();
        }
        8 => {
            at.g_set("log").insert(few);
        }
        9 => {
            at.set("tags").insert(Value::List(vec![Value::Null, Value::Int(few)]));
        }
        10 => at.rw_set("banned").insert("mallory"),
        11 => at.lww_map("prices").insert(Timestamp::new(7, 7), few, "price"),
        12 => {
            let mut map = at.map("stock");
            map.counter(Value::Bool(true)).add(1);
            map.map("inner").set(few).insert(1u8);
            map.register("counter and register").write("both");
        }
        _ => at.record("deep").record("deeper").counter("deepest").add(1),
    }
}

fn record(fields: &[(&str, Value)]) -> Value {
    Value::Record(fields.iter().map(|(name, value)| ((*name).into(), value.clone())).collect())
}

/// All of them, built once for the four tests: under Miri building them is what takes the time.
fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(build)
}

fn build() -> Vec<Case> {
    let mut cases = Cases(Vec::new());
    cases.sample::<GCounter>("g-counter");
    cases.sample::<PnCounter>("pn-counter");
    cases.sample::<BoundedCounter>("bounded-counter");
    cases.sample::<Counter>("counter");
    cases.sample::<LwwRegister<String>>("lww-register");
    cases.sample::<MvRegister<Value>>("mv-register");
    cases.sample::<EwFlag>("ew-flag");
    cases.sample::<DwFlag>("dw-flag");
    cases.sample::<GSet<u64>>("g-set");
    cases.sample::<OrSet<u64>>("or-set");
    cases.sample::<OrSet<String>>("or-set-of-texts");
    cases.sample::<RwSet<String>>("rw-set");
    cases.sample::<OrMap<String, Counter>>("or-map-of-counters");
    cases.sample::<OrMap<u8, MvRegister<Value>>>("or-map-of-registers");
    cases.sample::<OrMap<u8, OrMap<String, OrSet<u64>>>>("or-map-of-maps");
    cases.sample::<OrMap<String, LwwRegister<u64>>>("or-map-of-lww-registers");
    cases.sample::<LwwMap<String, i64>>("lww-map");
    cases.sample::<Record>("record");
    cases.store::<Document>("document", document);
    cases.store::<OrSet<Shape>>("custom-set", |set, number| {
        if number % 5 == 4 {
            set.remove(&shape(number / 5)) > 0
        } else {
            set.insert(shape(number))
        };
    });
    cases.store::<OrMap<Shape, EwFlag>>("custom-keys", |map, number| {
        map.entry(shape(number)).enable();
    });

    cases.values("null", vec![(), ()]);
    cases.values("bools", vec![true, false]);
    cases.values("octets", vec![0u8, 1, 255]);
    cases.values("u16", vec![0u16, 255, 256, u16::MAX]);
    cases.values("u32", vec![0u32, 65_536, u32::MAX]);
    cases.values("varints", vec![0u64, 127, 128, 1 << 32, 1 << 53]);
    cases.values("u64", vec![u64::MAX, u64::MAX - 1]);
    cases.values("i64", vec![0i64, -1, 63, 64, -64, -65, i64::MIN, i64::MAX]);
    cases.values("i128", vec![i128::MIN, i128::MAX, 0]);
    cases.values("floats", [0.0, -1.5, f64::MAX, f64::MIN_POSITIVE, 5e-324].map(|f| Float::new(f).unwrap()).into());
    cases.values("texts", ["", "a", "é", "e\u{301}", "\u{10ffff}", "\0"].map(String::from).into());
    cases.values("texts-alike", ["milk", "salt"].map(String::from).into());
    cases.values("bytes", vec![vec![], vec![0], vec![255; 200]]);
    cases.values("bytes-alike", vec![[0u8; 4], [255; 4]]);
    cases.values("ids", vec![ReplicaId::from_u128(7), ReplicaId::from_u128(u128::MAX)]);
    cases.values("tuples", vec![(1u8, String::from("a"), Some(-1i64)), (2, String::new(), None)]);
    cases.values("options", vec![Some(None), Some(Some(())), None]);
    cases.values("chars", vec!['a', '\u{10ffff}']);
    cases.values("custom", (0..8).map(shape).collect());
    cases.values(
        "mixed",
        vec![
            Value::Null,
            Value::Bool(true),
            Value::Bool(false),
            Value::Int(i128::MAX),
            Value::Int(i128::MIN),
            Value::Int(-1),
            Value::Int(200),
            Value::Float(Float::new(0.1).unwrap()),
            Value::Text("text".into()),
            Value::Bytes(vec![1, 2, 3]),
            Value::List(vec![]),
            Value::List(vec![Value::List(vec![Value::Null])]),
            record(&[]),
            record(&[("a", Value::Int(1)), ("b", record(&[("", Value::Null)]))]),
        ],
    );

    let ids = IDS.map(ReplicaId::from_u128);
    let mut dots = DotSet::new();
    cases.plain("dot-set.empty", &dots);
    dots.insert_run(ids[0], 1, 1_000_000);
    dots.insert_run(ids[1], 3, 3);
    dots.insert_run(ids[1], 200, 70_000);
    dots.insert(Dot::new(ids[2], 1 << 48).unwrap());
    cases.plain("dot-set", &dots);
    let live: DotSet = [(ids[0], 5), (ids[1], 201)].into_iter().filter_map(|(id, n)| Dot::new(id, n)).collect();
    cases.plain("summary", &Summary { seen: dots, live });
    let version: VersionVector = [(ids[2], 1), (ids[0], 1 << 48), (ids[1], 128)].into_iter().collect();
    cases.plain("version-vector", &version);
    cases.plain("version-vector.empty", &VersionVector::new());
    let many: VersionVector = (1..=40u64).map(|n| (ReplicaId::from_u128(n.into()), n)).collect();
    cases.plain("version-vector.forty-ids", &many);
    cases.plain("nothing.state", &Causal::<Document>::new());
    cases.plain("nothing.delta", &Delta::<Document>::new());
    cases.plain("removal.delta", &Delta::<Document>::retiring(version_dots(&ids), DotSet::from(&many)));

    let mut likes = GCounter::new();
    let mut balance = PnCounter::new();
    let mut seats = BoundedCounter::new();
    let mut title = LwwRegister::<String>::new();
    let mut log = GSet::<Value>::new();
    cases.plain("alone.g-counter.empty", &likes);
    cases.plain("alone.lww-register.empty", &title);
    cases.plain("alone.g-set.empty", &log);
    for (id, amount) in ids.into_iter().zip([1, 300, u64::MAX]) {
        let _ = likes.increment(id, amount).unwrap();
        let _ = balance.increment(id, amount).unwrap();
        let _ = balance.decrement(id, amount / 2).unwrap();
        let _ = seats.mint(id, amount).unwrap();
        let _ = seats.grant(id, ids[0], amount / 3).unwrap();
        let _ = seats.spend(id, amount / 4).unwrap();
        let _ = title.write_alone(Timestamp::new(amount >> 16, 9), id, "title");
        let _ = log.insert(i128::from(amount));
        let _ = log.insert(Value::Text(amount.to_string()));
    }
    cases.plain("alone.g-counter", &likes);
    cases.plain("alone.pn-counter", &balance);
    cases.plain("alone.bounded-counter", &seats);
    cases.plain("alone.lww-register", &title);
    cases.plain("alone.g-set", &log);
    cases.0
}

fn version_dots(ids: &[ReplicaId; 3]) -> DotSet {
    ids.iter().filter_map(|id| Dot::new(*id, 9)).collect()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1")
}

fn adding() -> bool {
    std::env::var_os("GOLDEN").is_some_and(|wish| wish == "add")
}

/// 32 bytes a line.
fn to_hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
    bytes.chunks(32).map(line).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn stored(name: &str) -> Option<Vec<u8>> {
    fs::read_to_string(folder().join(format!("{name}.hex"))).ok().map(|text| from_hex(&text))
}

#[test]
fn a_fixed_history_gives_the_bytes_that_it_always_gave() {
    let cases = cases();
    assert!(cases.len() > 120, "{}", cases.len());
    for case in cases {
        match stored(&case.name) {
            Some(bytes) => assert_eq!(to_hex(&case.bytes), to_hex(&bytes), "{}", case.name),
            None if adding() => {
                fs::create_dir_all(folder()).unwrap();
                let path = folder().join(format!("{}.hex", case.name));
                fs::OpenOptions::new().write(true).create_new(true).open(&path).unwrap();
                fs::write(path, to_hex(&case.bytes)).unwrap();
            }
            None => panic!("{} has no file; see the top of this test", case.name),
        }
    }
}

#[test]
fn what_was_written_once_still_decodes_and_encodes_to_itself() {
    for case in cases() {
        let bytes = stored(&case.name).unwrap_or_else(|| case.bytes.clone());
        let again = (case.again)(&bytes).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert_eq!(to_hex(&again), to_hex(&bytes), "{}", case.name);
    }
}

#[test]
fn no_file_is_without_a_case() {
    let known: BTreeSet<String> = cases().iter().map(|case| format!("{}.hex", case.name)).collect();
    for file in fs::read_dir(folder()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name) || name == "digests.txt", "nothing reads {name}");
    }
}

#[test]
fn states_keep_their_digests() {
    let path = folder().join("digests.txt");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let mut lines: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(' ')).collect();
    let mut missing = String::new();
    for case in cases() {
        let Some(digests) = case.digests else { continue };
        let (dots, content) = digests(&stored(&case.name).unwrap_or_else(|| case.bytes.clone()));
        let now = format!("{dots:016x} {content:032x}");
        match lines.remove(case.name.as_str()) {
            Some(once) => assert_eq!(now, once, "{}", case.name),
            None => missing.push_str(&format!("{} {now}\n", case.name)),
        }
    }
    assert!(lines.is_empty(), "digests without a case: {lines:?}");
    if adding() {
        fs::write(&path, text.clone() + &missing).unwrap();
    } else {
        assert!(missing.is_empty(), "no digests stored for:\n{missing}see the top of this test");
    }
}
