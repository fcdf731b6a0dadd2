//! What one side sends: entries in frames, cells or a set of live dots.

use core::fmt;
use core::ops::Range;

use crdt_core::{Delta, DotSet, DotStore};

use super::plan::Choice;
use super::{RepairAction, View};
use crate::sketch::{Alphabet, LiveSketch, SketchKey, cell_bytes, cells_of, peel, subtract};
use crate::{CancelReason, Cell, Message, PeerId, RepairId};

/// Dots whose entries are copied at once.
const BATCH: u64 = 4_096;
/// Cells kept for windows to come.
const KEPT: usize = 1_024;
/// Runs in one part of a set of live dots.
const RUNS_PER_PART: usize = 16_384;
/// Windows that a peer may ask for in one repair.
const WINDOWS_MAX: u32 = 64;

/// Where one side's messages go.
pub(super) struct Sender<'s, S: DotStore> {
    pub(super) peer: PeerId,
    pub(super) repair: RepairId,
    pub(super) out: &'s mut Vec<RepairAction<S>>,
}

impl<S: DotStore> Sender<'_, S> {
    pub(super) fn send(&mut self, message: Message<S>) {
        self.out.push(RepairAction::Send(self.peer, message));
    }

    /// Sends the entries under these dots, which must be live; false if they are more than one repair may copy.
    pub(super) fn entries(&mut self, dots: &DotSet, view: &View<'_, S>) -> bool {
        self.entries_within(dots, view.config.limits.part_bytes_max, view)
    }

    /// The same with a bound of its own.
    pub(super) fn entries_within(&mut self, dots: &DotSet, bytes_max: usize, view: &View<'_, S>) -> bool {
        let mut index = 0;
        let mut bytes = 0;
        for batch in batches(dots) {
            for (part, len) in parts(view.state.restrict(&batch), room(view)) {
                bytes += len;
                if bytes > bytes_max && index > 0 {
                    return false;
                }
                self.send(Message::Entries { repair: self.repair, index, entries: part });
                index += 1;
            }
        }
        true
    }

    pub(super) fn cells(&mut self, from: usize, cells: &[Cell], wide: bool, view: &View<'_, S>) {
        let per_frame = (room(view) / cell_bytes(wide)).max(1);
        for (at, part) in cells.chunks(per_frame).enumerate() {
            let from = u32::try_from(from + at * per_frame).unwrap_or(u32::MAX);
            self.send(Message::Cells { repair: self.repair, from, cells: part.to_vec() });
        }
    }

    pub(super) fn live_set(&mut self, live: &DotSet, view: &View<'_, S>) {
        // A run is at most some 20 bytes; an empty set is said, too.
        let per_part = (room(view) / 20).clamp(1, RUNS_PER_PART);
        let runs: Vec<_> = live.runs().collect();
        let parts = runs.chunks(per_part).chain(runs.is_empty().then_some(&[][..]));
        for part in parts {
            let mut live = DotSet::new();
            for (replica, first, last) in part {
                live.insert_run(*replica, *first, *last);
            }
            self.send(Message::LiveSet { repair: self.repair, live });
        }
    }
}

/// Bytes of entries or cells that fit a frame beside its head and new ids.
fn room<S: DotStore>(view: &View<'_, S>) -> usize {
    view.frame_bytes_max - (view.frame_bytes_max / 4).min(4_096)
}

/// The same dots in pieces of bounded size.
fn batches(dots: &DotSet) -> Vec<DotSet> {
    let mut batches = Vec::new();
    let (mut batch, mut count) = (DotSet::new(), 0);
    for (replica, first, last) in dots.runs() {
        let mut first = first;
        while first <= last {
            let end = last.min(first.saturating_add(BATCH - count - 1));
            batch.insert_run(replica, first, end);
            count += end - first + 1;
            if count == BATCH {
                batches.push(core::mem::take(&mut batch));
                count = 0;
            }
            first = end + 1;
        }
    }
    if count > 0 {
        batches.push(batch);
    }
    batches
}

/// The same entries in parts that fit the room, as far as single entries do, each with its size.
fn parts<S: DotStore>(entries: Delta<S>, room: usize) -> Vec<(Delta<S>, usize)> {
    let mut parts = Vec::new();
    let mut rest = vec![entries];
    while let Some(mut part) = rest.pop() {
        let count = part.entries().len();
        if count == 0 {
            continue;
        }
        let bytes = part.encode().len();
        if count > 1 && bytes > room {
            let later = part.split_off(count / 2);
            rest.push(later);
            rest.push(part);
        } else {
            parts.push((part, bytes));
        }
    }
    parts
}

