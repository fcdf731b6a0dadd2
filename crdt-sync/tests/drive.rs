//! Nodes that run, over loopback.
#![cfg(feature = "drive")]

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crdt_core::{OrSet, ReplicaId};
use crdt_sync::drive::{Node, NodeError, blocking};
use crdt_sync::{
    Authorise, Config, EditError, FrameReader, FrameWriter, Limits, LinkKind, MemoryStorage, Message, Open,
    RefuseReason, ScopeId,
};

#[cfg(feature = "relay")]
#[path = "drive/relay.rs"]
mod relay;

type Names = OrSet<String>;

fn config() -> Config {
    Config::new(ScopeId::from_bytes([3; 16]))
}

fn node() -> Node<Names> {
    Node::open(MemoryStorage::new(), config()).unwrap()
}

fn soon(mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "not even after {:?}", start.elapsed());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn digest(node: &Node<Names>) -> u128 {
    node.read_causal(crdt_core::Causal::content_digest)
}

#[test]
fn two_nodes_meet_over_blocking_tcp() {
    let (a, b) = (node(), node());
    a.edit(|set| set.insert("before")).wait().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _listening = blocking::listen(&a, listener).unwrap();
    let connection = blocking::connect(&b, address).unwrap();
    soon(|| b.read(|set| set.contains("before")));
    b.edit(|set| set.insert("after")).wait().unwrap();
    assert!(b.spread(1).wait(Duration::from_secs(10)), "the peer says that it has it");
    assert!(a.read(|set| set.contains("after")), "and it has");

    drop(connection);
    a.edit(|set| set.insert("apart")).wait().unwrap();
    assert!(!a.spread(1).wait(Duration::from_millis(100)), "nobody can have it");
    let _again = blocking::connect(&b, address).unwrap();
    soon(|| b.read(|set| set.contains("apart")));
    assert_eq!(digest(&a), digest(&b));
}

#[test]
fn what_one_repair_sends_at_once_does_not_count_as_a_peer_that_does_not_read() {
    let small = || {
        let limits = Limits { link_bytes_max: 10_000, flush_bytes: 4_000, ..Limits::default() };
        let config = Config { limits, ..config() };
        Node::<Names>::open(MemoryStorage::new(), config).unwrap()
    };
    let (a, b) = (small(), small());
    for index in 0..300 {
        a.edit(|set| set.insert(format!("{index} {}", "x".repeat(1_000)))).wait().unwrap();
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _listening = blocking::listen(&a, listener).unwrap();
    let _connection = blocking::connect(&b, address).unwrap();
    soon(|| b.read(|set| set.len()) == 300);
    assert_eq!(digest(&a), digest(&b));
}

#[test]
fn an_event_tells_what_came_and_a_closed_node_refuses() {
    let (a, b) = (node(), node());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _listening = blocking::listen(&a, listener).unwrap();
    let _connection = blocking::connect(&b, address).unwrap();
    let mut events = a.subscribe();
    b.edit(|set| set.insert("news")).wait().unwrap();
    soon(|| {
        let event = events.wait(Duration::from_secs(5));
        matches!(event, Some(crdt_sync::Event::Changed { .. }))
    });
    let other = b.clone();
    b.close().wait().unwrap();
    let refused = other.edit(|set| set.insert("late")).wait();
    assert!(matches!(refused, Err(NodeError::Closed)), "{refused:?}");
}

#[test]
fn an_edit_that_fails_changes_nothing_and_one_that_panics_ends_the_node() {
    let node = node();
    node.edit(|set| set.insert("kept")).wait().unwrap();
    let failed = node.try_edit(|set| {
        set.insert("undone");
        Err::<(), _>("no")
    });
    assert_eq!(failed.unwrap_err(), "no");
    assert!(node.read(|set| set.contains("kept") && !set.contains("undone")));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        drop(node.edit(|set| {
            set.insert("half");
            panic!("in the middle");
        }));
    }));
    assert!(panicked.is_err());
    let refused = node.edit(|set| set.insert("more")).wait();
    assert!(matches!(refused, Err(NodeError::Refused(EditError::Failed))), "{refused:?}");

    let start = Instant::now();
    assert!(!node.spread(1).wait(Duration::from_secs(10)) && start.elapsed() < Duration::from_secs(5));
    // Peers find out at once, rather than wait for words that do not come.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _listening = blocking::listen(&node, listener).unwrap();
    let mut peer = TcpStream::connect(address).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert_eq!(std::io::Read::read(&mut peer, &mut [0; 8]).unwrap(), 0);
}

