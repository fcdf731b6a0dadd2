//! The types of this library, enrolled.

mod counter;
mod flag;
mod lattice;
mod map;
mod register;
mod set;
