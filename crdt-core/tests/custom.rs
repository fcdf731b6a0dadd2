//! User value types: whatever serde derives can be an element, and comes back as it was.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crdt_core::{
    Causal, Counter, Custom, Delta, Document, Element, LwwMap, LwwRegister, Merge, MvRegister, OrMap, OrSet, ReplicaId,
    Timestamp, Value, Writer,
};
use quickcheck::{Arbitrary, Gen, QuickCheck};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Unit;

#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Newtype(Option<u8>);

#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Pair(i8, String);

/// A float that is equal to itself, as people make one to have it in a set.
#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
struct Number(f64);

impl Number {
    /// All that are not numbers are one, and so are the two zeros.
    fn bits(self) -> u64 {
        if self.0.is_nan() { f64::NAN.to_bits() } else { (self.0 + 0.0).to_bits() }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bits().cmp(&other.bits())
    }
}

impl std::hash::Hash for Number {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.bits().hash(state);
    }
}

/// Bytes that serde is told to write as bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Blob(Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Octets;
        impl serde::de::Visitor<'_> for Octets {
            type Value = Blob;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(bytes.to_vec()))
            }
        }
        from.deserialize_bytes(Octets)
    }
}

/// Everything that serde's data model has, and what is easily taken for something else.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Nasty {
    Unit,
    UnitStruct(Unit),
    Nothing(()),
    Newtype(Newtype),
    Pair(Pair),
    Tuple(bool, char, u64),
    Struct { z: i32, a: Option<Vec<u16>>, m: Box<Nasty> },
    Wide(u128, i128),
    Number(Number),
    Text(String),
    Blob(Blob),
    Maybe(Option<Option<Option<()>>>),
    MaybeList(Option<Vec<Option<()>>>),
    MaybeMaybeList(Option<Option<Vec<Option<Vec<()>>>>>),
    MaybeNested(Option<Box<Nasty>>),
    List(Vec<Nasty>),
    ByName(BTreeMap<String, Nasty>),
    ByNumber(BTreeMap<i16, String>),
    ByAnything(BTreeMap<Nasty, Nasty>),
    Address(IpAddr),
    Outcome(Result<u8, String>),
    Value(Value),
    Loose(Loose),
    Within(Within),
}

/// What serde tries one after the other, having set it aside.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[serde(untagged)]
enum Loose {
    Truth(bool),
    Count(i64),
    Much(u64),
    Words(Vec<String>),
    Address(IpAddr),
    Text(String),
    Part {
        tags: Option<Vec<String>>,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    },
}

/// What serde finds by a name inside.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[serde(tag = "is", rename_all = "kebab-case")]
enum Within {
    Nobody,
    OneOf { names: Option<Vec<String>>, by: Option<u8> },
    AddressOf { who: String, at: IpAddr, colour: Colour },
}

#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Colour {
    Red,
    Mixed(u8, u8, u8),
}

impl Custom for Nasty {}
impl Custom for Colour {}

impl Arbitrary for Nasty {
    fn arbitrary(g: &mut Gen) -> Self {
        let deeper = &mut Gen::new(g.size() / 3);
        let kinds = if g.size() < 2 { 13 } else { 24 };
        match usize::arbitrary(g) % kinds {
            0 => Nasty::Unit,
            1 => Nasty::UnitStruct(Unit),
            2 => Nasty::Nothing(()),
            3 => Nasty::Newtype(Newtype(Arbitrary::arbitrary(g))),
            4 => Nasty::Pair(Pair(Arbitrary::arbitrary(g), Arbitrary::arbitrary(g))),
            5 => Nasty::Tuple(Arbitrary::arbitrary(g), Arbitrary::arbitrary(g), Arbitrary::arbitrary(g)),
            6 => Nasty::Wide(Arbitrary::arbitrary(g), Arbitrary::arbitrary(g)),
            7 => Nasty::Number(Number(Arbitrary::arbitrary(g))),
            8 => Nasty::Text(Arbitrary::arbitrary(g)),
            9 => Nasty::Blob(Blob(Arbitrary::arbitrary(g))),
            10 => Nasty::Maybe(Arbitrary::arbitrary(g)),
            11 => Nasty::MaybeList(Arbitrary::arbitrary(g)),
            12 => Nasty::MaybeMaybeList(Arbitrary::arbitrary(g)),
            13 => Nasty::Struct {
                z: Arbitrary::arbitrary(g),
                a: Arbitrary::arbitrary(g),
                m: Arbitrary::arbitrary(deeper),
            },
            14 => Nasty::MaybeNested(Arbitrary::arbitrary(deeper)),
            15 => Nasty::List(Arbitrary::arbitrary(deeper)),
            16 => Nasty::ByName(Arbitrary::arbitrary(deeper)),
            17 => Nasty::ByNumber(Arbitrary::arbitrary(g)),
            18 => Nasty::ByAnything(Arbitrary::arbitrary(deeper)),
            19 => Nasty::Address(Arbitrary::arbitrary(g)),
            20 => Nasty::Outcome(Arbitrary::arbitrary(g)),
            21 => Nasty::Value(Value::List(vec![Value::Null, Value::Int(Arbitrary::arbitrary(g))])),
            22 => Nasty::Loose(loose(g)),
            _ => Nasty::Within(within(g)),
        }
    }
}

