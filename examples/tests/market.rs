//! The native side of the market stall: what a replica in a terminal does with what it is told.

use crdt_examples::market::goods::{Stall, first_morning};
use crdt_examples::market::{site, terminal};
use crdt_examples::scratch::Scratch;
use crdt_sync::drive::Node;
use crdt_sync::{Config, MemoryStorage, ScopeId};

fn told(lines: &str) -> String {
    let node = Node::<Stall>::open(MemoryStorage::new(), Config::new(ScopeId::named("stall"))).unwrap();
    node.try_edit(first_morning).unwrap().wait().unwrap();
    let mut said = Vec::new();
    terminal::obey(&node, "127.0.0.1:1", lines.as_bytes(), &mut said).unwrap();
    String::from_utf8(said).unwrap()
}

#[test]
fn lines_are_obeyed_in_order() {
    let said =
        told("stock bread -4\nprice bread 510\ntag bread  still warm\nuntag bread baked today\nseats add\nshow\n");
    assert!(
        said.starts_with("ok\nok\nok\nok\nok\nSourdough loaf: 20 in stock, 510 cents, 0 likes, [still warm]\n"),
        "{said}"
    );
    assert!(said.ends_with("1 seats left, 1 to be sold here\nok\n"), "{said}");
    assert_eq!(said.lines().count(), 11, "four products, the seats, and six times ok");
}

#[test]
fn a_line_of_the_cart_has_a_count_and_a_note() {
    let said =
        told("cart bread 3\ncart bread -1\ncart honey 1\nnote bread  in   slices\nnote bread in two bags\nshow\n");
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("in the cart")).collect();
    assert_eq!(
        lines,
        ["in the cart: 2 of Sourdough loaf, note: in two bags", "in the cart: 1 of Lime honey"],
        "{said}"
    );
    assert!(told("cart bread some\n").starts_with("no: "));
}

#[test]
fn the_last_seat_is_sold_once() {
    let said = told("seats sell\nseats add\nseats sell\nseats sell\nshow\n");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("no: ") && lines[3].starts_with("no: "), "{said}");
    assert_eq!((lines[1], lines[2]), ("ok", "ok"));
    assert!(said.ends_with("0 seats left, 0 to be sold here\nok\n"), "{said}");
}

#[test]
fn what_is_no_edit_is_refused_and_changes_nothing() {
    let said = told("bytes\nstock caviar 1\nstock bread many\npaint bread red\nwhat\nbytes\n");
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("no: ") || line.len() > 200).collect();
    let [before, caviar, many, paint, what, after] = lines.as_slice() else { panic!("{said}") };
    assert_eq!(before, after);
    assert!(caviar.contains("there are bread"), "{caviar}");
    assert!(many.contains("\"many\""), "{many}");
    assert!(paint.starts_with("no: say one of") && what.starts_with("no: say one of"));
}

#[test]
fn a_page_that_was_not_built_is_named() {
    let folder = Scratch::new("crdt-no-page").unwrap();
    let error = site::site(folder.path(), "127.0.0.1:1", "stall", Vec::new()).unwrap_err();
    assert!(error.to_string().contains("index.html"), "{error}");
}
