//! Two devices, two processes, one set of settings.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use crdt_examples::scratch::Scratch;

fn device(store: &std::path::Path, role: &str, address: &str, changes: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_settings"));
    command.arg(store).args([role, address]).args(changes).stdout(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
fn two_devices_end_with_the_same_settings_and_show_the_conflict() {
    let folder = Scratch::new("crdt-settings").unwrap();
    let changes = ["brightness=70", "language=de"];
    let mut first = device(&folder.path().join("first"), "listen", "127.0.0.1:0", &changes);
    let mut out = BufReader::new(first.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    let second = device(&folder.path().join("second"), "connect", &address, &["brightness=30", "volume=5"]);

    let second = second.wait_with_output().unwrap();
    let mut of_first = String::new();
    out.read_to_string(&mut of_first).unwrap();
    assert!(first.wait().unwrap().success() && second.status.success());
    let of_second = String::from_utf8(second.stdout).unwrap();
    assert_eq!(of_first, of_second);
    let lines: Vec<&str> = of_first.lines().collect();
    assert!(lines[0] == "brightness: 70 or 30" || lines[0] == "brightness: 30 or 70", "{lines:?}");
    assert_eq!(lines[1..], ["language: de", "volume: 5"]);
}
