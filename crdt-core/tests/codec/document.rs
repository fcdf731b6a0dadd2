//! Structs and documents write the same bytes; what a program does not know it keeps and passes on.

use crate::frame::accepted;
use crate::sample::{Record, Sample};
use crdt_core::{
    Causal, Counter, Delta, Document, EwFlag, LwwRegister, Merge, MvRegister, OrMap, OrSet, ReplicaId, Timestamp,
    Writer, decode,
};

fn writer(number: u128) -> Writer {
    Writer::new(ReplicaId::from_u128(number))
}

#[test]
fn a_struct_and_a_document_that_hear_the_same_write_the_same() {
    let mut writers = [writer(1), writer(2)];
    let mut structs = [Causal::<Record>::new(), Causal::new()];
    let mut documents = [Causal::<Document>::new(), Causal::new()];
    for number in 0..=255u8 {
        let who = usize::from(number / 3 % 2);
        let (delta, ()) = structs[who].edit(&mut writers[who], |at| Record::edit(at, number));
        let untyped: Delta<Document> = accepted(&delta.encode());
        documents[who].merge(&untyped);
        if number % 5 == 0 {
            structs[1 - who].merge(&delta);
            documents[1 - who].merge(untyped);
        }
        if number % 16 == 0 {
            let (one, other) = (structs[0].clone(), documents[0].clone());
            assert_eq!(structs[1].merge(&one), documents[1].merge(&other));
        }
        for (typed, untyped) in structs.iter().zip(&documents) {
            assert_eq!(typed.encode(), untyped.encode());
            assert_eq!(typed.content_digest(), untyped.content_digest());
            assert_eq!(typed.dots_digest(), untyped.dots_digest());
        }
    }
    let lacking = structs[0].diff(&structs[1].summary());
    assert_eq!(lacking.encode(), documents[0].diff(&documents[1].summary()).encode());
    let again: Causal<Record> = decode(&documents[0].encode()).unwrap();
    assert_eq!(again, structs[0]);
    assert_eq!(accepted::<Causal<Document>>(&structs[1].encode()), documents[1]);
}

#[test]
fn what_a_document_edits_a_struct_reads() {
    crdt_core::fields! { struct Cart { items: OrMap<String, Counter>, note: MvRegister<String>, paid: EwFlag } }
    let mut app = writer(1);
    let mut relay = writer(2);
    let mut cart = Causal::<Cart>::new();
    let _ = cart.edit(&mut app, |cart| cart.items().entry("milk").add(2));
    let mut any: Causal<Document> = decode(&cart.encode()).unwrap();
    let (delta, ()) = any.edit(&mut relay, |document| {
        document.map("items").counter("milk").add(1);
        document.map("items").counter("eggs").add(6);
        document.register("note").write("no plastic");
        document.flag("paid").enable();
    });
    assert!(cart.merge(accepted::<Delta<Cart>>(&delta.encode())));
    assert_eq!(cart.items().get("milk").map(Counter::value), Some(3));
    assert_eq!(cart.note().values(), ["no plastic"]);
    assert!(cart.paid().is_set());
    assert_eq!(cart.encode(), any.encode());
    let (delta, _) = any.edit(&mut relay, |document| document.map("items").remove("milk"));
    cart.merge(accepted::<Delta<Cart>>(&delta.encode()));
    assert!(cart.items().get("milk").is_none());
    assert_eq!(cart.encode(), any.encode());
}

mod newer {
    use super::*;

    crdt_core::fields! { pub(crate) struct Line { amount: Counter, unit: LwwRegister<String> } }
    crdt_core::fields! {
        pub(crate) struct List { lines: OrMap<String, Line>, shared: EwFlag, tags: OrSet<String>, title: MvRegister<String> }
    }
}

mod older {
    use super::*;

    crdt_core::fields! { pub(crate) struct Line { amount: Counter } }
    crdt_core::fields! { pub(crate) struct List { lines: OrMap<String, Line>, title: MvRegister<String> } }
}

/// A newer program's state with something in every field, and its writer.
fn newer_list() -> (Causal<newer::List>, Writer) {
    let mut writer = writer(1);
    let mut list = Causal::<newer::List>::new();
    let _ = list.edit(&mut writer, |list| {
        list.title().write("weekend");
        list.shared().enable();
        list.tags().insert("food");
        list.lines().entry("milk").amount().add(2);
        list.lines().entry("milk").unit().write(Timestamp::new(1, 0), "litre");
        list.lines().entry("eggs").amount().add(6);
    });
    (list, writer)
}

