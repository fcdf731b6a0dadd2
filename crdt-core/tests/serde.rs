//! serde: every public value through JSON, through JSON that was set aside first, and through a compact format; and what
//! must not come in by any of them.

mod sample;

use crdt_core::{
    BoundedCounter, Causal, Causality, Change, Counter, DecodeError, DecodeErrorKind, Delta, Document, Dot, DotSet,
    DwFlag, EditError, EwFlag, Float, GCounter, GSet, HybridClock, Invalid, Kind, LwwMap, LwwRegister, Max, Merge, Min,
    Moves, MvRegister, Observed, OrMap, OrSet, PnCounter, ReplicaId, RwSet, Siblings, Skew, Step, Summary, Timestamp,
    Value, VersionVector, Writer,
};
use sample::{Record, Sample};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::fmt::Debug;

const A: ReplicaId = ReplicaId::from_u128(1);
const B: ReplicaId = ReplicaId::from_u128(u128::MAX);

/// Through all formats and back.
#[track_caller]
fn there_and_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(serde_json::from_str::<T>(&text).unwrap(), *value, "{text}");
    let tree = serde_json::to_value(value).unwrap();
    assert_eq!(serde_json::from_value::<T>(tree).unwrap(), *value);
    let bytes = postcard::to_allocvec(value).unwrap();
    assert_eq!(postcard::from_bytes::<T>(&bytes).unwrap(), *value);
    // Cut short it is an error, and no panic.
    for length in 0..bytes.len() {
        assert!(postcard::from_bytes::<T>(&bytes[..length]).is_err());
    }
}

#[track_caller]
fn refused<T: DeserializeOwned + Debug>(json: serde_json::Value) -> String {
    let text = json.to_string();
    let error = serde_json::from_str::<T>(&text).expect_err(&text).to_string();
    assert!(serde_json::from_value::<T>(json).is_err());
    error
}

fn store<S: Sample>() {
    let mut writer = Writer::new(A);
    let mut state = Causal::<S>::new();
    let mut group = Delta::<S>::new();
    there_and_back(&state);
    there_and_back(&group);
    for number in 0..40u8 {
        let (delta, ()) = state.edit(&mut writer, |at| S::edit(at, number.wrapping_mul(37)));
        there_and_back(&delta);
        group.merge(delta);
    }
    there_and_back(&state);
    there_and_back(&group);
}

#[test]
fn what_a_call_answers_and_why_it_was_refused() {
    let (one, two) = (Dot::new(A, 1).unwrap(), Dot::new(B, 2).unwrap());
    there_and_back(&Siblings { values: vec!["a".to_owned()], dots: [one, two].into_iter().collect() });
    there_and_back(&Moves { added: vec![one], removed: vec![two], replaced: vec![one, two] });
    there_and_back(&[Invalid::NotIndexed(one), Invalid::NotStored, Invalid::NotSeen(two), Invalid::Twice(one)]);
    there_and_back(&[EditError::BelowZero { value: -3 }, EditError::Overflow, EditError::TooLarge]);
    there_and_back(&DecodeError { at: 7, kind: DecodeErrorKind::NewerVersion(9) });
    there_and_back(&Skew { by_ms: 1 << 40 });
}

#[test]
fn states_and_deltas_of_every_type() {
    store::<GCounter>();
    store::<PnCounter>();
    store::<BoundedCounter>();
    store::<Counter>();
    store::<LwwRegister<String>>();
    store::<MvRegister<Value>>();
    store::<EwFlag>();
    store::<DwFlag>();
    store::<GSet<u64>>();
    store::<OrSet<u64>>();
    store::<RwSet<u8>>();
    store::<OrMap<u8, OrMap<String, OrSet<u8>>>>();
    store::<LwwMap<String, i64>>();
    store::<Record>();
    let mut document = Causal::<Document>::new();
    let _ = document.edit(&mut Writer::new(A), |at| at.map("stock").counter(7).add(1));
    there_and_back(&document);
}

