//! Bytes from anywhere: refused, or good in every respect.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    crdt_fuzz::decode::check(bytes);
});
