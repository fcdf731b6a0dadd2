//! What a page wrote, read by a Rust program that has a struct of the same shape; the bytes were made by the TypeScript
//! layer. The other way round, its tests read what Rust structs wrote.

use crdt_core::{
    BoundedCounter, Causal, Counter, Delta, DwFlag, EwFlag, GCounter, GSet, LwwRegister, Merge, MvRegister, OrMap,
    OrSet, PnCounter, ReplicaId, RwSet, Writer,
};

crdt_core::fields! {
    /// How a page looks.
    pub struct Theme { dark: EwFlag }
}

crdt_core::fields! {
    /// One line of a cart.
    pub struct Line { quantity: Counter, note: MvRegister<String> }
}

crdt_core::fields! {
    /// The schema of the page.
    pub struct Shop {
        visits: GCounter,
        stock: PnCounter,
        seats: BoundedCounter,
        open: EwFlag,
        shut: DwFlag,
        title: LwwRegister<String>,
        price: MvRegister<u64>,
        tags: OrSet<String>,
        banned: RwSet<String>,
        seen: GSet<i64>,
        theme: Theme,
        cart: OrMap<String, Line>,
    }
}

/// What the page wrote, by two replicas of which each knows the other's edits.
fn written() -> Vec<u8> {
    let digits: Vec<u8> = include_str!("typescript/state.hex").bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).expect("digits"), 16).expect("digits");
    digits.chunks(2).map(byte).collect()
}

#[test]
fn a_struct_reads_what_a_page_with_a_schema_of_its_shape_wrote() {
    let shop = Causal::<Shop>::decode(&written()).expect("a struct of this shape");
    assert_eq!((shop.visits().value(), shop.stock().value(), shop.seats().value()), (4, 10, 3));
    assert!(shop.open().is_set() && shop.shut().is_set() && shop.theme().dark().is_set());
    assert_eq!(shop.title().get().map(String::as_str), Some("Stall"));
    assert_eq!(shop.price().values(), [&(1 << 40), &9]);
    assert!(shop.tags().contains("x") && shop.tags().contains("é") && !shop.tags().contains("gone"));
    assert!(
        shop.banned().contains("mallory") && Shop::seen(&shop).contains(&-7),
        "a field may be called like a method of the state"
    );
    let milk = shop.cart().get("milk").expect("in the cart");
    assert_eq!((milk.quantity().value(), milk.note().values()), (3, vec![&"fresh".to_owned()]));
    assert_eq!(shop.encode(), written(), "and writes it in the same bytes");
}

#[test]
fn what_a_struct_edits_merges_with_what_the_page_has() {
    let mut shop = Causal::<Shop>::decode(&written()).expect("a struct of this shape");
    let mut any = Causal::<crdt_core::Document>::decode(&written()).expect("any shape");
    let mut writer = Writer::new(ReplicaId::from_u128(7));
    let (delta, ()) = shop.edit(&mut writer, |shop| {
        shop.cart().entry("milk").quantity().add(2);
        shop.tags().remove("x");
    });
    any.merge(Delta::decode(&delta.encode()).expect("a delta"));
    assert_eq!(any.encode(), shop.encode());
}
