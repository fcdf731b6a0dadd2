//! What a run met. A run that met nothing proves nothing, so some of these have floors.

use super::law::{Broken, Law};
use std::fmt;
use std::prelude::rust_2024::*;

macro_rules! tally {
    ($($(#[$doc:meta])+ $name:ident: $label:literal,)+) => {
        /// Counts of what the histories of a run contained.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Tally {
            $($(#[$doc])+ pub $name: u64,)+
        }

        impl Tally {
            /// Adds another count.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)+
            }
        }

        impl fmt::Display for Tally {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let counts = [$(($label, self.$name)),+];
                for (index, (label, count)) in counts.into_iter().enumerate() {
                    write!(f, "{}{count} {label}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    };
}

tally! {
    /// Histories run.
    histories: "histories",
    /// Edits made.
    edits: "edits",
    /// Edits that changed nothing.
    idle_edits: "idle",
    /// Edits that were refused.
    refusals: "refused",
    /// Pairs of edits neither of which knew of the other.
    concurrent_pairs: "concurrent pairs",
    /// Merges of a whole state that was behind its receiver.
    stale_merges: "stale merges",
    /// Removals that changed what the reader sees.
    removals: "removals that hit",
    /// Removals of a whole part that changed what the reader sees.
    nested_removals: "nested removals",
    /// Deliveries after which the receiver lacked a cause of something it held.
    gaps: "gaps",
    /// Gaps that a later merge filled.
    gaps_filled: "gaps filled",
    /// Deltas that arrived where they had been before.
    repeats: "repeats",
    /// Deltas that some replica never heard of.
    losses: "losses",
    /// States compared with the specification.
    compared: "compared with the specification",
}

impl Tally {
    /// Whether the run met each case about once in `one_in` histories or more often.
    ///
    /// `removals` and `nested` say whether the type has such operations at all.
    pub fn check_floors(&self, removals: bool, nested: bool) -> Result<(), Broken> {
        let floors = [
            ("concurrent pairs", self.concurrent_pairs, 1),
            ("stale merges", self.stale_merges, 10),
            ("removals that hit", if removals { self.removals } else { u64::MAX }, 2),
            ("nested removals", if nested { self.nested_removals } else { u64::MAX }, 4),
            ("gaps", self.gaps, 10),
            ("gaps filled", self.gaps_filled, 100),
            ("repeats", self.repeats, 5),
            ("losses", self.losses, 1),
            ("states compared with the specification", self.compared, 1),
        ];
        for (what, count, one_in) in floors {
            let floor = self.histories / one_in;
            Law::Floor.holds(count >= floor, || std::format!("{count} {what}, at least {floor} expected of {self}"))?;
        }
        Ok(())
    }
}
