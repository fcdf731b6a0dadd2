//! Repairs between small replicas, over links that lose, repeat, and are cut between any two messages.

mod history;
mod model;
mod node;
mod pair;
mod random;