fn loose(g: &mut Gen) -> Loose {
    match u8::arbitrary(g) % 7 {
        0 => Loose::Truth(Arbitrary::arbitrary(g)),
        1 => Loose::Count(Arbitrary::arbitrary(g)),
        2 => Loose::Much(u64::arbitrary(g) | 1 << 63),
        3 => Loose::Words(Arbitrary::arbitrary(g)),
        4 => Loose::Address(Arbitrary::arbitrary(g)),
        5 => Loose::Text(format!("no address: {}", String::arbitrary(g))),
        _ => {
            let mut rest = BTreeMap::<String, u8>::arbitrary(g);
            rest.remove("tags");
            Loose::Part { tags: Arbitrary::arbitrary(g), rest }
        }
    }
}

fn within(g: &mut Gen) -> Within {
    match u8::arbitrary(g) % 3 {
        0 => Within::Nobody,
        1 => Within::OneOf { names: Arbitrary::arbitrary(g), by: Arbitrary::arbitrary(g) },
        _ => Within::AddressOf {
            who: Arbitrary::arbitrary(g),
            at: Arbitrary::arbitrary(g),
            colour: if bool::arbitrary(g) { Colour::Red } else { Colour::Mixed(1, 2, u8::arbitrary(g)) },
        },
    }
}

fn comes_back<T: Element>(item: &T) {
    let value = item.to_value();
    assert_eq!(T::from_value(value.clone()).as_ref(), Some(item), "{value:?}");
}

/// The same cases every time: a failure here must be one that can be seen again.
fn seeded() -> QuickCheck {
    QuickCheck::new().rng(Gen::from_size_and_seed(100, 1))
}

#[test]
fn whatever_serde_derives_comes_back_from_its_value() {
    fn property(item: Nasty) -> bool {
        comes_back(&item);
        true
    }
    seeded().tests(5_000).quickcheck(property as fn(Nasty) -> bool);
}

#[test]
fn whatever_serde_derives_comes_back_from_the_bytes_of_a_state() {
    fn property(items: Vec<Nasty>, more: Vec<Nasty>) -> bool {
        let [mut a, mut b] = [1, 2].map(|id| Writer::new(ReplicaId::from_u128(id)));
        let (mut left, mut right) = (Causal::<OrSet<Nasty>>::new(), Causal::<OrSet<Nasty>>::new());
        let fill = |state: &mut Causal<OrSet<Nasty>>, writer: &mut Writer, items: &[Nasty]| {
            let (delta, ()) = state.edit(writer, |set| {
                items.iter().for_each(|item| {
                    set.insert(item.clone());
                })
            });
            assert_eq!(Delta::decode(&delta.encode()).as_ref(), Ok(&delta));
            delta
        };
        let (from_left, from_right) = (fill(&mut left, &mut a, &items), fill(&mut right, &mut b, &more));
        left.merge(from_right);
        right.merge(from_left);
        assert_eq!(left.encode(), right.encode());
        assert_eq!(Causal::decode(&left.encode()), Ok(left));
        true
    }
    seeded().tests(200).quickcheck(property as fn(Vec<Nasty>, Vec<Nasty>) -> bool);
}

#[test]
fn the_edges_come_back() {
    for int in [i128::MIN, -1, 0, i128::MAX] {
        comes_back(&Nasty::Wide(int.unsigned_abs(), int));
    }
    comes_back(&Nasty::Wide(u128::MAX, 0));
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MIN_POSITIVE, f64::MAX, 0.1] {
        comes_back(&Nasty::Number(Number(number)));
    }
    comes_back(&Nasty::MaybeList(Some(vec![None])));
    comes_back(&Nasty::MaybeMaybeList(Some(Some(vec![None]))));
    comes_back(&Nasty::MaybeMaybeList(Some(None)));
    comes_back(&Nasty::Loose(Loose::Words(Vec::new())));
}

