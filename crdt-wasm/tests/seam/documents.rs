//! Documents by number: fields, edits, reads, links, bytes and rows.

use crdt_core::{
    Causal, Counter, Delta, Document, EwFlag, LwwRegister, Merge, MvRegister, OrMap, OrSet, PnCounter, ReplicaId,
    Value, decode,
};
use crdt_sync::{Config, Durability, LinkKind, Loaded, Now, PeerId, Replica, ScopeId, Steady, Wall};

use crate::page::{DELTAS, MEMORY, Page, Pair, answer, fold, ok, pack, value};

const PN_COUNTER: u32 = 2;
const BOUNDED: u32 = 3;
const COUNTER: u32 = 4;
const LWW: u32 = 5;
const MV: u32 = 6;
const EW_FLAG: u32 = 7;
const OR_SET: u32 = 10;
const OR_MAP: u32 = 12;
const RECORD: u32 = 14;

const DISPOSED: f64 = -2.0;
const SCHEMA: f64 = -10.0;

crdt_core::fields! { struct Line { qty: Counter, note: MvRegister<String> } }
crdt_core::fields! {
    struct Stall {
        stock: PnCounter, open: EwFlag, title: LwwRegister<String>, tags: OrSet<String>, cart: OrMap<String, Line>,
    }
}

/// Fills a stall through the seam.
fn fill(page: &Page) {
    page.begin();
    let doc = page.doc;
    ok(crdt_wasm::add(doc, page.field(0, "stock", PN_COUNTER), 5.0));
    ok(crdt_wasm::add(doc, page.field(0, "stock", PN_COUNTER), -2.0));
    ok(crdt_wasm::set_flag(doc, page.field(0, "open", EW_FLAG), 1));
    ok(crdt_wasm::write(doc, page.field(0, "title", LWW), &value("Apples")));
    for tag in ["b", "ä", "a"] {
        ok(crdt_wasm::insert(doc, page.field(0, "tags", OR_SET), &value(tag)));
    }
    let line = page.key(page.field(0, "cart", OR_MAP), "sku-1", RECORD);
    ok(crdt_wasm::add(doc, page.field(line, "qty", COUNTER), 3.0));
    ok(crdt_wasm::write(doc, page.field(line, "note", MV), &value("ripe")));
    page.commit();
}

#[test]
fn a_struct_in_rust_reads_what_a_page_wrote_and_a_page_what_it_answers() {
    let page = Page::open(1, MEMORY);
    fill(&page);
    let mut stall: Causal<Stall> = decode(&page.state()).unwrap();
    assert_eq!(stall.stock().value(), 3);
    assert!(stall.open().is_set());
    assert_eq!(stall.title().get().unwrap(), "Apples");
    assert_eq!(stall.tags().iter().collect::<Vec<_>>(), ["a", "b", "ä"]);
    let line = stall.cart().get("sku-1").unwrap();
    assert_eq!((line.qty().value(), line.note().values()), (3, vec![&"ripe".to_owned()]));

    let mut writer = crdt_core::Writer::new(ReplicaId::from_u128(9));
    let _ = stall.edit(&mut writer, |stall| {
        stall.cart().entry("sku-1".to_owned()).qty().add(4);
        stall.tags().remove("b");
    });
    assert_eq!(page.merge(&stall.encode()), Ok((true, 0)));
    assert_eq!(page.state(), stall.encode());
    let qty = page.field(page.key(page.field(0, "cart", OR_MAP), "sku-1", RECORD), "qty", COUNTER);
    assert_eq!(crdt_wasm::counter(page.doc, qty), 7.0);
    assert_eq!(crdt_wasm::has(page.doc, page.field(0, "tags", OR_SET), &value("b")), 0.0);
}

