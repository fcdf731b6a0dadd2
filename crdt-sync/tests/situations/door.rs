//! Who is let in, what is answered to those who are not, and what a refusal ends.

use super::net::{Net, Shop};
use crdt_core::ReplicaId;
use crdt_sync::{
    Authorise, CancelReason, Config, Event, FrameError, FrameReader, FrameWriter, Limits, LinkKind, Loaded, Message,
    Now, Open, PeerId, Refuse, RefuseReason, RepairId, Replica, Role, ScopeId, Steady, Wall,
};

const LINK: PeerId = PeerId(1);
const NOW: Now = Now { steady: Steady(0), wall: Wall(1_780_000_000_000) };

fn config() -> Config {
    Config::new(ScopeId::from_bytes([7; 16]))
}

/// A replica with a link, and what is needed to talk to it.
struct Visit {
    replica: Replica<Shop>,
    writer: FrameWriter,
    reader: FrameReader,
}

impl Visit {
    fn new(config: &Config, kind: LinkKind) -> Self {
        let id = ReplicaId::from_u128(1);
        let mut replica = Replica::open(Loaded::default(), config.clone(), id, [0; 32], NOW).unwrap();
        replica.peer_up(LINK, kind, NOW);
        let writer = FrameWriter::new(kind, config.scope, &config.limits);
        Self { replica, writer, reader: FrameReader::new(kind, config.scope, &config.limits) }
    }

    fn open(config: &Config) -> Open {
        let mut open = Open::new(ReplicaId::from_u128(2), 1, config);
        open.schema = <Shop as crdt_core::DotStore>::KIND as u64;
        open
    }

    fn opened(config: &Config) -> Self {
        let mut visit = Self::new(config, LinkKind::Stream);
        visit.say(&Message::Open(Self::open(config)));
        visit
    }

    fn say(&mut self, message: &Message<Shop>) {
        let frame = self.writer.write(message);
        self.replica.handle_message(LINK, &frame, NOW).unwrap();
    }

    /// What it was refused, for what, and with which words.
    fn refusals(&mut self) -> Vec<(u8, RefuseReason, String)> {
        while let Some(persist) = self.replica.poll_persist() {
            self.replica.durable(persist.ticket, NOW);
        }
        let mut refusals = Vec::new();
        while let Some(transmit) = self.replica.poll_transmit() {
            if let Ok(Some(Message::Refuse(refuse))) = self.reader.read::<Shop>(&transmit.frame) {
                refusals.push((refuse.kind, refuse.reason, refuse.detail));
            }
        }
        refusals
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.replica.poll_event()).collect()
    }

    fn is_let_in(&mut self) -> bool {
        self.events().iter().any(|event| matches!(event, Event::PeerOpened { .. }))
    }
}

fn is_closed(events: &[Event]) -> bool {
    events.iter().any(|event| matches!(event, Event::Close { .. }))
}

#[test]
fn one_that_says_nothing_of_its_types_fits_and_one_of_another_type_does_not() {
    for (schema, fits) in [(0, true), (<Shop as crdt_core::DotStore>::KIND as u64, true), (77, false)] {
        let mut visit = Visit::new(&config(), LinkKind::Stream);
        visit.say(&Message::Open(Open { schema, ..Visit::open(&config()) }));
        assert_eq!(visit.is_let_in(), fits, "{schema}");
        let refusals: Vec<_> = visit.refusals().into_iter().map(|(kind, reason, _)| (kind, reason)).collect();
        assert_eq!(refusals, if fits { vec![] } else { vec![(0, RefuseReason::Schema)] });
    }
}

