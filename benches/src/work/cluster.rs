//! Three nodes on loopback TCP, each with a durable store of its own, all linked: how fast they take edits, and how soon
//! all have one on disk.
//!
//! The time of these rows is that of the wall: nearly all of it is waiting for disks, and the disk is this machine's. The
//! peers bring no durable stores that could be put beside them; what they can be compared in are the work of passing one
//! change on, `sync/pass-on`, and the way over a link without disks, `reach/…`.

use crate::row::{Row, Target::*};
use crate::workload::names;
use crate::{Job, Who};
use crdt_core::OrSet;
use crdt_sync::drive::{Node, tcp};
use crdt_sync::{Config, RedbStorage, ScopeId};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

const NODES: usize = 3;
/// Edits of each node.
const EDITS: usize = 20_000;
/// Edits that wait for the disk together, as those of many users do.
const TOGETHER: usize = 256;
/// Edits measured alone.
const ALONE: usize = 1_000;
const LONG: Duration = Duration::from_secs(60);

static EDIT: Row = Row::time(
    "cluster/edit",
    "three nodes with durable stores, all writing 16-byte strings: time per edit until all have all on disk",
    Open,
);
static REACH: Row = Row::time("cluster/reach-p50", "one edit alone until all three have it on disk, median", Open);
static REACH_P99: Row = Row::time("cluster/reach-p99", "the same, of a hundred the slowest but one", Open);

/// Nodes that run, and where they keep their data.
struct Cluster {
    nodes: Vec<Node<OrSet<String>>>,
    services: Vec<tcp::Service>,
    runtime: Runtime,
    folder: PathBuf,
}

impl Cluster {
    fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("crdt-cluster-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for temporary files");
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let mut cluster = Self { nodes: Vec::new(), services: Vec::new(), runtime, folder };
        let mut addresses: Vec<String> = Vec::new();
        for number in 0..NODES {
            let store = RedbStorage::open(cluster.folder.join(format!("{number}.redb"))).expect("a new store");
            let node = Node::open(store, Config::new(ScopeId::from_bytes([7; 16]))).expect("a new replica");
            let _inside = cluster.runtime.enter();
            let listener = cluster.runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
            let address = listener.local_addr().expect("a bound port").to_string();
            cluster.services.push(tcp::listen(&node, listener, tcp::Security::Plain));
            for other in &addresses {
                cluster.services.push(tcp::connect(&node, other, tcp::Security::Plain));
            }
            addresses.push(address);
            cluster.nodes.push(node);
        }
        cluster.write("are all linked?");
        cluster
    }

    /// Edits at the first node; all have it on disk.
    fn write(&self, element: &str) {
        self.nodes[0].edit(|set| set.insert(element)).wait().expect("a store that works");
        assert!(self.nodes[0].spread(NODES - 1).wait(LONG), "the peers have it");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _inside = self.runtime.enter();
        self.services.clear();
        for node in self.nodes.drain(..) {
            let _ = node.close().wait();
        }
        // What is left behind in a folder for temporary files harms nobody.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Nanoseconds per edit while all write.
fn together() -> f64 {
    let cluster = Cluster::start();
    let parts: Vec<Vec<String>> = (0..NODES).map(|node| names(node as u64 + 1, EDITS)).collect();
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for (node, part) in cluster.nodes.iter().zip(&parts) {
            scope.spawn(move || {
                for some in part.chunks(TOGETHER) {
                    let waiting: Vec<_> = some.iter().map(|name| node.edit(|set| set.insert(name.as_str()))).collect();
                    waiting.into_iter().for_each(|edit| assert!(edit.wait().expect("a store that works")));
                }
                assert!(node.spread(NODES - 1).wait(LONG), "the peers have all");
            });
        }
    });
    let spent = begin.elapsed();
    let all = NODES * EDITS + 1;
    assert!(cluster.nodes.iter().all(|node| node.read(|set| set.len()) == all), "nothing is lost");
    spent.as_nanos() as f64 / (NODES * EDITS) as f64
}

/// Nanoseconds until all have an edit, of so many thousandths the slowest.
fn alone(thousandths: usize) -> f64 {
    let cluster = Cluster::start();
    let mut spent: Vec<Duration> = names(9, ALONE)
        .iter()
        .map(|name| {
            let begin = Instant::now();
            cluster.write(name);
            begin.elapsed()
        })
        .collect();
    spent.sort_unstable();
    spent[(ALONE - 1) * thousandths / 1_000].as_nanos() as f64
}

pub fn jobs() -> Vec<Job> {
    vec![
        Job::count(&EDIT, Who::Ours, together),
        Job::count(&REACH, Who::Ours, || alone(500)),
        Job::count(&REACH_P99, Who::Ours, || alone(990)),
    ]
}
