//! Registers.

mod lww_register;
mod mv_register;

pub use lww_register::LwwRegister;
pub use mv_register::{MvRegister, Siblings};
