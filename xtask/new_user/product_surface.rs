//! A first program, written from the documentation alone: every kind of value, edited on two replicas and merged; what
//! travels; what is refused. It runs to its end, or says which promise was not kept.

use crdt_core::{
    BoundedCounter, Causal, Causality, Counter, Custom, DecodeErrorKind, Delta, Document, Dot, DotSet, DwFlag,
    EditError, EwFlag, GCounter, GSet, HybridClock, LwwMap, LwwRegister, Max, Merge, Min, MvRegister, Observed, OrMap,
    OrSet, PnCounter, ReplicaId, RwSet, Step, Timestamp, VersionVector, Writer, decode,
};
use serde::{Deserialize, Serialize};

type Outcome = Result<(), Box<dyn std::error::Error>>;

crdt_core::fields! { pub struct Cart { items: OrMap<String, Counter>, note: MvRegister<String>, paid: EwFlag } }

fn main() -> Outcome {
    a_type_alone()?;
    a_set_and_a_removal();
    a_struct_of_stores()?;
    conflicts_can_be_read_and_settled();
    every_other_type()?;
    types_of_your_own()?;
    clocks_and_versions();
    the_bytes_say_what_they_are()
}

/// Three lines, and the one trait.
fn a_type_alone() -> Outcome {
    let me = Writer::new(ReplicaId::random());
    let you = Writer::new(ReplicaId::random());
    let mut likes = GCounter::new();
    let delta = likes.increment(me.id(), 3)?;

    let mut yours = GCounter::new();
    yours.increment(you.id(), 4)?;
    assert!(yours.merge(delta));
    assert_eq!(yours.value(), 7);
    assert!(likes.merge(&yours), "whole states merge by reference");
    assert_eq!(likes, yours);
    Ok(())
}

