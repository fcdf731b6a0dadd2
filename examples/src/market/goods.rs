//! What is for sale, and what happens to each part of it when two change it at once.

use std::time::{SystemTime, UNIX_EPOCH};

use crdt_core::{
    BoundedCounter, Counter, DotStore, EditError, EwFlag, GCounter, LwwRegister, MvRegister, OrMap, OrSet, PnCounter,
    Timestamp,
};

crdt_core::fields! {
    /// One kind of goods.
    pub struct Product {
        /// The later name stays.
        title: LwwRegister<String>,
        /// In cents. Two prices written at once stand side by side until somebody decides.
        price: MvRegister<i64>,
        /// What came and went all counts.
        stock: PnCounter,
        /// Every like counts.
        likes: GCounter,
        /// A tag that is added and removed at once stays.
        tags: OrSet<String>,
        /// Opened and closed at once: open.
        open: EwFlag,
    }
}

crdt_core::fields! {
    /// One line of the cart.
    pub struct Line {
        /// How many; what several put in adds up.
        count: Counter,
        /// What to heed. Two notes written at once stand side by side until somebody decides.
        note: MvRegister<String>,
    }
}

crdt_core::fields! {
    /// The stall.
    pub struct Stall {
        bread: Product,
        cheese: Product,
        apples: Product,
        honey: Product,
        /// Seats at tonight's tasting. Each comes with a right to sell it, and who holds none sells none: never too many.
        seats: BoundedCounter,
        /// A line for each product that somebody put in; one that is removed while somebody writes on it keeps what was written.
        cart: OrMap<String, Line>,
        /// What replicas call themselves, by their ids.
        names: OrMap<String, LwwRegister<String>>,
    }
}

/// The names of the products, as they are in the bytes.
pub const PRODUCTS: [&str; 4] = ["bread", "cheese", "apples", "honey"];

/// A cursor in the stall.
pub type StallCursor<'a> = <Stall as DotStore>::Cursor<'a>;

/// A cursor in a product.
pub type ProductCursor<'a> = <Product as DotStore>::Cursor<'a>;

/// Where to edit a product of that name.
pub fn product<'a>(stall: &'a mut StallCursor<'_>, name: &str) -> Option<ProductCursor<'a>> {
    Some(match name {
        "bread" => stall.bread(),
        "cheese" => stall.cheese(),
        "apples" => stall.apples(),
        "honey" => stall.honey(),
        _ => return None,
    })
}

/// The product of that name, to read.
pub fn shown<'a>(stall: &'a Stall, name: &str) -> Option<&'a Product> {
    Some(match name {
        "bread" => stall.bread(),
        "cheese" => stall.cheese(),
        "apples" => stall.apples(),
        "honey" => stall.honey(),
        _ => return None,
    })
}

/// Now, for the values of which the later one stays.
pub fn stamp() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX), 0)
}

/// What lies there on the first morning.
pub fn first_morning(stall: &mut StallCursor<'_>) -> Result<(), EditError> {
    let morning: [(&str, &str, i64, u64, &[&str]); 4] = [
        ("bread", "Sourdough loaf", 480, 24, &["baked today"]),
        ("cheese", "Alpine cheese", 890, 12, &["raw milk", "12 months"]),
        ("apples", "Russet apples", 320, 60, &["windfall"]),
        ("honey", "Lime honey", 750, 18, &[]),
    ];
    for (name, title, cents, pieces, tags) in morning {
        let Some(mut product) = product(stall, name) else { continue };
        product.title().write(stamp(), title);
        product.price().write(cents);
        product.stock().increment(pieces)?;
        product.open().enable();
        for tag in tags {
            product.tags().insert(*tag);
        }
    }
    Ok(())
}
