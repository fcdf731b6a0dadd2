//! The run: who edits when, what breaks, and what must be true at the end.

#![allow(clippy::print_stdout, reason = "the run's report belongs on the standard output")]

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command as Process, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::certificates;
use super::control::{Answer, Command, Report, Timing};
use super::table::{Row, table};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// What can be chosen.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many replicas; three or more.
    pub replicas: usize,
    /// Edits of each replica in each part of the run.
    pub edits: u64,
    /// Edits of one replica that are on their way to the disk at once.
    pub at_once: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { replicas: 4, edits: 400, at_once: 8 }
    }
}

/// How long anything may take before the run has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// The headless run. An error means that it failed: digests differ, or something acknowledged is lost.
pub fn headless(program: &Path, folder: &Path, options: &Options) -> Outcome {
    let start = Instant::now();
    let step = |text: &str| println!("{:>6.1} s  {text}", start.elapsed().as_secs_f64());
    let mut cluster = Cluster::start(program, folder, options.replicas)?;
    step(&format!("{} replicas run, each a process with a store of its own; links are TLS", options.replicas));
    let all: Vec<usize> = (0..options.replicas).collect();
    let (left, right) = all.split_at(options.replicas / 2);

    cluster.link(&[&all])?;
    cluster.edit(&all, options, options.replicas - 1)?;
    let timings = cluster.edited(&all)?;
    step(&format!("{} edits, all linked: {}", options.edits * all.len() as u64, speed(options, &timings)));

    cluster.link(&[left, right])?;
    step(&format!("outage: {} can't reach {}", cluster.names(left), cluster.names(right)));
    cluster.edit(&all, options, 0)?;
    let victim = options.replicas - 1;
    cluster.wait_until_acknowledged(victim, options.edits / 4)?;
    let open = cluster.kill(victim)?;
    step(&format!(
        "{} was killed (SIGKILL) while it wrote: {open} edits had no answer yet",
        cluster.members[victim].name
    ));
    let alive: Vec<usize> = all.iter().copied().filter(|member| *member != victim).collect();
    cluster.edited(&alive)?;
    step("the others have gone on on both sides");
    println!("\n{}\n", table(&cluster.rows()?));

    cluster.spawn(victim)?;
    cluster.link(&[&all])?;
    step(&format!("{} is back from its store, and all links are up", cluster.members[victim].name));
    cluster.edit(&all, options, 0)?;
    cluster.edited(&all)?;
    step("every replica has edited again");
    cluster.converge()?;
    step("all digests are equal");
    println!("\n{}\n", table(&cluster.rows()?));

    let (acknowledged, lost) = cluster.lost()?;
    cluster.close()?;
    if !lost.is_empty() {
        return Err(format!("{} of {acknowledged} acknowledged edits are lost: {lost:?}", lost.len()).into());
    }
    step(&format!("{acknowledged} acknowledged edits, 0 lost: every one of them is on every replica"));
    Ok(())
}

/// Goes on until it is interrupted, and shows a table every two seconds.
pub fn endless(program: &Path, folder: &Path, options: &Options) -> Outcome {
    let mut cluster = Cluster::start(program, folder, options.replicas)?;
    let all: Vec<usize> = (0..options.replicas).collect();
    cluster.link(&[&all])?;
    println!("{} replicas edit until Ctrl-C; their stores lie in {}", options.replicas, folder.display());
    let small = Options { edits: 20, at_once: 1, ..options.clone() };
    loop {
        cluster.edit(&all, &small, 0)?;
        cluster.edited(&all)?;
        std::thread::sleep(Duration::from_secs(2));
        println!("\n{}", table(&cluster.rows()?));
    }
}

fn speed(options: &Options, timings: &[Timing]) -> String {
    let longest = timings.iter().map(|timing| timing.whole_ms).fold(0.0, f64::max);
    let whole = options.edits as f64 * timings.len() as f64;
    let mean = |of: fn(&Timing) -> f64| timings.iter().map(of).sum::<f64>() / timings.len() as f64;
    let most = |of: fn(&Timing) -> f64| timings.iter().map(of).fold(0.0, f64::max);
    format!(
        "{:.0} edits/s; on disk after {:.1} ms (p50) {:.1} ms (p99), durable at all others after {:.1} and {:.1} ms",
        whole / (longest / 1e3),
        mean(|timing| timing.durable_p50_ms),
        most(|timing| timing.durable_p99_ms),
        mean(|timing| timing.spread_p50_ms),
        most(|timing| timing.spread_p99_ms),
    )
}

