//! All data types, and what they do when replicas disagree.
//!
//! | type | holds | concurrent edits | under a removable key |
//! |---|---|---|---|
//! | [`GCounter`](crate::GCounter) | a number that grows | add up | no |
//! | [`PnCounter`](crate::PnCounter) | a number | add up | no |
//! | [`BoundedCounter`](crate::BoundedCounter) | a number ≥ 0 | add up; never below zero | no |
//! | [`Counter`](crate::Counter) | a number | add up; a removal takes what it saw | yes |
//! | [`LwwRegister`](crate::LwwRegister) | a value | one wins | yes |
//! | [`MvRegister`](crate::MvRegister) | a value | all stay, side by side | yes |
//! | [`EwFlag`](crate::EwFlag) | a truth value | enabling wins | yes |
//! | [`DwFlag`](crate::DwFlag) | a truth value | disabling wins | no |
//! | [`GSet`](crate::GSet) | elements, never removed | all stay | no |
//! | [`OrSet`](crate::OrSet) | elements | inserting wins | yes |
//! | [`RwSet`](crate::RwSet) | elements | removing wins | no |
//! | [`OrMap`](crate::OrMap) | stores under keys | editing wins over removing | yes |
//! | [`LwwMap`](crate::LwwMap) | values under keys | one wins, key by key | yes |
//! | [`fields!`](crate::fields) | a struct of stores | field by field | if all fields may be |
//! | [`Document`](crate::Document) | any of these under text keys | as they do | no |
//! | [`Max`](crate::Max), [`Min`](crate::Min), tuples, `Option` | plain lattices | the join | – |
//!
//! Not yet: lists, text, trees.

pub mod counter;
pub mod flag;
pub mod map;
pub mod record;
pub mod register;
pub mod set;
mod siblings;
