//! The seam, called as JavaScript calls it, without JavaScript.

mod documents;
mod page;
