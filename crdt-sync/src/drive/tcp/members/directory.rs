//! Which link leads to whom.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::PeerId;

/// Addresses, and the links that lead there.
///
/// Where a link leads is proven only for one that was dialled. Whoever dialled says its own address, and is believed where
/// nobody else was reached at it; of two that say the same, the one that said so last: mostly it came back, and the
/// earlier link is dead without knowing.
#[derive(Debug, Default)]
pub(super) struct Directory {
    ways: BTreeMap<SocketAddr, Way>,
    /// Where each link was last found to lead.
    behind: BTreeMap<PeerId, SocketAddr>,
}

#[derive(Clone, Copy, Debug)]
struct Way {
    link: PeerId,
    was_dialled: bool,
}

impl Directory {
    /// Somebody answered at this address.
    pub(super) fn reached(&mut self, link: PeerId, addr: SocketAddr) {
        self.ways.insert(addr, Way { link, was_dialled: true });
        self.behind.insert(link, addr);
    }

    /// Somebody says that it has this address.
    pub(super) fn claimed(&mut self, link: PeerId, addr: SocketAddr) {
        let proven = self.ways.get(&addr).filter(|way| way.was_dialled).map(|way| way.link);
        if proven.is_none_or(|proven| proven == link) {
            self.ways.entry(addr).or_insert(Way { link, was_dialled: false }).link = link;
            self.behind.insert(link, addr);
        }
    }

    /// A link is down.
    pub(super) fn closed(&mut self, link: PeerId) {
        if self.behind.remove(&link).is_some() {
            self.ways.retain(|_, way| way.link != link);
        }
    }

    /// Forgets links that are down, should that not have been told.
    pub(super) fn sweep(&mut self, is_up: impl Fn(PeerId) -> bool) {
        self.behind.retain(|link, _| is_up(*link));
        self.ways.retain(|_, way| self.behind.contains_key(&way.link));
    }

    /// Links that are remembered.
    pub(super) fn len(&self) -> usize {
        self.behind.len()
    }

    /// The link to an address.
    pub(super) fn link_to(&self, addr: SocketAddr) -> Option<PeerId> {
        self.ways.get(&addr).map(|way| way.link)
    }

    /// The address at the other end of a link.
    pub(super) fn behind(&self, link: PeerId) -> Option<SocketAddr> {
        self.behind.get(&link).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PeerId = PeerId(1);
    const B: PeerId = PeerId(2);

    fn addr(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    #[test]
    fn whoever_was_reached_at_an_address_is_there_whatever_others_say() {
        let mut directory = Directory::default();
        directory.reached(A, addr(1));
        directory.claimed(B, addr(1));
        assert_eq!((directory.link_to(addr(1)), directory.behind(B)), (Some(A), None));
        directory.closed(A);
        directory.claimed(B, addr(1));
        assert_eq!(directory.link_to(addr(1)), Some(B));
    }

    #[test]
    fn whoever_comes_back_is_found_at_its_new_link() {
        let mut directory = Directory::default();
        directory.claimed(A, addr(1));
        directory.claimed(B, addr(1));
        assert_eq!(directory.link_to(addr(1)), Some(B));
        // The old link is found to be dead at last.
        directory.closed(A);
        assert_eq!(directory.link_to(addr(1)), Some(B));
    }

    #[test]
    fn a_link_that_is_down_leaves_nothing_though_it_had_two_addresses() {
        let mut directory = Directory::default();
        directory.reached(A, addr(1));
        directory.claimed(A, addr(2));
        directory.closed(A);
        assert_eq!((directory.link_to(addr(1)), directory.link_to(addr(2)), directory.len()), (None, None, 0));
    }

    #[test]
    fn what_was_not_told_is_swept_up() {
        let mut directory = Directory::default();
        directory.reached(A, addr(1));
        directory.claimed(B, addr(2));
        directory.sweep(|link| link == B);
        assert_eq!((directory.link_to(addr(1)), directory.link_to(addr(2)), directory.len()), (None, Some(B), 1));
    }
}
