//! Sets.

mod column;
mod g_set;
mod or_set;
mod rw_set;

pub use g_set::GSet;
pub use or_set::OrSet;
pub use rw_set::RwSet;
