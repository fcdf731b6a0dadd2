//! Deltas that are a part of something larger, which names their ids and the dots they create.

use alloc::vec::Vec;

use super::buffer::{read_root, write_root};
use super::{DecodeError, DecodeErrorKind, Decoder, Encoder, Ids};
use crate::delta::Entries;
use crate::sort::Sort as _;
use crate::{Delta, Dot, DotSet, DotStore};

/// Every dot of a delta's entries has to be among those it creates.
enum Creates<'d> {
    /// These, which are known.
    These(&'d DotSet),
    /// Just those that have an entry.
    Entries,
}

impl<S: DotStore> Delta<S> {
    /// Writes what it says of the dots that it creates, and which others it retires; `own` itself is left out, as what
    /// stands around it says it. An insert takes its key and three or four bytes.
    pub fn write_to(&self, to: &mut Encoder<'_>) {
        to.few_dots(&self.retired);
        let store = self.to_store();
        match first_of(&self.own) {
            Some(first) => to.starting_at(first, |to| write_root(&store, to)),
            None => write_root(&store, to),
        }
    }

    /// Writes its entries and nothing else. What it creates without an entry, and what it retires, is left out: so it
    /// is for a delta that only adds, such as [`Causal::restrict`](crate::Causal::restrict) makes.
    pub fn write_entries_to(&self, to: &mut Encoder<'_>) {
        write_root(&self.to_store(), to);
    }

    /// The entries as a store.
    pub(crate) fn to_store(&self) -> S {
        let mut store = S::default();
        for (dot, entry) in &self.entries {
            store.graft(*dot, entry.clone());
        }
        store
    }

    /// Reads what [`write_to`](Self::write_to) wrote of a delta that creates the dots `own`.
    ///
    /// # Errors
    /// If it is broken, not canonical, names an entry outside `own`, or retires a dot of `own` (which it would do by
    /// having no entry for it).
    pub fn read_from(own: DotSet, from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let retired = from.few_dots()?;
        if !own.intersection(&retired).is_empty() {
            return Err(from.error(DecodeErrorKind::NotCanonical));
        }
        let entries = match first_of(&own) {
            Some(first) => from.starting_at(first, |from| read_entries::<S>(Creates::These(&own), from))?,
            None => read_entries::<S>(Creates::These(&own), from)?,
        };
        Ok(Self { entries, own, retired })
    }

    /// Reads what [`write_entries_to`](Self::write_entries_to) wrote of a delta that only adds.
    ///
    /// # Errors
    /// If it is broken, or not canonical.
    pub fn read_entries_from(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let entries = read_entries::<S>(Creates::Entries, from)?;
        let mut own = DotSet::with_seed(from.limits.seed);
        own.extend(entries.iter().map(|(dot, _)| *dot));
        Ok(Self { entries, own, retired: DotSet::new() })
    }
}

fn first_of(own: &DotSet) -> Option<Dot> {
    own.runs().next().and_then(|(replica, first, _)| Dot::new(replica, first))
}

/// Reads a store and takes it apart. That its spelling is the canonical one is checked by writing it again.
fn read_entries<S: DotStore>(creates: Creates<'_>, from: &mut Decoder<'_>) -> Result<Entries<S>, DecodeError> {
    let start = from.position();
    let store: S = read_root(from)?;
    let mut again = Encoder::new(from.table());
    again.origin = from.origin;
    write_root(&store, &mut again);
    let (again, given) = (again.into_bytes(), from.between(start, from.position()));
    if again != given {
        let at = again.iter().zip(given).take_while(|(again, given)| again == given).count();
        return Err(DecodeError { at: start + at, kind: DecodeErrorKind::NotCanonical });
    }
    let entries = entries_of::<S>(&store, from)?;
    if let Creates::These(own) = creates
        && entries.iter().any(|(dot, _)| !own.contains(*dot))
    {
        return Err(from.error(DecodeErrorKind::NotSeen));
    }
    Ok(entries)
}

/// The entries of a store that was read, by dot.
pub(super) fn entries_of<S: DotStore>(store: &S, from: &mut Decoder<'_>) -> Result<Entries<S>, DecodeError> {
    let mut dots: Vec<(Dot, S::Place)> = Vec::new();
    store.visit(&mut |dot, place| dots.push((dot, place)));
    dots.order_by_key(|(dot, _)| *dot);
    if dots.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(from.error(DecodeErrorKind::DotTwice));
    }
    if !from.must_measure(dots.len()) {
        return Ok(dots.into_iter().map(|(dot, place)| (dot, store.entry(dot, &place))).collect());
    }
    let mut entries = Entries::<S>::new();
    for (dot, place) in dots {
        let entry = store.entry(dot, &place);
        from.charge_copy(len_alone::<S>(dot, entry.clone()))?;
        entries.push((dot, entry));
    }
    Ok(entries)
}

/// How long an entry is with all of the way to it.
fn len_alone<S: DotStore>(dot: Dot, entry: S::Entry) -> usize {
    let ids = Ids::ascending([dot.replica()]);
    let mut alone = S::default();
    alone.graft(dot, entry);
    let mut to = Encoder::new(&ids);
    write_root(&alone, &mut to);
    to.written()
}
