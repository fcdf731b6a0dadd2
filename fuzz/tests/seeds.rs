//! The committed seeds, and inputs that were once found, without a fuzzer.

use crdt_fuzz::{decode, frames, history, parcel, repair, sketch};
use std::path::{Path, PathBuf};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no file in {}", folder.display());
    files
}

#[test]
fn every_decode_seed_is_accepted() {
    for file in files("seeds/decode") {
        let input = std::fs::read(&file).unwrap();
        assert!(decode::check(&input), "{} is refused", file.display());
    }
}

#[test]
fn every_decode_seed_is_what_would_be_written_today() {
    let committed = files("seeds/decode");
    let mut count = 0;
    for (choice, target) in decode::TARGETS.iter().enumerate() {
        for bytes in (target.seeds)() {
            let input: Vec<u8> = [choice as u8].into_iter().chain(bytes).collect();
            assert!(
                committed.iter().any(|file| std::fs::read(file).unwrap() == input),
                "a seed of {} is not committed: `cargo run --bin seeds`",
                target.name
            );
            count += 1;
        }
    }
    assert_eq!(count, committed.len(), "a committed seed has no source");
}

#[test]
fn every_decode_seed_survives_being_cut_short_and_having_a_bit_flipped() {
    for file in files("seeds/decode") {
        let input = std::fs::read(&file).unwrap();
        for length in 0..input.len().min(120) {
            decode::check(&input[..length]);
            for bit in 0..8 {
                let mut flipped = input.clone();
                flipped[length] ^= 1 << bit;
                decode::check(&flipped);
            }
        }
    }
}

#[test]
fn every_history_seed_ends_alike_everywhere() {
    for file in files("seeds/history") {
        history::check(&std::fs::read(&file).unwrap());
    }
}

#[test]
fn every_frames_seed_is_accepted_and_is_what_would_be_written_today() {
    let committed = files("seeds/frames");
    let seeds = frames::seeds();
    assert_eq!(seeds.len(), committed.len(), "seeds are missing or too many: `cargo run --bin seeds`");
    for (name, input) in seeds {
        assert!(frames::check(&input) > 0, "{name} is refused");
        let file = committed.iter().find(|file| file.ends_with(&name));
        let file = file.unwrap_or_else(|| panic!("{name} is not committed: `cargo run --bin seeds`"));
        assert_eq!(std::fs::read(file).unwrap(), input, "{name}");
    }
}

#[test]
fn every_parcel_seed_is_taken_in_and_is_what_would_be_written_today() {
    let committed = files("seeds/parcel");
    let seeds = parcel::seeds();
    assert_eq!(seeds.len(), committed.len(), "seeds are missing or too many: `cargo run --bin seeds`");
    for (name, input) in seeds {
        assert!(parcel::check(&input), "{name} is refused");
        let file = committed.iter().find(|file| file.ends_with(&name));
        let file = file.unwrap_or_else(|| panic!("{name} is not committed: `cargo run --bin seeds`"));
        assert_eq!(std::fs::read(file).unwrap(), input, "{name}");
    }
}

#[test]
fn no_parcel_with_a_bit_flipped_and_a_seal_that_fits_does_harm() {
    for (name, input) in parcel::seeds() {
        let mut refused = 0;
        for at in 1..input.len() {
            let mut flipped = input.clone();
            flipped[at] ^= 1 << (at % 8);
            refused += usize::from(!parcel::check(&flipped));
        }
        assert!(refused > input.len() / 4, "{name}: only {refused} of {} were refused", input.len());
    }
}

#[test]
fn the_honest_agree_after_every_repair_seed() {
    let mut all = repair::Tally::default();
    for file in files("seeds/repair") {
        let tally = repair::check(&std::fs::read(&file).unwrap());
        all.accepted += tally.accepted;
        all.refused += tally.refused;
        all.answers += tally.answers;
    }
    // A peer that is shut out at once would find nothing.
    assert!(all.accepted > 100 && all.refused > 20 && all.answers > 100, "{all:?}");
}

#[test]
fn every_sketch_seed_is_read_off_and_they_reach_all_there_is() {
    let all: Vec<_> = files("seeds/sketch").iter().map(|file| sketch::check(&std::fs::read(file).unwrap())).collect();
    assert!(all.iter().any(|tally| tally.differences > 300) && all.iter().any(|tally| tally.is_wide));
    assert!(all.iter().any(|tally| !tally.is_wide && tally.differences > 20));
    let (cells, differences): (usize, usize) =
        all.iter().fold((0, 0), |sum, tally| (sum.0 + tally.cells, sum.1 + tally.differences));
    assert!(cells < 3 * differences, "{cells} cells for {differences} differences");
    assert!(all.iter().map(|tally| tally.unreadable).sum::<usize>() >= all.len());
}
