//! One cursor that writes state and delta together.

use alloc::boxed::Box;

use smallvec::SmallVec;

use crate::causal::Causal;
use crate::codec::DEPTH_MAX;
use crate::delta::{Delta, Entries};
use crate::dot::COUNTER_MAX;
use crate::sort::Sort as _;
use crate::{Dot, DotSet, DotStore, EditError, ReplicaId, Writer};

/// A place in a state that is being edited.
///
/// What an edit writes goes into the state and into the delta in one walk, so the two cannot disagree: `old ⊔ delta =
/// new`. Each data type's page lists what can be done here; nested data is reached step by step
/// (`cart.items().entry("milk").add(2)`).
///
/// An author of a type builds on four calls: [`view`](Self::view) what is there, [`put`](Self::put) an entry,
/// [`retire`](Self::retire) a dot that was observed, and [`inside`](Self::inside) to go down one level. Put first and
/// retire afterwards, so that a key does not vanish and come back.
pub struct Edit<'a, S: DotStore> {
    reach: Reach<'a, S>,
}

/// How a cursor reaches the root: directly, or through the cursor above it.
enum Reach<'a, S: DotStore> {
    Root(&'a mut dyn Scope<S>),
    Inside(Box<dyn Scope<S> + 'a>),
}

/// A part of the state under edit.
trait Scope<S: DotStore> {
    fn store(&self) -> Option<&S>;
    fn replica(&self) -> ReplicaId;
    fn put(&mut self, entry: S::Entry);
    fn retire(&mut self, dot: Dot);
}

impl<'a, S: DotStore> Edit<'a, S> {
    fn scope(&self) -> &dyn Scope<S> {
        match &self.reach {
            Reach::Root(scope) => *scope,
            Reach::Inside(scope) => scope.as_ref(),
        }
    }

    fn scope_mut(&mut self) -> &mut dyn Scope<S> {
        match &mut self.reach {
            Reach::Root(scope) => *scope,
            Reach::Inside(scope) => scope.as_mut(),
        }
    }

    /// What is here now; `None` where there is nothing yet.
    #[must_use]
    pub fn view(&self) -> Option<&S> {
        self.scope().store()
    }

    /// Who is editing.
    #[must_use]
    pub fn replica(&self) -> ReplicaId {
        self.scope().replica()
    }

    /// Writes an entry under a dot of its own.
    pub fn put(&mut self, entry: S::Entry) {
        self.scope_mut().put(entry);
    }

    /// Takes out the entry of a dot that was observed here; no effect on any other dot.
    pub fn retire(&mut self, dot: Dot) {
        self.scope_mut().retire(dot);
    }

    /// Retires every entry here; says how many there were.
    pub fn retire_all(&mut self) -> usize {
        let mut dots = SmallVec::<[Dot; 4]>::new();
        if let Some(store) = self.view() {
            store.visit(&mut |dot, _| dots.push(dot));
        }
        // In dot order, so that nothing depends on the layout.
        dots.order();
        for dot in &dots {
            self.retire(*dot);
        }
        dots.len()
    }

    /// The cursor of a part: `get` finds the part that `key` names, `lift` says what an entry of it is called here.
    pub fn inside<K: 'static, F: DotStore>(
        &mut self,
        key: K,
        get: for<'s> fn(&'s S, &K) -> Option<&'s F>,
        lift: fn(&K, F::Entry) -> S::Entry,
    ) -> Edit<'_, F> {
        Edit { reach: Reach::Inside(Box::new(Inside { up: self.scope_mut(), key, get, lift })) }
    }
}

struct Inside<'a, S: DotStore, K, F: DotStore> {
    up: &'a mut dyn Scope<S>,
    key: K,
    get: for<'s> fn(&'s S, &K) -> Option<&'s F>,
    lift: fn(&K, F::Entry) -> S::Entry,
}

impl<S: DotStore, K, F: DotStore> Scope<F> for Inside<'_, S, K, F> {
    fn store(&self) -> Option<&F> {
        self.up.store().and_then(|store| (self.get)(store, &self.key))
    }

    fn replica(&self) -> ReplicaId {
        self.up.replica()
    }

    fn put(&mut self, entry: F::Entry) {
        self.up.put((self.lift)(&self.key, entry));
    }

    fn retire(&mut self, dot: Dot) {
        self.up.retire(dot);
    }
}

