//! The end of a run: faults stop, and all must soon be equal.

use crdt_core::laws::Enrolled;

use super::World;
use crate::sim::net::Weather;
use crate::sim::violation::{Check, Violation};

/// How often it is looked whether all are equal.
const LOOK_EVERY_MS: u64 = 50;
/// Repairs that began before all were equal are over by then.
const REST_MS: u64 = 3_000;
/// What may still go on is given up when nothing is heard for half of this.
const ANSWER_MS: u64 = 60_000;

impl<S: Enrolled> World<S> {
    /// Ends all faults: cuts, losses, slow disks, stopped replicas.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn calm(&mut self) -> Result<(), Violation> {
        self.heal();
        self.profile.weather = Weather::fair();
        for node in 0..self.nodes.len() {
            self.nodes[node].disk.flush_ms = 1;
            self.nodes[node].disk.fail_next = false;
            self.open(node)?;
        }
        for link in 0..self.links.len() {
            if !self.links[link].is_up() {
                self.raise(link, 10);
            }
        }
        Ok(())
    }

    /// Whether all replicas are up and have received the same.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let mut received = self.nodes.iter().map(|node| {
            let replica = node.replica.as_ref().filter(|_| node.disk.unsafe_batches() == 0);
            replica.map(|replica| replica.received())
        });
        let first = received.next().flatten();
        first.is_some() && received.all(|other| other == first)
    }

    /// Whether all know of the same retirements. What is told of them may be lost, and the next repair brings it: until
    /// then that one has something to do, though all have received the same.
    fn agree_on_retirements(&self) -> bool {
        let replicas: Vec<_> = self.nodes.iter().filter_map(|node| node.replica.as_ref()).collect();
        replicas.windows(2).all(|pair| matches!(pair, [a, b] if a.retired().eq(b.retired())))
    }

    /// Ends all faults, and waits until all replicas are equal: in what they received, in their bytes, in what is read;
    /// and nothing that was acknowledged is missing.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn settle(&mut self) -> Result<(), Violation> {
        self.calm()?;
        let start = self.now;
        // Records that are still open close by then.
        self.run(self.profile.config.timing.flush_after.as_millis() as u64 + 100)?;
        self.until_equal()?;
        self.tally.settle_ms += self.now - start;
        // What was on its way all that time may still bring something: a record, say, of a writer that lost it.
        self.run(REST_MS)?;
        self.until_equal()?;
        self.tally.tainted += u64::from(self.oracle.tainted);
        self.look_closely()?;
        let first = self.nodes[0].replica.as_ref().map(|replica| replica.state().encode()).unwrap_or_default();
        for number in 0..self.nodes.len() {
            let Some(replica) = &self.nodes[number].replica else { continue };
            let bytes = replica.state().encode();
            Check::Converges.holds(bytes == first || self.oracle.tainted, || {
                format!("replicas 0 and {number} have received the same and hold different bytes")
            })?;
            let (top, own) = (replica.frontier().clone(), self.nodes[0].replica.as_ref().map(|first| first.frontier()));
            // Where records come before their causes, so may the top.
            let ordered = self.profile.config.mode == crate::Mode::Causal && !self.oracle.tainted;
            Check::Causes.holds(own == Some(&top) || !ordered, || {
                format!("replicas 0 and {number} have received the same, and their frontiers are {own:?} and {top:?}")
            })?;
            self.tally.ledger += self.oracle.check_ledger(number, replica.received())?;
            let stats = replica.stats();
            self.transcript.add_bytes(&bytes);
            self.add_stats(&stats);
        }
        self.check_rest()
    }

    fn until_equal(&mut self) -> Result<(), Violation> {
        let start = self.now;
        while !self.is_settled() || !self.agree_on_retirements() {
            if self.now - start > self.profile.settle_ms {
                return Err(Check::Converges.broken(self.differences()));
            }
            self.run(LOOK_EVERY_MS)?;
        }
        Ok(())
    }

    /// At rest a repair finds nothing to do, whoever opens it.
    fn check_rest(&mut self) -> Result<(), Violation> {
        self.run(REST_MS)?;
        let up: Vec<usize> = (0..self.links.len()).filter(|link| self.links[*link].is_up()).collect();
        if up.is_empty() || self.oracle.tainted {
            return Ok(());
        }
        let (link, side) = (self.chance.pick(&up), self.chance.below(2) as usize);
        let end = self.links[link].ends[side];
        let (same, others) = self.repairs_so_far();
        if let Some(peer) = end.peer {
            self.input(end.node, |replica, now| replica.repair_with(peer, now))?;
        }
        let start = self.now;
        loop {
            self.run(LOOK_EVERY_MS)?;
            let (same_now, others_now) = self.repairs_so_far();
            Check::Same.holds(others == others_now, || {
                format!("all have received the same, and repairs found something to do: {others:?}, now {others_now:?}")
            })?;
            if same_now > same {
                self.tally.rests += 1;
                return Ok(());
            }
            Check::Same.holds(self.now - start <= ANSWER_MS, || {
                format!(
                    "a repair between replicas that have received the same has no end, {ANSWER_MS} ms after its start"
                )
            })?;
        }
    }

    /// How many ended with nothing to do, and how many with what else.
    fn repairs_so_far(&self) -> (u64, [u64; 4]) {
        use crate::RepairTier::{LiveSet, Log, Same, Sketch, Whole};
        let by = |tier| {
            let replicas = self.nodes.iter().filter_map(|node| node.replica.as_ref());
            replicas.map(|replica| replica.stats().repairs_by(tier)).sum::<u64>()
        };
        (by(Same), [Log, Sketch, LiveSet, Whole].map(by))
    }

    fn differences(&self) -> String {
        let row = |(number, node): (usize, &crate::sim::node::Node<S>)| match &node.replica {
            Some(replica) => {
                let (received, retired) = (replica.received(), replica.retired().collect::<Vec<_>>());
                format!("\n  replica {number} ({}) has {received:?} and knows as retired {retired:?}", node.id)
            }
            None => format!("\n  replica {number} is stopped"),
        };
        let rows: String = self.nodes.iter().enumerate().map(row).collect();
        format!("{} ms after the faults ended replicas differ:{rows}", self.profile.settle_ms)
    }
}
