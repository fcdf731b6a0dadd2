//! The README's figures: a few rows of the newest stored run of the benches, one column for the best of the peers.
//! `cargo xtask bench` writes them, `cargo xtask test` compares, so the README can't claim what was not measured.

use crate::run::{self, Failure, Outcome};
use crate::steps::Verdict;
use serde_json::Value;
use std::path::{Path, PathBuf};

const RESULTS: &str = "benches/results";
const README: &str = "README.md";
const OURS: &str = "crdt-core";
const LIMIT: &str = "hashbrown";
const BEGIN: &str = "<!-- figures: written by `cargo xtask bench`, compared by `cargo xtask test` -->\n";
const END: &str = "<!-- end of figures -->\n";

/// The rows shown, by their names in the stored run, in words that stand alone.
const ROWS: [(&str, &str); 13] = [
    ("merge/identical", "merge two whole sets of 10⁶ `u64`, identical"),
    ("merge/one_percent", "the same, 1 % different"),
    ("merge/disjoint", "the same, disjoint"),
    ("merge/insert_delta", "merge the delta of one insert into 10⁶"),
    ("nested/one_edit_delta", "merge the delta of one edit into a map of sets, 10⁶ elements in all"),
    ("edit/insert", "insert 10⁶ one by one, delta produced"),
    ("edit/contains", "contains, half of them absent"),
    ("codec/encode", "encode 10⁶"),
    ("codec/decode", "decode 10⁶"),
    ("codec/bytes", "encoded bytes per element"),
    ("memory/element", "memory per element"),
    ("register/1000", "multi-value register, 1 000 concurrent writers, per writer"),
    ("counter/merge_1000", "merge grow-only counters of 1 000 replicas, per entry"),
];

/// Puts the figures of the newest run into the README.
pub(crate) fn write() -> Outcome {
    let path = run::root().join(README);
    let text = run::read(&path)?;
    let current = with_table(&text, &newest_table()?)?;
    if current == text {
        return Ok(());
    }
    run::write(&path, &current)?;
    println!("{README} has the new figures");
    Ok(())
}

/// Whether the README shows the figures of the newest run.
pub(crate) fn compare() -> Result<Verdict, Failure> {
    if newest_run(&run::root().join(RESULTS)).is_err() {
        return Ok(Verdict::Skipped(format!("no run of all rows in {RESULTS}: `cargo xtask bench` stores one")));
    }
    let text = run::read(&run::root().join(README))?;
    if with_table(&text, &newest_table()?)? == text {
        return Ok(Verdict::Passed);
    }
    Err(Failure::new(format!(
        "{README} does not show the figures of the newest run in {RESULTS}: `cargo xtask bench --readme` writes them"
    )))
}

fn newest_table() -> Result<String, Failure> {
    let path = newest_run(&run::root().join(RESULTS))?;
    let stored: Value = serde_json::from_str(&run::read(&path)?)
        .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
    let name = path.file_stem().map(|name| name.to_string_lossy()).unwrap_or_default();
    table(&stored, &name)
}

/// The last by date of the runs of all rows; a filtered run has more than the date in its name.
fn newest_run(folder: &Path) -> Result<PathBuf, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| Failure::file(folder, &error))?;
    let runs = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        let is_date = |name: &str| name.len() == 10 && name.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
        let whole = path.extension()? == "json" && is_date(path.file_stem()?.to_str()?);
        whole.then_some(path)
    });
    runs.max().ok_or_else(|| Failure::new(format!("{} holds no run of all rows", folder.display())))
}

