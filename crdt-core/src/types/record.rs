//! Structs of stores: typed by [`fields!`](crate::fields), or found out at run time as a [`Document`].

mod columns;
mod document;
mod fields;
mod node;

#[doc(hidden)]
pub use columns::{Columns, TakeField, read};
pub use document::{Document, DocumentMap, Name, Nodes};
pub use fields::RemovableField;
pub use node::{Node, NodeEntry, NodePlace};
