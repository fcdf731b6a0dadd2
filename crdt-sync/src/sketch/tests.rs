//! How many cells a difference takes, and that no cells from outside do harm.

use crdt_core::ReplicaId;

use super::*;

const KEY: SketchKey = SketchKey::new(0x5eed);

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

fn common() -> (DotSet, Alphabet) {
    let mut seen = DotSet::new();
    for id in 1..=3u128 {
        seen.insert_run(ReplicaId::from_u128((id << 90) | (id * 77)), 1, 1 << 20);
    }
    let alphabet = Alphabet::of(&seen).unwrap();
    (seen, alphabet)
}

/// `count` dots of the common set.
fn some(random: &mut Random, count: usize) -> DotSet {
    let mut dots = DotSet::new();
    while dots.len() < count as u64 {
        let id = u128::from(random.next() % 3 + 1);
        let dot = Dot::new(ReplicaId::from_u128((id << 90) | (id * 77)), random.next() % (1 << 20) + 1);
        dots.insert(dot.unwrap());
    }
    dots
}

/// The shortest prefix from which these differences can be read.
fn shortest(difference: &DotSet, alphabet: &Alphabet) -> usize {
    let most = 3 * difference.len() as usize + 60;
    let row = cells_of(difference, alphabet, KEY, 0..most);
    let decodes = |count: usize| peel(&row[..count], alphabet, KEY).is_some();
    assert!(decodes(most));
    // More cells never hide what fewer show, so halving finds the shortest.
    let (mut fails, mut works) = (0, most);
    while works - fails > 1 {
        let middle = (fails + works) / 2;
        if decodes(middle) { works = middle } else { fails = middle }
    }
    works
}

#[test]
fn a_thousand_differences_take_at_most_1_40_cells_each() {
    let (_, alphabet) = common();
    let mut random = Random(1);
    let mut ratios: Vec<f64> =
        (0..100).map(|_| shortest(&some(&mut random, 1_000), &alphabet) as f64 / 1_000.0).collect();
    ratios.sort_by(f64::total_cmp);
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    assert!(mean <= 1.40, "mean {mean}");
    assert!(ratios[98] <= 1.50, "99 of 100: {}", ratios[98]);
    // A peeling that ended early, or a set that cancelled, would look better than the theory allows.
    assert!(mean >= 1.30, "mean {mean}");
}

#[test]
fn a_few_differences_take_at_most_1_80_cells_each() {
    let (_, alphabet) = common();
    let mut random = Random(2);
    let runs = (0..4_000).map(|run| run % 10 + 1);
    let ratios: Vec<f64> = runs.map(|d| shortest(&some(&mut random, d), &alphabet) as f64 / d as f64).collect();
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    assert!(mean <= 1.80, "mean {mean}");
}

#[test]
fn a_removal_costs_at_most_24_bytes_and_20_when_there_are_many() {
    let (_, alphabet) = common();
    let mut random = Random(3);
    for (d, bar) in [(2, 24.0), (10, 24.0), (49, 24.0), (50, 20.0), (100, 20.0), (1_000, 20.0)] {
        let runs = if d < 100 { 400 } else { 40 };
        let cells: usize = (0..runs).map(|_| shortest(&some(&mut random, d), &alphabet)).sum();
        let bytes = (cells * cell_bytes(false)) as f64 / (d * runs) as f64;
        assert!(bytes <= bar, "{bytes} B per removal at {d}");
    }
}

#[test]
fn windows_for_the_right_number_mostly_decode_at_once() {
    let (_, alphabet) = common();
    let mut random = Random(4);
    for (d, bar) in [(50, 25.0), (100, 25.0), (1_000, 20.0)] {
        let runs = if d < 1_000 { 500 } else { 60 };
        let (mut cells, mut second, mut third) = (0, 0, 0);
        for _ in 0..runs {
            let difference = some(&mut random, d);
            let needed = shortest(&difference, &alphabet);
            let mut sent = window(d as u64);
            let mut windows = 1;
            while sent < needed {
                sent += sent.div_ceil(4);
                windows += 1;
            }
            cells += sent;
            second += usize::from(windows > 1);
            third += usize::from(windows > 2);
        }
        let bytes = (cells * cell_bytes(false)) as f64 / (d * runs) as f64;
        assert!(bytes <= bar, "{bytes} B per removal at {d}");
        assert!(second * 1_000 <= runs * 50, "{second} of {runs} needed a second window at {d}");
        assert!(third * 1_000 <= runs * 8 + 999, "{third} of {runs} needed a third window at {d}");
    }
}

