//! Where and with what the figures were taken.

use serde::Serialize;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where and with what the figures were taken.
#[derive(Serialize)]
pub struct Machine {
    /// The day, in UTC, as year-month-day.
    pub date: String,
    pub processor: String,
    pub rustc: String,
    /// The contestants' versions, as locked.
    pub versions: Vec<(String, String)>,
}

impl Machine {
    /// This machine, now.
    pub fn here(names: impl IntoIterator<Item = &'static str>) -> Self {
        let version = |name: &str| locked_version(name).unwrap_or_else(|| "unknown".to_owned());
        Self {
            date: today(),
            processor: processor(),
            rustc: rustc(),
            versions: names.into_iter().map(|name| (name.to_owned(), version(name))).collect(),
        }
    }
}

/// The version in this workspace's own lock file.
fn locked_version(name: &str) -> Option<String> {
    let lock = include_str!("../Cargo.lock");
    let name = format!("name = \"{name}\"\n");
    // The highest: another crate may have locked an older one for itself.
    let versions = lock
        .match_indices(&name)
        .filter_map(|(at, _)| lock[at + name.len()..].lines().next()?.strip_prefix("version = \"")?.strip_suffix('"'));
    let number = |version: &str| version.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u64>>();
    versions.max_by_key(|version| number(version)).map(str::to_owned)
}

fn processor() -> String {
    let model = |text: String| {
        let line = text.lines().find(|line| line.starts_with("model name"))?.to_owned();
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(model)
        .unwrap_or_else(|| format!("unknown ({})", std::env::consts::ARCH))
}

fn rustc() -> String {
    let program = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    Command::new(program)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
}

fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = civil((seconds / 86_400) as i64);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Days since 1970-01-01 as year, month and day (H. Hinnant, "chrono-compatible
/// low-level date algorithms", `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_named_as_the_calendar_names_it() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_819), (2027, 1, 1));
    }

    #[test]
    fn every_contestant_is_locked() {
        for who in crate::Who::ALL {
            assert!(locked_version(who.name()).is_some(), "{} is not in the lock file", who.name());
        }
    }
}