#[test]
fn a_value_is_what_a_reader_without_the_type_expects() {
    let text = |text: &str| Value::Text(text.into());
    let record = |fields: &[(&str, Value)]| {
        Value::Record(fields.iter().map(|(name, value)| ((*name).to_string(), value.clone())).collect())
    };
    let list = |items: &[Value]| Value::List(items.to_vec());
    let int = |int: i128| Value::Int(int);
    for (item, value) in [
        (Nasty::Unit, text("Unit")),
        (Nasty::Nothing(()), record(&[("Nothing", Value::Null)])),
        (Nasty::Newtype(Newtype(Some(1))), record(&[("Newtype", int(1))])),
        (Nasty::Tuple(true, 'x', 3), record(&[("Tuple", list(&[Value::Bool(true), text("x"), int(3)]))])),
        (
            Nasty::Struct { z: -1, a: Some(vec![7]), m: Box::new(Nasty::Unit) },
            record(&[("Struct", record(&[("a", list(&[int(7)])), ("m", text("Unit")), ("z", int(-1))]))]),
        ),
        (Nasty::Maybe(Some(None)), record(&[("Maybe", list(&[Value::Null]))])),
        (Nasty::ByName([("k".to_string(), Nasty::Unit)].into()), record(&[("ByName", record(&[("k", text("Unit"))]))])),
        (
            Nasty::ByNumber([(2, "b".to_string()), (-1, "a".to_string())].into()),
            record(&[("ByNumber", list(&[list(&[int(-1), text("a")]), list(&[int(2), text("b")])]))]),
        ),
        (Nasty::Address(IpAddr::from([127, 0, 0, 1])), record(&[("Address", text("127.0.0.1"))])),
        (Nasty::Within(Within::Nobody), record(&[("Within", record(&[("is", text("nobody"))]))])),
    ] {
        assert_eq!(item.to_value(), value);
    }
}

#[test]
fn what_is_none_of_the_type_is_refused() {
    for value in [
        Value::Null,
        Value::Text("Purple".into()),
        Value::Text("Mixed".into()),
        Value::Record(vec![("Red".into(), Value::Null)]),
        Value::Record(vec![("Mixed".into(), Value::List(vec![Value::Int(1), Value::Int(2)]))]),
        Value::Record(vec![("Mixed".into(), Value::List(vec![Value::Int(1); 4]))]),
        Value::Record(vec![("Mixed".into(), Value::List(vec![Value::Int(256); 3]))]),
        Value::List(vec![Value::Text("Red".into())]),
    ] {
        assert_eq!(Colour::from_value(value.clone()), None, "{value:?}");
    }
}

/// A field that came later, marked as the documentation says.
#[test]
fn a_type_that_gained_a_field_reads_what_was_written_before() {
    #[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
    struct Before {
        name: String,
    }
    #[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
    struct After {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nickname: Option<String>,
    }
    impl Custom for Before {}
    impl Custom for After {}

    let mut me = Writer::new(ReplicaId::from_u128(1));
    let mut people = Causal::<OrSet<Before>>::new();
    let _ = people.edit(&mut me, |people| people.insert(Before { name: "Ann".into() }));
    let again = Causal::<OrSet<After>>::decode(&people.encode()).unwrap();
    assert!(again.contains(&After { name: "Ann".into(), nickname: None }));
    assert_eq!(again.encode(), people.encode());
}

crdt_core::fields! {
    struct Palette {
        known: OrSet<Colour>,
        favourite: MvRegister<Colour>,
        wall: LwwRegister<Colour>,
        used: OrMap<Colour, Counter>,
        named: LwwMap<String, Colour>,
    }
}

#[test]
fn a_users_type_is_an_element_a_value_and_a_key() {
    let [mut a, mut b] = [1, 2].map(|id| Writer::new(ReplicaId::from_u128(id)));
    let (mut left, mut right) = (Causal::<Palette>::new(), Causal::<Palette>::new());
    let stamp = Timestamp::new(1, 0);
    let (one, ()) = left.edit(&mut a, |palette| {
        palette.known().insert(Colour::Red);
        palette.known().insert(Colour::Mixed(1, 2, 3));
        palette.favourite().write(Colour::Red);
        palette.wall().write(stamp, Colour::Red);
        palette.used().entry(Colour::Mixed(0, 0, 0)).add(2);
        palette.named().insert(stamp, "door", Colour::Red);
    });
    let (other, ()) = right.edit(&mut b, |palette| {
        palette.known().insert(Colour::Red);
        palette.favourite().write(Colour::Mixed(9, 9, 9));
        palette.wall().write(Timestamp::new(2, 0), Colour::Mixed(4, 4, 4));
        palette.used().entry(Colour::Mixed(0, 0, 0)).add(3);
        palette.used().entry(Colour::Red).add(1);
    });
    left.merge(Delta::decode(&other.encode()).unwrap());
    right.merge(one);
    assert_eq!(left, right);
    assert_eq!(left.known().iter().collect::<Vec<_>>(), [&Colour::Red, &Colour::Mixed(1, 2, 3)]);
    assert_eq!(left.favourite().values(), [&Colour::Red, &Colour::Mixed(9, 9, 9)]);
    assert_eq!(left.wall().get(), Some(&Colour::Mixed(4, 4, 4)));
    assert_eq!(left.used().get(&Colour::Mixed(0, 0, 0)).map(|count| count.value()), Some(5));
    assert_eq!(left.named().get("door"), Some(&Colour::Red));

    let again = Causal::<Palette>::decode(&left.encode()).unwrap();
    assert_eq!(again, left);
    again.validate().unwrap();

    // Without the Rust type, the same bytes and plain values.
    let any = Causal::<Document>::decode(&left.encode()).unwrap();
    assert_eq!(any.encode(), left.encode());
    assert!(any.set("known").unwrap().contains(&Value::Text("Red".into())));
}
