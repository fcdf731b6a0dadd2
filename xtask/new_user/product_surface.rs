//! A first program, written from the documentation alone: every kind of value
//! that the overview shows, edited on two replicas and merged.

use crdt_core::{
    Causal, Counter, Delta, Document, EwFlag, GCounter, Merge, MvRegister, OrMap, OrSet, ReplicaId,
    Writer, decode,
};
use std::error::Error;

crdt_core::fields! {
    /// A shopping cart that several people fill at once.
    pub struct Cart {
        items: OrMap<String, Counter>,
        note: MvRegister<String>,
        paid: EwFlag,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut me = Writer::new(ReplicaId::random());
    let mut you = Writer::new(ReplicaId::random());

    // Every type stands alone and merges with the one trait.
    let mut likes = GCounter::new();
    let delta = likes.increment(me.id(), 3)?;
    let mut your_likes = GCounter::new();
    your_likes.increment(you.id(), 4)?;
    assert!(your_likes.merge(delta));
    assert_eq!(your_likes.value(), 7);

    // Concurrent insertions both stay; a removal takes what it has seen.
    let mut tags = Causal::<OrSet<String>>::new();
    let mut your_tags = Causal::<OrSet<String>>::new();
    let (delta, _) = tags.edit(&mut me, |set| set.insert("crdt".into()));
    assert!(your_tags.merge(delta.clone()));
    assert!(!your_tags.merge(delta), "a repeated delta changes nothing");
    let (removal, _) = your_tags.edit(&mut you, |set| set.remove("crdt"));
    tags.edit(&mut me, |set| set.insert("crdt".into()));
    tags.merge(removal);
    your_tags.merge(&tags);
    assert!(tags.contains("crdt"), "an insertion that the removal has not seen");
    assert_eq!(tags, your_tags);

    // A struct of stores is a store: several fields in one edit, one delta.
    let mut cart = Causal::<Cart>::new();
    let (delta, ()) = cart.edit(&mut me, |cart| {
        cart.items().entry("milk".into()).add(2);
        cart.note().write("no plastic".into());
    });
    let mut your_cart = Causal::<Cart>::new();
    your_cart.merge(delta);

    // A conflict: both write the note, and both notes stay to be read.
    your_cart.edit(&mut you, |cart| cart.note().write("glass please".into()));
    cart.edit(&mut me, |cart| cart.note().write("paper bags".into()));
    let peer_seen = your_cart.seen().clone();
    cart.merge(&your_cart);
    assert_eq!(cart.note().values().len(), 2);

    // An edit that fails leaves nothing behind.
    let before = cart.clone();
    let refused = cart.try_edit(&mut me, |cart| {
        cart.paid().enable();
        cart.items().entry("milk".into()).checked_sub(5)
    });
    assert!(refused.is_err());
    assert_eq!(cart, before);

    let (_, ()) = cart.try_edit(&mut me, |cart| cart.items().entry("milk".into()).checked_sub(1))?;
    assert_eq!(cart.items().get("milk").map(|count| count.value()), Some(1));
    assert!(!cart.paid().is_set());

    // What the peer lacks travels as bytes, removals included.
    let lacking = cart.delta_since(&peer_seen);
    let bytes = lacking.encode();
    your_cart.merge(Delta::<Cart>::decode(&bytes)?);
    assert_eq!(cart.encode(), your_cart.encode());
    assert_eq!(cart.content_digest(), your_cart.content_digest());

    // The same bytes, without the Rust type.
    let any: Causal<Document> = decode(&cart.encode())?;
    assert_eq!(any.encode(), cart.encode());

    // Bytes that are not ours are refused, whatever they are.
    assert!(Delta::<Cart>::decode(b"not ours").is_err());
    Ok(())
}
