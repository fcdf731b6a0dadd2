//! A relay and those who come to it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use crdt_core::{Counter, MvRegister, OrMap};
use crdt_sync::drive::relay::{Relay, RelayConfig};
use crdt_sync::drive::tcp::Service;
use crdt_sync::drive::websocket;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::*;

crdt_core::fields! { pub struct Board { notes: OrMap<String, MvRegister<String>>, votes: OrMap<String, Counter> } }

fn board(name: &str) -> Node<Board> {
    Node::open(MemoryStorage::new(), Config::new(ScopeId::named(name))).unwrap()
}

struct Running {
    relay: Arc<Relay>,
    address: String,
    _service: Service,
}

async fn relay(data: &Path, lines: &str) -> Running {
    let mut config = RelayConfig::parse(lines).unwrap();
    config.data = data.to_owned();
    let relay = Relay::new(config).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let _service = relay.serve(listener);
    Running { relay, address, _service }
}

async fn until(mut done: impl FnMut() -> bool) {
    let waiting = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it comes");
}

fn note(node: &Node<Board>, key: &str) -> Option<String> {
    node.read(|board| board.notes().get(key).and_then(|note| note.values().first().map(|text| (*text).clone())))
}

async fn greeted(
    address: &str,
    request: impl IntoClientRequest + Unpin,
) -> Result<(WebSocketStream<tokio::net::TcpStream>, Response), Error> {
    client_async(request, tokio::net::TcpStream::connect(address).await.unwrap()).await
}

/// The code with which the relay closed, after these words.
async fn closed_after(address: &str, words: Vec<Message>) -> u16 {
    let (mut socket, _) = greeted(address, format!("ws://{address}/")).await.unwrap();
    for word in words {
        socket.send(word).await.unwrap();
    }
    loop {
        match socket.next().await {
            Some(Ok(Message::Close(frame))) => return frame.unwrap().code.into(),
            Some(Ok(_)) => {}
            other => panic!("closed without a word: {other:?}"),
        }
    }
}

/// The first frame of a replica of this document.
fn opening(name: &str) -> Message {
    let config = Config::new(ScopeId::named(name));
    let now = crdt_sync::Now::default();
    let loaded = crdt_sync::Storage::load(&mut MemoryStorage::new()).unwrap();
    let fresh = ReplicaId::from_u128(77);
    let mut replica = crdt_sync::Replica::<Board>::open(loaded, config, fresh, [0; 32], now).unwrap();
    replica.peer_up(crdt_sync::PeerId(1), LinkKind::Stream, now);
    while let Some(persist) = replica.poll_persist() {
        replica.durable(persist.ticket, now);
    }
    Message::Binary(replica.poll_transmit().expect("a link begins with a word").frame.into())
}

#[tokio::test]
async fn a_document_passes_between_those_who_come_and_outlives_them() {
    let folder = tempfile::tempdir().unwrap();
    let first = relay(folder.path(), "").await;
    let (a, b, other) = (board("shared"), board("shared"), board("another"));
    let links = [&a, &b, &other].map(|node| websocket::connect(node, first.address.clone()));
    a.edit(|board| board.notes().entry("milk").write("two")).await.unwrap();
    b.edit(|board| board.votes().entry("milk").add(3)).await.unwrap();
    other.edit(|board| board.notes().entry("secret").write("x")).await.unwrap();
    until(|| note(&b, "milk").as_deref() == Some("two")).await;
    until(|| a.read(|board| board.votes().get("milk").is_some_and(|votes| votes.value() == 3))).await;
    assert!(other.spread(1).await, "the relay has it durably");
    assert_eq!(note(&a, "secret"), None, "documents do not mix");
    let guest = first.relay.document("shared").await.unwrap();
    assert_eq!(guest.node().read_causal(crdt_core::Causal::encode), a.read_causal(crdt_core::Causal::encode));
    drop((links, guest));
    first.relay.close().await.unwrap();
    drop(first);

    let second = relay(folder.path(), "").await;
    let late = board("shared");
    let _link = websocket::connect(&late, second.address.clone());
    until(|| note(&late, "milk").as_deref() == Some("two")).await;
}

