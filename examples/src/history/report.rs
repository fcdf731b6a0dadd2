//! What a replay came to, for people and for programs.

use std::fmt;

use serde::Serialize;

/// The figures of one run. As JSON, one object with the first twelve as its keys, in this order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Commits replayed.
    pub commits: usize,
    /// Branches, from the root or fork where each begins to the merge or head where it ends.
    pub replicas: usize,
    /// Commits with several parents.
    pub merges: usize,
    /// Commits that edited: all but the merges that were already equal.
    pub edits: usize,
    /// Edits that changed something: each gave one delta.
    pub deltas: usize,
    /// Canonical bytes of all deltas together.
    pub delta_bytes: usize,
    /// Canonical bytes of all heads merged.
    pub state_bytes: usize,
    /// Merge commits whose merged view was the committed tree.
    pub merges_already_equal: usize,
    /// At the other merge commits, paths with several blobs after the merge.
    pub conflicted_paths: usize,
    /// Whether the view at the last commit, and at each named ref, is exactly its tree.
    pub final_tree_equal: bool,
    /// Whether every order and grouping of the deltas, and every sampled state, came to one content digest.
    pub digests_equal: bool,
    /// How long it took.
    pub seconds: f64,
    /// The most memory that was held at once; `None` where the system does not tell.
    #[serde(skip)]
    pub peak_memory_bytes: Option<u64>,
    /// At the merge commits that were not already equal, paths that the commit had to edit; each conflicted path is one
    /// of them.
    #[serde(skip)]
    pub paths_edited_at_merges: usize,
    /// Commits on which nothing builds.
    #[serde(skip)]
    pub heads: usize,
    /// Commits at which the whole view was compared with the whole tree.
    #[serde(skip)]
    pub trees_compared: usize,
    /// How many of them differed.
    #[serde(skip)]
    pub trees_unequal: usize,
    /// Random orders and groupings tried.
    #[serde(skip)]
    pub orders: usize,
    /// Sampled states merged with all heads.
    #[serde(skip)]
    pub samples: usize,
    /// Paths in the last tree.
    #[serde(skip)]
    pub paths: usize,
}

impl Report {
    /// Whether everything that must hold did.
    pub fn holds(&self) -> bool {
        self.final_tree_equal && self.digests_equal && self.trees_unequal == 0
    }

    /// One object on several lines.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and booleans can always be written")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |number: usize| grouped(number as u64);
        let each = |bytes: usize, of: usize| bytes.checked_div(of).unwrap_or(0);
        let merges_edited = self.merges - self.merges_already_equal;

        writeln!(
            out,
            "history   {} commits on {} replicas, {} merges, {} heads",
            count(self.commits),
            count(self.replicas),
            count(self.merges),
            count(self.heads)
        )?;
        writeln!(
            out,
            "edits     {}, of which {} changed something: one delta each",
            count(self.edits),
            count(self.deltas)
        )?;
        writeln!(out, "deltas    {} bytes, {} each", count(self.delta_bytes), each(self.delta_bytes, self.deltas))?;
        writeln!(
            out,
            "state     {} bytes with all heads merged; the last tree has {} paths",
            count(self.state_bytes),
            count(self.paths)
        )?;
        writeln!(out)?;
        writeln!(
            out,
            "merges    {} already equalled the committed tree, {} needed an edit:",
            count(self.merges_already_equal),
            count(merges_edited)
        )?;
        writeln!(
            out,
            "          {} paths had several values after the merge, and each was settled by the commit",
            count(self.conflicted_paths)
        )?;
        writeln!(
            out,
            "          {} paths had one value or none, and the commit changed it all the same",
            count(self.paths_edited_at_merges - self.conflicted_paths)
        )?;
        writeln!(out)?;
        writeln!(out, "{}  the view at the last commit is its tree", verdict(self.final_tree_equal))?;
        writeln!(
            out,
            "{}  so it is at {} of {} commits compared in full",
            verdict(self.trees_unequal == 0),
            count(self.trees_compared - self.trees_unequal),
            count(self.trees_compared)
        )?;
        writeln!(
            out,
            "{}  all deltas in {} random orders and groupings, and {} sampled states with all heads: one digest",
            verdict(self.digests_equal),
            count(self.orders),
            count(self.samples)
        )?;
        writeln!(out)?;
        write!(out, "time      {:.1} s", self.seconds)?;
        match self.peak_memory_bytes {
            Some(bytes) => write!(out, ", at most {} MiB of memory", grouped(bytes.div_ceil(1 << 20))),
            None => Ok(()),
        }
    }
}

fn verdict(holds: bool) -> &'static str {
    if holds { "yes     " } else { "NO      " }
}

/// A number with its thousands set apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            commits: 1_234,
            replicas: 56,
            merges: 50,
            edits: 1_200,
            deltas: 1_190,
            delta_bytes: 119_000,
            state_bytes: 40_000,
            merges_already_equal: 34,
            conflicted_paths: 20,
            paths_edited_at_merges: 23,
            final_tree_equal: true,
            digests_equal: true,
            seconds: 0.25,
            peak_memory_bytes: None,
            heads: 1,
            trees_compared: 65,
            trees_unequal: 0,
            orders: 8,
            samples: 64,
            paths: 300,
        }
    }

    #[test]
    fn thousands_are_set_apart() {
        let written: Vec<String> = [0, 12, 123, 1_234, 123_456, 1_234_567].map(grouped).into();
        assert_eq!(written, ["0", "12", "123", "1 234", "123 456", "1 234 567"]);
    }

    #[test]
    fn json_has_the_documented_keys_in_their_order() {
        let json = report().to_json();
        let keys: Vec<&str> =
            json.lines().filter_map(|line| line.trim().strip_prefix('"')?.split('"').next()).collect();
        let documented = "commits replicas merges edits deltas delta_bytes state_bytes merges_already_equal conflicted_paths \
            final_tree_equal digests_equal seconds";
        assert_eq!(keys, documented.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn what_does_not_hold_is_shouted() {
        assert!(report().holds() && !report().to_string().contains("NO"));
        let broken = Report { digests_equal: false, ..report() };
        assert!(!broken.holds() && broken.to_string().contains("NO"));
    }
}
