//! Replicas beside a peer that means harm: nothing breaks, and the honest ones still agree.
#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| {
    let _ = crdt_fuzz::repair::check(script);
});
