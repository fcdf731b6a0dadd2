//! What a replica holds on behalf of others stays below its limits: in all, and for each of them.

use crdt_core::laws::Enrolled;

use super::World;
use crate::sim::violation::{Check, Violation};

/// Beyond its limit a link may be lined up one more push, of what was flushed together, and short messages besides.
const ONE_PUSH: usize = 4_096;

impl<S: Enrolled> World<S> {
    pub(super) fn check_loads(&self, node: usize) -> Result<(), Violation> {
        let Some(replica) = &self.nodes[node].replica else { return Ok(()) };
        let (stats, limits, load) = (replica.stats(), &replica.config().limits, replica.load());
        Check::Limits.holds(stats.held_bytes == load.all_links_bytes, || {
            let (all, links) = (stats.held_bytes, load.all_links_bytes);
            format!("replica {node} counts {all} bytes that wait for its disk, and {links} by link")
        })?;
        let (record, frame) = (limits.record_bytes_max, limits.frame_bytes_max);
        let each = [
            ("bytes parked", stats.parked_bytes, limits.inbox_bytes_max + record),
            ("bytes in its log", stats.log_bytes, limits.log_bytes_max + record),
            ("links", load.links, limits.links_max),
            ("bytes lined up for one peer", load.heaviest_link_bytes, limits.link_bytes_max + ONE_PUSH),
            ("repairs", load.repairs, limits.repairs_max),
            ("bytes of entries of one repair", load.heaviest_repair_bytes, limits.staged_bytes_max + frame),
            ("bytes of entries of cut repairs", load.staged_bytes, limits.staged_bytes_max),
            ("replicas in its roster", load.roster, limits.roster_max),
        ];
        each.into_iter().try_for_each(|(what, has, most)| {
            Check::Limits.holds(has <= most, || format!("replica {node} has {has} {what}; {most} are the most"))
        })
    }
}
