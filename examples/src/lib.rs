//! What the examples share. Each example is a program under `src/bin`, to be read from top to bottom;
//! the parts it is made of are modules here, so that the tests can run them without starting a process.
//!
//! | program | what it shows |
//! |---|---|
//! | `git_history` | the history of a git repository replayed as replicas that edit at the same time: [`history`] |
//! | `settings` | an application's own struct on two devices, without a runtime; conflicts that can be read |
//! | `chat` | causal order: an answer that comes first waits for its question |
//! | `cart` | a shopping cart on devices that meet through a shop, a question and its answer at a time |
//! | `garden` | an application's object around a replica: types of its own, and news in its own words |
//! | `inspect` | a store on disk, readable, without the types that it was written with: [`inspect`](mod@inspect) |
//! | `demo` | several replicas in processes of their own, an outage, a kill, and nothing lost: [`demo`] |
//! | `market` | a market stall in browser tabs and native replicas, over a relay: [`market`] |

pub mod demo;
pub mod history;
pub mod inspect;
pub mod market;
pub mod memory;
pub mod progress;
pub mod random;
pub mod scratch;