#[test]
fn what_is_read_has_the_layout_that_is_promised() {
    let page = Page::open(1, MEMORY);
    let nothing = answer(crdt_wasm::read(page.doc, page.field(0, "stock", PN_COUNTER)));
    assert_eq!(nothing, [0; 16]);
    fill(&page);
    let read = |handle| answer(crdt_wasm::read(page.doc, handle));
    assert_eq!(read(page.field(0, "stock", PN_COUNTER)), 3i128.to_le_bytes());
    assert_eq!(read(page.field(0, "open", EW_FLAG)), [1]);
    assert_eq!(read(page.field(0, "title", LWW)), [&[1, 0, 0, 0][..], &value("Apples"), &[0]].concat());
    let texts = [&[1, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0][..], "abä".as_bytes()].concat();
    assert_eq!(read(page.field(0, "tags", OR_SET)), texts);
    assert_eq!(read(page.field(0, "cart", OR_MAP)), [&[1, 0, 0, 0, 14][..], &value("sku-1")].concat());
    let line = page.key(page.field(0, "cart", OR_MAP), "sku-1", RECORD);
    let names = [&[2, 0, 0, 0][..], &[6, 4, 0, 0, 0], b"note", &[4, 3, 0, 0, 0], b"qty"].concat();
    assert_eq!(read(line), names);
    let note = [&[1, 0, 0, 0][..], &[1; 16], &9f64.to_le_bytes(), &value("ripe")].concat();
    assert_eq!(read(page.field(line, "note", MV)), note);
    // Mixed elements come one by one.
    let mixed = page.field(0, "mixed", OR_SET);
    ok(crdt_wasm::insert(page.doc, mixed, &value("x")));
    ok(crdt_wasm::insert(page.doc, mixed, &value(7)));
    assert_eq!(read(mixed), [&[0, 2, 0, 0, 0][..], &value(7), &value("x")].concat());
    assert_eq!((crdt_wasm::size(page.doc, mixed), crdt_wasm::size(page.doc, 0)), (2.0, 6.0));
}

#[test]
fn two_pages_converge_over_a_link_and_each_hears_what_the_other_changed() {
    let mut pair = Pair::connect([Page::open(1, 0), Page::open(2, 0)]);
    fill(&pair.pages[0]);
    let stock = pair.pages[1].field(0, "stock", PN_COUNTER);
    ok(crdt_wasm::add(pair.pages[1].doc, stock, 10.0));
    pair.pages[1].commit();
    pair.run(200);
    let [a, b] = &pair.pages;
    assert_eq!(a.state(), b.state());
    assert_eq!(crdt_wasm::counter(b.doc, stock), 13.0);
    let change = pair.changes[1].iter().find(|change| change.handle == stock).unwrap();
    assert!(change.steps.is_empty());
    assert_eq!(change.after, [&[4][..], &13i128.to_le_bytes()].concat());
    // The tags are held by nobody there: the change says the way from the root.
    let tag = [&[0, 4, 0, 0, 0][..], b"tags", &[2], &value("b")].concat();
    assert!(pair.changes[1].iter().any(|change| change.handle == 0 && change.steps == tag && change.after == [1]));
}

#[test]
fn a_batch_says_once_what_differs_between_its_start_and_its_end() {
    let page = Page::open(1, MEMORY);
    let doc = page.doc;
    let (cart, tags) = (page.field(0, "cart", OR_MAP), page.field(0, "tags", OR_SET));
    let line = page.key(cart, "sku-1", RECORD);
    let qty = page.field(line, "qty", COUNTER);
    ok(crdt_wasm::add(doc, qty, 1.0));
    ok(crdt_wasm::add(doc, qty, 1.0));
    ok(crdt_wasm::insert(doc, tags, &value("gone")));
    ok(crdt_wasm::clear(doc, tags));
    let changes = page.commit();
    assert_eq!(changes.len(), 2, "{changes:?}");
    let two = [&[4][..], &2i128.to_le_bytes()].concat();
    // The key came, and the counter below it.
    assert!(changes.iter().any(|change| change.handle == line && change.before == [0] && change.after == [1]));
    assert!(changes.iter().any(|change| change.handle == qty && change.before == [0] && change.after == two));
    assert_eq!(page.commit(), []);
    ok(crdt_wasm::remove(doc, cart, &value("sku-1")));
    let changes = page.commit();
    assert!(changes.iter().any(|change| change.handle == line && change.before == [1] && change.after == [0]));
    assert!(changes.iter().any(|change| change.handle == qty && change.before == two && change.after == [0]));
    assert_eq!(changes.len(), 2);
}

