//! A shopping cart on a phone and on a laptop, kept by a shop that both visit now and then.
//!
//! ```text
//! cart
//! ```
//! No device ever waits for another one. Amounts add up, a removal takes what it has seen and no more, and what can't
//! be added up (the day of delivery) is shown until somebody decides. A visit is two exchanges of a question and its
//! answer, as over HTTP: each side says what it has, and gets what it lacks.
#![allow(clippy::print_stdout, reason = "a program's result belongs on the standard output")]

use std::error::Error;

use crdt_core::{Counter, EwFlag, MvRegister, OrMap};
use crdt_sync::drive::Node;
use crdt_sync::{Config, MemoryStorage, ScopeId};

crdt_core::fields! {
    /// What happens to each part when two devices change it at once: amounts add up under keys that may be removed, days
    /// stand side by side, and an order stays an order.
    struct Cart { items: OrMap<String, Counter>, delivery: MvRegister<String>, ordered: EwFlag }
}

type Device = Node<Cart>;

fn main() -> Result<(), Box<dyn Error>> {
    // One cart, three replicas. A device would keep its own in a file: `RedbStorage::open(path)`.
    let cart = Config::new(ScopeId::from_bytes(*b"cart of customer"));
    let open = || Device::open(MemoryStorage::new(), cart.clone());
    let (phone, laptop, shop) = (open()?, open()?, open()?);

    phone
        .edit(|cart| {
            cart.items().entry("milk").add(2);
            cart.items().entry("bread").add(1);
        })
        .wait()?;
    visit(&phone, &shop)?;
    visit(&laptop, &shop)?;
    show("both devices have visited the shop", &laptop);

    // In the underground, and at home without a network: both go on.
    phone
        .edit(|cart| {
            cart.items().remove("bread");
            cart.delivery().write("Friday");
        })
        .wait()?;
    laptop
        .edit(|cart| {
            cart.items().entry("bread").add(1);
            cart.items().entry("milk").add(3);
            cart.delivery().write("Saturday");
        })
        .wait()?;
    show("the phone, offline", &phone);
    show("the laptop, offline", &laptop);

    visit(&phone, &shop)?;
    visit(&laptop, &shop)?;
    visit(&phone, &shop)?;
    show("after both have visited the shop again", &phone);
    println!("    The phone removed the one bread that it knew of; the laptop's one came later, and stays.");
    println!("    Nobody can know which day is meant, so both are there to be asked about.\n");

    // An edit that fails changes nothing, not even the part that would have worked.
    let refused = laptop.try_edit(|cart| {
        cart.ordered().enable();
        cart.items().entry("milk").checked_sub(9)
    });
    println!("nine milk less? {}\n", refused.map_or_else(|error| format!("no: {error}"), |_| "yes".to_owned()));

    // Whoever writes next has seen both days, and settles it.
    laptop
        .edit(|cart| {
            cart.delivery().write("Saturday");
            cart.ordered().enable();
        })
        .wait()?;
    visit(&laptop, &shop)?;
    visit(&phone, &shop)?;
    show("ordered, as the phone sees it", &phone);

    let digest = |device: &Device| device.read_causal(crdt_core::Causal::content_digest);
    assert!(digest(&phone) == digest(&laptop) && digest(&laptop) == digest(&shop), "three equal carts");
    Ok(())
}

/// A device and the shop exchange what the other lacks. Each line is one request and its answer.
fn visit(device: &Device, shop: &Device) -> Result<(), Box<dyn Error>> {
    let for_the_device = shop.export(&device.export_request()?.wait()?)?.wait()?;
    let for_the_shop = device.export(&shop.export_request()?.wait()?)?.wait()?;
    device.import(&for_the_device)?.wait()?;
    shop.import(&for_the_shop)?.wait()?;
    Ok(())
}

fn show(when: &str, device: &Device) {
    device.read(|cart| {
        println!("{when}:");
        for (item, amount) in cart.items().iter() {
            println!("    {} {item}", amount.value());
        }
        let days: Vec<&str> = cart.delivery().values().into_iter().map(String::as_str).collect();
        if !days.is_empty() {
            println!("    delivery on {}", days.join(" or "));
        }
        if cart.ordered().is_set() {
            println!("    ordered");
        }
        println!();
    });
}