/// One edit of a whole state, from its first write to its delta.
///
/// Dropped before [`commit`](Self::commit) (the closure failed or panicked) it undoes what it did, if it was asked to
/// remember; else it keeps what was done, so that the state stays valid.
pub(crate) struct Transaction<'a, S: DotStore> {
    state: &'a mut Causal<S>,
    writer: &'a mut Writer,
    started_at: u64,
    /// Written where its caller wants it: handing it over by value took a fifth of an insert.
    delta: &'a mut Delta<S>,
    /// Entries that were taken out, if a failure is to be undone.
    taken: Option<Entries<S>>,
    /// Whether something was written and removed again: its entry leaves the delta at the end, with all such at once.
    rewritten: bool,
    /// Why this edit cannot be. From then on nothing is written.
    refused: Option<EditError>,
}

impl<'a, S: DotStore> Transaction<'a, S> {
    /// Writes into `delta`, which must be empty.
    pub(crate) fn new(
        state: &'a mut Causal<S>,
        writer: &'a mut Writer,
        delta: &'a mut Delta<S>,
        undoable: bool,
    ) -> Self {
        let taken = undoable.then(SmallVec::new);
        Self { started_at: writer.last(), state, writer, delta, taken, rewritten: false, refused: None }
    }

    pub(crate) fn cursor(&mut self) -> S::Cursor<'_> {
        S::Cursor::from(Edit { reach: Reach::Root(self) })
    }

    /// What it says; complete once there was no [`refusal`](Self::refusal).
    pub(crate) fn delta(&self) -> &Delta<S> {
        self.delta
    }

    /// Why this edit cannot be; asked when the closure has returned, as what it did was in vain.
    pub(crate) fn refusal(&mut self) -> Option<EditError> {
        if self.rewritten {
            let live = &self.state.live;
            self.delta.entries.retain(|(dot, _)| live.get(*dot).is_some());
        }
        if self.refused.is_none() && self.lacks_a_dot() && !self.take_a_dot() {
            self.refuse(EditError::Exhausted);
        }
        self.refused
    }

    /// Keeps what was done. There must be no [`refusal`](Self::refusal).
    pub(crate) fn commit(mut self) {
        self.taken = None;
    }

    /// An edit that can be undone says so at its end; any other stops here, before it has changed what would have to be
    /// undone.
    fn refuse(&mut self, error: EditError) {
        assert!(self.taken.is_some(), "{error}");
        self.refused = Some(error);
    }

    /// A removal is an edit like any other and takes a dot: equal sets of seen dots then mean equal states.
    fn lacks_a_dot(&self) -> bool {
        self.delta.own.is_empty() && !self.delta.retired.is_empty()
    }

    /// Whether there was one.
    fn take_a_dot(&mut self) -> bool {
        let dot = self.writer.issue(&self.state.seen);
        dot.is_some_and(|dot| self.delta.own.insert(dot))
    }

    fn undo(&mut self, taken: Entries<S>) {
        for (dot, _) in core::mem::take(&mut self.delta.entries) {
            self.state.take_out(dot);
        }
        for (dot, entry) in taken {
            if !self.delta.own.contains(dot) {
                self.state.put_in(dot, entry);
            }
        }
        self.delta.own = DotSet::new();
        self.writer.take_back(self.started_at);
    }
}

impl<S: DotStore> Drop for Transaction<'_, S> {
    fn drop(&mut self) {
        match self.taken.take() {
            Some(taken) => self.undo(taken),
            // A panic while only removals were made: they take a dot as ever, or states that saw the same would differ.
            None if self.lacks_a_dot() => {
                self.take_a_dot();
            }
            None => {}
        }
        self.state.seen.union_with(&self.delta.own);
        self.state.tidy();
    }
}

impl<S: DotStore> Scope<S> for Transaction<'_, S> {
    fn store(&self) -> Option<&S> {
        Some(&self.state.store)
    }

    fn replica(&self) -> ReplicaId {
        self.writer.id()
    }

    fn put(&mut self, entry: S::Entry) {
        if self.refused.is_some() {
            return;
        }
        if S::weigh(&entry, DEPTH_MAX).is_none() {
            return self.refuse(EditError::TooLarge);
        }
        let Some(dot) = self.writer.issue(&self.state.seen) else { return self.refuse(EditError::Exhausted) };
        self.delta.own.insert(dot);
        self.state.put_in(dot, entry.clone());
        self.delta.entries.push((dot, entry));
    }

    fn retire(&mut self, dot: Dot) {
        if self.refused.is_some() {
            return;
        }
        if self.delta.own.is_empty() && self.writer.last() >= COUNTER_MAX {
            return self.refuse(EditError::Exhausted);
        }
        let Some(place) = self.state.live.remove(dot) else { return };
        if let Some(taken) = &mut self.taken {
            taken.push((dot, self.state.store.entry(dot, &place)));
        }
        self.state.store.prune(dot, &place);
        if self.delta.own.contains(dot) {
            // It leaves nothing but its dot.
            self.rewritten = true;
        } else {
            self.delta.retired.insert(dot);
        }
    }
}