#[test]
fn both_sides_of_a_difference_are_told_apart() {
    let (seen, alphabet) = common();
    let mut random = Random(5);
    for d in [0, 1, 7, 40, 300] {
        let (left, right) = (some(&mut random, d), some(&mut random, d / 2));
        let shared = some(&mut random, 2_000);
        let with = |own: &DotSet, other: &DotSet| {
            let mut dots = shared.difference(other);
            dots.union_with(own);
            dots
        };
        let (mine, theirs) = (with(&left, &right), with(&right, &left));
        let count = 2 * (d + d / 2) + 16;
        let mut cells = cells_of(&mine, &alphabet, KEY, 0..count);
        subtract(&mut cells, &cells_of(&theirs, &alphabet, KEY, 0..count));
        let (only_mine, only_theirs) = peel(&cells, &alphabet, KEY).unwrap();
        assert_eq!(only_mine.into_iter().collect::<DotSet>(), mine.difference(&theirs));
        assert_eq!(only_theirs.into_iter().collect::<DotSet>(), theirs.difference(&mine));
        assert!(!seen.is_empty());
    }
}

#[test]
fn cells_kept_up_to_date_are_those_of_the_set() {
    let (_, alphabet) = common();
    let mut random = Random(6);
    let (first, second) = (some(&mut random, 3_000), some(&mut random, 200));
    let mut sketch = LiveSketch::of(KEY, &first);
    let gone: DotSet = first.iter().step_by(3).collect();
    gone.iter().for_each(|dot| sketch.remove(dot));
    second.difference(&first).iter().for_each(|dot| sketch.add(dot));
    let mut live = first.difference(&gone);
    live.union_with(&second.difference(&first));

    assert_eq!((sketch.len(), sketch.sum()), (live.len(), KEY.sum(&live)));
    let without: DotSet = live.iter().step_by(5).collect();
    let rest = live.difference(&without);
    let kept = sketch.first(700, &without, &alphabet, KEY, || panic!("700 cells are kept"));
    assert_eq!(kept, cells_of(&rest, &alphabet, KEY, 0..700));
    // More than is kept, and another key, go through the set.
    assert_eq!(
        sketch.first(1_500, &without, &alphabet, KEY, || rest.clone()),
        cells_of(&rest, &alphabet, KEY, 0..1_500)
    );
    let other = KEY.salted(9);
    assert_eq!(sketch.first(20, &without, &alphabet, other, || rest.clone()), cells_of(&rest, &alphabet, other, 0..20));
    assert_eq!(KEY.salted(0), KEY);
}

#[test]
fn later_cells_continue_the_row() {
    let (_, alphabet) = common();
    let dots = some(&mut Random(7), 500);
    let mut row = cells_of(&dots, &alphabet, KEY, 0..100);
    row.extend(cells_of(&dots, &alphabet, KEY, 100..260));
    assert_eq!(row, cells_of(&dots, &alphabet, KEY, 0..260));
}

#[test]
fn crafted_cells_cost_bounded_work_and_decode_to_nothing() {
    let (_, alphabet) = common();
    let mut random = Random(8);
    assert_eq!(peel(&[], &alphabet, KEY), None);
    for _ in 0..200 {
        let cell = |random: &mut Random| Cell {
            symbol: u128::from(random.next()),
            check: random.next() as u32,
            count: (random.next() % 3) as u8,
        };
        let cells: Vec<Cell> = (0..300).map(|_| cell(&mut random)).collect();
        assert_eq!(peel(&cells, &alphabet, KEY), None);
    }
    // A lone symbol with a right check in a cell where it does not fall: found there for ever, if one let it.
    let dot = some(&mut random, 1).iter().next().unwrap();
    let symbol = alphabet.symbol(dot);
    let (place, check) = KEY.hash(symbol, false);
    let elsewhere = (1..300).find(|at| !Mapping::new(place).take(40).any(|index| index == *at)).unwrap();
    let mut cells = vec![Cell::default(); 300];
    cells[elsewhere] = Cell { symbol, check, count: 1 };
    assert_eq!(peel(&cells, &alphabet, KEY), None);
    // A symbol that spells no dot which both have seen.
    let (place, check) = KEY.hash(5, false);
    let mut cells = vec![Cell::default(); 50];
    for index in Mapping::new(place).take_while(|index| *index < 50) {
        cells[index] = Cell { symbol: 5, check, count: 1 };
    }
    assert_eq!(peel(&cells, &alphabet, KEY), None);
}

#[test]
fn another_key_makes_another_row() {
    let (_, alphabet) = common();
    let dots = some(&mut Random(9), 30);
    let mut cells = cells_of(&dots, &alphabet, KEY, 0..80);
    assert!(peel(&cells, &alphabet, KEY).is_some());
    assert!(peel(&cells, &alphabet, KEY.salted(1)).is_none());
    subtract(&mut cells, &cells_of(&dots, &alphabet, KEY, 0..80));
    assert_eq!(peel(&cells, &alphabet, KEY), Some((vec![], vec![])));
}