struct Cluster {
    program: PathBuf,
    folder: PathBuf,
    members: Vec<Member>,
}

struct Member {
    name: String,
    /// How often it was started.
    life: u64,
    running: Option<Running>,
    address: String,
    begun: BTreeSet<String>,
    acknowledged: BTreeSet<String>,
    /// Of this life.
    acknowledged_now: u64,
}

struct Running {
    child: Child,
    commands: ChildStdin,
    answers: Receiver<Answer>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Cluster {
    fn start(program: &Path, folder: &Path, replicas: usize) -> Outcome<Self> {
        let names: Vec<String> = ('A'..='Z').take(replicas).map(String::from).collect();
        certificates::write(folder, &names)?;
        let member = |name| Member {
            name,
            life: 0,
            running: None,
            address: String::new(),
            begun: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
            acknowledged_now: 0,
        };
        let members = names.into_iter().map(member).collect();
        let mut cluster = Self { program: program.to_owned(), folder: folder.to_owned(), members };
        (0..replicas).try_for_each(|member| cluster.spawn(member))?;
        Ok(cluster)
    }

    fn spawn(&mut self, index: usize) -> Outcome {
        let member = &mut self.members[index];
        member.life += 1;
        member.acknowledged_now = 0;
        let mut child = Process::new(&self.program)
            .args(["--member", &member.name, &member.life.to_string()])
            .arg(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let commands = child.stdin.take().ok_or("the member has no input")?;
        let out = BufReader::new(child.stdout.take().ok_or("the member has no output")?);
        let (to, answers) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                // A line that was cut by a kill says nothing.
                let Ok(answer) = serde_json::from_str(&line) else { continue };
                if to.send(answer).is_err() {
                    return;
                }
            }
        });
        member.running = Some(Running { child, commands, answers });
        let address = self.wait(index, |answer| match answer {
            Answer::Up { address, .. } => Some(address),
            _ => None,
        })?;
        self.members[index].address = address;
        Ok(())
    }

    fn say(&mut self, index: usize, command: &Command) -> Outcome {
        let member = &mut self.members[index];
        let running = member.running.as_mut().ok_or_else(|| format!("{} is down", member.name))?;
        let line = serde_json::to_string(command)?;
        writeln!(running.commands, "{line}")?;
        Ok(running.commands.flush()?)
    }

    /// Takes answers until one is the expected one; acknowledgements go into the ledger on the way.
    fn wait<T>(&mut self, index: usize, mut expected: impl FnMut(Answer) -> Option<T>) -> Outcome<T> {
        let deadline = Instant::now() + PATIENCE;
        let member = &mut self.members[index];
        loop {
            let running = member.running.as_ref().ok_or_else(|| format!("{} is down", member.name))?;
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = match running.answers.recv_timeout(left) {
                Ok(answer) => answer,
                Err(RecvTimeoutError::Timeout) => return Err(format!("{} does not answer", member.name).into()),
                Err(RecvTimeoutError::Disconnected) => return Err(format!("{} has ended", member.name).into()),
            };
            member.note(&answer);
            if let Some(found) = expected(answer) {
                return Ok(found);
            }
        }
    }

    /// Links the members of each group with each other, and with nobody else.
    fn link(&mut self, groups: &[&[usize]]) -> Outcome {
        for group in groups {
            for (at, index) in group.iter().enumerate() {
                if self.members[*index].running.is_none() {
                    continue;
                }
                // Of each pair, the later one connects.
                let connect = group[..at].iter().map(|other| self.members[*other].address.clone()).collect();
                self.say(*index, &Command::Peers { connect, listen: true })?;
            }
        }
        Ok(())
    }

    fn edit(&mut self, who: &[usize], options: &Options, peers: usize) -> Outcome {
        let Options { edits: count, at_once, .. } = *options;
        who.iter().try_for_each(|index| self.say(*index, &Command::Edit { count, at_once, peers }))
    }

    fn edited(&mut self, who: &[usize]) -> Outcome<Vec<Timing>> {
        let done = |answer| match answer {
            Answer::Edited(timing) => Some(timing),
            _ => None,
        };
        who.iter().map(|index| self.wait(*index, done)).collect()
    }

    fn wait_until_acknowledged(&mut self, index: usize, edits: u64) -> Outcome {
        let mut left = edits;
        self.wait(index, |answer| {
            left -= u64::from(matches!(answer, Answer::Acknowledged(_)) && left > 0);
            (left == 0).then_some(())
        })
    }

    /// Answers how many of its edits were begun and not acknowledged.
    fn kill(&mut self, index: usize) -> Outcome<usize> {
        let member = &mut self.members[index];
        let mut running = member.running.take().ok_or("it is down already")?;
        running.child.kill()?;
        running.child.wait()?;
        // What it had said before is said.
        while let Ok(answer) = running.answers.recv() {
            member.note(&answer);
        }
        Ok(member.begun.difference(&member.acknowledged).count())
    }

    fn reports(&mut self) -> Outcome<Vec<Option<Report>>> {
        let up: Vec<bool> = self.members.iter().map(|member| member.running.is_some()).collect();
        let ask = |(index, up): (usize, bool)| {
            if !up {
                return Ok(None);
            }
            self.say(index, &Command::Report)?;
            self.wait(index, |answer| match answer {
                Answer::Report(report) => Some(Some(*report)),
                _ => None,
            })
        };
        up.into_iter().enumerate().map(ask).collect()
    }

    fn rows(&mut self) -> Outcome<Vec<Row>> {
        let reports = self.reports()?;
        let row = |(member, report): (&Member, Option<Report>)| Row {
            name: member.name.clone(),
            acknowledged: member.acknowledged.len(),
            report,
        };
        Ok(self.members.iter().zip(reports).map(row).collect())
    }

    /// Waits until all members are in the same state, and know it.
    fn converge(&mut self) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reports: Vec<Report> = self.reports()?.into_iter().flatten().collect();
            let digests: BTreeSet<&str> = reports.iter().map(|report| report.digest.as_str()).collect();
            if reports.len() == self.members.len()
                && digests.len() == 1
                && reports.iter().all(|report| report.behind == 0)
            {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("the digests differ, or somebody lags: {reports:#?}").into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// How many edits were acknowledged, and which of them are missing somewhere.
    fn lost(&mut self) -> Outcome<(usize, Vec<String>)> {
        let ledger: BTreeSet<String> =
            self.members.iter().flat_map(|member| member.acknowledged.iter().cloned()).collect();
        let mut lost = Vec::new();
        for index in 0..self.members.len() {
            self.say(index, &Command::Lines)?;
            let lines = self.wait(index, |answer| match answer {
                Answer::Lines(lines) => Some(lines.into_iter().collect::<BTreeSet<String>>()),
                _ => None,
            })?;
            let name = &self.members[index].name;
            lost.extend(ledger.difference(&lines).map(|line| format!("{line} on {name}")));
        }
        Ok((ledger.len(), lost))
    }

    fn close(&mut self) -> Outcome {
        for index in 0..self.members.len() {
            self.say(index, &Command::Close)?;
            self.wait(index, |answer| matches!(answer, Answer::Closed).then_some(()))?;
        }
        Ok(())
    }

    fn names(&self, of: &[usize]) -> String {
        of.iter().map(|index| self.members[*index].name.as_str()).collect::<Vec<_>>().join(" and ")
    }
}

impl Member {
    fn note(&mut self, answer: &Answer) {
        match answer {
            Answer::Begun(line) => drop(self.begun.insert(line.clone())),
            Answer::Acknowledged(line) => {
                self.acknowledged_now += u64::from(self.acknowledged.insert(line.clone()));
            }
            _ => {}
        }
    }
}
