//! The dots that are still in the store, each with the place of its entry.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use smallvec::SmallVec;

use crate::by_id::ById;
use crate::runs::{Run, Runs};
use crate::{Dot, DotSet, Place, ReplicaId};

const WORDS: usize = 4;
/// Dots per page. With four words of bits a page of small places is one cache line, and a whole page of equal dots is
/// skipped by comparing those words.
const PAGE: u64 = 64 * WORDS as u64;

/// Where this many times more dots were live once, the store is worth being put in again.
const SPARSE_FACTOR: usize = 8;
/// Below this there is too little to be gained.
const SPARSE_PEAK_MIN: usize = 1_024;

type Bits = [u64; WORDS];

/// dot → place, as pages of bits that vanish when empty: what is kept follows what is live, never what once was.
///
/// A place is found in O(log pages), in O(1) where no page is missing. Two of these are compared page by page.
#[derive(Clone)]
pub(crate) struct Live<P> {
    rows: ById<Pages<P>>,
    len: usize,
    /// The most there ever were.
    peak: usize,
    digest: u64,
}

#[derive(Clone)]
struct Pages<P>(SmallVec<[Page<P>; 1]>);

#[derive(Clone)]
struct Page<P> {
    /// The page holds the counters `number * PAGE ..`.
    number: u64,
    bits: Bits,
    places: Places<P>,
}

/// The places of a page's dots.
#[derive(Clone)]
enum Places<P> {
    /// That of bit `n` is `n` steps from the origin along the axis. So lie the entries that one replica made in turn,
    /// and they need no memory but this.
    Line { origin: P, axis: u8 },
    /// One per set bit, in order.
    Each(Vec<P>),
}

impl<P> Default for Pages<P> {
    fn default() -> Self {
        Self(SmallVec::new())
    }
}

fn split(counter: u64) -> (u64, usize) {
    (counter / PAGE, (counter % PAGE) as usize)
}

fn has(bits: &Bits, at: usize) -> bool {
    bits[at / 64] >> (at % 64) & 1 == 1
}

fn count(bits: &Bits) -> usize {
    bits.iter().map(|word| word.count_ones() as usize).sum()
}

/// How many bits are set before `at`.
fn rank(bits: &Bits, at: usize) -> usize {
    let whole: u32 = bits[..at / 64].iter().map(|word| word.count_ones()).sum();
    (whole + (bits[at / 64] & ((1 << (at % 64)) - 1)).count_ones()) as usize
}

fn set_bits(bits: Bits) -> impl Iterator<Item = usize> {
    bits.into_iter().enumerate().flat_map(|(at, mut word)| {
        core::iter::from_fn(move || {
            (word != 0).then(|| {
                let bit = word.trailing_zeros() as usize;
                word &= word - 1;
                at * 64 + bit
            })
        })
    })
}

/// The bits of a page whose counters are in `runs`.
fn mask(runs: &Runs, number: u64) -> Bits {
    let first = number * PAGE;
    let last = first + (PAGE - 1);
    let runs = runs.as_slice();
    let from = match runs {
        [only] if only.last >= first => 0,
        _ => runs.partition_point(|run| run.last < first),
    };
    let mut bits = [0; WORDS];
    for run in &runs[from..] {
        if run.first > last {
            break;
        }
        let (low, high) = (run.first.max(first) - first, run.last.min(last) - first);
        for (word, bits) in bits.iter_mut().enumerate() {
            let (start, end) = (word as u64 * 64, word as u64 * 64 + 63);
            if low <= end && high >= start {
                let (low, high) = (low.max(start) - start, high.min(end) - start);
                *bits |= (u64::MAX >> (63 - (high - low))) << low;
            }
        }
    }
    bits
}

