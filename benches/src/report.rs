//! The table: one line per row, one column per contestant, ratios and targets.

use crate::machine::Machine;
use crate::row::{Target, Unit};
use crate::{Row, Who};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write;

/// One figure of one contestant.
pub struct Figure {
    pub row: &'static Row,
    pub who: Who,
    /// Nanoseconds or bytes.
    pub value: f64,
    /// The size of the state where it was smaller than the row's.
    pub reduced_to: Option<usize>,
}

/// All figures of a run, in the order in which they were taken.
pub struct Report {
    pub machine: Machine,
    pub figures: Vec<Figure>,
}

/// What became of a target.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Met,
    Missed,
    /// Nothing was demanded, or what it is measured against was filtered out.
    Open,
}

impl Report {
    /// The rows, each once.
    fn rows(&self) -> Vec<&'static Row> {
        let mut rows: Vec<&'static Row> = Vec::new();
        for figure in &self.figures {
            if rows.iter().all(|row| row.name != figure.row.name) {
                rows.push(figure.row);
            }
        }
        rows
    }

    fn figure(&self, row: &str, who: Who) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.row.name == row && figure.who == who)
    }

    fn value(&self, row: &str, who: Who) -> Option<f64> {
        self.figure(row, who).map(|figure| figure.value)
    }

    /// The most that crdt-core may need, in the row's unit.
    fn bound(&self, row: &Row) -> Option<f64> {
        match row.target {
            Target::Open => None,
            Target::AtMost(bound) => Some(bound),
            Target::TimesLimit(factor) => self.value(row.name, Who::Hashbrown).map(|limit| factor * limit),
            Target::TimesRow(factor, other) => self.value(other, Who::Ours).map(|figure| factor * figure),
        }
    }

    /// Whether crdt-core's figure keeps the row's target.
    pub fn outcome(&self, row: &Row) -> Outcome {
        match (self.value(row.name, Who::Ours), self.bound(row)) {
            (Some(figure), Some(bound)) if figure <= bound => Outcome::Met,
            (Some(_), Some(_)) => Outcome::Missed,
            _ => Outcome::Open,
        }
    }

    /// The rows whose target was missed.
    pub fn missed(&self) -> Vec<&'static Row> {
        self.rows().into_iter().filter(|row| self.outcome(row) == Outcome::Missed).collect()
    }

    /// The table as Markdown.
    pub fn markdown(&self) -> String {
        let machine = &self.machine;
        let versions: Vec<String> =
            machine.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        let mut text = format!(
            "# Measured on {}\n\n{}, {}, one thread, medians.\n{}.\n\n\
             In brackets, how many times what crdt-core needs; for crdt-core, how many times the bare `hashbrown` table.\n\
             `@ 10⁴` marks a contestant measured on a smaller state. `benches/src/contestant.rs` says what may be compared.\n\n",
            machine.date,
            machine.processor,
            machine.rustc,
            versions.join(", "),
        );
        let columns: Vec<&str> = Who::ALL.iter().map(|who| who.name()).collect();
        let _ = writeln!(text, "| work | target | | {} |", columns.join(" | "));
        let _ = writeln!(text, "|---|---|---{}|", "|---:".repeat(columns.len()));
        for row in self.rows() {
            let cells: Vec<String> = Who::ALL.iter().map(|who| self.cell(row, *who)).collect();
            let outcome = match self.outcome(row) {
                Outcome::Met => "met",
                Outcome::Missed => "**missed**",
                Outcome::Open => "",
            };
            let _ = writeln!(text, "| {} | {} | {outcome} | {} |", row.work, target(row), cells.join(" | "));
        }
        text
    }

    fn cell(&self, row: &Row, who: Who) -> String {
        let Some(figure) = self.figure(row.name, who) else { return String::new() };
        let other = if who == Who::Ours { Who::Hashbrown } else { Who::Ours };
        let mut cell = amount(row.unit, figure.value);
        if let Some(base) = self.value(row.name, other).filter(|base| *base > 0.0) {
            let _ = write!(cell, " ({}×)", ratio(figure.value / base));
        }
        if let Some(size) = figure.reduced_to {
            let _ = write!(cell, " @ {}", power(size));
        }
        cell
    }

    /// The same as JSON, for programs.
    pub fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows()
            .into_iter()
            .map(|row| {
                let figures: serde_json::Map<String, Value> = Who::ALL
                    .into_iter()
                    .filter_map(|who| {
                        let figure = self.figure(row.name, who)?;
                        let mut entry = json!({ "value": figure.value });
                        if let Some(size) = figure.reduced_to {
                            entry["size"] = json!(size);
                        }
                        Some((who.name().to_owned(), entry))
                    })
                    .collect();
                json!({
                    "name": row.name,
                    "work": row.work,
                    "unit": match row.unit { Unit::Time => "ns", Unit::Bytes => "B", Unit::Ratio => "×", Unit::Count => "" },
                    "at_most": self.bound(row),
                    "outcome": self.outcome(row),
                    "figures": figures,
                })
            })
            .collect();
        json!({ "machine": self.machine, "rows": rows })
    }
}

fn target(row: &Row) -> String {
    match row.target {
        Target::Open => String::new(),
        Target::AtMost(bound) => format!("≤ {}", amount(row.unit, bound)),
        Target::TimesLimit(factor) => format!("≤ {factor} × the table"),
        Target::TimesRow(factor, other) => format!("≤ {factor} × `{other}`"),
    }
}

/// A figure with its unit, in three significant digits.
pub fn amount(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Time if value >= 1e9 => format!("{} s", digits(value / 1e9)),
        Unit::Time if value >= 1e6 => format!("{} ms", digits(value / 1e6)),
        Unit::Time if value >= 1e3 => format!("{} µs", digits(value / 1e3)),
        Unit::Time => format!("{} ns", digits(value)),
        Unit::Bytes => format!("{} B", digits(value)),
        Unit::Ratio => format!("{}×", digits(value)),
        Unit::Count => digits(value),
    }
}

fn ratio(value: f64) -> String {
    if value >= 10.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

fn digits(value: f64) -> String {
    match value {
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn power(size: usize) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let exponent = size.ilog10();
    match RAISED.get(exponent as usize) {
        Some(raised) if 10_usize.pow(exponent) == size => format!("10{raised}"),
        _ => size.to_string(),
    }
}
