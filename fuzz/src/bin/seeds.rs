//! Writes the committed seeds anew: `cargo run --bin seeds`. Needed after a change
//! to the bytes, or with a new type.

use crdt_fuzz::decode::TARGETS;
use std::fs;
use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let decode = seeds.join("decode");
    fs::create_dir_all(&decode)?;
    for (choice, target) in TARGETS.iter().enumerate() {
        for (number, bytes) in (target.seeds)().into_iter().enumerate() {
            let mut input = vec![u8::try_from(choice).expect("fewer types than bytes")];
            input.extend(bytes);
            fs::write(decode.join(format!("{}-{number}", target.name)), input)?;
        }
    }
    let history = seeds.join("history");
    fs::create_dir_all(&history)?;
    for number in 0..16u64 {
        fs::write(history.join(format!("script-{number:02}")), script(number))?;
    }
    let frames = seeds.join("frames");
    fs::create_dir_all(&frames)?;
    for (name, input) in crdt_fuzz::frames::seeds() {
        fs::write(frames.join(name), input)?;
    }
    let parcel = seeds.join("parcel");
    fs::create_dir_all(&parcel)?;
    for (name, input) in crdt_fuzz::parcel::seeds() {
        fs::write(parcel.join(name), input)?;
    }
    let repair = seeds.join("repair");
    fs::create_dir_all(&repair)?;
    for number in 0..16u64 {
        fs::write(repair.join(format!("script-{number:02}")), script(100 + 8 * number))?;
    }
    let sketch = seeds.join("sketch");
    fs::create_dir_all(&sketch)?;
    for number in 0..16u64 {
        let mut bytes = script(4 * number);
        if number % 2 == 1 {
            // Symbols of 8 bytes, and runs that overlap.
            for step in bytes[2..].chunks_exact_mut(4) {
                (step[0], step[1], step[2]) = (step[0] & 0x7f, step[1] & 3, step[2] & 1);
            }
        }
        fs::write(sketch.join(format!("script-{number:02}")), bytes)?;
    }
    Ok(())
}

/// Bytes that look random and are the same everywhere (splitmix64).
fn script(number: u64) -> Vec<u8> {
    let mut state = number;
    let words = (0..(number + 1) * 3).flat_map(|_| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)).to_le_bytes()
    });
    words.collect()
}
