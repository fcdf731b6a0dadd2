//! Flags.

use crate::laws::op::FlagOp;
use crate::laws::spec;
use crate::laws::store::Enrolled;
use crate::laws::subject::Refused;
use crate::{DwFlag, Edit, EwFlag};
use std::prelude::rust_2024::*;

impl Enrolled for EwFlag {
    type Spec = spec::EnableWins;

    fn perform(flag: &mut Edit<'_, Self>, op: &FlagOp) -> Result<(), Refused> {
        match op {
            FlagOp::Enable => flag.enable(),
            FlagOp::Disable => flag.disable(),
        }
        Ok(())
    }

    fn read(&self) -> bool {
        self.is_set()
    }
}

impl Enrolled for DwFlag {
    type Spec = spec::DisableWins;

    fn perform(flag: &mut Edit<'_, Self>, op: &FlagOp) -> Result<(), Refused> {
        match op {
            FlagOp::Enable => flag.enable(),
            FlagOp::Disable => flag.disable(),
        }
        Ok(())
    }

    fn read(&self) -> bool {
        self.is_set()
    }
}