/// While an earlier batch waited for the disk, what was edited after it was once left out.
#[test]
fn what_is_run_on_the_store_finds_all_that_was_edited_before() {
    let node = node();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    node.with_store(move |_| wait.recv().unwrap());
    let mut edits = vec![node.edit(|set| set.insert("one"))];
    // Closes the record: it waits for the disk from now on.
    drop(node.spread(0));
    edits.push(node.edit(|set| set.insert("two")));
    let (told, found) = std::sync::mpsc::channel();
    node.with_store(move |store| told.send(store.load().unwrap().rows.len()).unwrap());
    go.send(()).unwrap();
    assert_eq!(found.recv(), Ok(2));
    edits.into_iter().for_each(|edit| assert!(edit.wait().unwrap()));
}

#[test]
fn strangers_cost_no_memory_and_no_peace() {
    let (a, b) = (node(), node());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _listening = blocking::listen(&a, listener).unwrap();
    // One claims a frame of 4 GiB, one sends noise in valid lengths, one says nothing.
    let mut liar = TcpStream::connect(address).unwrap();
    liar.write_all(&[0xff; 8]).unwrap();
    let mut noisy = TcpStream::connect(address).unwrap();
    for round in 0..100_u8 {
        let frame = [&100_u32.to_be_bytes()[..], &[round; 100]].concat();
        // The link is closed after a few.
        if noisy.write_all(&frame).is_err() {
            break;
        }
    }
    let _silent = TcpStream::connect(address).unwrap();
    let _connection = blocking::connect(&b, address).unwrap();
    b.edit(|set| set.insert("through")).wait().unwrap();
    assert!(b.spread(1).wait(Duration::from_secs(10)));
    soon(|| a.stats().frames_refused > 0);
    liar.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    soon(|| std::io::Read::read(&mut liar, &mut [0; 4096]).is_ok_and(|read| read == 0));
}

/// A node that lets nobody in, and how often it was asked.
fn one_that_refuses() -> (Node<Names>, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let authorise = Authorise::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        false
    });
    let config = Config { authorise: Some(authorise), ..config() };
    (Node::open(MemoryStorage::new(), config).unwrap(), asked)
}

/// It came again after a tenth of a second, and so on.
#[test]
fn one_that_was_refused_does_not_come_again_soon() {
    let ((a, asked), b) = (one_that_refuses(), node());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _listening = blocking::listen(&a, listener).unwrap();
    let connection = blocking::connect(&b, address).unwrap();
    soon(|| asked.load(Ordering::Relaxed) > 0);
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let start = Instant::now();
    drop(connection);
    assert!(start.elapsed() < Duration::from_secs(5), "and nobody has to wait for that long");
}

/// A peer of `node` says who it is and much more, and reads only then. What it is told last.
fn refused_while_it_talks(address: std::net::SocketAddr) -> Message<Names> {
    let config = config();
    let mut peer = TcpStream::connect(address).unwrap();
    let mut open = Open::new(ReplicaId::from_u128(2), 1, &config);
    open.schema = <Names as crdt_core::DotStore>::KIND as u64;
    let mut writer = FrameWriter::new(LinkKind::Stream, config.scope, &config.limits);
    for message in [Message::<Names>::Open(open), Message::Gossip(vec![7; 1_000]), Message::Gossip(vec![7; 1_000])] {
        let frame = writer.write(&message);
        let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
        peer.write_all(&[&length, &frame[..]].concat()).unwrap();
        std::thread::sleep(Duration::from_millis(200));
    }
    peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut heard = Vec::new();
    std::io::Read::read_to_end(&mut peer, &mut heard).unwrap();
    let mut reader = FrameReader::new(LinkKind::Stream, config.scope, &config.limits);
    let mut last = None;
    while let Some((length, rest)) = heard.split_at_checked(4) {
        let (frame, rest) = rest.split_at(u32::from_be_bytes(length.try_into().unwrap()) as usize);
        last = reader.read::<Names>(frame).unwrap();
        heard = rest.to_vec();
    }
    last.unwrap()
}