// A page lets go of a field as soon as nobody holds it, which may be before the batch ends.
#[test]
fn a_handle_that_is_let_go_within_a_batch_is_told_of_all_the_same() {
    let page = Page::open(1, MEMORY);
    let line = page.key(page.field(0, "cart", OR_MAP), "sku-1", RECORD);
    let qty = page.field(line, "qty", COUNTER);
    ok(crdt_wasm::add(page.doc, qty, 1.0));
    for handle in [qty, line] {
        ok(crdt_wasm::release(page.doc, handle));
    }
    let changes = page.commit();
    assert!(changes.iter().any(|change| change.handle == qty && change.after[0] == 4), "{changes:?}");
    assert_eq!(crdt_wasm::read(page.doc, qty), [2], "it is gone afterwards");
}

#[test]
fn a_document_comes_back_from_its_rows_and_folding_them_changes_nothing() {
    let mut pair = Pair::connect([Page::open(1, 0), Page::open(2, 0)]);
    fill(&pair.pages[0]);
    pair.run(100);
    ok(crdt_wasm::remove(pair.pages[1].doc, pair.pages[1].field(0, "tags", OR_SET), &value("a")));
    pair.pages[1].commit();
    pair.run(100);
    let states = [0, 1].map(|at: usize| pair.pages[at].state());
    assert_eq!(states[0], states[1]);
    for page in &pair.pages {
        assert!(page.rows.len() >= 2);
        assert_eq!(Page::reopen(3, 0, page.rows.clone(), 0.0).state(), states[0]);
        let rows = fold(&page.rows);
        assert!(rows.len() <= 2, "{} rows", rows.len());
        assert_eq!(Page::reopen(4, 0, rows, 0.0).state(), states[0]);
    }
    // Tabs of one origin share a store: the rows of both say the same as either.
    let [a, b] = &pair.pages;
    let both = a.rows.clone().into_iter().chain(b.rows.clone()).collect();
    assert_eq!(Page::reopen(5, 0, both, 0.0).state(), states[0]);
}

#[test]
fn a_large_document_is_folded_into_pieces_and_opened_slice_by_slice() {
    let mut page = Page::open(1, 0);
    let tags = page.field(0, "tags", OR_SET);
    let long = page.field(0, "title", LWW);
    page.begin();
    for n in 0..5_000u64 {
        ok(crdt_wasm::insert(page.doc, tags, &value(format!("tag {n}"))));
    }
    for n in 0..100u64 {
        ok(crdt_wasm::remove(page.doc, tags, &value(format!("tag {}", n * 7))));
    }
    ok(crdt_wasm::write(page.doc, long, &value("x".repeat(200_000))));
    page.commit();
    page.now += 50.0;
    page.poll();
    let rows = fold(&page.rows);
    let large = rows.values().filter(|row| row.len() > 20_000);
    assert_eq!(large.count(), 1, "the long text, and nothing beside it");
    assert!((5..40).contains(&rows.len()), "{} rows", rows.len());
    // Whatever comes first.
    for order in [false, true] {
        let load = ok(crdt_wasm::load_begin(3.0));
        let mut slices: Vec<_> = rows.clone().into_iter().map(|row| pack(&[row].into())).collect();
        if order {
            slices.reverse();
        }
        for slice in slices {
            ok(crdt_wasm::load(load, &slice));
        }
        let doc = ok(crdt_wasm::open(&[7; 16], &[9; 16], &[3; 32], 0, load, 1e6, 1.79e12));
        assert_eq!(answer(crdt_wasm::state(doc)), page.state());
        assert_eq!(crdt_wasm::load(load, &pack(&rows)), -2.0, "it was opened");
        ok(crdt_wasm::dispose(doc));
    }
    // Folded again it is the same, piece by piece: a compaction rewrites nothing of it.
    assert_eq!(fold(&rows), rows);
    // What is read after it began has it begin anew: nothing that was folded says less than was read.
    let load = ok(crdt_wasm::load_begin(0.5));
    let first = pack(&[rows.clone().into_iter().next().unwrap()].into());
    ok(crdt_wasm::load(load, &pack(&rows)));
    let once = answer(crdt_wasm::fold(load));
    assert_ne!(answer(crdt_wasm::fold(load)), once);
    ok(crdt_wasm::load(load, &first));
    assert_eq!(answer(crdt_wasm::fold(load)), once);
    ok(crdt_wasm::load_drop(load));
}