/// It was told that its frame was malformed, in no words, and nothing more was read of it.
#[test]
fn one_of_another_version_hears_which_ones_are_spoken_here() {
    let expected = [(0, RefuseReason::Version, "versions 1 to 1 of the protocol are spoken here".to_owned())];
    for kind in [LinkKind::Stream, LinkKind::Datagram] {
        let mut told = Visit::new(&config(), kind);
        told.say(&Message::Open(Open { versions: (2, 5), ..Visit::open(&config()) }));
        assert_eq!(told.refusals(), expected);
        let mut frame = Visit::new(&config(), kind).writer.write(&Message::<Shop>::Open(Visit::open(&config())));
        frame[0] = 2;
        let mut shown = Visit::new(&config(), kind);
        assert_eq!(shown.replica.handle_message(LINK, &frame, NOW), Err(FrameError::Version(2)));
        assert_eq!(shown.refusals(), expected);
        for mut visit in [told, shown] {
            let events = visit.events();
            let reason = RefuseReason::Version;
            assert!(events.contains(&Event::Incompatible { peer: LINK, reason }) && is_closed(&events), "{events:?}");
        }
    }
}

/// The link was closed while the refusal still waited for the disk, and the peer came again at once.
#[test]
fn a_link_ends_once_its_last_word_is_out() {
    let forbids = Config { authorise: Some(Authorise::new(|_| false)), ..config() };
    let mut refused = Visit::new(&forbids, LinkKind::Stream);
    refused.say(&Message::Open(Visit::open(&forbids)));
    let mut struck = Visit::new(&config(), LinkKind::Stream);
    for _ in 0..Limits::default().strikes_max {
        assert!(struck.replica.handle_message(LINK, &[1, 2, 3], NOW).is_err());
    }
    for mut visit in [refused, struck] {
        let events = visit.events();
        assert!(!is_closed(&events), "{events:?}");
        assert!(!visit.refusals().is_empty(), "they go out once the disk has what was said before");
        assert!(is_closed(&visit.events()));
        assert!(!is_closed(&visit.events()), "and it is closed once");
    }
}

#[test]
fn a_stream_that_can_be_read_no_further_is_closed_at_once_with_the_reason() {
    let mut visit = Visit::opened(&config());
    assert!(visit.replica.handle_message(LINK, &[1, 6, 0x80], NOW).is_err());
    let refusals = visit.refusals();
    assert!(matches!(&refusals[..], [(6, RefuseReason::Malformed, words)] if !words.is_empty()), "{refusals:?}");
    assert!(is_closed(&visit.events()));
    // A datagram stands alone, so the next one may be good.
    let mut visit = Visit::new(&config(), LinkKind::Datagram);
    visit.say(&Message::Open(Visit::open(&config())));
    assert!(visit.replica.handle_message(LINK, &[1, 6, 0x80], NOW).is_err());
    assert!(!is_closed(&visit.events()));
    visit.say(&Message::Prune);
}

#[test]
fn every_reserved_kind_is_refused_as_unsupported_however_often_and_the_link_stays() {
    let mut visit = Visit::opened(&config());
    visit.refusals();
    for kind in [20, 21].into_iter().chain(26..=127) {
        let mut frame = visit.writer.write(&Message::<Shop>::Write(vec![7]));
        frame[1] = kind;
        let _ = visit.replica.handle_message(LINK, &frame, NOW);
        let refusals = visit.refusals();
        assert!(matches!(&refusals[..], [(of, RefuseReason::Unsupported, _)] if *of == kind), "{kind}: {refusals:?}");
    }
    for kind in 128..=255 {
        let mut frame = visit.writer.write(&Message::<Shop>::Write(vec![7]));
        frame[1] = kind;
        visit.replica.handle_message(LINK, &frame, NOW).unwrap();
        assert_eq!(visit.refusals(), [], "{kind} may be skipped");
    }
    assert!(!is_closed(&visit.events()));
    visit.say(&Message::Prune);
}

#[test]
fn as_many_bad_frames_as_allowed_close_a_link() {
    for strikes_max in [1, 3, 5] {
        let config = Config { limits: Limits { strikes_max, ..Limits::default() }, ..config() };
        let mut visit = Visit::opened(&config);
        visit.refusals();
        visit.events();
        for strike in 1..=strikes_max {
            // A Same with a byte too many: of a kind that can be read to its end.
            assert!(visit.replica.handle_message(LINK, &[1, 9, 0, 5, 5], NOW).is_err());
            assert_eq!(is_closed(&visit.events()), strike == strikes_max, "{strike} of {strikes_max}");
        }
        assert_eq!(visit.replica.handle_message(LINK, &[1, 6, 0], NOW), Err(FrameError::Closed));
    }
}