impl<P: Place> Places<P> {
    #[inline]
    fn get(&self, bits: &Bits, at: usize) -> Cow<'_, P> {
        match self {
            Places::Line { origin, axis: 0 } => Cow::Borrowed(origin),
            Places::Line { origin, axis } => Cow::Owned(origin.along(*axis, at as u32)),
            Places::Each(places) => Cow::Borrowed(&places[rank(bits, at)]),
        }
    }

    /// `bits` are those before the insert.
    #[inline]
    fn insert(&mut self, bits: &Bits, at: usize, place: P) {
        match self {
            Places::Line { origin, axis } if origin.along(*axis, at as u32) == place => {}
            Places::Line { .. } => *self = self.bent(bits, at, place),
            Places::Each(places) => places.insert(rank(bits, at), place),
        }
    }

    /// What becomes of a line when a place is added that does not lie on it.
    #[cold]
    fn bent(&self, bits: &Bits, at: usize, place: P) -> Self {
        let before = count(bits);
        if before == 1 {
            let only = set_bits(*bits).next().expect("one bit is set");
            let held = self.get(bits, only);
            for axis in 1..=P::AXES {
                let origin = held.along(axis, (only as u32).wrapping_neg());
                if origin.along(axis, at as u32) == place {
                    return Places::Line { origin, axis };
                }
            }
        }
        let mut places = Vec::with_capacity((before + 1).next_power_of_two().max(4));
        places.extend(set_bits(*bits).map(|at| self.get(bits, at).into_owned()));
        places.insert(rank(bits, at), place);
        Places::Each(places)
    }

    #[inline]
    fn remove(&mut self, bits: &Bits, at: usize) -> P {
        match self {
            Places::Line { origin, axis } => origin.along(*axis, at as u32),
            Places::Each(places) => {
                let place = places.remove(rank(bits, at));
                // A page that was full once and is nearly empty now gives its room back.
                if places.len() * 4 < places.capacity() {
                    places.shrink_to(places.len() * 2);
                }
                place
            }
        }
    }
}

impl<P: Place> Pages<P> {
    /// `Ok` with the position of a page, `Err` with where it would go.
    #[inline]
    fn position(&self, number: u64) -> Result<usize, usize> {
        let pages = self.0.as_slice();
        let Some((first, last)) = pages.first().zip(pages.last()) else { return Err(0) };
        if number > last.number {
            return Err(pages.len());
        }
        if number < first.number {
            return Err(0);
        }
        // Where no page is missing this is the page; it never lies before the page that is looked for.
        let guess = ((number - first.number) as usize).min(pages.len() - 1);
        if pages[guess].number == number {
            return Ok(guess);
        }
        pages[..=guess].binary_search_by_key(&number, |page| page.number)
    }

    fn get(&self, counter: u64) -> Option<Cow<'_, P>> {
        let (number, at) = split(counter);
        let page = &self.0[self.position(number).ok()?];
        has(&page.bits, at).then(|| page.places.get(&page.bits, at))
    }

    /// False if the dot was there already.
    #[inline]
    fn insert(&mut self, counter: u64, place: P) -> bool {
        let (number, at) = split(counter);
        match self.position(number) {
            Err(position) => {
                let mut bits = [0; WORDS];
                bits[at / 64] = 1 << (at % 64);
                self.0.insert(position, Page { number, bits, places: Places::Line { origin: place, axis: 0 } });
            }
            Ok(position) => {
                let page = &mut self.0[position];
                if has(&page.bits, at) {
                    return false;
                }
                page.places.insert(&page.bits, at, place);
                page.bits[at / 64] |= 1 << (at % 64);
            }
        }
        true
    }

    fn remove(&mut self, counter: u64) -> Option<P> {
        let (number, at) = split(counter);
        let position = self.position(number).ok()?;
        let page = &mut self.0[position];
        if !has(&page.bits, at) {
            return None;
        }
        let place = page.places.remove(&page.bits, at);
        page.bits[at / 64] &= !(1 << (at % 64));
        if page.bits == [0; WORDS] {
            self.0.remove(position);
            if self.0.len() * 4 < self.0.capacity() {
                self.0.shrink_to_fit();
            }
        }
        Some(place)
    }

    fn bits(&self, number: u64) -> Bits {
        self.position(number).map_or([0; WORDS], |position| self.0[position].bits)
    }
}

