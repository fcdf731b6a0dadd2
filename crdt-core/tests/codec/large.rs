//! What nobody could read back is refused when it is written: values that are too long or too deep. Each type is tried at
//! the limit, which reads back, and one beyond, which changes nothing.

use crate::frame::accepted;
use crdt_core::codec::{DEPTH_MAX, VALUE_BYTES_MAX};
use crdt_core::{
    Canonical, Causal, Custom, Document, DotStore, Edit, EditError, EwFlag, GSet, LwwMap, LwwRegister, MvRegister,
    OrMap, OrSet, ReplicaId, RwSet, Timestamp, Value, Writer,
};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

const NOW: Timestamp = Timestamp::new(1, 0);

/// The edit with what is passed first is done and reads back; with what is passed second it is refused, by `try_edit`
/// as by `edit`, and nothing changes.
fn ends_between<S, A>(largest: A, beyond: A, edit: impl Fn(&mut S::Cursor<'_>, A))
where
    S: DotStore + Debug + PartialEq,
    A: Clone,
{
    let mut state = Causal::<S>::new();
    let mut writer = Writer::new(ReplicaId::from_u128(1));
    let mut try_edit = |state: &mut Causal<S>, value| {
        state.try_edit(&mut writer, |at| {
            edit(at, value);
            Ok(())
        })
    };
    let (delta, ()) = try_edit(&mut state, largest).unwrap();
    assert_eq!(accepted::<Causal<S>>(&state.encode()), state);
    assert_eq!(accepted::<crdt_core::Delta<S>>(&delta.encode()), delta);

    let before = state.clone();
    assert_eq!(try_edit(&mut state, beyond.clone()), Err(EditError::TooLarge));
    assert_eq!(state, before);
    let said = catch_unwind(AssertUnwindSafe(|| state.edit(&mut writer, |at| edit(at, beyond)))).unwrap_err();
    let said = said.downcast_ref::<String>().map(String::as_str).unwrap_or_default();
    assert_eq!(said, EditError::TooLarge.to_string());
    assert_eq!(state, before);
    assert_eq!(writer.last(), delta.own().len(), "and no dot is taken");
    state.validate().unwrap();
}

fn text(len: usize) -> String {
    "x".repeat(len)
}

fn longest<S: DotStore + Debug + PartialEq>(edit: impl Fn(&mut S::Cursor<'_>, String)) {
    ends_between::<S, String>(text(VALUE_BYTES_MAX), text(VALUE_BYTES_MAX + 1), edit);
}

/// A list in a list, and so on.
fn nested(depth: usize) -> Value {
    (0..depth).fold(Value::Null, |inner, _| Value::List(vec![inner]))
}

/// A store takes one level, and each list in it another.
fn deepest<S: DotStore + Debug + PartialEq>(stores: usize, edit: impl Fn(&mut S::Cursor<'_>, Value)) {
    ends_between::<S, Value>(nested(DEPTH_MAX - stores), nested(DEPTH_MAX - stores + 1), edit);
}

crdt_core::fields! {
    struct Page {
        title: MvRegister<String>,
        parts: OrMap<String, MvRegister<Value>>,
    }
}

#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Named {
    name: String,
}

impl Custom for Named {}

#[test]
fn a_value_longer_than_what_is_read_back_is_refused_by_every_type() {
    longest::<OrSet<String>>(|at, value| assert!(at.insert(value)));
    longest::<RwSet<String>>(|at, value| at.insert(value));
    longest::<RwSet<String>>(|at, value| {
        at.remove(value);
    });
    longest::<GSet<String>>(|at, value| assert!(at.insert(value)));
    longest::<MvRegister<String>>(|at, value| {
        at.write(value);
    });
    longest::<MvRegister<Value>>(|at, value| {
        at.write(value.into_bytes());
    });
    longest::<LwwRegister<String>>(|at, value| at.write(NOW, value));
    longest::<LwwMap<String, String>>(|at, value| at.insert(NOW, "key", value));
    longest::<LwwMap<String, String>>(|at, key| at.insert(NOW, key, "value"));
    longest::<OrMap<String, EwFlag>>(|at, key| {
        at.entry(key).enable();
    });
    longest::<OrMap<u8, OrSet<Vec<u8>>>>(|at, value| {
        at.entry(1).insert(value.into_bytes());
    });
    longest::<OrSet<(u8, Option<String>)>>(|at, value| assert!(at.insert((1, Some(value)))));
    longest::<OrSet<Named>>(|at, name| assert!(at.insert(Named { name })));
    longest::<Page>(|at, value| {
        at.title().write(value);
    });
    longest::<Document>(|at, value| at.rw_set("banned").insert(value));
    longest::<Document>(|at, key| {
        at.map("flags").flag(key).enable();
    });
    longest::<Document>(|at, name| {
        let value = Value::Record(vec![(name, Value::Null)]);
        at.register("record").write(value);
    });
}

#[test]
fn a_value_deeper_than_what_is_read_back_is_refused_by_every_type() {
    deepest::<OrSet<Value>>(1, |at, value| assert!(at.insert(value)));
    deepest::<OrSet<(u8, Value)>>(2, |at, value| assert!(at.insert((1, value))));
    deepest::<GSet<Value>>(1, |at, value| assert!(at.insert(value)));
    deepest::<RwSet<Value>>(1, |at, value| at.insert(value));
    deepest::<RwSet<Value>>(1, |at, value| at.remove(value));
    deepest::<LwwRegister<Value>>(1, |at, value| at.write(NOW, value));
    deepest::<MvRegister<Value>>(1, |at, value| at.write(value));
    deepest::<OrMap<Value, EwFlag>>(1, |at, key| {
        at.entry(key).enable();
    });
    deepest::<OrMap<u8, OrMap<u8, MvRegister<Value>>>>(3, |at, value| {
        at.entry(1).entry(2).write(value);
    });
    deepest::<LwwMap<u8, Value>>(1, |at, value| at.insert(NOW, 1, value));
    deepest::<LwwMap<Value, u8>>(1, |at, key| at.insert(NOW, key, 1));
    deepest::<Page>(3, |at, value| {
        at.parts().entry("first").write(value);
    });
    deepest::<Document>(2, |at, key| {
        at.map("flags").flag(key).enable();
    });
    deepest::<Document>(4, |at, value| {
        at.record("one").map("two").register("three").write(value);
    });
}

#[test]
fn records_nest_as_deep_as_they_are_read_back() {
    fn inside(at: &mut Edit<'_, Document>, records: usize, write: fn(&mut Edit<'_, Document>)) {
        match records {
            0 => write(at),
            _ => inside(&mut at.record("inner"), records - 1, write),
        }
    }
    let writes: [fn(&mut Edit<'_, Document>); 8] = [
        |at| at.flag("on").enable(),
        |at| at.register("note").write(1u8),
        |at| at.lww("title").write(NOW, 1u8),
        |at| assert!(at.set("tags").insert(1u8)),
        |at| assert!(at.g_set("log").insert(1u8)),
        |at| at.rw_set("banned").insert(1u8),
        |at| at.lww_map("prices").insert(NOW, 1u8, 1u8),
        |at| at.counter("visits").add(1),
    ];
    for write in writes {
        // The document and what is written are two levels.
        ends_between::<Document, usize>(DEPTH_MAX - 2, DEPTH_MAX - 1, |at, records| inside(at, records, write));
    }
    // A map has a level of its own.
    let map: fn(&mut Edit<'_, Document>) = |at| at.map("stock").counter("milk").add(1);
    ends_between::<Document, usize>(DEPTH_MAX - 3, DEPTH_MAX - 2, |at, records| inside(at, records, map));
}

#[test]
fn a_refused_write_takes_back_the_whole_edit_and_what_it_would_have_overwritten() {
    let mut state = Causal::<OrMap<String, MvRegister<String>>>::new();
    let mut writer = Writer::new(ReplicaId::from_u128(1));
    let _ = state.edit(&mut writer, |map| map.entry("title").write("old"));
    let before = (state.encode(), writer.last());
    let tried = state.try_edit(&mut writer, |map| {
        map.entry("other").write("new");
        map.entry("title").write(text(VALUE_BYTES_MAX + 1));
        map.entry("other").clear();
        Ok::<_, EditError>(())
    });
    assert_eq!(tried, Err(EditError::TooLarge));
    assert_eq!((state.encode(), writer.last()), before);
    let edited = catch_unwind(AssertUnwindSafe(|| {
        state.edit(&mut writer, |map| map.entry("title").write(text(VALUE_BYTES_MAX + 1)))
    }));
    assert!(edited.is_err());
    assert_eq!((state.encode(), writer.last()), before, "the old value is not retired first");
}

/// `Ord` goes by the field that comes first, values by the one whose name does.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Backwards {
    z: u8,
    a: u8,
}

impl Custom for Backwards {}

#[test]
fn a_set_alone_is_written_in_the_order_of_values() {
    let mut log = GSet::<Backwards>::new();
    let _ = (log.insert(Backwards { z: 1, a: 2 }), log.insert(Backwards { z: 2, a: 1 }));
    assert_eq!(accepted::<GSet<Value>>(&log.encode()).len(), 2);
}

#[test]
fn values_alone_are_refused_as_well() {
    let mut log = GSet::<String>::new();
    let mut title = LwwRegister::<String>::new();
    let long = text(VALUE_BYTES_MAX + 1);
    assert!(catch_unwind(AssertUnwindSafe(|| log.insert(long.clone()))).is_err());
    let write = || title.write_alone(NOW, ReplicaId::from_u128(1), long.clone());
    assert!(catch_unwind(AssertUnwindSafe(write)).is_err());
    assert_eq!((log.len(), title.get()), (0, None));
    let long = text(VALUE_BYTES_MAX);
    let _ = log.insert(long.clone());
    let _ = title.write_alone(NOW, ReplicaId::from_u128(1), long);
    assert_eq!(accepted::<GSet<String>>(&log.encode()), log);
    assert_eq!(accepted::<LwwRegister<String>>(&title.encode()), title);
}
