//! Several replicas in processes of their own, each with a store on disk, linked over loopback TCP with certificates.
//!
//! ```text
//!            commands on stdin, answers on stdout
//!   script ◄──────────────────────────────────────► member A ── store
//!     │  ledger: every acknowledged edit              ║    ╲
//!     ├──────────────────────────────────────────► member B ═ member C …      TLS over TCP
//! ```
//! The parent process ([`script`]) tells members ([`member`]) whom to talk to and what to edit, cuts links, kills one,
//! and starts it again. It keeps the ledger, so a member that loses something can't hide it.

pub mod board;
pub mod certificates;
pub mod control;
pub mod member;
pub mod script;
pub mod table;
