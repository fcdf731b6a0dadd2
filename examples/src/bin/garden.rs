//! An application with a replica inside it, and types of its own in the replica.
//!
//! ```text
//! garden
//! ```
//! `Garden` is what the rest of the application sees: it plants, waters and asks, and hears in its own words what
//! changed elsewhere. That there are replicas, links and conflicts stays in here. Two gardeners run in this process and
//! talk over TCP, as they would from two machines.
#![allow(clippy::print_stdout, reason = "a program's result belongs on the standard output")]

use std::error::Error;
use std::fmt;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crdt_core::{Change, Counter, Custom, Element, MvRegister, Observed, OrMap, Step};
use crdt_sync::drive::{Node, NodeError, Subscription, blocking};
use crdt_sync::{Config, Event, MemoryStorage, ScopeId};
use serde::{Deserialize, Serialize};

/// Where something grows: a key of our own. What serde can write may be a key, an element or a value.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Spot {
    row: u8,
    place: u8,
}

/// What grows there.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Plant {
    Beans,
    Tomatoes { variety: String },
}

impl Custom for Spot {}
impl Custom for Plant {}

crdt_core::fields! {
    /// One spot: two who plant there at once are told of each other; every can of water counts.
    struct Bed { plant: MvRegister<Plant>, cans: Counter }
}

/// The application's own object.
struct Garden {
    beds: Node<OrMap<Spot, Bed>>,
    events: Subscription,
}

impl Garden {
    fn open() -> Result<Self, NodeError> {
        // Changes are told with before and after, which costs a look at what is touched.
        let config = Config { report_changes: true, ..Config::new(ScopeId::from_bytes(*b"our garden, 2026")) };
        let beds = Node::open(MemoryStorage::new(), config)?;
        Ok(Self { events: beds.subscribe(), beds })
    }

    fn plant(&self, spot: Spot, plant: Plant) -> Result<(), NodeError> {
        self.beds.edit(|beds| beds.entry(spot).plant().write(plant)).wait()
    }

    fn water(&self, spot: Spot, cans: i64) -> Result<(), NodeError> {
        self.beds.edit(|beds| beds.entry(spot).cans().add(cans)).wait()
    }

    fn clear(&self, spot: Spot) -> Result<(), NodeError> {
        self.beds.edit(|beds| beds.remove(&spot)).wait().map(|_| ())
    }

    /// What others changed since the last call, in the words of a gardener; waits until something did.
    fn news(&mut self) -> Vec<String> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            let Some(Event::Changed { changes, .. }) = self.events.wait(Duration::from_secs(1)) else { continue };
            let news: Vec<String> = changes.iter().filter_map(told).collect();
            if !news.is_empty() {
                return news;
            }
        }
        Vec::new()
    }
}

/// A change, as `OrMap<Spot, Bed>` reports it: the way there, and what a reader saw before and sees now.
fn told(change: &Change) -> Option<String> {
    let [Step::Key(key), Step::Field(field)] = change.path.as_slice() else { return None };
    let spot = Spot::from_value(key.clone())?;
    Some(match (field.as_str(), &change.after) {
        ("cans", Observed::Number(cans)) => format!("{spot} has had {cans} cans of water"),
        ("plant", Observed::Values(plants)) => {
            let plants: Vec<String> = plants
                .iter()
                .filter_map(|plant| Plant::from_value(plant.clone()))
                .map(|plant| plant.to_string())
                .collect();
            match plants.as_slice() {
                [one] => format!("{spot} has {one} now"),
                several => format!("{spot} was planted twice, with {}: talk to each other", several.join(" and with ")),
            }
        }
        _ => format!("{spot} is empty"),
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mut anna, mut ben) = (Garden::open()?, Garden::open()?);
    let (first, second) = (Spot { row: 1, place: 1 }, Spot { row: 1, place: 2 });

    // Both were out in the garden before they met.
    anna.plant(first, Plant::Beans)?;
    anna.plant(second, Plant::Beans)?;
    anna.water(second, 2)?;
    ben.plant(second, Plant::Tomatoes { variety: "Black Krim".to_owned() })?;
    ben.water(second, 1)?;

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let _listening = blocking::listen(&anna.beds, listener)?;
    let _connection = blocking::connect(&ben.beds, address)?;
    for news in ben.news() {
        println!("ben hears: {news}");
    }
    for news in anna.news() {
        println!("anna hears: {news}");
    }

    // Anna gives way. Ben hears of it; one value is left, as she had seen both.
    anna.plant(second, Plant::Tomatoes { variety: "Black Krim".to_owned() })?;
    for news in ben.news() {
        println!("ben hears: {news}");
    }
    ben.clear(first)?;
    for news in anna.news() {
        println!("anna hears: {news}");
    }
    Ok(())
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "place {} in row {}", self.place, self.row)
    }
}

impl fmt::Display for Plant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beans => write!(f, "beans"),
            Self::Tomatoes { variety } => write!(f, "tomatoes ({variety})"),
        }
    }
}
