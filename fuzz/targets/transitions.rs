//! See `groundcontrol_fuzz::transitions`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| groundcontrol_fuzz::transitions(data));