#[test]
fn what_is_damaged_or_not_all_there_is_not_opened() {
    let mut page = Page::open(1, 0);
    fill(&page);
    page.now += 50.0;
    page.poll();
    let load = ok(crdt_wasm::load_begin(3.0));
    assert_eq!(crdt_wasm::load(load, &[1, 0, 0, 0, 1]), -5.0);
    ok(crdt_wasm::load_drop(load));
    assert_eq!(crdt_wasm::load_drop(load), -2.0);
    // A row that says that something was received which no row has.
    let rows = fold(&page.rows);
    let (key, mut row) = rows.into_iter().find(|(key, _)| key[0] == b's').unwrap();
    let received = u32::from_le_bytes(row[1..5].try_into().unwrap()) as usize;
    row.truncate(5 + received);
    row.extend(Delta::<Document>::new().encode());
    let load = ok(crdt_wasm::load_begin(3.0));
    ok(crdt_wasm::load(load, &pack(&[(key, row)].into())));
    assert_eq!(crdt_wasm::fold(load), [5]);
    assert_eq!(crdt_wasm::open(&[7; 16], &[9; 16], &[3; 32], 0, load, 1e6, 1.79e12), -5.0);
    assert_eq!(crdt_wasm::load_drop(load), -2.0, "and nothing of it is left");
}

#[test]
fn an_id_that_is_used_again_makes_no_dot_twice() {
    let mut page = Page::open(1, 0);
    fill(&page);
    page.now += 50.0;
    page.poll();
    let rows = page.rows.clone();
    let before = page.state();
    drop(page);
    let mut page = Page::reopen(9, 0, rows, 0.0);
    ok(crdt_wasm::adopt(page.doc, &[1; 16], 1.0, 0.0, 1.79e12));
    assert_eq!(answer(crdt_wasm::replica(page.doc)), [1; 16]);
    ok(crdt_wasm::add(page.doc, page.field(0, "stock", PN_COUNTER), 1.0));
    page.commit();
    page.poll();
    let mut old: Causal<Stall> = decode(&before).unwrap();
    let new: Causal<Stall> = decode(&page.state()).unwrap();
    assert_eq!(new.seen().last(ReplicaId::from_bytes([1; 16])), 10);
    let delta: Delta<Stall> = new.delta_since(old.seen());
    assert!(old.merge(delta));
    assert_eq!(old, new);
}

