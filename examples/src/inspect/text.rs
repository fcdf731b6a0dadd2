//! The same report for people.

use std::fmt::Write as _;

use serde_json::Value as Json;

/// The report as text, ending in a line break.
#[must_use]
pub fn text(report: &Json) -> String {
    let mut out = String::new();
    let mut line = |name: &str, said: String| {
        // Writing to a text cannot fail.
        let _ = writeln!(out, "{name:11}{said}");
    };
    let yes = |name: &str| report[name] == Json::Bool(true);
    line("scope", word(&report["scope"]));
    let stop = if yes("closed_cleanly") { "closed cleanly" } else { "not closed" };
    line("replica", format!("{}, next dot {}, {stop}", word(&report["replica"]), report["next_dot"]));
    line(
        "marker",
        if yes("marker_fits") { "fits: this id goes on" } else { "does not fit: whoever opens this takes a fresh id" }
            .to_owned(),
    );
    for (name, key) in [("received", "received"), ("ahead", "seen_but_not_received"), ("stable", "stable")] {
        line(name, dots(&report[key]));
    }
    for member in list(&report["roster"]) {
        line("roster", format!("{} has {}", word(&member["replica"]), dots(&member["has"])));
    }
    for gone in list(&report["retired"]) {
        line("retired", format!("{} after {}", word(&gone["replica"]), gone["last"]));
    }
    for lent in list(&report["lent"]) {
        line("lent", format!("{}, given back after {}", word(&lent["replica"]), lent["given_back_at"]));
    }
    line("log", format!("{} records, {} bytes", report["log"]["records"], report["log"]["bytes"]));
    line("staged", format!("{} entries, {} bytes", report["staged"]["entries"], report["staged"]["bytes"]));
    line("live", format!("{} entries, {} bytes", report["live"]["entries"], report["live"]["bytes"]));
    line("content", word(&report["content"]["kind"]));
    data(&report["content"]["data"], 1, &mut out);
    out
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

fn word(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

fn dots(runs: &Json) -> String {
    let runs: Vec<String> =
        list(runs).iter().map(|run| format!("{} {}..={}", word(&run["replica"]), run["first"], run["last"])).collect();
    if runs.is_empty() { "nothing".to_owned() } else { runs.join(", ") }
}

/// One line for what is small, else a line for each part, one step further in.
fn data(json: &Json, depth: usize, out: &mut String) {
    let step = "  ".repeat(depth);
    match json {
        Json::Object(fields) if !is_small(json) => {
            for (name, value) in fields {
                let _ = write!(out, "{step}{name}:");
                rest(value, depth, out);
            }
        }
        Json::Array(items) if !is_small(json) => {
            for item in items {
                let _ = write!(out, "{step}-");
                rest(item, depth, out);
            }
        }
        small => {
            let _ = writeln!(out, "{step}{}", inline(small));
        }
    }
}

fn rest(value: &Json, depth: usize, out: &mut String) {
    if is_small(value) {
        let _ = writeln!(out, " {}", inline(value));
    } else {
        out.push('\n');
        data(value, depth + 1, out);
    }
}

fn is_small(json: &Json) -> bool {
    match json {
        Json::Object(fields) => fields.is_empty() || fields.contains_key("conflict"),
        Json::Array(items) => {
            items.iter().all(|item| !item.is_object() && !item.is_array()) && json.to_string().len() < 80
        }
        _ => true,
    }
}

fn inline(json: &Json) -> String {
    let conflict = json.as_object().and_then(|fields| fields.get("conflict")).and_then(Json::as_array);
    match conflict {
        Some(values) => values.iter().map(Json::to_string).collect::<Vec<_>>().join(" or "),
        None => json.to_string(),
    }
}
