//! Two processes of a program that a reader of crdt-sync's README has copied: each with a store of its own, over TCP.

use super::fresh::FreshCrate;
use crate::run::{self, Failure, Outcome};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const AGREE_WITHIN: Duration = Duration::from_secs(60);

/// Runs both until they show the same, with what either wrote; kills both; runs them again on the same stores.
pub(super) fn agree(fresh: &FreshCrate, bin: &str) -> Outcome {
    run::run(&mut fresh.cargo(&["build", "--bin", bin]))?;
    let program = fresh.built(bin);
    let stores = std::env::temp_dir().join(format!("crdt-new-user-stores-{}", std::process::id()));
    std::fs::create_dir_all(&stores).map_err(|error| Failure::file(&stores, &error))?;
    // The second time the notes of the first are seen, so they are written over; the amounts add up.
    both_show(&program, &stores, ["milk", "eggs"], "1 eggs, 1 milk | from alice or from bob")?;
    both_show(&program, &stores, ["milk", "milk"], "1 eggs, 3 milk | from alice or from bob")?;
    std::fs::remove_dir_all(&stores).map_err(|error| Failure::file(&stores, &error))
}

fn both_show(program: &Path, stores: &Path, items: [&str; 2], expected: &str) -> Outcome {
    let mut alice = Running::start(program, &stores.join("alice"), ["listen", "127.0.0.1:0", items[0], "from alice"])?;
    let address = alice.until(|line| line.strip_prefix("listening on ").map(str::to_owned))?;
    let mut bob = Running::start(program, &stores.join("bob"), ["connect", &address, items[1], "from bob"])?;
    let expected = in_any_order(expected);
    for running in [&mut alice, &mut bob] {
        let shown = running.until(|line| (in_any_order(line) == expected).then(|| line.to_owned()))?;
        println!("{shown}");
    }
    Ok(())
}

/// A conflict's values may stand in either order.
fn in_any_order(line: &str) -> Vec<&str> {
    let mut words: Vec<&str> = line.split([',', '|', ' ']).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words
}

/// A process, and what it has said. It is killed when this goes.
struct Running {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl Running {
    fn start(program: &Path, store: &Path, arguments: [&str; 4]) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command.arg(store).args(arguments).stdout(Stdio::piped());
        println!("$ {}", run::spelled(&command));
        let mut child = command.spawn().map_err(|error| Failure::file(program, &error))?;
        let said = Arc::new(Mutex::new(Vec::new()));
        if let Some(out) = child.stdout.take() {
            let lines = Arc::clone(&said);
            std::thread::spawn(move || {
                for line in BufReader::new(out).lines().map_while(Result::ok) {
                    lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                }
            });
        }
        Ok(Self { child, said })
    }

    /// Waits for a line.
    fn until<R>(&mut self, f: impl Fn(&str) -> Option<R>) -> Result<R, Failure> {
        let start = Instant::now();
        loop {
            let said = self.said.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(found) = said.iter().find_map(|line| f(line)) {
                return Ok(found);
            }
            let ended = self.child.try_wait().ok().flatten().is_some();
            if ended || start.elapsed() > AGREE_WITHIN {
                return Err(Failure::new(format!("a process did not come to agree; it said {said:?}")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    /// As a reader would who pulls the plug.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
