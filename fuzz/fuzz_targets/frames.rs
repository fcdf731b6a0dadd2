//! Frames from anywhere, on each kind of link: refused, or written again as they are.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    crdt_fuzz::frames::check(bytes);
});