#[test]
fn plain_lattices() {
    let mut likes = GCounter::new();
    let mut balance = PnCounter::new();
    let mut seats = BoundedCounter::new();
    there_and_back(&likes);
    let _ = likes.increment(A, u64::MAX).unwrap();
    let _ = balance.decrement(B, u64::MAX).unwrap();
    let _ = seats.mint(A, 9).unwrap();
    let _ = seats.grant(A, B, 4).unwrap();
    there_and_back(&likes);
    there_and_back(&balance);
    there_and_back(&seats);
    let mut title = LwwRegister::<String>::new();
    there_and_back(&title);
    let _ = title.write_alone(Timestamp::MAX, A, "title");
    there_and_back(&title);
    let mut log = GSet::<(u8, String)>::new();
    let _ = log.insert((1, String::from("a")));
    there_and_back(&log);
    there_and_back(&(Max(3u8), Min(String::from("a"))));
}

#[test]
fn names_sets_and_versions() {
    let mut dots = DotSet::new();
    there_and_back(&dots);
    dots.insert_run(A, 1, 1 << 48);
    dots.insert_run(B, 3, 5);
    let live: DotSet = [Dot::new(B, 4).unwrap()].into_iter().collect();
    there_and_back(&A);
    there_and_back(&B);
    there_and_back(&Dot::new(B, 1 << 48).unwrap());
    there_and_back(&dots);
    there_and_back(&dots.version());
    there_and_back(&Summary { seen: dots.clone(), live });
    there_and_back(&vec![Causality::Equal, Causality::Before, Causality::After, Causality::Concurrent]);
    there_and_back(&Kind::ALL.to_vec());
    // Not strings for keys: pairs, and runs.
    let text = serde_json::to_value(&dots).unwrap();
    assert_eq!(text, json!([[A.to_string(), 1, 1u64 << 48], [B.to_string(), 3, 5]]));
    assert_eq!(serde_json::to_value(dots.version()).unwrap(), json!([[A.to_string(), 1u64 << 48]]));
}

#[test]
fn stamps_and_clocks() {
    there_and_back(&Timestamp::new(0, 0));
    there_and_back(&Timestamp::MAX);
    let mut clock = HybridClock::new(500);
    clock.tick(1_700_000_000_000);
    let text = serde_json::to_string(&clock).unwrap();
    let again: HybridClock = serde_json::from_str(&text).unwrap();
    assert_eq!(again.last(), clock.last());
    let again: HybridClock = postcard::from_bytes(&postcard::to_allocvec(&clock).unwrap()).unwrap();
    assert_eq!(again.last(), clock.last());
}

#[test]
fn values_and_changes() {
    let float = |number| Value::Float(Float::new(number).unwrap());
    let record = Value::Record(vec![("a".into(), Value::Null), ("b".into(), Value::Bool(true))]);
    let values = vec![
        Value::Int(i128::MIN),
        Value::Int(i128::MAX),
        Value::Int((1 << 53) - 1),
        Value::Int(1 << 53),
        Value::Int(-1),
        float(0.1),
        float(5e-324),
        float(f64::MAX),
        float(2.0),
        Value::Text("\u{0}é".into()),
        Value::Bytes(vec![0, 255, 62, 63]),
        Value::List(vec![Value::Bytes(vec![]), record.clone()]),
        record.clone(),
    ];
    values.iter().for_each(there_and_back);
    there_and_back(&Value::List(values));
    for observed in [Observed::Absent, Observed::Present, Observed::Flag(true), Observed::Number(i128::MIN)] {
        there_and_back(&observed);
    }
    let path = vec![Step::Field("a".into()), Step::Key(Value::Int(1)), Step::Element(record)];
    there_and_back(&Change { path, before: Observed::Absent, after: Observed::Number(1 << 70) });
}

/// A type with a state in it derives serde without a bound on what the store holds.
#[test]
fn bounds_are_those_of_the_fields() {
    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    struct Saved<T: crdt_core::Element> {
        state: Causal<OrSet<T>>,
        unsent: Vec<Delta<OrSet<T>>>,
        seen: VersionVector,
    }
    let mut state = Causal::<OrSet<String>>::new();
    let (delta, _) = state.edit(&mut Writer::new(A), |set| set.insert("a"));
    let seen = state.seen().version();
    there_and_back(&Saved { state, unsent: vec![delta], seen });
}

