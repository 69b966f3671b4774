//! See `groundcontrol_fuzz::text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| groundcontrol_fuzz::text(data));