#[test]
fn an_older_program_keeps_what_it_does_not_know_and_passes_it_on() {
    let (mut new, mut new_writer) = newer_list();
    let mut old: Causal<older::List> = accepted(&new.encode());
    let mut old_writer = writer(2);
    assert_eq!(old.title().values(), ["weekend"]);
    assert_eq!(old.lines().get("milk").map(|line| line.amount().value()), Some(2));
    assert_eq!(old.content_digest(), new.content_digest());

    // It edits what it knows; a third program that knows all hears only from it.
    let (delta, ()) = old.edit(&mut old_writer, |list| {
        list.title().write("monday");
        list.lines().entry("milk").amount().add(1);
    });
    assert!(new.merge(accepted::<Delta<newer::List>>(&delta.encode())));
    let third: Causal<newer::List> = accepted(&old.encode());
    assert_eq!(third, new);
    assert!(third.shared().is_set() && third.tags().contains("food"));
    assert_eq!(third.lines().get("milk").unwrap().unit().get().map(String::as_str), Some("litre"));

    // Deltas with what it does not know go through it, in both directions and in groups.
    let (first, ()) = new.edit(&mut new_writer, |list| {
        list.tags().insert("soon");
        list.lines().entry("eggs").unit().write(Timestamp::new(2, 0), "piece");
    });
    let (second, _) = new.edit(&mut new_writer, |list| list.tags().remove("food"));
    let mut group: Delta<older::List> = accepted(&first.encode());
    group.merge(accepted::<Delta<older::List>>(&second.encode()));
    let mut newer_group = first;
    newer_group.merge(second);
    assert_eq!(group.encode(), newer_group.encode());
    assert!(old.merge(&group));
    assert_eq!(old.encode(), new.encode());
    let mut behind = third;
    let lacking = old.diff(&behind.summary());
    behind.merge(accepted::<Delta<newer::List>>(&lacking.encode()));
    assert_eq!(behind.encode(), new.encode());
    assert_eq!(behind.tags().iter().collect::<Vec<_>>(), ["soon"]);
}

#[test]
fn an_older_program_removes_a_key_with_all_that_lies_under_it() {
    let (mut new, mut new_writer) = newer_list();
    let mut old: Causal<older::List> = accepted(&new.encode());
    let (removal, _) = old.edit(&mut writer(2), |list| list.lines().remove("milk"));
    let (concurrent, ()) = new.edit(&mut new_writer, |list| {
        list.lines().entry("milk").unit().write(Timestamp::new(3, 0), "bottle");
    });
    new.merge(accepted::<Delta<newer::List>>(&removal.encode()));
    old.merge(accepted::<Delta<older::List>>(&concurrent.encode()));
    assert_eq!(old.encode(), new.encode());
    let milk = new.lines().get("milk").unwrap();
    assert_eq!((milk.amount().value(), milk.unit().get().map(String::as_str)), (0, Some("bottle")));
    // The older program sees the key, as something lies under it.
    assert!(old.lines().get("milk").is_some());
    let (all, _) = old.edit(&mut writer(3), |list| list.lines().clear());
    new.merge(accepted::<Delta<newer::List>>(&all.encode()));
    assert!(new.lines().is_empty());
    assert_eq!(old.encode(), new.encode());
}

#[test]
fn a_newer_program_reads_what_an_older_one_wrote() {
    let mut old = Causal::<older::List>::new();
    let _ = old.edit(&mut writer(1), |list| {
        list.title().write("first");
        list.lines().entry("milk").amount().add(1);
    });
    let new: Causal<newer::List> = accepted(&old.encode());
    assert_eq!(new.title().values(), ["first"]);
    assert!(!new.shared().is_set() && new.tags().is_empty());
    assert_eq!(new.lines().get("milk").unwrap().unit().get(), None);
}

#[test]
fn a_field_of_another_kind_is_another_field() {
    mod counted {
        use super::*;
        crdt_core::fields! { pub(super) struct Page { visits: Counter } }
    }
    mod written {
        use super::*;
        crdt_core::fields! { pub(super) struct Page { visits: MvRegister<String> } }
    }
    let (mut counting, mut writing) = (writer(1), writer(2));
    let mut counted = Causal::<counted::Page>::new();
    let mut written = Causal::<written::Page>::new();
    let (count, ()) = counted.edit(&mut counting, |page| page.visits().add(3));
    let (text, _) = written.edit(&mut writing, |page| page.visits().write("many"));
    counted.merge(accepted::<Delta<counted::Page>>(&text.encode()));
    written.merge(accepted::<Delta<written::Page>>(&count.encode()));
    assert_eq!(counted.encode(), written.encode());
    assert_eq!((counted.visits().value(), written.visits().values().len()), (3, 1));

    let document: Causal<Document> = accepted(&counted.encode());
    assert_eq!(document.len(), 2);
    assert_eq!(document.counter("visits").map(Counter::value), Some(3));
    assert_eq!(document.register("visits").map(|register| register.values().len()), Some(1));

    // Each goes on with its own, and neither loses the other's.
    let (more, ()) = counted.edit(&mut counting, |page| page.visits().add(1));
    written.merge(accepted::<Delta<written::Page>>(&more.encode()));
    let (less, _) = written.edit(&mut writing, |page| page.visits().clear());
    counted.merge(accepted::<Delta<counted::Page>>(&less.encode()));
    assert_eq!(counted.encode(), written.encode());
    assert_eq!((counted.visits().value(), written.visits().values().len()), (4, 0));
}
