//! Flags: what wins when one enables while another disables.

use super::Specification;
use crate::laws::execution::View;
use crate::laws::op::FlagOp;

/// Set iff some visible enabling was seen by no visible disabling.
#[derive(Debug)]
pub struct EnableWins;

impl Specification for EnableWins {
    type Op = FlagOp;
    type Value = bool;

    fn value(view: &View<'_, FlagOp>) -> bool {
        let disablings = view.filter(|event| *event.op == FlagOp::Disable);
        let enablings = view.filter(|event| *event.op == FlagOp::Enable);
        !enablings.unseen_by(&disablings).is_empty()
    }

    fn is_bottom(view: &View<'_, FlagOp>) -> bool {
        !Self::value(view)
    }
}

/// Set iff the latest visible edits are enablings, all of them. Unset to begin with.
#[derive(Debug)]
pub struct DisableWins;

impl Specification for DisableWins {
    type Op = FlagOp;
    type Value = bool;

    fn value(view: &View<'_, FlagOp>) -> bool {
        let latest = view.latest();
        !latest.is_empty() && latest.iter().all(|event| *event.op == FlagOp::Enable)
    }

    fn is_bottom(view: &View<'_, FlagOp>) -> bool {
        view.is_empty()
    }
}
