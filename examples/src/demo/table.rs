//! The table of the members.

use super::control::Report;

/// One member as the table shows it.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Edits that the ledger says were acknowledged.
    pub acknowledged: usize,
    /// How it is; none while it is down.
    pub report: Option<Report>,
}

/// The rows under a header, each on one line.
pub fn table(rows: &[Row]) -> String {
    let mut lines = vec![
        "replica  edits  sent kB  B/delta  pushes kB  repairs kB  repairs: same log sketch set whole  lag  conflicts  digest"
            .to_owned(),
    ];
    for Row { name, acknowledged, report } in rows {
        lines.push(match report {
            None => format!("{name:<7}  {acknowledged:>5}  down"),
            Some(report) => {
                let [push, repair, _] = report.sent;
                let sent: u64 = report.sent.iter().sum();
                let each = push.checked_div(report.records_pushed).unwrap_or(0);
                let [same, log, sketch, set, whole] = report.repairs;
                format!(
                    "{name:<7}  {acknowledged:>5}  {:>7.1}  {each:>7}  {:>9.1}  {:>10.1}  {same:>13} {log:>3} {sketch:>6} {set:>3} {whole:>5}  {:>3}  {:>9}  {}",
                    kilo(sent),
                    kilo(push),
                    kilo(repair),
                    report.behind,
                    report.conflicts,
                    &report.digest[..12.min(report.digest.len())],
                )
            }
        });
    }
    lines.join("\n")
}

fn kilo(bytes: u64) -> f64 {
    bytes as f64 / 1e3
}