#[tokio::test]
async fn a_token_opens_its_document_and_the_wrong_one_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let running = relay(folder.path(), "[documents.board]\ntokens = ['open sesame']").await;
    let wrong = vec![Message::Text("sesame".into()), opening("board")];
    assert_eq!(closed_after(&running.address, wrong).await, 4001);
    assert_eq!(closed_after(&running.address, vec![opening("board")]).await, 4001);
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "no store for those who may not enter");
    let member = board("board");
    let _link = websocket::connect_with_token(&member, running.address.clone(), "open sesame");
    member.edit(|board| board.notes().entry("in").write("yes")).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(10), member.spread(1)).await.unwrap());
}

#[tokio::test]
async fn pages_of_other_origins_and_noise_stay_outside() {
    let folder = tempfile::tempdir().unwrap();
    let running = relay(folder.path(), "origins = ['https://ours.example']").await;
    let from = |origin: &str| {
        let mut request = format!("ws://{}/", running.address).into_client_request().unwrap();
        request.headers_mut().insert("Origin", origin.parse().unwrap());
        request.headers_mut().insert("Sec-WebSocket-Protocol", "crdt.v1".parse().unwrap());
        request
    };
    let Err(Error::Http(refusal)) = greeted(&running.address, from("https://theirs.example")).await else {
        panic!("a page of another origin came in");
    };
    assert_eq!(refusal.status(), 403);
    let (_, greeting) = greeted(&running.address, from("https://ours.example")).await.unwrap();
    assert_eq!(greeting.headers()["Sec-WebSocket-Protocol"], "crdt.v1");
    assert_eq!(closed_after(&running.address, vec![Message::Binary(vec![7; 40].into())]).await, 1002);
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "noise makes no store");
}

#[tokio::test]
async fn with_a_certificate_it_speaks_tls_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let signed = rcgen::generate_simple_self_signed(["relay.test".to_owned()]).unwrap();
    std::fs::write(folder.path().join("relay.pem"), signed.cert.pem()).unwrap();
    std::fs::write(folder.path().join("relay.key"), signed.signing_key.serialize_pem()).unwrap();
    let file = folder.path().join("relay.toml");
    std::fs::write(&file, "data = 'kept'\n[tls]\ncertificate = 'relay.pem'\nkey = 'relay.key'\n").unwrap();
    let relay = Relay::new(RelayConfig::read(&file).unwrap()).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let _service = relay.serve(listener);

    let mut roots = RootCertStore::empty();
    roots.add(signed.cert.der().clone()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    let stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let name = ServerName::try_from("relay.test").unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(client)).connect(name, stream).await.unwrap();
    let (mut socket, _) = client_async("wss://relay.test/", stream).await.unwrap();
    socket.send(opening("board")).await.unwrap();
    assert!(matches!(socket.next().await, Some(Ok(Message::Binary(_)))), "the relay answers with its own Open");
    assert!(greeted(&address, format!("ws://{address}/")).await.is_err(), "nobody speaks in the clear");
}

#[tokio::test]
async fn places_are_bounded_and_given_on() {
    let folder = tempfile::tempdir().unwrap();
    let running = relay(folder.path(), "documents_open_max = 1\ndocuments_max = 2").await;
    let guest = running.relay.document("one").await.unwrap();
    assert_eq!(closed_after(&running.address, vec![opening("two")]).await, 1013, "the only place is taken");
    drop(guest);
    drop(running.relay.document("two").await.unwrap());
    assert!(running.relay.document("three").await.is_err(), "two stores are all that may be kept");
    drop(running.relay.document("one").await.unwrap());
}

/// A document that failed once stayed as it was until the relay was started again.
#[tokio::test]
async fn a_document_whose_replica_failed_or_was_closed_is_opened_anew() {
    let folder = tempfile::tempdir().unwrap();
    let running = relay(folder.path(), "").await;
    let member = board("shared");
    let _link = websocket::connect(&member, running.address.clone());
    member.edit(|board| board.notes().entry("before").write("yes")).await.unwrap();
    assert!(member.spread(1).await);
    let guest = running.relay.document("shared").await.unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        drop(guest.node().edit::<()>(|_| panic!("in the middle")));
    }));
    assert!(panicked.is_err());
    member.edit(|board| board.notes().entry("since").write("yes")).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(10), member.spread(1)).await.expect("it is let in again"));

    let again = running.relay.document("shared").await.unwrap();
    again.node().clone().close().await.unwrap();
    let third = running.relay.document("shared").await.unwrap();
    assert_eq!(third.node().read_causal(crdt_core::Causal::encode), member.read_causal(crdt_core::Causal::encode));
}

