//! Parcels with a seal that fits: refused, or taken in without harm.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let _ = crdt_fuzz::parcel::check(input);
});
