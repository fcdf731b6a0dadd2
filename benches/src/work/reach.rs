//! One writer and two readers on loopback TCP, nothing on a disk: how soon both can read what one wrote.
//!
//! The peers bring no links, so here they get the plainest ones there are: the bytes of the change behind their length, a
//! thread for each reader that takes them in, and one byte back. That is no protocol: nothing finds out what was lost, and
//! nobody hears of anybody. crdt-sync runs as it is, but with a store in memory: a node with its clock and its disk's
//! thread, links on tokio, records, announcements, repairs. Its time is therefore that of more work. All times are those
//! of the wall.

use crate::contestant::{automerge as automerge_peer, loro as loro_peer, yrs as yrs_peer};
use crate::row::{Row, Target::*};
use crate::workload::names;
use crate::{Job, Who};
use automerge::transaction::Transactable;
use automerge::{AutoCommit, ROOT};
use crdt_core::OrSet;
use crdt_sync::drive::{Node, tcp};
use crdt_sync::{Config, MemoryStorage, ScopeId};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use yrs::updates::decoder::Decode;
use yrs::{Map, Transact, Update};

const READERS: u64 = 2;
const TIMES: usize = 1_000;
const LONG: Duration = Duration::from_secs(60);

static REACH: Row = Row::time(
    "reach/p50",
    "one writer, two readers on loopback TCP, no disk: one 16-byte string until both can read it, median",
    Open,
);
static REACH_P99: Row = Row::time("reach/p99", "the same, of a hundred the slowest but one", Open);

/// A document as its library offers it: what a change is in bytes, and how it is taken in.
trait Peer {
    fn new(number: u64) -> Self;
    fn write(&mut self, element: &str) -> Vec<u8>;
    fn take(&mut self, change: &[u8]);
    fn len(&self) -> usize;
}

impl Peer for yrs_peer::Document {
    fn new(number: u64) -> Self {
        Self::new(number)
    }

    fn write(&mut self, element: &str) -> Vec<u8> {
        let mut write = self.doc.transact_mut();
        self.map.insert(&mut write, element, 1);
        write.encode_update_v1()
    }

    fn take(&mut self, change: &[u8]) {
        let update = Update::decode_v1(change).expect("its own bytes");
        self.doc.transact_mut().apply_update(update).expect("its own update");
    }

    fn len(&self) -> usize {
        self.map.len(&self.doc.transact()) as usize
    }
}

impl Peer for loro_peer::Document {
    fn new(number: u64) -> Self {
        Self::new(number)
    }

    fn write(&mut self, element: &str) -> Vec<u8> {
        let before = self.doc.oplog_vv();
        Self::write(self, element, 1);
        self.doc.export(loro::ExportMode::updates(&before)).expect("a readable document")
    }

    fn take(&mut self, change: &[u8]) {
        self.merge(change);
    }

    fn len(&self) -> usize {
        self.map.len()
    }
}

impl Peer for AutoCommit {
    fn new(number: u64) -> Self {
        automerge_peer::document(number)
    }

    fn write(&mut self, element: &str) -> Vec<u8> {
        self.put(ROOT, element, 1).expect("the root is a map");
        self.save_incremental()
    }

    fn take(&mut self, change: &[u8]) {
        self.load_incremental(change).expect("its own bytes");
    }

    fn len(&self) -> usize {
        automerge::ReadDoc::length(self, ROOT)
    }
}

/// Takes in what comes until the writer hangs up; says how much there is then.
fn reader<P: Peer>(number: u64) -> (TcpStream, JoinHandle<usize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound port");
    let thread = thread::spawn(move || {
        let mut peer = P::new(number);
        let (mut stream, _) = listener.accept().expect("the writer comes");
        stream.set_nodelay(true).expect("a socket");
        let (mut length, mut change) = ([0; 4], Vec::new());
        while stream.read_exact(&mut length).is_ok() {
            change.resize(u32::from_be_bytes(length) as usize, 0);
            stream.read_exact(&mut change).expect("the rest of it");
            peer.take(&change);
            stream.write_all(&[1]).expect("the writer listens");
        }
        peer.len()
    });
    let stream = TcpStream::connect(address).expect("the reader listens");
    stream.set_nodelay(true).expect("a socket");
    (stream, thread)
}

fn of_peer<P: Peer>() -> Vec<Duration> {
    let mut writer = P::new(1);
    let mut readers: Vec<_> = (0..READERS).map(|number| reader::<P>(2 + number)).collect();
    let spent = names(9, TIMES)
        .iter()
        .map(|name| {
            let begin = Instant::now();
            let change = writer.write(name);
            let framed = [&(change.len() as u32).to_be_bytes()[..], &change].concat();
            readers.iter_mut().for_each(|(stream, _)| stream.write_all(&framed).expect("the reader listens"));
            readers.iter_mut().for_each(|(stream, _)| stream.read_exact(&mut [0]).expect("the reader answers"));
            begin.elapsed()
        })
        .collect();
    for (stream, thread) in readers {
        drop(stream);
        assert_eq!(thread.join().expect("a reader that works"), TIMES, "nothing is lost");
    }
    spent
}

fn of_ours() -> Vec<Duration> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let _inside = runtime.enter();
    let node = || {
        let node = Node::<OrSet<String>>::open(MemoryStorage::new(), Config::new(ScopeId::from_bytes([7; 16])));
        node.expect("a new replica")
    };
    let writer = node();
    let listener = runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
    let address = listener.local_addr().expect("a bound port").to_string();
    let _listening = tcp::listen(&writer, listener, tcp::Security::Plain);
    let readers: Vec<_> = (0..READERS).map(|_| node()).collect();
    let _links: Vec<_> = readers.iter().map(|reader| tcp::connect(reader, &address, tcp::Security::Plain)).collect();
    let mut events: Vec<_> = readers.iter().map(Node::subscribe).collect();
    let mut reach = |name: &str| {
        let begin = Instant::now();
        writer.edit(|set| set.insert(name)).wait().expect("a store that works");
        for (reader, events) in readers.iter().zip(&mut events) {
            while !reader.read(|set| set.contains(name)) {
                events.wait(LONG).expect("something happens");
            }
        }
        begin.elapsed()
    };
    reach("are all linked?");
    names(9, TIMES).iter().map(|name| reach(name)).collect()
}

/// Of so many thousandths the slowest, in nanoseconds.
fn slowest_of(thousandths: usize, mut spent: Vec<Duration>) -> f64 {
    spent.sort_unstable();
    spent[(TIMES - 1) * thousandths / 1_000].as_nanos() as f64
}

fn each(row: &'static Row, thousandths: usize) -> [Job; 4] {
    let job = |who, run: fn() -> Vec<Duration>| Job::count(row, who, move || slowest_of(thousandths, run()));
    [
        job(Who::Ours, of_ours),
        job(Who::Yrs, of_peer::<yrs_peer::Document>),
        job(Who::Loro, of_peer::<loro_peer::Document>),
        job(Who::Automerge, of_peer::<AutoCommit>),
    ]
}

pub fn jobs() -> Vec<Job> {
    each(&REACH, 500).into_iter().chain(each(&REACH_P99, 990)).collect()
}