#[test]
fn hostile_json_is_refused() {
    let (a, b) = (A.to_string(), B.to_string());
    let beyond = (1u64 << 48) + 1;
    for dot in [json!([a, 0]), json!([a, beyond]), json!([a, -1]), json!([a, 1.5]), json!([a]), json!(["", 1])] {
        refused::<Dot>(dot);
    }
    for runs in [json!([[a, 0, 5]]), json!([[a, 5, 4]]), json!([[a, 1, beyond]]), json!([[a, 1]]), json!({})] {
        refused::<DotSet>(runs);
    }
    for version in [json!([[a, 0]]), json!([[a, beyond]]), json!({ a.clone(): 1 })] {
        refused::<VersionVector>(version);
    }
    refused::<Summary>(json!({ "seen": [[a, 1, 2]], "live": [[a, 3, 3]] }));
    refused::<Summary>(json!({ "seen": [[a, 1, 2]] }));
    refused::<Timestamp>(json!([1u64 << 48, 0]));
    refused::<Timestamp>(json!([1, 65_536]));
    refused::<ReplicaId>(json!("not an id"));
    refused::<ReplicaId>(json!([1, 2, 3]));

    // Overlapping runs in any order say what one run says.
    let runs = json!([[b, 4, 9], [a, 1, 1], [b, 2, 5]]);
    let set: DotSet = serde_json::from_value(runs).unwrap();
    assert_eq!(set.runs().collect::<Vec<_>>(), [(A, 1, 1), (B, 2, 9)]);

    for value in [
        json!({ "Float": "NaN" }),
        json!({ "Float": "inf" }),
        json!({ "Int": 1.5 }),
        json!({ "Int": "170141183460469231731687303715884105728" }),
        json!({ "Bytes": "AB" }),
        json!({ "Bytes": "A===" }),
        json!({ "Unknown": 1 }),
        json!({ "Int": 1, "Text": "a" }),
        json!("Int"),
        json!(1),
    ] {
        refused::<Value>(value);
    }
    let twice = "{\"Record\":{\"a\":\"Null\",\"a\":\"Null\"}}";
    assert!(serde_json::from_str::<Value>(twice).is_err());
    assert_eq!(
        serde_json::from_str::<Value>("{\"Float\":-0.0}").unwrap(),
        Value::Float(Float::new(0.0).unwrap()),
        "there is one zero"
    );
}

#[test]
fn states_in_json_are_decoded_with_all_checks() {
    let mut state = Causal::<OrSet<String>>::new();
    let _ = state.edit(&mut Writer::new(A), |set| set.insert("milk"));
    let text = serde_json::to_value(&state).unwrap();
    let text = text.as_str().expect("a state is one text");
    for length in 0..text.len() {
        refused::<Causal<OrSet<String>>>(json!(text[..length]));
    }
    refused::<Causal<OrSet<String>>>(json!(format!("{text}A")));
    refused::<Causal<OrSet<String>>>(json!(format!("{text}=")));
    refused::<Causal<OrSet<u64>>>(json!(text));
    refused::<Delta<OrSet<String>>>(json!(text));
    let said = refused::<Causal<GSet<String>>>(json!(text));
    assert!(said.contains("at byte"), "{said}");
    refused::<Causal<OrSet<String>>>(json!([1, 2, 3]));
    refused::<Causal<OrSet<String>>>(json!(null));
}

#[test]
fn values_nested_too_deep_are_refused() {
    let nested = |depth: usize| "{\"List\":[".repeat(depth) + "\"Null\"" + &"]}".repeat(depth);
    let fits = |depth: usize| serde_json::from_str::<Value>(&nested(depth)).is_ok();
    assert!(fits(60));
    assert!(!fits(65) && !fits(10_000));
    // A format without a limit of its own.
    let deep = [[6, 1].repeat(200_000), vec![0]].concat();
    assert!(postcard::from_bytes::<Value>(&deep).is_err());
    let shallow = [[6, 1].repeat(64), vec![0]].concat();
    assert!(postcard::from_bytes::<Value>(&shallow).is_ok());
    let deeper = [[6, 1].repeat(65), vec![0]].concat();
    assert!(postcard::from_bytes::<Value>(&deeper).is_err());
}
