//! A market stall that everybody edits at once: browser tabs, and two native replicas beside them.
//!
//! ```text
//!   tab ═══════ tab            Warehouse    Kiosk
//!     ╲  tabs   ╱                  ║          ║        the same frames,
//!      ╲       ╱   WebSocket       ║          ║        the same bytes
//!       ╚═════╩══════════► relay ◄═╩══════════╝
//! ```
//! [`goods`] is the data, the same as `examples/page/market.ts` declares. [`hand`] edits it now and then, [`terminal`] when it
//! is told to, and [`site`] serves the page.

pub mod goods;
pub mod hand;
pub mod site;
pub mod sum;
pub mod terminal;