impl<P: Place> Live<P> {
    pub(crate) fn with_seed(seed: u64) -> Self {
        Self { rows: ById::with_seed(seed), len: 0, peak: 0, digest: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn seed(&self) -> u64 {
        self.rows.seed()
    }

    /// Whether so few dots are left of so many that their places lie far apart.
    #[inline]
    pub(crate) fn is_sparse(&self) -> bool {
        self.len * SPARSE_FACTOR < self.peak && self.peak > SPARSE_PEAK_MIN
    }

    /// The sum of the live dots' hashes, kept up to date.
    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    pub(crate) fn get(&self, dot: Dot) -> Option<Cow<'_, P>> {
        self.rows.get(dot.replica())?.get(dot.counter())
    }

    /// False, and nothing changed, if the dot was live already.
    #[inline]
    pub(crate) fn insert(&mut self, dot: Dot, place: P) -> bool {
        let new = self.rows.entry(dot.replica()).insert(dot.counter(), place);
        if new {
            self.len += 1;
            self.peak = self.peak.max(self.len);
            self.digest = self.digest.wrapping_add(dot.digest());
        }
        new
    }

    #[inline]
    pub(crate) fn remove(&mut self, dot: Dot) -> Option<P> {
        let place = self.rows.get_mut(dot.replica())?.remove(dot.counter())?;
        self.len -= 1;
        self.digest = self.digest.wrapping_sub(dot.digest());
        Some(place)
    }

    /// Every live dot and its place, by replica, then by counter.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Dot, Cow<'_, P>)> {
        self.rows.sorted().into_iter().flat_map(|(replica, pages)| {
            pages.0.iter().flat_map(move |page| {
                set_bits(page.bits).map(move |at| {
                    (Dot::known(replica, page.number * PAGE + at as u64), page.places.get(&page.bits, at))
                })
            })
        })
    }

    pub(crate) fn to_dot_set(&self) -> DotSet {
        let mut set = DotSet::with_seed(self.rows.seed());
        for (replica, pages) in self.rows.iter() {
            for page in &pages.0 {
                for (first, last) in bit_runs(page) {
                    set.insert_run(replica, first, last);
                }
            }
        }
        set
    }

    /// How many runs there are.
    pub(crate) fn runs_len(&self) -> usize {
        let mut begun = 0;
        for (_, pages) in self.rows.iter() {
            // The number of the page that would go on, and whether its run does.
            let mut goes_on = (0, 0);
            for page in &pages.0 {
                let mut before = if goes_on.0 == page.number { goes_on.1 } else { 0 };
                for word in page.bits {
                    // A run begins at a bit before which there is none.
                    begun += (word & !(word << 1 | before)).count_ones() as usize;
                    before = word >> 63;
                }
                goes_on = (page.number + 1, before);
            }
        }
        begun
    }

    /// Visits the dots that are live here and were not seen there.
    pub(crate) fn unseen_by(&self, seen: &DotSet, mut visit: impl FnMut(Dot, &P)) {
        for (replica, pages) in self.rows.iter() {
            let seen = seen.row(replica);
            for page in &pages.0 {
                let seen = seen.map_or([0; WORDS], |runs| mask(runs, page.number));
                visit_bits(replica, page, |word| !seen[word], &mut visit);
            }
        }
    }

    /// The dots that are live here, were seen there, and are no longer live there.
    pub(crate) fn retired_by(&self, seen: &DotSet, live: &Self) -> Vec<Dot> {
        let mut retired = Vec::new();
        for (replica, pages) in self.rows.iter() {
            let Some(seen) = seen.row(replica) else { continue };
            let theirs = live.rows.get(replica);
            for page in &pages.0 {
                let live = theirs.map_or([0; WORDS], |pages| pages.bits(page.number));
                // Equal stretches are skipped before anything is computed for them.
                if live != page.bits {
                    let seen = mask(seen, page.number);
                    visit_bits(replica, page, |word| seen[word] & !live[word], &mut |dot, _| retired.push(dot));
                }
            }
        }
        retired
    }