#[test]
fn who_may_have_a_scope_is_asked_with_the_certificate_and_for_each_scope() {
    let (accounts, wiki) = (ScopeId::named("accounts"), ScopeId::named("wiki"));
    let may = Authorise::new(move |applicant| match applicant.certificate {
        Some(b"ann's") => true,
        Some(b"bob's") => applicant.open.scope == wiki,
        _ => false,
    });
    let cases: [(ScopeId, Option<&[u8]>, bool); 6] = [
        (accounts, Some(b"ann's"), true),
        (accounts, Some(b"bob's"), false),
        (accounts, None, false),
        (wiki, Some(b"ann's"), true),
        (wiki, Some(b"bob's"), true),
        (wiki, Some(b"eve's"), false),
    ];
    for (scope, certificate, allowed) in cases {
        let config = Config { authorise: Some(may.clone()), ..Config::new(scope) };
        let mut visit = Visit::new(&config, LinkKind::Stream);
        if let Some(certificate) = certificate {
            visit.replica.set_certificate(LINK, certificate.to_vec());
        }
        visit.replica.edit(NOW, |shop| shop.note().write("not for everybody")).unwrap();
        visit.say(&Message::Open(Visit::open(&config)));
        let refusals: Vec<_> = visit.refusals().into_iter().map(|(kind, reason, _)| (kind, reason)).collect();
        assert_eq!(refusals, if allowed { vec![] } else { vec![(0, RefuseReason::Forbidden)] });
        let events = visit.events();
        assert_eq!(is_closed(&events), !allowed, "{certificate:?} in {scope}: {events:?}");
    }
}

fn refuse(kind: u8) -> Message<Shop> {
    Message::Refuse(Refuse { reason: RefuseReason::Busy, kind, detail: String::new() })
}

fn failed(net: &Net) -> usize {
    net.events[0].iter().filter(|event| matches!(event, Event::RepairFailed { .. })).count()
}

/// The home had no id to lend, and the repair with it ended, too.
#[test]
fn a_repair_is_ended_by_a_refusal_of_its_own_frames_alone() {
    let mut net = Net::new(1);
    net.edit(0, |shop| shop.note().write("something to tell"));
    // The one with the greater id opens a repair.
    let mut peer = net.stranger(0, 0);
    assert!(net.events[0].iter().any(|event| matches!(event, Event::RepairOpened { .. })));
    for kind in [3, 18, 19, 20, 22, 25] {
        net.say(&mut peer, refuse(kind));
        assert_eq!(failed(&net), 0, "{kind}");
    }
    net.say(&mut peer, refuse(8));
    assert_eq!(failed(&net), 1);
}

#[test]
fn a_tab_hears_that_no_id_is_lent_and_takes_none_that_comes_later() {
    let mut net = Net::with(1, |_, config| Config { role: Role::Tab, ..config });
    let mut home = net.stranger(0, 0);
    net.replicas[0].0.borrow_id(home.link);
    net.drain();
    net.say(&mut home, refuse(22));
    let not_lent = Event::NotLent { peer: home.link, reason: RefuseReason::Busy };
    assert!(net.events[0].contains(&not_lent), "{:?}", net.events[0]);
    net.events[0].clear();
    net.say(&mut home, Message::Lent { replica: ReplicaId::from_u128(100), next: 1 });
    // And one that was not asked is not told.
    net.say(&mut home, refuse(22));
    let of_ids = |event: &&Event| matches!(event, Event::Lent { .. } | Event::NotLent { .. });
    assert_eq!(net.events[0].iter().find(of_ids), None);
    net.say(&mut home, Message::Cancel { repair: RepairId(0), reason: CancelReason::Busy });
}
