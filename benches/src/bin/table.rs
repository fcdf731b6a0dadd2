//! Measures every row whose name contains one of the words given (all, if none is),
//! prints the table and stores it.
//!
//! ```text
//! cargo run --release --manifest-path benches/Cargo.toml --bin table -- [filter]…
//! ```

use crdt_benches::report::{Figure, Report, amount};
use crdt_benches::{Who, machine::Machine, work};
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    let filters: Vec<String> = env::args().skip(1).collect();
    let mut jobs = work::jobs();
    jobs.retain(|job| filters.is_empty() || filters.iter().any(|filter| job.name().contains(filter)));
    if jobs.is_empty() {
        eprintln!("no row matches {}", filters.join(" "));
        return ExitCode::FAILURE;
    }
    let mut report = Report { machine: Machine::here(Who::ALL.map(Who::name)), figures: Vec::new() };
    let count = jobs.len();
    for (number, job) in (1..).zip(jobs) {
        let value = job.figure();
        eprintln!("{number:3}/{count} {:44} {}", job.name(), amount(job.row.unit, value));
        report.figures.push(Figure { row: job.row, who: job.who, value, reduced_to: job.reduced_to });
    }
    let markdown = report.markdown();
    println!("{markdown}");
    for row in report.missed() {
        println!("missed: {} ({})", row.name, row.work);
    }
    match store(&report, &markdown, &filters) {
        Ok(path) => {
            eprintln!("stored as {path}.md and {path}.json");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("the table could not be stored: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes both files. A filtered run has files of its own and leaves the whole table alone.
fn store(report: &Report, markdown: &str, filters: &[String]) -> io::Result<String> {
    let mut name = report.machine.date.clone();
    for filter in filters {
        name.push('-');
        name.extend(filter.chars().filter(|letter| letter.is_alphanumeric()));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(format!("{name}.md")), markdown)?;
    fs::write(folder.join(format!("{name}.json")), format!("{:#}\n", report.json()))?;
    Ok(format!("benches/results/{name}"))
}
