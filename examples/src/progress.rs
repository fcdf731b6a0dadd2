//! A sign of life on standard error while a long run goes on.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Says how far a run has come. Silent for the first second, so that short runs print nothing; then a line that
/// rewrites itself on a terminal, and one line every ten seconds where the output goes to a file.
#[derive(Debug)]
pub struct Progress {
    due: Option<Instant>,
    terminal: bool,
    drawn: bool,
}

impl Progress {
    /// Reports to standard error.
    pub fn to_stderr() -> Self {
        Progress {
            due: Some(Instant::now() + Duration::from_secs(1)),
            terminal: std::io::stderr().is_terminal(),
            drawn: false,
        }
    }

    /// Reports to nobody.
    pub fn silent() -> Self {
        Progress { due: None, terminal: false, drawn: false }
    }

    /// Call this as often as you like: it looks at the clock and mostly returns.
    pub fn report(&mut self, what: &str, done: usize, total: usize) {
        let now = Instant::now();
        if self.due.is_none_or(|due| now < due) {
            return;
        }
        let pause = if self.terminal { Duration::from_millis(200) } else { Duration::from_secs(10) };
        self.due = Some(now + pause);
        let percent = (100 * done).checked_div(total).unwrap_or(100);
        // A progress line that cannot be written is not worth stopping for.
        let mut out = std::io::stderr().lock();
        let _ = if self.terminal {
            write!(out, "\r\x1b[K{what}: {done} of {total} ({percent} %)").and_then(|()| out.flush())
        } else {
            writeln!(out, "{what}: {done} of {total} ({percent} %)")
        };
        self.drawn = true;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal && self.drawn {
            let mut out = std::io::stderr().lock();
            let _ = write!(out, "\r\x1b[K").and_then(|()| out.flush());
        }
    }
}
