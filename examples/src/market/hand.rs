//! Somebody who works at the stall and does something now and then.

use std::time::Duration;

use crdt_core::EditError;
use crdt_sync::drive::{Node, NodeError};

use super::goods::{PRODUCTS, Stall, StallCursor, product, shown, stamp};
use crate::random::Random;

/// What somebody does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Brings goods, and asks another price when there is plenty.
    Warehouse,
    /// Sells goods, and hears what people like.
    Kiosk,
}

impl Work {
    /// What the others call whoever does this.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warehouse => "Warehouse",
            Self::Kiosk => "Kiosk",
        }
    }

    /// What they have to say to whoever put something in the cart.
    fn remark(self) -> &'static str {
        match self {
            Self::Warehouse => "more of it comes at noon",
            Self::Kiosk => "wrapped, at the counter",
        }
    }
}

/// Works until the node is closed, under a name that was told before. Every pause is drawn, so that two hands never fall in step.
pub async fn work(node: Node<Stall>, work: Work, mut random: Random) -> Result<(), NodeError> {
    loop {
        tokio::time::sleep(Duration::from_millis(2_500 + random.below(5_000) as u64)).await;
        let name = PRODUCTS[random.below(PRODUCTS.len())];
        let in_stock = node.read(|stall| shown(stall, name).map_or(0, |product| product.stock().value()));
        let remarks = random.below(8) == 0;
        let done = node.try_edit(|stall| match work {
            _ if remarks => {
                remark(stall, name, work.remark());
                Ok(())
            }
            Work::Warehouse => deliver(stall, name, in_stock, &mut random),
            Work::Kiosk => sell(stall, name, in_stock, &mut random),
        });
        match done {
            Ok(stored) => stored.await?,
            // A count that would overflow: nothing has changed, and another product may have room.
            Err(_) => continue,
        }
    }
}

/// Tells the others what to call this replica, once.
pub async fn introduce(node: &Node<Stall>, name: &str) -> Result<(), NodeError> {
    let id = id_text(node);
    let known = node.read(|stall| stall.names().get(id.as_str()).and_then(|name| name.get().cloned()));
    if known.as_deref() == Some(name) {
        return Ok(());
    }
    node.edit(|stall| stall.names().entry(id.as_str()).write(stamp(), name)).await
}

/// The id as pages spell it.
fn id_text(node: &Node<Stall>) -> String {
    format!("{:032x}", u128::from_be_bytes(node.id().to_bytes()))
}

fn deliver(stall: &mut StallCursor<'_>, name: &str, in_stock: i128, random: &mut Random) -> Result<(), EditError> {
    let Some(mut product) = product(stall, name) else { return Ok(()) };
    match random.below(8) {
        0 => {
            let cents = 300 + 10 * random.below(70) as i64;
            product.price().write(cents);
        }
        1 => {
            product.tags().insert("fresh delivery");
        }
        2 => product.open().enable(),
        _ if in_stock < 40 => product.stock().increment(3 + random.below(8) as u64)?,
        _ => {
            product.tags().remove("fresh delivery");
        }
    }
    Ok(())
}

fn sell(stall: &mut StallCursor<'_>, name: &str, in_stock: i128, random: &mut Random) -> Result<(), EditError> {
    let Some(mut product) = product(stall, name) else { return Ok(()) };
    match random.below(6) {
        0 | 1 => product.likes().increment(1)?,
        _ if in_stock > 2 => product.stock().decrement(1 + random.below(2) as u64)?,
        _ => product.open().disable(),
    }
    Ok(())
}

/// Writes a note on a line of the cart that has none: what somebody else wrote is not for a hand to replace.
fn remark(stall: &mut StallCursor<'_>, name: &str, text: &str) {
    if stall.cart().get(name).is_some_and(|line| line.note().is_empty()) {
        stall.cart().entry(name).note().write(text);
    }
}

#[cfg(test)]
mod tests {
    use crdt_sync::{Config, MemoryStorage, ScopeId};

    use super::*;

    #[test]
    fn a_remark_is_for_a_line_that_is_there_and_bears_no_note() {
        let node = Node::<Stall>::open(MemoryStorage::new(), Config::new(ScopeId::named("stall"))).unwrap();
        let notes = || {
            node.read(|stall| {
                let line = stall.cart().get("bread")?;
                Some(line.note().values().into_iter().cloned().collect::<Vec<String>>())
            })
        };
        node.edit(|stall| remark(stall, "bread", "for nobody")).wait().unwrap();
        assert_eq!(notes(), None, "a note alone would make a line of none");
        node.edit(|stall| stall.cart().entry("bread").count().add(1)).wait().unwrap();
        for text in ["first", "second"] {
            node.edit(|stall| remark(stall, "bread", text)).wait().unwrap();
            assert_eq!(notes(), Some(vec!["first".to_owned()]));
        }
    }
}
