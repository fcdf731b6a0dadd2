//! Registers.

mod lww_register;
mod mv_register;
mod resolver;

pub use lww_register::LwwRegister;
pub use mv_register::{MvRegister, Siblings};
pub use resolver::Resolver;
