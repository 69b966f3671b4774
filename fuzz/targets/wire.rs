//! See `groundcontrol_fuzz::wire`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| groundcontrol_fuzz::wire(data));
