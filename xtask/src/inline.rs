//! Bytes as text inside of a script, for the entry of the npm package that needs no setup.
//!
//! The frequent bytes are one character, the others two. Unlike in base64, equal runs of bytes are equal runs of
//! characters wherever they begin, so what a server does to the bytes (gzip, brotli) it does to the text as well. Of the wasm of
//! 2026-11: 208.6 kB of brotli as it is, 212.3 kB so, 275.5 kB in base64; as they are 678, 709 and 904 kB.

/// The first characters of the alphabet begin a pair.
const PAIRS: usize = 3;

/// Characters that need no escape in any kind of quotes, and none that ends a script. `npm/src/unpack.ts` has the same list.
fn alphabet() -> Vec<u8> {
    (b' '..=b'~').filter(|char| !b"\"'`\\$<".contains(char)).collect()
}

/// The module that gives the bytes, as `unpack` takes them.
pub(crate) fn module(bytes: &[u8]) -> String {
    let (order, text) = pack(bytes);
    let order: String = order.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("export default [\"{order}\", {}, \"{text}\"];\n", bytes.len())
}

/// All values of a byte, the most frequent first, and the text.
fn pack(bytes: &[u8]) -> (Vec<u8>, String) {
    let mut count = [0_usize; 256];
    for byte in bytes {
        count[usize::from(*byte)] += 1;
    }
    let mut order: Vec<u8> = (0..=u8::MAX).collect();
    order.sort_by_key(|byte| std::cmp::Reverse(count[usize::from(*byte)]));
    let mut spelled = vec![String::new(); 256];
    for (rank, byte) in order.iter().enumerate() {
        spelled[usize::from(*byte)] = spell(rank);
    }
    (order, bytes.iter().map(|byte| spelled[usize::from(*byte)].as_str()).collect())
}

fn spell(rank: usize) -> String {
    let alphabet = alphabet();
    let char = |at: usize| char::from(alphabet[at]);
    match rank.checked_sub(alphabet.len() - PAIRS) {
        None => char(rank + PAIRS).into(),
        Some(rank) => [char(rank / alphabet.len()), char(rank % alphabet.len())].iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_spelling_that_begins_no_other_one() {
        let spelled: Vec<String> = (0..256).map(spell).collect();
        for (at, one) in spelled.iter().enumerate() {
            assert!(spelled.iter().enumerate().all(|(other, text)| other == at || !text.starts_with(one.as_str())));
        }
    }

    #[test]
    fn frequent_bytes_take_one_character_and_nothing_needs_an_escape() {
        let bytes: Vec<u8> = (0..=u8::MAX).chain([7; 100]).collect();
        let (order, text) = pack(&bytes);
        assert_eq!(order[..2], [7, 0]);
        assert!(text.ends_with(&"%".repeat(100)));
        assert!(text.chars().all(|char| (' '..='~').contains(&char) && !"\"'`\\$<".contains(char)));
    }
}