/// A sketch that was sent in part, so that more of the same moment's can follow.
#[derive(Clone, Debug)]
pub(super) struct Sketched {
    common: DotSet,
    alphabet: Alphabet,
    key: SketchKey,
    cells: Cells,
    sent: usize,
    most: usize,
    windows: u32,
}

#[derive(Clone)]
enum Cells {
    /// The first cells as they were; what was retired since is read off the difference to those of now.
    Kept(Vec<Cell>),
    /// The live dots as they were.
    Of(DotSet),
}

/// The first cell tells which set it is.
impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cells::Kept(cells) => write!(f, "{} cells of {:?}", cells.len(), cells.first()),
            Cells::Of(live) => write!(f, "cells of {live:?}"),
        }
    }
}

impl Sketched {
    /// Of what is live now among the common dots; `without` is live outside them.
    pub(super) fn now<S: DotStore>(
        common: DotSet,
        alphabet: Alphabet,
        without: &DotSet,
        salt: u64,
        choice: &Choice,
        view: &View<'_, S>,
    ) -> Self {
        let key = view.sketch.key().salted(salt);
        let count = choice.window;
        let cells = if view.sketch.serves(count.max(KEPT), &alphabet, key) {
            Cells::Kept(kept(view.sketch, without, &alphabet, view))
        } else {
            Cells::Of(sketched_dots(view, without))
        };
        Self { common, alphabet, key, cells, sent: 0, most: choice.window_max, windows: 0 }
    }

    /// Sends a window; the whole set of live dots if cells would cost more.
    pub(super) fn window<S: DotStore>(
        &mut self,
        range: Range<usize>,
        view: &View<'_, S>,
        to: &mut Sender<'_, S>,
    ) -> Result<(), CancelReason> {
        self.windows += 1;
        if range.start > self.sent || range.len() > view.config.limits.window_cells_max || self.windows > WINDOWS_MAX {
            return Err(CancelReason::OutOfTurn);
        }
        if range.end > self.most {
            to.live_set(&self.live(view)?, view);
            return Ok(());
        }
        self.sent = self.sent.max(range.end);
        let cells = match &self.cells {
            Cells::Kept(kept) if range.end <= kept.len() => kept[range.clone()].to_vec(),
            _ => cells_of(&self.live(view)?, &self.alphabet, self.key, range.clone()),
        };
        to.cells(range.start, &cells, self.alphabet.is_wide(), view);
        Ok(())
    }

    /// The common dots that were live when the sketch was made.
    fn live<S: DotStore>(&mut self, view: &View<'_, S>) -> Result<DotSet, CancelReason> {
        let kept = match &self.cells {
            Cells::Of(live) => return Ok(live.clone()),
            Cells::Kept(kept) => kept,
        };
        let without = view.state.live_outside(&self.common);
        let mut gone = kept.clone();
        subtract(&mut gone, &self::kept(view.sketch, &without, &self.alphabet, view));
        // Common dots can only have gone since; that they can't be read off is the same as having lost them.
        let Some((gone, _)) = peel(&gone, &self.alphabet, self.key) else { return Err(CancelReason::Incomplete) };
        let mut live = sketched_dots(view, &without);
        live.extend(gone);
        self.cells = Cells::Of(live.clone());
        Ok(live)
    }
}

/// The live dots but these.
fn sketched_dots<S: DotStore>(view: &View<'_, S>, without: &DotSet) -> DotSet {
    #[cfg(any(test, feature = "sim"))]
    if view.config.faults.has(crate::Fault::SketchOverLive) {
        return view.state.live();
    }
    view.state.live().difference(without)
}

fn kept<S: DotStore>(sketch: &LiveSketch, without: &DotSet, alphabet: &Alphabet, view: &View<'_, S>) -> Vec<Cell> {
    #[cfg(any(test, feature = "sim"))]
    if view.config.faults.has(crate::Fault::SketchOverLive) {
        return sketch.first(KEPT, &DotSet::new(), alphabet, sketch.key(), || view.state.live());
    }
    sketch.first(KEPT, without, alphabet, sketch.key(), || view.state.live().difference(without))
}
