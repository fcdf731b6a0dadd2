//! One replica: a store, links, and a script that tells it what to do.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crdt_core::Causal;
use crdt_sync::drive::Node;
use crdt_sync::drive::tcp::{self, Security};
use crdt_sync::{Config, RedbStorage, ScopeId, Tier};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::board::{self, Board};
use super::certificates;
use super::control::{Answer, Command, Report, Timing};

const SCOPE: ScopeId = ScopeId::from_bytes(*b"demo storeroom 1");

/// Runs until the script says so, or is gone.
pub fn run(folder: &Path, name: &str, life: u64) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let security = Security::Tls(certificates::read(folder, name)?);
        let store = RedbStorage::open(folder.join(name).join("store"))?;
        let node = Node::<Board>::open(store, Config::new(SCOPE))?;
        let member = Arc::new(Member { node, name: format!("{name}{life}"), edits: AtomicU64::new(0) });
        let outcome = member.obey(security).await;
        // Whatever tasks are left end with the runtime.
        outcome
    })
}

struct Member {
    node: Node<Board>,
    name: String,
    edits: AtomicU64,
}

impl Member {
    async fn obey(self: &Arc<Self>, security: Security) -> Result<(), Box<dyn Error>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        say(&Answer::Up { id: self.node.id().to_string(), address: address.to_string() })?;
        // Held as long as the links are wanted: dropping a service ends its links.
        let mut listening = Some(tcp::listen(&self.node, listener, security.clone()));
        let mut connections = Vec::new();
        let mut commands = commands();
        while let Some(command) = commands.recv().await {
            match command {
                Command::Peers { connect, listen } => {
                    connections.clear();
                    listening = None;
                    // Aborted tasks give their sockets back at their next turn.
                    tokio::task::yield_now().await;
                    if listen {
                        let listener = bind(address).await?;
                        listening = Some(tcp::listen(&self.node, listener, security.clone()));
                    }
                    let to = |address: String| tcp::connect(&self.node, address, security.clone());
                    connections = connect.into_iter().map(to).collect();
                }
                Command::Edit { count, at_once, peers } => {
                    let member = Arc::clone(self);
                    tokio::spawn(async move {
                        // The script's end is noticed by the loop that reads from it.
                        let _ = say(&Answer::Edited(member.edit(count, at_once, peers).await));
                    });
                }
                Command::Report => say(&Answer::Report(Box::new(self.report())))?,
                Command::Lines => {
                    let lines = self.node.read(|board| board.done().iter().map(ToString::to_string).collect());
                    say(&Answer::Lines(lines))?;
                }
                Command::Close => {
                    drop((listening, connections));
                    self.node.clone().close().await?;
                    say(&Answer::Closed)?;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Edits in several tasks, each of which waits for the disk before its next one.
    async fn edit(self: &Arc<Self>, count: u64, at_once: usize, peers: usize) -> Timing {
        let start = Instant::now();
        let next = Arc::new(AtomicU64::new(0));
        let tasks: Vec<_> = (0..at_once.max(1))
            .map(|_| {
                let (member, next) = (Arc::clone(self), Arc::clone(&next));
                tokio::spawn(async move {
                    let (mut durable, mut spread) = (Vec::new(), Vec::new());
                    while next.fetch_add(1, Ordering::Relaxed) < count {
                        let number = member.edits.fetch_add(1, Ordering::Relaxed);
                        let line = format!("{}.{number}", member.name);
                        let begun = Instant::now();
                        // Without the script there is nobody to edit for.
                        let Ok(()) = say(&Answer::Begun(line.clone())) else { break };
                        let edit = member.node.edit(|board| board::edit(board, &member.name, number, &line));
                        if edit.await.is_err() {
                            break;
                        }
                        durable.push(begun.elapsed());
                        let Ok(()) = say(&Answer::Acknowledged(line)) else { break };
                        if peers > 0 && member.node.spread(peers).await {
                            spread.push(begun.elapsed());
                        }
                    }
                    (durable, spread)
                })
            })
            .collect();
        let (mut durable, mut spread) = (Vec::new(), Vec::new());
        for task in tasks {
            if let Ok((one, other)) = task.await {
                durable.extend(one);
                spread.extend(other);
            }
        }
        let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
        let at = |times: &mut Vec<std::time::Duration>, part: usize| {
            times.sort_unstable();
            times.get(times.len().saturating_sub(1) * part / 100).copied().map_or(0.0, ms)
        };
        Timing {
            whole_ms: ms(start.elapsed()),
            durable_p50_ms: at(&mut durable, 50),
            durable_p99_ms: at(&mut durable, 99),
            spread_p50_ms: at(&mut spread, 50),
            spread_p99_ms: at(&mut spread, 99),
        }
    }

    fn report(&self) -> Report {
        let stats = self.node.stats();
        let (conflicts, lines, digest) = self.node.read_causal(|state: &Causal<Board>| {
            (board::conflicts(state), state.done().len(), format!("{:032x}", state.content_digest()))
        });
        Report {
            edits: self.edits.load(Ordering::Relaxed),
            records_pushed: stats.records_pushed,
            sent: [Tier::Push, Tier::Repair, Tier::Control].map(|tier| stats.sent_by(tier).bytes),
            repairs: stats.repairs,
            behind: self.node.behind(),
            parked: stats.parked_records,
            conflicts,
            lines,
            digest,
        }
    }
}

/// The port that was just given up may take a moment to be free.
async fn bind(address: std::net::SocketAddr) -> std::io::Result<TcpListener> {
    for _ in 0..100 {
        if let Ok(listener) = TcpListener::bind(address).await {
            return Ok(listener);
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    TcpListener::bind(address).await
}

/// Commands as they come; the channel ends with the script.
fn commands() -> mpsc::Receiver<Command> {
    let (to, commands) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(command) => {
                    if to.blocking_send(command).is_err() {
                        return;
                    }
                }
                Err(error) => eprintln!("not a command: {line}: {error}"),
            }
        }
    });
    commands
}

fn say(answer: &Answer) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}
