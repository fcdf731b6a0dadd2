//! Two sets, and their difference as it is read off a sketch.
#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| {
    let _ = crdt_fuzz::sketch::check(script);
});
