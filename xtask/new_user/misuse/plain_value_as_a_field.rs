// says: `u64` is not a store, so it cannot be edited and merged inside `Causal`
// says: a plain value lives in a register, such as `MvRegister<u64>`
crdt_core::fields! { pub struct Lamp { brightness: u64 } }

fn main() {}
