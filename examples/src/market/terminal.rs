//! A replica of the stall that is told what to do, a line at a time: for people in a terminal, and for tests.

use std::fmt::Display;
use std::io::{self, BufRead, Write};

use crdt_core::{Element, MvRegister};
use crdt_sync::drive::{Node, websocket};
use tokio::runtime::Handle;

use super::goods::{PRODUCTS, ProductCursor, Stall, product, shown};

/// What can be said.
pub const WORDS: &str = "\
online | offline                  link it with the relay, or cut the link
stock PRODUCT N                   N more, or fewer if it is negative
price PRODUCT CENTS               write a price
tag | untag PRODUCT WORD          add or remove a tag
cart PRODUCT N                    N more in the cart, or fewer if it is negative
note PRODUCT WORDS                write a note on its line of the cart
seats add | seats sell            put up a seat for the tasting, or sell one: refused without the right to it
show                              the stall as it is here
bytes                             its canonical bytes, as hexadecimal digits: equal states have equal bytes";

/// Answers each line with one or more, the last of which is `ok` or begins with `no: `. Ends with the input.
pub fn obey(node: &Node<Stall>, relay: &str, input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut link = None;
    for line in input.lines() {
        let line = line?;
        let done = match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            [] => continue,
            ["online"] => {
                let _runtime = Handle::current().enter();
                link = Some(websocket::connect(node, relay));
                Ok(())
            }
            ["offline"] => {
                link = None;
                Ok(())
            }
            ["show"] => show(node, &mut output).map(Ok)?,
            ["bytes"] => {
                let bytes = node.read_causal(|stall| stall.encode());
                let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                writeln!(output, "{digits}")?;
                Ok(())
            }
            ["seats", what] => seats(node, what),
            [verb, name, what @ ..] => edit(node, verb, name, &what.join(" ")),
            _ => Err(format!("say one of\n{WORDS}")),
        };
        match done {
            Ok(()) => writeln!(output, "ok")?,
            Err(why) => writeln!(output, "no: {why}")?,
        }
        output.flush()?;
    }
    drop(link);
    Ok(())
}

fn edit(node: &Node<Stall>, verb: &str, name: &str, what: &str) -> Result<(), String> {
    if !PRODUCTS.contains(&name) {
        return Err(format!("there are {}", PRODUCTS.join(", ")));
    }
    let number = || what.parse::<i64>().map_err(|error| format!("{what:?}: {error}"));
    let stored = node.try_edit(|stall| {
        match verb {
            "cart" => stall.cart().entry(name).count().add(number()?),
            "note" => stall.cart().entry(name).note().write(what),
            _ => change(product(stall, name).ok_or("no such product")?, verb, what, number)?,
        }
        Ok::<(), String>(())
    })?;
    stored.wait().map_err(|error| error.to_string())
}

fn change(
    mut product: ProductCursor<'_>,
    verb: &str,
    what: &str,
    number: impl Fn() -> Result<i64, String>,
) -> Result<(), String> {
    match verb {
        "stock" => {
            let pieces = number()?;
            let size = pieces.unsigned_abs();
            let mut stock = product.stock();
            let counted = if pieces < 0 { stock.decrement(size) } else { stock.increment(size) };
            counted.map_err(|error| error.to_string())?;
        }
        "price" => product.price().write(number()?),
        "tag" => {
            product.tags().insert(what);
        }
        "untag" => {
            product.tags().remove(what);
        }
        _ => return Err(format!("say one of\n{WORDS}")),
    }
    Ok(())
}

fn seats(node: &Node<Stall>, what: &str) -> Result<(), String> {
    let stored = node.try_edit(|stall| {
        let done = match what {
            "add" => stall.seats().mint(1),
            "sell" => stall.seats().spend(1),
            _ => return Err(format!("say one of\n{WORDS}")),
        };
        done.map_err(|error| error.to_string())
    })?;
    stored.wait().map_err(|error| error.to_string())
}

fn show(node: &Node<Stall>, output: &mut impl Write) -> io::Result<()> {
    let id = node.id();
    node.read(|stall| {
        for product in PRODUCTS.iter().filter_map(|name| shown(stall, name)) {
            let tags: Vec<&str> = product.tags().iter().map(String::as_str).collect();
            writeln!(
                output,
                "{}: {} in stock, {} cents, {} likes, [{}]{}",
                product.title().get().map_or("?", String::as_str),
                product.stock().value(),
                either(product.price()),
                product.likes().value(),
                tags.join(", "),
                if product.open().is_set() { "" } else { ", not for sale" },
            )?;
        }
        for (name, line) in stall.cart().iter() {
            let title = shown(stall, name).and_then(|product| product.title().get()).unwrap_or(name);
            let note = if line.note().is_empty() { String::new() } else { format!(", note: {}", either(line.note())) };
            writeln!(output, "in the cart: {} of {title}{note}", line.count().value())?;
        }
        let (left, ours) = (stall.seats().value(), stall.seats().available(id));
        writeln!(output, "{left} seats left, {ours} to be sold here")
    })
}

/// All values that stand side by side.
fn either<T: Element + Display>(register: &MvRegister<T>) -> String {
    register.values().iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}