#[test]
fn deltas_merge_in_any_order_and_what_builds_on_more_waits() {
    let mut from = Page::open(1, MEMORY | DELTAS);
    let stock = from.field(0, "stock", PN_COUNTER);
    let mut deltas = Vec::new();
    let mut versions = vec![answer(crdt_wasm::version(from.doc))];
    for _ in 0..3 {
        ok(crdt_wasm::add(from.doc, stock, 1.0));
        answer(crdt_wasm::commit(from.doc, 1));
        deltas.extend(from.poll().deltas);
        versions.push(answer(crdt_wasm::version(from.doc)));
    }
    assert_eq!(deltas.len(), 3);
    let records = Page::open(2, MEMORY);
    assert_eq!(records.merge(&deltas[2]), Ok((false, 1)));
    assert_eq!(records.merge(&deltas[1]), Ok((false, 2)));
    assert_eq!(records.merge(&deltas[0]), Ok((true, 0)));
    assert_eq!(records.merge(&deltas[1]), Ok((false, 0)));
    assert_eq!(records.state(), from.state());

    let since = |version: &[u8]| answer(crdt_wasm::delta_since(from.doc, version));
    let sums = Page::open(3, MEMORY);
    assert_eq!(sums.merge(&since(&versions[2])), Ok((false, 1)));
    assert_eq!(sums.merge(&since(&versions[2])), Ok((false, 1)), "the same does not wait twice");
    assert_eq!(sums.merge(&deltas[0]), Ok((true, 1)));
    assert_eq!(sums.merge(&deltas[1]), Ok((true, 0)));
    assert_eq!(sums.state(), from.state());
    assert_eq!(Page::open(4, MEMORY).merge(&since(&versions[0])), Ok((true, 0)));
    assert_eq!(sums.merge(&answer(crdt_wasm::encode(from.doc))), Ok((false, 0)));
}

#[test]
fn bytes_of_another_document_are_refused() {
    let page = Page::open(1, MEMORY | DELTAS);
    let load = ok(crdt_wasm::load_begin(0.0));
    let other = ok(crdt_wasm::open(&[8; 16], &[2; 16], &[0; 32], MEMORY | DELTAS, load, 0.0, 0.0));
    let stock = ok(crdt_wasm::field(other, 0, b"stock", PN_COUNTER));
    ok(crdt_wasm::add(other, stock, 1.0));
    answer(crdt_wasm::commit(other, 1));
    let mut foreign = Page { doc: other, now: 0.0, rows: Default::default(), deadline: 0.0 };
    let before = page.state();
    let delta = foreign.poll().deltas.remove(0);
    for bytes in [
        answer(crdt_wasm::encode(other)),
        delta,
        answer(crdt_wasm::delta_since(other, &answer(crdt_wasm::version(page.doc)))),
    ] {
        assert_eq!(page.merge(&bytes), Err(11));
    }
    assert_eq!(page.state(), before);
}

#[test]
fn stale_numbers_are_refused_and_touching_keys_leaves_the_table_flat() {
    let page = Page::open(1, MEMORY);
    let cart = page.field(0, "cart", OR_MAP);
    let mut stale = Vec::new();
    for key in 0..100_000 {
        let line = page.key(cart, key, RECORD);
        let qty = page.field(line, "qty", COUNTER);
        ok(crdt_wasm::release(page.doc, line));
        ok(crdt_wasm::release(page.doc, qty));
        if key % 10_000 == 0 {
            stale.extend([line, qty]);
        }
    }
    for handle in stale {
        assert_eq!(crdt_wasm::add(page.doc, handle, 1.0), DISPOSED);
        assert_eq!(crdt_wasm::release(page.doc, handle), DISPOSED);
        assert_eq!(crdt_wasm::read(page.doc, handle), [2]);
        assert!(crdt_wasm::counter(page.doc, handle).is_nan());
    }
    // 4,096 uses of each of two slots at a time.
    let fresh = page.key(cart, "new", COUNTER);
    assert!(fresh & ((1 << 20) - 1) < 64, "{fresh:#x}");
    let doc = page.doc;
    drop(page);
    assert_eq!(crdt_wasm::begin(doc, 0.0, 0.0), DISPOSED);
    assert_eq!(crdt_wasm::poll(doc, 0.0, 0.0), [2]);
    assert_eq!(crdt_wasm::dispose(doc), DISPOSED);
}