/// The rows as Markdown.
fn table(stored: &Value, name: &str) -> Result<String, Failure> {
    let mut text = String::from("| work | crdt-core | best of the peers | bare hash table |\n|---|---:|---:|---:|\n");
    for (row, words) in ROWS {
        let found = stored["rows"].as_array().and_then(|rows| rows.iter().find(|found| found["name"] == row));
        let found = found.ok_or_else(|| Failure::new(format!("{RESULTS}/{name}.json has no row {row:?}")))?;
        let unit = found["unit"].as_str().unwrap_or_default();
        let amount = |who: &str| Some(amount(unit, found["figures"][who]["value"].as_f64()?));
        let ours = amount(OURS).ok_or_else(|| Failure::new(format!("{row} has no figure of {OURS}")))?;
        let peer = best_peer(&found["figures"]).and_then(|peer| Some(format!("{} {peer}", amount(peer)?)));
        let limit = amount(LIMIT).unwrap_or_default();
        text.push_str(&format!("| {words} | {ours} | {} | {limit} |\n", peer.unwrap_or_default()));
    }
    let machine = |key: &str| stored["machine"][key].as_str().unwrap_or("unknown").to_owned();
    let rustc = machine("rustc");
    let rustc = rustc.split(" (").next().unwrap_or_default();
    text.push_str(&format!(
        "\nMedians on one thread of an {}, {rustc}; all rows, with the costs from 10³ to 10⁶, the versions and the targets, \
         missed ones too: [`{RESULTS}/{name}.md`]({RESULTS}/{name}.md).\n",
        machine("processor"),
    ));
    Ok(text)
}

/// The peer with the smallest figure among those that were measured on the whole row.
fn best_peer(figures: &Value) -> Option<&str> {
    let peers = figures
        .as_object()?
        .iter()
        .filter(|(who, figure)| *who != OURS && *who != LIMIT && figure.get("size").is_none());
    let best = peers.min_by(|left, right| {
        let value = |figure: &Value| figure["value"].as_f64().unwrap_or(f64::INFINITY);
        value(left.1).total_cmp(&value(right.1))
    });
    best.map(|(who, _)| who.as_str())
}

/// A figure in three significant digits.
fn amount(unit: &str, value: f64) -> String {
    let (value, unit) = match unit {
        "ns" if value >= 1e9 => (value / 1e9, "s"),
        "ns" if value >= 1e6 => (value / 1e6, "ms"),
        "ns" if value >= 1e3 => (value / 1e3, "µs"),
        unit => (value, unit),
    };
    let decimals = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.decimals$} {unit}")
}

/// The README with this table between its two marks.
fn with_table(readme: &str, table: &str) -> Result<String, Failure> {
    let (before, rest) = readme.split_once(BEGIN).ok_or_else(|| Failure::new(format!("{README} has no {BEGIN}")))?;
    let (_, after) = rest.split_once(END).ok_or_else(|| Failure::new(format!("{README} has no {END}")))?;
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_best_peer_is_the_smallest_that_was_measured_on_the_whole_row() {
        let figures = json!({
            "crdt-core": { "value": 3.0 }, "hashbrown": { "value": 1.0 },
            "dson": { "value": 2.0, "size": 10_000 }, "crdts": { "value": 9.5 }, "crdt-kit": { "value": 9.0 },
        });
        assert_eq!(best_peer(&figures), Some("crdt-kit"));
        assert_eq!(best_peer(&json!({ "crdt-core": { "value": 3.0 } })), None);
    }

    #[test]
    fn a_row_that_was_not_measured_is_named() {
        let failure = table(&json!({ "rows": [] }), "2000-01-01").unwrap_err();
        assert!(failure.to_string().contains("merge/identical"), "{failure}");
    }

    #[test]
    fn figures_have_three_digits() {
        let written = [("ns", 0.391), ("ns", 31.04), ("ns", 1_234.0), ("ns", 2_324_889.0), ("B", 145.2)];
        assert_eq!(
            written.map(|(unit, value)| amount(unit, value)),
            ["0.39 ns", "31.0 ns", "1.23 µs", "2.32 ms", "145 B"]
        );
    }

    #[test]
    fn only_what_lies_between_the_marks_is_replaced() {
        let readme = format!("before\n{BEGIN}old\n{END}after\n");
        assert_eq!(with_table(&readme, "new\n").unwrap(), format!("before\n{BEGIN}new\n{END}after\n"));
        assert!(with_table("no marks", "new\n").is_err());
    }
}