    /// The dots that are live here and in `dots`, with their places.
    pub(crate) fn among(&self, dots: &DotSet, mut visit: impl FnMut(Dot, &P)) {
        for (replica, runs) in dots.rows() {
            let Some(pages) = self.rows.get(replica) else { continue };
            for run in runs.as_slice() {
                pages.within(replica, *run, &mut visit);
            }
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let pages = |pages: &Pages<P>| {
            let spilled = if pages.0.spilled() { pages.0.capacity() * size_of::<Page<P>>() } else { 0 };
            let places = pages.0.iter().map(|page| match &page.places {
                Places::Line { .. } => 0,
                Places::Each(places) => places.capacity() * size_of::<P>(),
            });
            spilled + places.sum::<usize>()
        };
        self.rows.heap_bytes() + self.rows.iter().map(|(_, row)| pages(row)).sum::<usize>()
    }
}

impl<P: Place> Pages<P> {
    /// Visits the dots of a run, at the cost of the pages it covers here, not of its length.
    fn within(&self, replica: ReplicaId, run: Run, visit: &mut impl FnMut(Dot, &P)) {
        let from = self.position(run.first / PAGE).unwrap_or_else(|position| position);
        for page in self.0[from..].iter().take_while(|page| page.number <= run.last / PAGE) {
            let wanted = mask_of_run(run, page.number);
            visit_bits(replica, page, |word| wanted[word], visit);
        }
    }
}

fn mask_of_run(run: Run, number: u64) -> Bits {
    let mut runs = Runs::default();
    runs.insert(run);
    mask(&runs, number)
}

fn visit_bits<P: Place>(
    replica: ReplicaId,
    page: &Page<P>,
    wanted: impl Fn(usize) -> u64,
    visit: &mut impl FnMut(Dot, &P),
) {
    let mut chosen = page.bits;
    for (word, bits) in chosen.iter_mut().enumerate() {
        *bits &= wanted(word);
    }
    if chosen == [0; WORDS] {
        return;
    }
    for at in set_bits(chosen) {
        visit(Dot::known(replica, page.number * PAGE + at as u64), &page.places.get(&page.bits, at));
    }
}

/// The runs of a page's dots, as counters.
fn bit_runs<P>(page: &Page<P>) -> impl Iterator<Item = (u64, u64)> {
    let mut bits = set_bits(page.bits).peekable();
    let base = page.number * PAGE;
    core::iter::from_fn(move || {
        let first = bits.next()?;
        let mut last = first;
        while bits.next_if_eq(&(last + 1)).is_some() {
            last += 1;
        }
        Some((base + first as u64, base + last as u64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;

    const A: ReplicaId = ReplicaId::from_u128(1);

    fn dot(counter: u64) -> Dot {
        Dot::known(A, counter)
    }

    #[test]
    fn places_are_found_whatever_the_order_of_inserts_and_removals() {
        let mut live = Live::<u32>::with_seed(0);
        let mut plain = BTreeMap::new();
        let mut state = 1u64;
        for step in 0..20_000u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let counter = (state >> 33) % 3_000 + 1;
            if state >> 20 & 1 == 0 {
                // For a while places lie on a line, then here and there.
                let place = if step % 5_000 < 2_500 { counter as u32 + 7 } else { step as u32 };
                let new = live.insert(dot(counter), place);
                assert_eq!(new, !plain.contains_key(&counter));
                plain.entry(counter).or_insert(place);
            } else {
                assert_eq!(live.remove(dot(counter)), plain.remove(&counter));
            }
            assert_eq!(live.len(), plain.len());
        }
        assert!(live.iter().map(|(dot, place)| (dot.counter(), *place)).eq(plain.iter().map(|(k, v)| (*k, *v))));
        assert_eq!(live.digest(), plain.keys().map(|k| dot(*k).digest()).fold(0, u64::wrapping_add));
        assert_eq!(live.to_dot_set(), plain.keys().map(|k| dot(*k)).collect());
    }

    #[test]
    fn places_along_any_axis_need_no_list() {
        let line = |axis: u8, first: u64| {
            let mut live = Live::<(u32, (u32, ()))>::with_seed(0);
            let start = (3, (u32::MAX - 2, ()));
            // From the middle, so that the origin lies before all of them.
            let counters = || (first..first + 100).chain((1..first).rev());
            for counter in counters() {
                live.insert(dot(counter), start.along(axis, counter as u32));
            }
            assert!(counters().all(|n| live.get(dot(n)).as_deref() == Some(&start.along(axis, n as u32))));
            let listed = live.heap_bytes();
            live.insert(dot(200), (9, (9, ())));
            assert_eq!(live.get(dot(200)).as_deref(), Some(&(9, (9, ()))));
            assert!(counters().all(|n| live.get(dot(n)).as_deref() == Some(&start.along(axis, n as u32))));
            (listed, live.heap_bytes())
        };
        for axis in 0..=2 {
            let (along, bent) = line(axis, 40);
            assert_eq!(along, 0);
            assert!(bent > 0);
        }
    }

    #[test]
    fn masks_agree_with_membership() {
        // A run may begin and end with the first or the last counter of a page.
        let several = [(1, 3), (60, 70), (250, 256), (300, 511), (513, 513), (767, 768), (800, 3_000)];
        // One run alone, before, in and after the page: a run that ended before the page once underflowed.
        for spans in [&several[..], &[], &[(1, 3)], &[(250, 700)], &[(3_000, 3_300)]] {
            let mut runs = Runs::default();
            for (first, last) in spans {
                runs.insert(Run { first: *first, last: *last });
            }
            for number in 0..14 {
                let mask = mask(&runs, number);
                for at in 0..PAGE {
                    assert_eq!(has(&mask, at as usize), runs.contains(number * PAGE + at), "{number} {at}");
                }
            }
        }
    }

    #[test]
    fn a_page_that_is_missing_between_others_is_not_found() {
        let mut live = Live::<u32>::with_seed(9);
        let pages = [0, 1, 2, 30, 31, 90, 91];
        for page in pages {
            live.insert(dot(page * PAGE + 5), page as u32);
        }
        for page in 0..95 {
            let held = live.get(dot(page * PAGE + 5)).map(Cow::into_owned);
            assert_eq!(held, pages.contains(&page).then_some(page as u32), "{page}");
        }
        assert_eq!(live.seed(), 9);
    }

    #[test]
    fn few_of_many_are_sparse() {
        let mut live = Live::<u32>::with_seed(0);
        let (all, few) = (SPARSE_PEAK_MIN as u64 + 1, (SPARSE_PEAK_MIN / SPARSE_FACTOR) as u64);
        (1..=all).for_each(|n| assert!(live.insert(dot(n), 0)));
        for left in (few..all).rev() {
            assert!(!live.is_sparse(), "{left}");
            live.remove(dot(left + 1));
        }
        // Few dots that were never many are not.
        let mut small = Live::<u32>::with_seed(0);
        (1..all).for_each(|n| assert!(small.insert(dot(n), 0)));
        (2..all).for_each(|n| assert_eq!(small.remove(dot(n)), Some(0)));
        assert!(live.is_sparse() && !small.is_sparse());
        // At the bound itself they are not, either.
        let mut even = Live::<u32>::with_seed(0);
        (1..=all + 7).for_each(|n| assert!(even.insert(dot(n), 0)));
        (few + 2..=all + 7).for_each(|n| assert_eq!(even.remove(dot(n)), Some(0)));
        assert!(even.len * SPARSE_FACTOR == even.peak && !even.is_sparse());
    }

    #[test]
    fn runs_of_a_page_are_whole() {
        let mut live = Live::<u32>::with_seed(0);
        let runs = [(PAGE, PAGE + 1), (PAGE + 3, PAGE + 3), (PAGE + 60, PAGE + 70), (2 * PAGE - 1, 2 * PAGE - 1)];
        for (first, last) in runs {
            (first..=last).for_each(|counter| assert!(live.insert(dot(counter), 0)));
        }
        let page = &live.rows.get(A).unwrap().0[0];
        assert!(bit_runs(page).eq(runs));
    }

    /// The first and the new place lie on a line along one axis, but the one between them on another.
    #[test]
    fn a_place_beside_the_line_keeps_its_own() {
        let mut live = Live::<(u32, (u32, ()))>::with_seed(0);
        let places = [(3, (9, ())), (4, (9, ())), (3, (11, ()))];
        (1..).zip(places).for_each(|(counter, place)| assert!(live.insert(dot(counter), place)));
        (1..).zip(places).for_each(|(counter, place)| assert_eq!(live.get(dot(counter)).as_deref(), Some(&place)));
    }

    #[test]
    fn what_is_kept_follows_what_is_live() {
        let mut live = Live::<u32>::with_seed(0);
        for counter in 1..=1_000_000 {
            live.insert(dot(counter), counter as u32);
            if counter > 100 {
                live.remove(dot(counter - 100));
            }
        }
        assert_eq!(live.len(), 100);
        assert!(live.heap_bytes() < 8_000, "{}", live.heap_bytes());
    }

    #[test]
    fn a_claimed_run_of_any_length_costs_only_what_is_live() {
        let mut live = Live::<u32>::with_seed(0);
        live.insert(dot(5), 1);
        live.insert(dot(1 << 40), 2);
        let mut claimed = DotSet::new();
        claimed.insert_run(A, 2, 1 << 48);
        let mut found = Vec::new();
        live.among(&claimed, |dot, _| found.push(dot.counter()));
        assert_eq!(found, [5, 1 << 40]);
    }
}