/// An insert that a removal has not seen stays; what was seen goes, and leaves nothing behind.
fn a_set_and_a_removal() {
    let (mut me, mut you) = (Writer::new(ReplicaId::random()), Writer::new(ReplicaId::random()));
    let mut tags = Causal::<OrSet<String>>::new();
    let (delta, _) = tags.edit(&mut me, |s| s.insert("crdt"));
    let mut other = Causal::<OrSet<String>>::new();
    assert!(other.merge(delta.clone()), "true iff something changed");
    assert!(!other.merge(delta), "a repeated delta changes nothing");

    let (removal, _) = other.edit(&mut you, |s| s.remove("crdt"));
    let (again, _) = tags.edit(&mut me, |s| s.insert("crdt"));
    tags.merge(removal);
    other.merge(again);
    assert!(tags.contains("crdt") && other.contains("crdt"));
    assert!(!other.merge(&tags));
    assert_eq!(tags, other);
    assert_eq!((tags.dots_digest(), tags.content_digest()), (other.dots_digest(), other.content_digest()));
    assert_eq!(format!("{:?}", *tags), r#"{"crdt"}"#);
}

/// Several fields in one edit are one delta; a failing edit leaves nothing; what a peer lacks includes removals.
fn a_struct_of_stores() -> Outcome {
    let (mut me, mut you) = (Writer::new(ReplicaId::random()), Writer::new(ReplicaId::random()));
    let mut cart = Causal::<Cart>::new();
    let (delta, ()) = cart.edit(&mut me, |c| {
        c.items().entry("milk").add(2);
        c.note().write("no plastic");
    });
    assert_eq!(delta.own().len(), 2, "a delta names exactly the dots it creates");
    let mut yours = Causal::<Cart>::new();
    yours.merge(delta);
    let peer_seen = yours.seen().clone();

    // Rolled back as a whole: neither the state nor the writer has changed.
    let (before, last) = (cart.clone(), me.last());
    let refused = cart.try_edit(&mut me, |c| {
        c.paid().enable();
        c.items().entry("milk").checked_sub(5)
    });
    assert_eq!(refused.unwrap_err(), EditError::BelowZero { value: 2 });
    assert!(cart == before && me.last() == last);
    let (delta, ()) = cart.try_edit(&mut me, |c| c.items().entry("milk").checked_sub(1))?;
    assert!(!delta.is_empty());
    let _ = cart.edit(&mut me, |c| c.note().clear());

    // Reading needs no writer.
    assert_eq!(cart.items().get("milk").map(|n| n.value()), Some(1));
    assert!(cart.note().values().is_empty());
    assert!(!cart.paid().is_set());
    let _ = cart.edit(&mut me, |c| ["eggs", "bread"].map(|item| c.items().entry(item).add(1)));
    assert!(cart.items().keys().eq(["bread", "eggs", "milk"]), "iteration is by key");

    let lacking = cart.delta_since(&peer_seen);
    let bytes = lacking.encode();
    let delta = Delta::<Cart>::decode(&bytes)?;
    assert_eq!(delta, lacking);

    // What merging it changes for a reader, without reading the state again.
    let _ = yours.edit(&mut you, |c| c.paid().enable());
    let changes = yours.merge_changes(&delta);
    let milk = changes.iter().find(|change| change.path.contains(&Step::Key("milk".into())));
    assert_eq!(milk.map(|change| (&change.before, &change.after)), Some((&Observed::Number(2), &Observed::Number(1))));
    assert!(yours.note().values().is_empty(), "the removal came with it");
    assert!(yours.heap_bytes() > 0);

    // The smallest delta, for a peer that says what it holds.
    let lacking = yours.diff(&cart.summary());
    assert_eq!(lacking.own().len(), 1);
    cart.merge(lacking);
    assert_eq!(cart, yours);
    Ok(())
}

/// Concurrent writes stay side by side until somebody who has read them writes over them.
fn conflicts_can_be_read_and_settled() {
    let (mut me, mut you) = (Writer::new(ReplicaId::random()), Writer::new(ReplicaId::random()));
    let (mut mine, mut yours) = (Causal::<MvRegister<String>>::new(), Causal::<MvRegister<String>>::new());
    let (glass, ()) = mine.edit(&mut me, |note| note.write("glass"));
    let (paper, ()) = yours.edit(&mut you, |note| note.write("paper"));
    mine.merge(paper);
    yours.merge(glass);
    assert!(mine.is_conflict() && mine.values().len() == 2);
    assert_eq!(mine, yours);

    let read = mine.siblings();
    let _ = yours.edit(&mut you, |note| note.write("steel"));
    let (settled, ()) = mine.edit(&mut me, |note| note.write_over(&read.dots, "either"));
    yours.merge(settled);
    assert_eq!(yours.values().len(), 2, "what came after the reading stands beside it");
}

fn every_other_type() -> Outcome {
    let (mut me, mut you) = (Writer::new(ReplicaId::from_u128(1)), Writer::new(ReplicaId::from_u128(2)));
    let at = |ms| Timestamp::new(ms, 0);

    let mut balance = PnCounter::new();
    balance.increment(me.id(), 1)?;
    balance.decrement(you.id(), 3)?;
    assert_eq!(balance.value(), -2);

    let mut stock = BoundedCounter::new();
    stock.mint(me.id(), 5)?;
    stock.grant(me.id(), you.id(), 2)?;
    assert_eq!(stock.spend(me.id(), 4), Err(EditError::InsufficientRights { here: 3, elsewhere: 2 }));
    stock.spend(you.id(), 2)?;
    assert_eq!(stock.value(), 3);

    let mut seen = GSet::<u64>::new();
    seen.merge(GSet::new().insert(7u64));
    assert!(seen.contains(&7));

    let mut extent = (Min(3), Max(3));
    assert!(extent.merge((Min(5), Max(5))));
    assert_eq!(extent, (Min(3), Max(5)));

    crdt_core::fields! { pub struct Room {
        theme: LwwRegister<String>, consent: DwFlag, admins: RwSet<String>, volume: LwwMap<String, u32>,
        seats: OrMap<u32, OrSet<String>>,
    } }
    let (mut mine, mut yours) = (Causal::<Room>::new(), Causal::<Room>::new());
    let (a, ()) = mine.edit(&mut me, |room| {
        room.theme().write(at(5), "dark");
        room.consent().enable();
        room.admins().insert("mallory");
        room.volume().insert(at(5), "radio", 11u32);
        room.seats().entry(1u32).insert("ann");
    });
    let (b, ()) = yours.edit(&mut you, |room| {
        room.theme().write(at(6), "light");
        room.consent().disable();
        room.admins().remove("mallory");
        room.volume().remove(at(6), "radio");
        room.seats().entry(1u32).insert("bob");
    });
    assert!(mine.merge(b) && yours.merge(a));
    assert_eq!(mine, yours);
    assert_eq!(mine.theme().get().map(String::as_str), Some("light"));
    assert!(!mine.consent().is_set() && !mine.admins().contains("mallory") && mine.volume().is_empty());
    assert!(mine.seats().get(&1).is_some_and(|seat| seat.iter().eq(["ann", "bob"])));
    Ok(())
}

/// One line, once a type has serde's derives; and serde for every value, JSON with keys that are not text included.
fn types_of_your_own() -> Outcome {
    #[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
    struct Point(i32, i32);
    impl Custom for Point {}

    let mut me = Writer::new(ReplicaId::random());
    let mut board = Causal::<OrMap<Point, MvRegister<String>>>::new();
    let _ = board.edit(&mut me, |board| board.entry(Point(0, 1)).write("rook"));
    let copy: Causal<OrMap<Point, MvRegister<String>>> = serde_json::from_str(&serde_json::to_string(&board)?)?;
    assert_eq!(copy.get(&Point(0, 1)).map(|square| square.values()), Some(vec![&"rook".to_owned()]));
    assert_eq!(copy.encode(), board.encode());
    Ok(())
}

fn clocks_and_versions() {
    let [a, b] = [1, 2].map(ReplicaId::from_u128);
    let left: VersionVector = [(a, 1)].into_iter().collect();
    let right: VersionVector = [(b, 1)].into_iter().collect();
    assert_eq!(left.compare(&right), Causality::Concurrent);

    let mut seen = DotSet::from(&left);
    seen.extend(Dot::new(b, 2));
    assert_eq!((seen.len(), seen.version()), (2, left));

    let mut clock = HybridClock::new(500);
    let first = clock.tick(1_000);
    assert!(clock.tick(900) > first);
}

/// The same bytes, without the Rust type; and whatever is not ours is refused with the place and the reason.
fn the_bytes_say_what_they_are() -> Outcome {
    let mut me = Writer::new(ReplicaId::random());
    let mut cart = Causal::<Cart>::new();
    let (delta, ()) = cart.edit(&mut me, |c| c.items().entry("milk").add(2));

    let mut any: Causal<Document> = decode(&cart.encode())?;
    assert_eq!(any.map("items").and_then(|items| items.counter("milk")).map(Counter::value), Some(2));
    assert_eq!(any.encode(), cart.encode());
    assert!(!any.merge(Delta::decode(&delta.encode())?));

    let refused = Delta::<Cart>::decode(b"not ours").unwrap_err();
    assert_eq!((refused.at, refused.kind), (0, DecodeErrorKind::NotOurs));
    let mut cut = cart.encode();
    cut.pop();
    assert!(decode::<Causal<Cart>>(&cut).is_err());
    assert!(Delta::<Cart>::decode(&cart.encode()).is_err(), "a state is not a delta");
    Ok(())
}
