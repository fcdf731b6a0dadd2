//! Nodes that find each other through one address.
#![cfg(feature = "foca")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crdt_core::OrSet;
use crdt_sync::drive::Node;
use crdt_sync::drive::tcp::{Members, Membership, Security, Service, join, listen};
use crdt_sync::{Config, MemoryStorage, ScopeId};
use tokio::net::TcpListener;

type Numbers = OrSet<u64>;

/// One node with all that keeps it in its group.
struct Place {
    node: Node<Numbers>,
    members: Members,
    _listening: Service,
}

async fn start(listener: TcpListener, seeds: &[SocketAddr]) -> Place {
    let node = Node::<Numbers>::open(MemoryStorage::new(), Config::new(ScopeId::from_bytes([6; 16]))).unwrap();
    let addr = listener.local_addr().unwrap();
    let mut membership = Membership::new(addr, seeds.iter().map(ToString::to_string));
    membership.probe_every = Duration::from_millis(100);
    let listening = listen(&node, listener, Security::Plain);
    Place { members: join(&node, membership, Security::Plain), node, _listening: listening }
}

async fn bind(addr: SocketAddr) -> TcpListener {
    TcpListener::bind(addr).await.unwrap()
}

async fn soon(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(40), "{what}: not even after {:?}", start.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn insert(place: &Place, number: u64) {
    place.node.edit(|set| set.insert(number)).wait().unwrap();
}

fn all_have(places: &[Place], number: u64) -> bool {
    places.iter().all(|place| place.node.read(|set| set.contains(&number)))
}

fn all_see(places: &[Place], others: usize) -> bool {
    places.iter().all(|place| place.members.up().len() == others)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_find_each_other_through_one_and_go_on_without_it_and_it_comes_back() {
    let anywhere: SocketAddr = ([127, 0, 0, 1], 0).into();
    let listener = bind(anywhere).await;
    let seed = listener.local_addr().unwrap();
    let mut places = vec![start(listener, &[]).await];
    for _ in 1..5 {
        places.push(start(bind(anywhere).await, &[seed]).await);
    }
    insert(&places[4], 1);
    soon("all see the four others", || all_see(&places, 4)).await;
    soon("an edit reaches all", || all_have(&places, 1)).await;

    // The one that all of them began with is gone: no farewell, its process ends.
    drop(places.remove(0));
    soon("it is dropped", || all_see(&places, 3)).await;
    assert!(places.iter().all(|place| !place.members.up().contains(&seed)));
    insert(&places[0], 2);
    insert(&places[3], 3);
    soon("the rest go on", || all_have(&places, 2) && all_have(&places, 3)).await;

    // It returns with nothing, at the same address, and knowing nobody.
    places.insert(0, start(bind(seed).await, &[]).await);
    soon("it is back", || all_see(&places, 4)).await;
    soon("and has what it missed", || all_have(&places, 3)).await;
    insert(&places[0], 4);
    soon("and is heard", || all_have(&places, 4)).await;

    // Whoever says farewell is not waited for.
    let Place { node, members, _listening } = places.remove(2);
    members.leave().await;
    drop((node, _listening));
    soon("it left", || all_see(&places, 3)).await;
}
