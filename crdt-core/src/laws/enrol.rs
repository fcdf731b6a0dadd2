//! The types of this library, enrolled.

mod counter;
mod document;
mod fields;
mod flag;
mod lattice;
mod map;
mod register;
mod set;
