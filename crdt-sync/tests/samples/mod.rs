//! Messages of every kind, the same on every run.
#![allow(dead_code, unreachable_pub, reason = "several tests share it, and each uses some")]

pub mod json;

use std::sync::Arc;

use crdt_core::{Causal, Counter, Dot, DotSet, DotStore, LwwRegister, OrMap, OrSet, ReplicaId, Timestamp, Writer};
use crdt_sync::{
    CancelReason, Cell, Config, Extension, Finish, Hello, Message, Mode, Open, Own, Payload, Plan, Record, Refuse,
    RefuseReason, RepairId, Role, ScopeId, SummaryOf,
};

crdt_core::fields! {
    /// A page that several people write on.
    pub struct Page {
        title: LwwRegister<String>,
        tags: OrSet<String>,
        votes: Counter,
        links: OrMap<String, OrSet<u64>>,
    }
}

pub const A: ReplicaId = ReplicaId::from_u128(0xa0a1_a2a3_a4a5_a6a7_a8a9_aaab_acad_aeaf);
pub const B: ReplicaId = ReplicaId::from_u128(0xb0b1_b2b3_b4b5_b6b7_b8b9_babb_bcbd_bebf);
/// Below both: indexes and ids are ordered differently on a stream where it comes last.
pub const C: ReplicaId = ReplicaId::from_u128(0x0c);
pub const SCOPE: ScopeId = ScopeId::from_bytes(*b"a scope of tests");
pub const MS: u64 = 1_780_000_000_000;

/// An integer as frames and canonical bytes have it.
pub fn varint(mut int: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while int >= 0x80 {
        bytes.push(int as u8 | 0x80);
        int >>= 7;
    }
    bytes.push(int as u8);
    bytes
}

pub fn dots(runs: &[(ReplicaId, u64, u64)]) -> DotSet {
    let mut set = DotSet::new();
    for (replica, first, last) in runs {
        set.insert_run(*replica, *first, *last);
    }
    set
}

/// Some edits as records, and the state after them.
pub fn history() -> (Causal<Page>, Vec<Arc<Record<Page>>>) {
    let (mut a, mut b) = (Writer::new(A), Writer::resume(B, 200));
    let mut state = Causal::<Page>::new();
    let mut records = Vec::new();
    let mut frontier = DotSet::new();
    let mut record =
        |writer: &mut Writer, state: &mut Causal<Page>, edit: &dyn Fn(&mut <Page as DotStore>::Cursor<'_>)| {
            let (delta, ()) = state.edit(writer, |page| edit(page));
            let (replica, first, last) = delta.own().runs().next().expect("an edit");
            let own = Own { replica, first, last };
            let before = dots(&[(replica, 1, first)]);
            let time = Timestamp::new(MS + 7 * records.len() as u64, records.len() as u16 % 3);
            let after = frontier.difference(&before);
            let payload = Payload::Edit(delta);
            records.push(Arc::new(Record { own, after, time, payload, extensions: Vec::new() }));
            frontier = dots(&[(replica, last, last)]);
        };
    record(&mut a, &mut state, &|page| {
        page.title().write(Timestamp::new(MS, 0), "Birds");
        page.tags().insert("draft");
        page.votes().add(1);
        page.links().entry("see").insert(7u64);
        page.links().entry("see").insert(300u64);
    });
    record(&mut a, &mut state, &|page| {
        page.tags().insert("birds");
    });
    record(&mut b, &mut state, &|page| {
        page.tags().remove("draft");
        page.tags().insert("birds");
    });
    record(&mut b, &mut state, &|page| {
        page.votes().add(1);
        page.votes().add(1);
        page.votes().add(-1);
    });
    record(&mut a, &mut state, &|page| {
        page.title().write(Timestamp::new(MS + 20, 0), "Birds of the north");
        page.links().remove("see");
        page.links().entry("also").insert(70_000u64);
    });
    (state, records)
}

fn summary(plan: Plan) -> SummaryOf {
    SummaryOf {
        repair: RepairId(5),
        plan,
        base: None,
        received: dots(&[(A, 1, 52_100), (B, 1, 40_250), (B, 40_253, 40_253), (C, 3, 9)]),
        ahead: DotSet::new(),
        frontier: dots(&[(A, 52_100, 52_100), (B, 40_250, 40_250)]),
        live_count: 70_000,
        staged: DotSet::new(),
        retired: (0, 0),
        left_out: None,
        sketch_key: 0,
    }
}

