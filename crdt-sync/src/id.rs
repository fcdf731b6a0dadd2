//! Names: of a scope, and of the peer at the other end of a link.

use core::fmt;

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The name of a scope: the replicas that share one space of dots, and so one causal world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId([u8; 16]);

impl ScopeId {
    /// The scope with these bytes. Draw them at random once, or hash a name that nobody else uses.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The scope with this name: XXH3 of it with the seeds 0 and 1. Whoever uses the same name means the same scope, in
    /// any program and any language.
    ///
    /// ```
    /// # use crdt_sync::ScopeId;
    /// assert_eq!(ScopeId::named("board-1").to_string(), "1758ef6c5eee832cad48b2f29a7a5c9e");
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Self {
        let mut bytes = [0; 16];
        for (seed, half) in (0..).zip(bytes.chunks_exact_mut(8)) {
            half.copy_from_slice(&xxh3_64_with_seed(name.as_bytes(), seed).to_be_bytes());
        }
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for ScopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ScopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The name which a driver gives to one link that is up. It means nothing outside this process: who is at the other
/// end is said by that end's `Open`. A link that went down and came back takes a new name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PeerId(pub u64);

/// What a link promises about the frames that it carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkKind {
    /// In order, each once, until it breaks: TCP, a WebSocket.
    Stream,
    /// Frames may be lost, repeated and reordered: UDP. Each carries its own dictionary of ids.
    Datagram,
    /// Somebody else's message system. It spreads records faster, and nothing depends on it: it is never counted as a
    /// peer that has something.
    Hint,
}

/// What the replica at the other end is to the scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A full member: it keeps a log, relays, and counts for stability.
    Replica,
    /// A short-lived page that edits; it never counts for stability.
    Tab,
}