#[test]
fn what_does_not_fit_a_place_is_refused_and_changes_nothing() {
    let page = Page::open(1, MEMORY);
    fill(&page);
    let before = page.state();
    let doc = page.doc;
    let (stock, tags, cart) =
        (page.field(0, "stock", PN_COUNTER), page.field(0, "tags", OR_SET), page.field(0, "cart", OR_MAP));
    assert_eq!(crdt_wasm::add(doc, tags, 1.0), SCHEMA);
    assert_eq!(crdt_wasm::insert(doc, stock, &value(1)), SCHEMA);
    assert_eq!(crdt_wasm::clear(doc, stock), SCHEMA);
    assert_eq!(crdt_wasm::flag(doc, stock), SCHEMA);
    assert_eq!(crdt_wasm::field(doc, 0, b"stock", OR_SET), SCHEMA, "another kind under that name");
    assert_eq!(crdt_wasm::field(doc, cart, &value("k"), PN_COUNTER), SCHEMA, "a running total below a key");
    let line = page.key(cart, "k", RECORD);
    assert_eq!(crdt_wasm::field(doc, line, b"total", PN_COUNTER), SCHEMA, "nor deeper");
    assert_eq!(crdt_wasm::field(doc, stock, b"x", COUNTER), SCHEMA);
    assert_eq!(crdt_wasm::field(doc, 0, b"x", 99), SCHEMA);
    for by in [0.5, f64::NAN, f64::INFINITY, 9_007_199_254_740_992.0] {
        assert_eq!(crdt_wasm::add(doc, stock, by), -9.0);
    }
    // No UTF-8, two spellings of a number, an unfinished text, a NaN.
    for bytes in [&[6, 1, 0xFF][..], &[3, 0x80, 0], &[6, 9, b'a'], &[5, 0, 0, 0, 0, 0, 0, 0xF8, 0x7F], &[], &[0, 0]] {
        assert_eq!(crdt_wasm::insert(doc, tags, bytes), -8.0, "{bytes:?}");
    }
    let mut deep = Value::Null;
    for _ in 0..31 {
        deep = Value::List(vec![deep]);
    }
    let long = Value::Text("x".repeat(512 * 1024 + 1));
    assert_eq!(crdt_wasm::insert(doc, tags, &value(long)), -7.0);
    assert_eq!(page.state(), before);
    assert_eq!(crdt_wasm::insert(doc, tags, &value(deep.clone())), 1.0);
    assert_eq!(crdt_wasm::insert(doc, tags, &value(Value::List(vec![deep]))), -8.0);
}

#[test]
fn a_value_as_deep_as_may_be_in_the_deepest_place_can_be_read_by_others() {
    let page = Page::open(1, MEMORY);
    let mut at = 0;
    for _ in 0..31 {
        at = page.field(at, "in", RECORD);
    }
    let set = page.field(at, "set", OR_SET);
    assert_eq!(crdt_wasm::field(page.doc, at, b"r", RECORD), ok(crdt_wasm::field(page.doc, at, b"r", RECORD)).into());
    assert_eq!(crdt_wasm::field(page.doc, page.field(at, "r", RECORD), b"too deep", OR_SET), SCHEMA);
    let deep = (0..31).fold(Value::Int(1), |inner, _| Value::List(vec![inner]));
    ok(crdt_wasm::insert(page.doc, set, &value(deep)));
    let other = Page::open(2, MEMORY);
    assert_eq!(other.merge(&page.state()), Ok((true, 0)));
}