/// All kinds, in the order of their numbers; some twice, where they come in two shapes.
pub fn messages() -> Vec<(&'static str, Message<Page>)> {
    let (state, records) = history();
    let repair = RepairId(5);
    let mut extended = (*records[1]).clone();
    extended.extensions = vec![Extension { tag: 2, bytes: b"from a newer version".to_vec() }];
    let retire = Record {
        own: Own { replica: C, first: 10, last: 10 },
        after: dots(&[(A, 12, 12), (B, 205, 206)]),
        time: Timestamp::new(MS - 3, 0),
        payload: Payload::Retire { replica: C, last: 10 },
        extensions: Vec::new(),
    };
    let mut config = Config::new(SCOPE);
    config.schema = 0x1122_3344_5566_7788;
    let mut tab = Open::new(C, 1, &config);
    (tab.role, tab.mode, tab.versions) = (Role::Tab, Mode::Fifo, (1, 3));
    let mut full = summary(Plan::Sketch);
    full.base = Some(0x0102_0304_0506_0708);
    full.ahead = dots(&[(C, 11, 12)]);
    full.frontier = dots(&[(B, 40_250, 40_250), (C, 4, 5)]);
    full.staged = dots(&[(A, 7, 7), (A, 9, 12)]);
    full.retired = (2, 0xfeed);
    full.sketch_key = 0x1234_5678_9abc_def0;
    let mut left_out = summary(Plan::Ask);
    left_out.received = dots(&[(A, 1, 52_100)]);
    left_out.frontier = dots(&[(A, 52_100, 52_100)]);
    left_out.retired = (2, 0xfeed);
    left_out.left_out = Some(dots(&[(C, 1, 2)]));
    let cells = |wide: u128| -> Vec<Cell> {
        (1..4u8)
            .map(|n| Cell {
                symbol: wide | u128::from(n) << 40,
                check: u32::from(n) * 77,
                count: 256u16.wrapping_sub(u16::from(n)) as u8,
            })
            .collect()
    };
    let mut live = dots(&[(A, 10, 12), (A, 20, 3_000), (C, 1, 1)]);
    (0..200).filter(|n| n % 3 != 1).for_each(|n| {
        live.insert(Dot::new(B, 500 + n).expect("above 0"));
    });
    vec![
        ("open", Message::Open(Open::new(A, 0xabcd_ef01_2345_6789, &config))),
        ("open-tab", Message::Open(tab)),
        (
            "refuse",
            Message::Refuse(Refuse { reason: RefuseReason::Mode, kind: 0, detail: "records come in no order".into() }),
        ),
        ("push", Message::Push(records)),
        ("push-extended", Message::Push(vec![Arc::new(extended), Arc::new(retire)])),
        ("push-nothing", Message::Push(Vec::new())),
        ("have", Message::Have(dots(&[(A, 1, 13), (B, 201, 206)]))),
        ("want", Message::Want(dots(&[(A, 2, 3), (A, 9, 9), (B, 205, 205)]))),
        ("not-in-log", Message::NotInLog(dots(&[(A, 2, 3)]))),
        ("prune", Message::Prune),
        ("graft", Message::Graft),
        (
            "hello",
            Message::Hello(Hello {
                repair,
                received_hash: 0x1111,
                state_hash: u64::MAX,
                summary: None,
                content_hash: None,
            }),
        ),
        (
            "hello-summary",
            Message::Hello(Hello {
                repair,
                received_hash: 0x1111,
                state_hash: 0x2222,
                summary: Some(Box::new(summary(Plan::Ask))),
                content_hash: Some(0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100),
            }),
        ),
        ("same", Message::Same(repair)),
        ("summary", Message::Summary(Box::new(summary(Plan::Log)))),
        ("summary-full", Message::Summary(Box::new(full))),
        ("summary-left-out", Message::Summary(Box::new(left_out))),
        ("entries", Message::Entries { repair, index: 3, entries: state.restrict(state.seen()) }),
        ("cells", Message::Cells { repair, from: 94, cells: cells(0) }),
        ("cells-wide", Message::Cells { repair, from: 0, cells: cells(1 << 100) }),
        ("live-set", Message::LiveSet { repair, live }),
        ("more", Message::More { repair, from: 94, count: 25 }),
        (
            "finish",
            Message::Finish(Box::new(Finish {
                repair,
                since: dots(&[(A, 52_101, 52_101)]),
                since_ahead: dots(&[(B, 40_255, 40_256)]),
                frontier: dots(&[(A, 52_101, 52_101), (B, 40_253, 40_253)]),
                kept: dots(&[(A, 7, 7)]),
                retired: dots(&[(B, 3, 4), (C, 5, 5)]),
                entry_count: 20,
                entry_hash: 0xdead_beef,
                check: 0xc0ff_ee00,
            })),
        ),
        (
            "finish-plain",
            Message::Finish(Box::new(Finish {
                repair,
                since: DotSet::new(),
                since_ahead: DotSet::new(),
                frontier: DotSet::new(),
                kept: DotSet::new(),
                retired: DotSet::new(),
                entry_count: 0,
                entry_hash: 0,
                check: 9,
            })),
        ),
        ("done", Message::Done { repair, check: 0xc0ff_ee00 }),
        ("cancel", Message::Cancel { repair, reason: CancelReason::Partial }),
        ("known", Message::Known(vec![(B, dots(&[(A, 1, 9), (B, 1, 7)])), (A, dots(&[(C, 2, 2)]))])),
        ("retirements", Message::Retirements(vec![(C, 10), (B, 0)])),
        ("write", Message::Write(b"an edit".to_vec())),
        ("written", Message::Written(b"its fate".to_vec())),
        ("borrow", Message::Borrow),
        ("lent", Message::Lent { replica: C, next: 11 }),
        ("return", Message::Return { replica: C, last: 0 }),
        ("gossip", Message::Gossip(vec![0, 1, 2, 255])),
    ]
}