#[tokio::test]
async fn a_relay_that_was_closed_opens_nothing_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let running = relay(folder.path(), "").await;
    drop(running.relay.document("shared").await.unwrap());
    running.relay.close().await.unwrap();
    assert!(running.relay.document("shared").await.is_err());
    assert!(running.relay.document("another").await.is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "the store that was there, and its marker");
}

/// A replica that is driven by hand, so that it may say anything.
struct Visitor {
    socket: WebSocketStream<tokio::net::TcpStream>,
    replica: crdt_sync::Replica<Board>,
}

impl Visitor {
    const RELAY: crdt_sync::PeerId = crdt_sync::PeerId(1);

    /// Comes in, and is heard by the relay.
    async fn enter(running: &Running, document: &str, id: u128) -> Self {
        let (socket, _) = greeted(&running.address, format!("ws://{}/", running.address)).await.unwrap();
        let loaded = crdt_sync::Storage::load(&mut MemoryStorage::new()).unwrap();
        let (config, fresh) = (Config::new(ScopeId::named(document)), ReplicaId::from_u128(id));
        let replica = crdt_sync::Replica::open(loaded, config, fresh, [0; 32], crdt_sync::Now::default()).unwrap();
        let mut visitor = Self { socket, replica };
        visitor.replica.peer_up(Self::RELAY, LinkKind::Stream, crdt_sync::Now::default());
        visitor.transmit().await;
        while !visitor.listen().await.iter().any(|event| matches!(event, crdt_sync::Event::PeerOpened { .. })) {}
        visitor
    }

    async fn transmit(&mut self) {
        while let Some(persist) = self.replica.poll_persist() {
            self.replica.durable(persist.ticket, crdt_sync::Now::default());
        }
        while let Some(transmit) = self.replica.poll_transmit() {
            self.socket.send(Message::Binary(transmit.frame.into())).await.unwrap();
        }
    }

    async fn say(&mut self, bytes: &[u8]) {
        self.replica.gossip(Self::RELAY, bytes.to_vec());
        self.transmit().await;
    }

    /// What one more frame tells.
    async fn listen(&mut self) -> Vec<crdt_sync::Event> {
        let frame = tokio::time::timeout(Duration::from_secs(20), self.socket.next()).await.expect("the relay speaks");
        if let Some(Ok(Message::Binary(frame))) = frame {
            self.replica.handle_message(Self::RELAY, &frame, crdt_sync::Now::default()).unwrap();
        }
        self.transmit().await;
        std::iter::from_fn(|| self.replica.poll_event()).collect()
    }

    /// All that others said, up to a word that is known to come.
    async fn hears_until(&mut self, last: &[u8]) -> Vec<Vec<u8>> {
        let mut heard = Vec::new();
        while heard.last().is_none_or(|word: &Vec<u8>| word != last) {
            let said = self.listen().await.into_iter().filter_map(|event| match event {
                crdt_sync::Event::Gossip { bytes, .. } => Some(bytes),
                _ => None,
            });
            heard.extend(said);
        }
        heard
    }
}