#[test]
fn a_place_that_is_only_passed_is_good_until_the_next_one() {
    let page = Page::open(1, MEMORY);
    let doc = page.doc;
    let cart = page.field(0, "cart", OR_MAP);
    let pass = |parent, key: &[u8], kind| ok(crdt_wasm::pass(doc, parent, key, kind));
    ok(crdt_wasm::set_changes(doc, 0));
    let quantities = ["milk", "bread"].map(|key| {
        let line = pass(cart, &value(key), RECORD);
        let quantity = pass(line, b"qty", COUNTER);
        assert_eq!(crdt_wasm::add(doc, quantity, 2.0), 1.0);
        assert_eq!((crdt_wasm::counter(doc, quantity), crdt_wasm::release(doc, quantity)), (2.0, 0.0));
        let note = pass(line, b"note", MV);
        assert_eq!(crdt_wasm::write(doc, note, &value("fresh")), 1.0);
        assert_eq!(crdt_wasm::add(doc, quantity, 1.0), SCHEMA, "that number is another place now");
        quantity
    });
    assert_eq!(quantities[0], quantities[1]);
    let line = page.key(cart, "milk", RECORD);
    assert_eq!(crdt_wasm::counter(doc, page.field(line, "qty", COUNTER)), 2.0);
    assert_eq!(crdt_wasm::pass(doc, 0, b"cart", OR_SET), SCHEMA);
    assert_eq!(crdt_wasm::pass(doc, cart, &value("k"), PN_COUNTER), SCHEMA);
    // Of what is passed nothing can be held, and nothing can be told afterwards.
    let line = pass(cart, &value("milk"), RECORD);
    assert_eq!(crdt_wasm::field(doc, line, b"qty", COUNTER), DISPOSED);
    ok(crdt_wasm::set_changes(doc, 1));
    let quantity = pass(line, b"qty", COUNTER);
    assert_eq!(crdt_wasm::add(doc, quantity, 1.0), DISPOSED);
    assert_eq!(crdt_wasm::counter(doc, quantity), 2.0);
}

#[test]
fn that_a_newcomer_cannot_hold_all_is_told() {
    let source = Page::open(1, MEMORY);
    let tags = source.field(0, "tags", OR_SET);
    for n in 0..3_000 {
        ok(crdt_wasm::insert(source.doc, tags, &value(format!("a tag with the number {n}"))));
    }
    // What was merged is in no log, so a repair has to bring it.
    let mut page = Page::open(2, MEMORY);
    page.merge(&source.state()).unwrap();
    let mut config = Config::new(ScopeId::from_bytes([7; 16]));
    config.durability = Durability::Memory;
    (config.limits.part_bytes_max, config.limits.staged_bytes_max) = (4_000, 9_000);
    let at = |page: &Page| Now { steady: Steady(page.now as u64), wall: Wall(1_790_000_000_000 + page.now as u64) };
    let id = ReplicaId::from_bytes([9; 16]);
    let mut small = Replica::<Document>::open(Loaded::default(), config, id, [9; 32], at(&page)).unwrap();
    let link = ok(crdt_wasm::link_open(page.doc, 0, page.now, 1.79e12 + page.now));
    small.peer_up(PeerId(0), LinkKind::Stream, at(&page));
    let mut told = 0;
    for _ in 0..20_000 {
        page.now += 1.0;
        let polled = page.poll();
        told += polled.events.iter().filter(|kind| **kind == 19).count();
        for (_, frame) in polled.transmits {
            small.handle_message(PeerId(0), &frame, at(&page)).unwrap();
        }
        small.handle_timeout(at(&page));
        while let Some(transmit) = small.poll_transmit() {
            ok(crdt_wasm::link_receive(page.doc, link, &transmit.frame, page.now, 1.79e12 + page.now));
        }
    }
    assert_eq!((told, small.state().live_len()), (1, 0));
}

#[test]
fn rights_are_spent_only_where_they_are() {
    let page = Page::open(1, MEMORY);
    let seats = page.field(0, "seats", BOUNDED);
    assert_eq!(crdt_wasm::add(page.doc, seats, 5.0), 1.0);
    assert_eq!(crdt_wasm::add(page.doc, seats, -3.0), 1.0);
    assert_eq!(crdt_wasm::add(page.doc, seats, -3.0), 0.0, "only two are here");
    assert_eq!(crdt_wasm::grant(page.doc, seats, &[2; 16], 1.0), 1.0);
    assert_eq!(answer(crdt_wasm::read(page.doc, seats)), [&2i128.to_le_bytes()[..], &1u64.to_le_bytes()].concat());
    let other = Page::open(2, MEMORY);
    other.merge(&page.state()).unwrap();
    let there = other.field(0, "seats", BOUNDED);
    assert_eq!(crdt_wasm::add(other.doc, there, -1.0), 1.0);
    assert_eq!(crdt_wasm::add(other.doc, there, -1.0), 0.0);
}
