//! Situations told step by step, on a network and disks that are driven by hand. One program for all of them: each
//! would compile the whole machine anew.

#[path = "situations/bounds.rs"]
mod bounds;
#[path = "situations/door.rs"]
mod door;
#[path = "situations/durability.rs"]
mod durability;
#[path = "situations/edges.rs"]
mod edges;
#[path = "situations/identity.rs"]
mod identity;
#[path = "situations/lend.rs"]
mod lend;
#[path = "situations/limits.rs"]
mod limits;
#[path = "situations/memory.rs"]
mod memory;
#[path = "situations/net.rs"]
mod net;
#[path = "situations/pair.rs"]
mod pair;
#[path = "situations/parcel.rs"]
mod parcel;
#[path = "situations/retire.rs"]
mod retire;
#[path = "situations/strange.rs"]
mod strange;
#[path = "situations/upgrade.rs"]
mod upgrade;
