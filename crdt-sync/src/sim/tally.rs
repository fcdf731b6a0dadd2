//! What a batch of runs met. Runs that met nothing prove nothing, so most of these have floors.

use std::fmt;

use super::violation::{Check, Violation};

macro_rules! tally {
    ($($(#[$doc:meta])+ $name:ident: $label:literal, $in_thousand:literal;)+) => {
        /// Counts of what runs met.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Tally {
            /// Runs.
            pub runs: u64,
            $($(#[$doc])+ pub $name: u64,)+
        }

        impl Tally {
            /// Adds another count.
            pub fn add(&mut self, other: &Self) {
                self.runs += other.runs;
                $(self.$name += other.$name;)+
            }

            /// Each count with its name, and how many a thousand runs must at least have met.
            #[must_use]
            pub fn rows(&self) -> Vec<(&'static str, u64, u64)> {
                vec![$(($label, self.$name, $in_thousand)),+]
            }
        }
    };
}

tally! {
    /// Edits that took a dot.
    edits: "edits", 2000;
    /// Edits that changed nothing.
    idle_edits: "edits that changed nothing", 500;
    /// Edits that failed on purpose.
    failed_edits: "edits that failed and were undone", 100;
    /// Edits refused because the disk was slow.
    busy_edits: "edits refused as busy", 1;
    /// Edits refused because the identity was in doubt.
    frozen_edits: "edits refused while an identity was in doubt", 10;
    /// Pairs of edits neither of which knew of the other.
    concurrent_pairs: "concurrent pairs", 2000;
    /// Edits acknowledged as durable.
    acknowledged: "edits acknowledged", 1500;
    /// Reads compared with the specification.
    reads: "reads compared with the specification", 5000;
    /// States compared with the effect of what was received.
    states: "states compared with the effect of what was received", 20000;
    /// Frames sent.
    frames: "frames sent", 20000;
    /// Frames lost.
    lost: "frames lost", 1000;
    /// Frames that came twice.
    repeated: "frames repeated", 500;
    /// Frames that overtook another one.
    overtaken: "frames that overtook another", 800;
    /// Frames that waited behind a cut.
    stalled: "frames stalled behind a cut", 100;
    /// One-way cuts.
    one_way_cuts: "one-way cuts", 50;
    /// Two-way cuts.
    two_way_cuts: "two-way cuts", 100;
    /// Links that broke.
    breaks: "links broken", 100;
    /// Replicas that stopped where they stood.
    crashes: "crashes", 300;
    /// Of those, with batches on their way to the disk.
    crashes_in_write: "crashes with unsynced batches", 100;
    /// Of those, in the middle of a flush.
    crashes_in_flush: "crashes in the middle of a flush", 100;
    /// Of those, that kept some of those batches.
    crashes_kept_part: "crashes that kept a part", 4;
    /// Edits lost in them, that nobody had been told of.
    edits_lost: "unacknowledged edits lost in crashes", 100;
    /// Replicas opened again.
    restarts: "restarts", 300;
    /// Replicas closed in good order.
    closes: "clean stops", 50;
    /// Disks replaced by an old copy.
    restores: "old backups restored", 10;
    /// Disks that went back in time in a way that nothing shows.
    rewound: "disks rewound unnoticed", 10;
    /// Disks replaced by a copy of another one.
    clones: "cloned disks opened", 40;
    /// Openings that took a fresh id in place of the stored one.
    fresh_ids: "fresh ids taken at opening", 50;
    /// Identities lost while running, and replaced.
    identities_lost: "identities lost at run time", 20;
    /// Dots found to name two edits.
    equivocations: "equivocations reported", 2;
    /// Runs in which a dot came to name two edits.
    tainted: "runs with a dot made twice after an unnoticed rewind", 3;
    /// Clocks that jumped.
    clock_jumps: "clock jumps", 100;
    /// Clocks reported to be ahead.
    skews: "clocks reported as skewed", 50;
    /// Flushes that failed.
    failed_flushes: "failed flushes", 30;
    /// Frames of strangers.
    hostile: "hostile frames", 500;
    /// Of those, refused.
    hostile_refused: "hostile frames refused", 400;
    /// Frames replayed from an earlier connection.
    replayed: "replayed frames", 100;
    /// Retirements written.
    retirements: "retirements", 50;
    /// Retirements of a replica that was down.
    retired_dormant: "retirements of a replica that was down", 5;
    /// Ids lent to tabs, and taken.
    borrowed: "ids borrowed by tabs", 20;
    /// Ids given back.
    given_back: "ids given back", 2;
    /// Pushes that came by somebody else's message system.
    engine: "pushes through a message system", 100;
    /// Parcels of all that a replica had.
    parcels_for_all: "parcels packed for whoever it may reach", 200;
    /// Parcels taken in.
    parcels_taken: "parcels taken in", 300;
    /// Of those, parcels that brought something new.
    parcels_fresh: "parcels taken in that brought something", 50;
    /// Of those, parcels that brought nothing new.
    parcels_idle: "parcels taken in that brought nothing", 200;
    /// Of those, parcels that answered somebody else, or this replica before it lost its state.
    parcels_for_others: "parcels taken in that were packed for another", 40;
    /// Parcels that built on what was not there.
    parcels_gap: "parcels refused as something before them was missing", 0;
    /// Parcels that were damaged, and refused.
    parcels_damaged: "damaged parcels refused", 40;
    /// Times that a home retired ids of tabs which had vanished.
    retired_vanished: "times that vanished tabs were retired", 4;
    /// Replicas that fell dormant somewhere.
    dormant: "replicas fallen dormant", 20;
    /// Records that came for the first time.
    records_fresh: "records received", 1000;
    /// Records that came again.
    records_repeated: "records received again", 400;
    /// Records that waited for their causes.
    parked: "records that waited for causes", 30;
    /// Records dropped because too many waited.
    parked_dropped: "waiting records dropped", 1;
    /// Pushes left out because a link or a disk was slow.
    pushes_dropped: "pushes left out", 1;
    /// Records read back from a disk's log.
    fetches: "fetches from the log on disk", 40;
    /// Repairs that found nothing to do.
    repairs_same: "repairs: nothing to do", 2000;
    /// Repairs at rest, which must find nothing to do.
    rests: "repairs at rest that answered Same", 900;
    /// Repairs out of the log.
    repairs_log: "repairs: log", 100;
    /// Repairs with a sketch.
    repairs_sketch: "repairs: sketch", 100;
    /// Repairs with a set of live dots.
    repairs_live_set: "repairs: live set", 100;
    /// Repairs with a whole state.
    repairs_whole: "repairs: whole state", 300;
    /// Repairs that were cut or given up.
    repairs_failed: "repairs given up", 100;
    /// Acknowledged edits found everywhere in the end.
    ledger: "acknowledged edits found everywhere", 3000;
    /// Milliseconds until all were equal once faults stopped, summed.
    settle_ms: "milliseconds to settle, summed", 0;
}

impl Tally {
    /// That the runs met what they were meant to meet.
    ///
    /// # Errors
    /// What they met too little of.
    pub fn check_floors(&self) -> Result<(), Violation> {
        for (what, count, in_thousand) in self.rows() {
            let floor = self.runs * in_thousand / 1_000;
            Check::Floor.holds(count >= floor, || format!("{count} {what}; {floor} expected of {} runs", self.runs))?;
        }
        Ok(())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>12} runs", self.runs)?;
        self.rows().into_iter().try_for_each(|(what, count, _)| writeln!(f, "{count:>12} {what}"))
    }
}
