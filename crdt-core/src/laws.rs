//! The laws, as a library: put any type through random histories, its own included (feature `laws`).
pub mod execution;
pub mod op;
pub mod spec;
pub mod law;
pub mod subject;
pub mod history;
pub mod tally;
pub mod world;
pub mod check;
pub mod store;
pub mod plain;
pub mod resolver;
pub mod exhaustive;
pub use resolver::check_resolver;
mod enrol;
#[cfg(test)]
mod bite;
