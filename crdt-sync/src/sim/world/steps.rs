//! How each step is taken.

use crdt_core::DotSet;
use crdt_core::laws::Refused;
use crdt_core::laws::{Enrolled, StoreOp};

use super::{Happening, World};
use crate::sim::disk::{Image, Marker};
use crate::sim::step::Step;
use crate::sim::violation::{Check, Violation};

impl<S: Enrolled> World<S> {
    /// Takes one step, and lets what it sets off at once happen.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn take(&mut self, step: &Step<StoreOp<S>>) -> Result<(), Violation> {
        let count = self.nodes.len();
        match step {
            Step::Edit(at, op) => self.edit(at % count, op.clone()).map(|_| ())?,
            Step::FailedEdit(at, op) => self.failed_edit(at % count, op)?,
            Step::Wait(ms) => self.run(*ms)?,
            Step::Flush(at) => self.input(at % count, |replica, now| replica.flush(now))?,
            Step::Repair(at, with) => self.repair(at % count, with % count)?,
            Step::CutOneWay(from, to) => self.cut(from % count, to % count, false),
            Step::Cut(from, to) => self.cut(from % count, to % count, true),
            Step::Heal => self.heal(),
            Step::Break(one, other, ms) => {
                if let Some(link) = self.between(one % count, other % count) {
                    self.break_link(link, *ms)?;
                }
            }
            Step::Crash(at, keep) => self.stop(at % count, *keep),
            Step::Restart(at) => self.open(at % count)?,
            Step::Close(at) => self.close_cleanly(at % count)?,
            Step::Backup(at) => {
                let node = &mut self.nodes[at % count];
                node.backup = Some(node.disk.image());
            }
            Step::Restore(at, marker) => {
                let node = at % count;
                if let Some(image) = self.nodes[node].backup.clone() {
                    self.tally.restores += 1;
                    self.replace_disk(node, &image, *marker)?;
                }
            }
            Step::Clone(at, of, marker) if at % count != of % count => {
                let image = self.nodes[of % count].disk.image();
                self.tally.clones += 1;
                self.replace_disk(at % count, &image, *marker)?;
            }
            Step::Clone(..) => {}
            Step::Relapse(at, one, other) => self.relapse(at % count, one, other)?,
            Step::Vanish(at) => self.vanish(*at)?,
            Step::JumpClock(at, ms) => {
                self.tally.clock_jumps += 1;
                self.nodes[at % count].skew_ms += ms;
            }
            Step::SlowDisk(at, ms) => self.nodes[at % count].disk.flush_ms = *ms,
            Step::FailFlush(at) => {
                let node = &mut self.nodes[at % count];
                node.disk.fail_next = node.replica.is_some();
            }
            Step::Loss(percent) => self.profile.weather.loss_percent = *percent,
            Step::Hostile(at, what, seed) => self.harass(at % count, *what, *seed)?,
            Step::Retire(at, whom) => self.retire(at % count, whom % count)?,
            Step::Borrow(at) => self.borrow(*at)?,
            Step::GiveBack(at) => self.give_back(*at)?,
            Step::Courier(to, from, ms) => self.courier(to % count, from % count, *ms)?,
            Step::Request(at) => self.request(at % count)?,
            Step::Pack(at, which) => self.pack(at % count, *which)?,
            Step::Unpack(at, which, damage) => self.unpack(at % count, *which, *damage)?,
        }
        // What has no delay belongs to the step.
        self.run(0)?;
        self.look_closely()
    }

    fn failed_edit(&mut self, node: usize, op: &StoreOp<S>) -> Result<(), Violation> {
        let now = self.nodes[node].now(self.now);
        let Some(replica) = &mut self.nodes[node].replica else { return Ok(()) };
        let before = (replica.state().summary(), replica.state().encode());
        let edited = replica.try_edit(now, |cursor| {
            S::perform(cursor, op)?;
            Err::<(), _>(Refused("on purpose".into()))
        });
        let after = (replica.state().summary(), replica.state().encode());
        Check::Unchanged.holds(!matches!(edited, Ok(Ok(_))) && before == after, || {
            format!("an edit that failed has changed replica {node}")
        })?;
        self.tally.failed_edits += u64::from(edited.is_ok());
        self.drain(node)
    }

    fn repair(&mut self, node: usize, with: usize) -> Result<(), Violation> {
        let Some(link) = self.between(node, with) else { return Ok(()) };
        let Some(side) = self.links[link].side_of(node) else { return Ok(()) };
        let Some(peer) = self.links[link].ends[side].peer else { return Ok(()) };
        self.input(node, |replica, now| replica.repair_with(peer, now))
    }

    fn cut(&mut self, from: usize, to: usize, both: bool) {
        let Some(number) = self.between(from, to) else { return };
        let Some(side) = self.links[number].side_of(from) else { return };
        self.links[number].cut[side] = true;
        if both {
            self.links[number].cut[1 - side] = true;
            self.tally.two_way_cuts += 1;
        } else {
            self.tally.one_way_cuts += 1;
        }
    }

    /// Closes a replica in good order: the last batch is on disk before the process ends.
    fn close_cleanly(&mut self, node: usize) -> Result<(), Violation> {
        if self.nodes[node].replica.is_none() {
            return Ok(());
        }
        self.tally.closes += 1;
        self.nodes[node].disk.fail_next = false;
        self.input(node, |replica, now| replica.close(now))?;
        self.stop(node, usize::MAX);
        self.tally.crashes -= 1;
        let (life, wait) = (self.nodes[node].life, self.chance.between(1, 2_000));
        self.after(wait, Happening::Open { node, life });
        Ok(())
    }

    fn replace_disk(&mut self, node: usize, image: &Image, marker: Marker) -> Result<(), Violation> {
        self.stop(node, 0);
        self.nodes[node].disk.replace(image, marker);
        self.nodes[node].memory += 1;
        if self.nodes[node].disk.looks_untouched() {
            self.tally.rewound += 1;
            self.oracle.rewound = true;
        }
        let disks: Vec<&DotSet> = self.nodes.iter().map(|node| node.disk.received()).collect();
        self.oracle.disks_replaced(&disks);
        self.open(node)
    }

    fn relapse(&mut self, node: usize, one: &StoreOp<S>, other: &StoreOp<S>) -> Result<(), Violation> {
        if self.nodes[node].replica.is_none() || self.nodes[node].disk.unsafe_batches() > 0 {
            return Ok(());
        }
        let image = self.nodes[node].disk.image();
        self.edit(node, one.clone())?;
        self.input(node, |replica, now| replica.flush(now))?;
        self.run(500)?;
        self.tally.restores += 1;
        self.replace_disk(node, &image, Marker::Matches)?;
        self.edit(node, other.clone())?;
        self.input(node, |replica, now| replica.flush(now))
    }

    fn retire(&mut self, node: usize, whom: usize) -> Result<(), Violation> {
        let id = self.nodes[whom].id;
        let down = self.nodes[whom].replica.is_none();
        let now = self.nodes[node].now(self.now);
        let Some(replica) = &mut self.nodes[node].replica else { return Ok(()) };
        let (read, before) = (replica.state().read(), replica.received().clone());
        if replica.retire(id, now).is_err() {
            return self.drain(node);
        }
        let took = replica.received().difference(&before);
        let read_after = replica.state().read();
        self.tally.retirements += 1;
        self.tally.retired_dormant += u64::from(down);
        Check::Retirement.holds(read == read_after, || {
            format!("retiring {id} at replica {node} changed what is read from {read:?} to {read_after:?}")
        })?;
        self.oracle.edited_roster(node, &took)?;
        self.drain(node)
    }
}
