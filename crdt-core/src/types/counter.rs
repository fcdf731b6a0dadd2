//! Counters.

mod bounded_counter;
mod exact;
mod g_counter;
mod pn_counter;
mod totals;

pub use bounded_counter::BoundedCounter;
pub use exact::Counter;
pub use g_counter::GCounter;
pub use pn_counter::PnCounter;
