//! Two sets of live dots that differ here and there, and a sketch between them: what
//! is read off is the difference of the sets, or nothing; with enough cells it is
//! the difference. Cells that somebody changed end in bounded work.
//!
//! Random bytes hardly ever are the difference of two sketches, so the script makes
//! sets: runs of dots that both hold, and dots that one of them lost.

use crdt_core::{Dot, DotSet, ReplicaId};
use crdt_sync::Cell;
use crdt_sync::sketch::{Alphabet, LiveSketch, SketchKey, cells_of, peel, subtract, window};

/// More operations take longer and find nothing that these do not.
const STEPS_MAX: usize = 200;

/// Beyond this many cells for each difference every sketch has to be readable: the
/// usual need is 1.4, and a script cannot choose how its dots are hashed.
const CELLS_PER_DIFFERENCE: usize = 16;

struct Script<'s>(std::slice::Iter<'s, u8>);

impl Script<'_> {
    fn byte(&mut self) -> Option<u8> {
        self.0.next().copied()
    }

    fn number(&mut self) -> u64 {
        u64::from(self.byte().unwrap_or(0)) << 8 | u64::from(self.byte().unwrap_or(0))
    }

    /// Of eight ids, the last two of which end alike: with both of them symbols are wide.
    fn id(&mut self) -> ReplicaId {
        let number = u128::from(self.byte().unwrap_or(0) % 8);
        let last = ((number.min(6) + 1) * 0x9e37_79b9) & 0xffff_ffff;
        ReplicaId::from_u128(number << 64 | number << 40 | last)
    }
}

/// What a script came to.
#[derive(Clone, Copy, Default, Debug)]
pub struct Tally {
    /// Dots that one side holds and the other does not.
    pub differences: usize,
    /// Cells that it took to read them off.
    pub cells: usize,
    /// Whether symbols took 16 bytes.
    pub is_wide: bool,
    /// Sketches that a changed cell made unreadable.
    pub unreadable: usize,
}

/// Makes the sets, and reads their difference off in windows that grow as a repair's do.
///
/// # Panics
/// If what is read off is not the difference.
pub fn check(script: &[u8]) -> Tally {
    let mut script = Script(script.iter());
    let key = SketchKey::new(script.number());
    let (mut common, mut mine, mut theirs) = (DotSet::new(), DotSet::new(), DotSet::new());
    // One of the sketches is kept up to date, dot by dot, as a replica does it.
    let mut kept = LiveSketch::new(key);
    for _ in 0..STEPS_MAX {
        let Some(what) = script.byte() else { break };
        let (id, first) = (script.id(), 1 + script.number());
        let wide_counter = if what & 0x80 == 0 { 0 } else { 1 << 32 };
        let (first, len) = (first + wide_counter, 1 + u64::from(what >> 2 & 0x1f));
        for counter in first..first + len {
            let Some(dot) = Dot::new(id, counter) else { continue };
            common.insert(dot);
            let (here, there) = [(true, true), (true, false), (false, true), (false, false)][usize::from(what & 3)];
            for (set, holds) in [(&mut mine, here), (&mut theirs, there)] {
                if holds {
                    set.insert(dot);
                } else {
                    let mut lost = DotSet::new();
                    lost.insert(dot);
                    *set = set.difference(&lost);
                }
            }
        }
    }
    let mut ever = common.difference(&mine);
    ever.union_with(&mine);
    ever.iter().for_each(|dot| kept.add(dot));
    common.difference(&mine).iter().for_each(|dot| kept.remove(dot));
    assert_eq!((kept.len(), kept.sum()), (mine.len(), key.sum(&mine)));

    let Some(alphabet) = Alphabet::of(&common) else { return Tally::default() };
    let (only_mine, only_theirs) = (mine.difference(&theirs), theirs.difference(&mine));
    let differences = (only_mine.len() + only_theirs.len()) as usize;
    let mut tally = Tally { differences, is_wide: alphabet.is_wide(), ..Tally::default() };
    // Too few at first, as where the counts of both sides do not show how much differs.
    let mut count = (differences / 2).max(1);
    let cells = loop {
        let mut cells = cells_of(&mine, &alphabet, key, 0..count);
        subtract(&mut cells, &cells_of(&theirs, &alphabet, key, 0..count));
        if let Some((here, there)) = peel(&cells, &alphabet, key) {
            assert_eq!(here.len() + there.len(), differences, "a dot is told twice, or not at all");
            assert_eq!(here.into_iter().collect::<DotSet>(), only_mine);
            assert_eq!(there.into_iter().collect::<DotSet>(), only_theirs);
            break cells;
        }
        let enough = CELLS_PER_DIFFERENCE * differences + window(differences as u64);
        assert!(count <= enough, "{differences} differences are not read off {count} cells");
        count += count.div_ceil(4);
    };
    tally.cells = cells.len();

    // Somebody changed a cell on its way.
    for at in [0, cells.len() / 2, cells.len() - 1] {
        let mut changed = cells.clone();
        let cell = &mut changed[at];
        let symbol = cell.symbol ^ u128::from(script.number());
        *cell = Cell { symbol, check: cell.check.wrapping_add(1), count: cell.count.wrapping_add(1) };
        let read = peel(&changed, &alphabet, key);
        tally.unreadable += usize::from(read.is_none());
        // The first cell holds every symbol, so a change of it shows; another one may not have been needed.
        assert!(at > 0 || read.is_none());
        if let Some((here, there)) = read {
            assert_eq!(here.into_iter().collect::<DotSet>(), only_mine);
            assert_eq!(there.into_iter().collect::<DotSet>(), only_theirs);
        }
    }
    tally
}