fn is_forbidden(message: &Message<Names>) -> bool {
    matches!(message, Message::Refuse(refuse) if refuse.reason == RefuseReason::Forbidden)
}

/// The socket was closed on what it had not read: the peer could write no more, and took that for the end.
#[test]
fn a_refusal_arrives_though_its_peer_goes_on_talking() {
    let (a, _) = one_that_refuses();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _listening = blocking::listen(&a, listener).unwrap();
    assert!(is_forbidden(&refused_while_it_talks(address)));
}

#[cfg(feature = "tcp")]
mod tokio_driver {
    use super::*;
    use crdt_sync::drive::tcp::{self, Security};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_refusal_arrives_though_its_peer_goes_on_talking() {
        let (a, _) = one_that_refuses();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let _listening = tcp::listen(&a, listener, Security::Plain);
        let told = tokio::task::spawn_blocking(move || refused_while_it_talks(address)).await.unwrap();
        assert!(is_forbidden(&told));
    }

    async fn meet(a: &Node<Names>, b: &Node<Names>, of_a: Security, of_b: Security) -> (tcp::Service, tcp::Service) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        (tcp::listen(a, listener, of_a), tcp::connect(b, address, of_b))
    }

    async fn both_hear_each_other(a: &Node<Names>, b: &Node<Names>) {
        a.edit(|set| set.insert("of a")).await.unwrap();
        b.edit(|set| set.insert("of b")).await.unwrap();
        let both = async { (a.spread(1).await, b.spread(1).await) };
        let both = tokio::time::timeout(Duration::from_secs(10), both).await;
        assert_eq!(both, Ok((true, true)));
        // Who has it may be a third one.
        let equal = async {
            while digest(a) != digest(b) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), equal).await.expect("both hear each other");
    }

    #[tokio::test]
    async fn two_nodes_meet_on_tokio() {
        let (a, b) = (node(), node());
        let _links = meet(&a, &b, Security::Plain, Security::Plain).await;
        both_hear_each_other(&a, &b).await;
        a.close().await.unwrap();
    }

    #[tokio::test]
    async fn one_that_was_refused_does_not_come_again_soon() {
        let ((a, asked), b) = (one_that_refuses(), node());
        let _links = meet(&a, &b, Security::Plain, Security::Plain).await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    /// Each had a task of its own for ten seconds.
    #[cfg(feature = "websocket")]
    #[tokio::test]
    async fn sockets_that_say_nothing_are_bounded() {
        use tokio::io::AsyncReadExt as _;

        let limits = Limits { links_max: 2, ..Limits::default() };
        let a = Node::<Names>::open(MemoryStorage::new(), Config { limits, ..config() }).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let _listening = crdt_sync::drive::websocket::listen(&a, listener);
        let mut sockets = Vec::new();
        for _ in 0..20 {
            sockets.push(tokio::net::TcpStream::connect(&address).await.unwrap());
        }
        let mut closed = 0;
        for socket in &mut sockets {
            let read = tokio::time::timeout(Duration::from_millis(200), socket.read(&mut [0; 8])).await;
            closed += usize::from(matches!(read, Ok(Ok(0) | Err(_))));
        }
        assert_eq!(closed, 16, "two for links, and two that may become some");
        // Those that went make room.
        drop(sockets);
        let b = node();
        let _connection = crdt_sync::drive::websocket::connect(&b, address);
        both_hear_each_other(&a, &b).await;
    }

    #[cfg(feature = "websocket")]
    #[tokio::test]
    async fn two_nodes_meet_over_a_websocket() {
        let (a, b) = (node(), node());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let _listening = crdt_sync::drive::websocket::listen(&a, listener);
        let _connection = crdt_sync::drive::websocket::connect(&b, address);
        both_hear_each_other(&a, &b).await;
    }

    #[cfg(feature = "tls")]
    mod certificates {
        use super::*;
        use crdt_sync::drive::tcp::Tls;
        use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

        type Authority = CertifiedIssuer<'static, KeyPair>;

        fn authority() -> Authority {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
        }

        fn member(trusted: &Authority, issuer: &Authority) -> Security {
            member_and_certificate(trusted, issuer).0
        }

        fn member_and_certificate(trusted: &Authority, issuer: &Authority) -> (Security, Vec<u8>) {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec!["replicas.test".to_owned()]).unwrap();
            let certificate = params.signed_by(&key, issuer).unwrap();
            let tls = Tls::mutual(&trusted.pem(), &certificate.pem(), &key.serialize_pem(), "replicas.test");
            (Security::Tls(tls.unwrap()), certificate.der().to_vec())
        }

        #[tokio::test]
        async fn a_member_has_what_its_certificate_is_good_for() {
            let ours = authority();
            let (as_bob, of_bob) = member_and_certificate(&ours, &ours);
            let (as_eve, _) = member_and_certificate(&ours, &ours);
            let expected = of_bob.clone();
            let authorise = Authorise::new(move |applicant| applicant.certificate == Some(expected.as_slice()));
            let config = Config { authorise: Some(authorise), ..config() };
            let a = Node::<Names>::open(MemoryStorage::new(), config).unwrap();
            let (bob, eve) = (node(), node());
            let _links = meet(&a, &bob, member(&ours, &ours), as_bob.clone()).await;
            both_hear_each_other(&a, &bob).await;
            let mut heard = eve.subscribe();
            let _links = meet(&a, &eve, member(&ours, &ours), as_eve).await;
            let refused = async {
                while let Some(event) = heard.next().await {
                    if matches!(event, crdt_sync::Event::Incompatible { .. }) {
                        return event;
                    }
                }
                unreachable!("it is not closed")
            };
            let refused = tokio::time::timeout(Duration::from_secs(10), refused).await.unwrap();
            let forbidden = RefuseReason::Forbidden;
            assert!(matches!(refused, crdt_sync::Event::Incompatible { reason, .. } if reason == forbidden));
            assert!(eve.read(|set| set.iter().next().is_none()));

            // Who dials sees the certificate of whom it reached, too.
            let careful = Authorise::new(move |applicant| applicant.certificate == Some(of_bob.as_slice()));
            let config = Config { authorise: Some(careful), ..super::super::config() };
            let c = Node::<Names>::open(MemoryStorage::new(), config).unwrap();
            let _links = meet(&bob, &c, as_bob, member(&ours, &ours)).await;
            both_hear_each_other(&bob, &c).await;
        }

        #[tokio::test]
        async fn members_meet_and_others_do_not_get_in() {
            let (ours, theirs) = (authority(), authority());
            let (a, b) = (node(), node());
            let _links = meet(&a, &b, member(&ours, &ours), member(&ours, &ours)).await;
            both_hear_each_other(&a, &b).await;

            let (c, d) = (node(), node());
            // d trusts c's authority but shows a certificate of another one.
            let _links = meet(&c, &d, member(&ours, &ours), member(&ours, &theirs)).await;
            d.edit(|set| set.insert("not for c")).await.unwrap();
            let heard = tokio::time::timeout(Duration::from_secs(1), d.spread(1)).await;
            assert!(heard.is_err(), "nobody acknowledges to a stranger");
            assert!(c.read(|set| !set.contains("not for c")));
        }

        #[tokio::test]
        async fn a_member_does_not_talk_in_the_clear() {
            let ours = authority();
            let (a, b) = (node(), node());
            let _links = meet(&a, &b, member(&ours, &ours), Security::Plain).await;
            b.edit(|set| set.insert("in the clear")).await.unwrap();
            assert!(tokio::time::timeout(Duration::from_secs(1), b.spread(1)).await.is_err());
        }
    }
}
