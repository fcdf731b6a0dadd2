//! A number that is the same where the bytes of a state are: short enough to be shown, and to be told as presence.

use crdt_sync::drive::Node;

use super::goods::Stall;

/// The sum of a replica's canonical bytes. `examples/page/sum.ts` makes the same one.
#[must_use]
pub fn sum_of(node: &Node<Stall>) -> String {
    sum(&node.read_causal(crdt_core::Causal::encode))
}

/// Two FNV-1a hashes of 32 bits, side by side, from two beginnings. It tells of what differs by chance, not of what somebody
/// made to look the same.
fn sum(bytes: &[u8]) -> String {
    let lane = |from: u32| bytes.iter().fold(from, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    format!("{:08x}{:08x}", lane(0x811c_9dc5), lane(0x050c_5d1f))
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn the_first_half_is_the_hash_that_is_known() {
        assert_eq!(&sum(b"")[..8], "811c9dc5");
        assert_eq!(&sum(b"a")[..8], "e40c292c");
        assert_eq!(&sum(b"foobar")[..8], "bf9cf968");
        assert_ne!(&sum(b"a")[8..], "e40c292c", "the other half begins elsewhere");
    }
}