#[tokio::test]
async fn what_somebody_shows_goes_to_all_others_in_the_document_and_to_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let running = relay(folder.path(), "").await;
    let mut a = Visitor::enter(&running, "shared", 1).await;
    let mut b = Visitor::enter(&running, "shared", 2).await;
    let mut c = Visitor::enter(&running, "shared", 3).await;
    let mut elsewhere = Visitor::enter(&running, "another", 4).await;
    let mut neighbour = Visitor::enter(&running, "another", 5).await;

    a.say(b"a: looks at the bread").await;
    assert_eq!(b.hears_until(b"a: looks at the bread").await.len(), 1);
    // Somebody passes on what they heard, as tabs of one browser do: nobody needs it twice.
    b.say(b"a: looks at the bread").await;
    b.say(b"b: looks at the honey").await;
    assert_eq!(
        c.hears_until(b"b: looks at the honey").await,
        [&b"a: looks at the bread"[..], b"b: looks at the honey"]
    );
    assert_eq!(a.hears_until(b"b: looks at the honey").await.len(), 1, "and nothing of one's own comes back");
    elsewhere.say(b"elsewhere").await;
    assert_eq!(neighbour.hears_until(b"elsewhere").await.len(), 1, "other documents heard nothing of it");

    // It came and went: a late one is told nothing, and the document has nothing of it.
    let mut late = Visitor::enter(&running, "shared", 6).await;
    a.say(b"a: still here").await;
    assert_eq!(late.hears_until(b"a: still here").await.len(), 1);
    let guest = running.relay.document("shared").await.unwrap();
    assert!(guest.node().received().is_empty());
}

#[tokio::test]
async fn what_one_link_shows_is_bounded_and_takes_nothing_from_others() {
    let folder = tempfile::tempdir().unwrap();
    let running = relay(folder.path(), "").await;
    let mut flood = Visitor::enter(&running, "shared", 1).await;
    let mut calm = Visitor::enter(&running, "shared", 2).await;
    let mut witness = Visitor::enter(&running, "shared", 3).await;
    flood.say(&[9; 5_000]).await;
    for number in 0..200_u8 {
        flood.say(&[number; 4_000]).await;
    }
    // The relay takes one frame after the other: once the last is stored, all that was said before was heard.
    flood.replica.edit(crdt_sync::Now::default(), |board| board.notes().entry("end").write("x")).unwrap();
    flood.replica.flush(crdt_sync::Now::default());
    flood.transmit().await;
    let guest = running.relay.document("shared").await.unwrap();
    until(|| !guest.node().received().is_empty()).await;
    calm.say(b"still heard").await;
    let heard = witness.hears_until(b"still heard").await;
    assert!((8..=40).contains(&heard.len()), "{} messages got through", heard.len());
    assert!(heard.iter().all(|message| message.len() <= 4_000), "what is too long never does");
}

fn start(config: &Path) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_crdt-relay")).arg(config).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ws://").expect("it says where it listens").to_owned();
    (child, address)
}

#[tokio::test]
async fn the_program_keeps_what_it_acknowledged_when_it_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("relay.toml");
    std::fs::write(&config, "address = '127.0.0.1:0'\ndata = 'kept'\n").unwrap();
    let (mut child, address) = start(&config);
    let writer = board("shared");
    let link = websocket::connect(&writer, address);
    writer.edit(|board| board.notes().entry("kept").write("yes")).await.unwrap();
    let acknowledged = tokio::time::timeout(Duration::from_secs(20), writer.spread(1)).await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(acknowledged, Ok(true));
    drop((writer, link));

    let (mut child, address) = start(&config);
    let reader = board("shared");
    let _link = websocket::connect(&reader, address);
    until(|| note(&reader, "kept").as_deref() == Some("yes")).await;
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_configuration_that_lets_nobody_in_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("relay.toml");
    std::fs::write(&config, "address = '0.0.0.0:0'\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_crdt-relay")).arg(&config).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.lines().count() == 1 && said.contains("nobody could enter"), "{said}");
}

/// It came again for as long as it lived, every half minute in the end.
#[tokio::test]
async fn one_that_is_not_let_in_does_not_come_again_soon() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (data, came) = (tempfile::tempdir().unwrap(), Arc::new(AtomicUsize::new(0)));
    let running = relay(data.path(), "[documents.board]\ntokens = ['right']").await;
    // What stands between counts who comes, as the relay does not say.
    let (count, behind) = (Arc::clone(&came), running.address.clone());
    let _between = tokio::spawn(async move {
        while let Ok((mut visitor, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let mut relay = tokio::net::TcpStream::connect(&behind).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut visitor, &mut relay).await });
        }
    });
    let node = board("board");
    let _connection = websocket::connect_with_token(&node, address, "wrong");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(came.load(Ordering::Relaxed), 1);
}
