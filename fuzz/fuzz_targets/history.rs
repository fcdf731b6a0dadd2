//! A script of edits and merges: whatever it says, all replicas end alike.
#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| {
    crdt_fuzz::history::check(script);
});
