//! The demo as its users run it, smaller.
#![allow(clippy::print_stdout, reason = "a failed run shows what it said")]

use std::process::Command;

#[test]
fn an_outage_and_a_kill_end_with_equal_digests_and_nothing_lost() {
    let output = Command::new(env!("CARGO_BIN_EXE_demo"))
        .args(["--headless", "--replicas", "3", "--edits", "60", "--at-once", "4"])
        .output()
        .unwrap();
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{out}{error}");
    assert!(output.status.success(), "{error}");
    assert!(out.contains("all digests are equal") && out.contains(", 0 lost"), "{out}");
}
