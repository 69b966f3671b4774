//! See `groundcontrol_fuzz::session`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| groundcontrol_fuzz::session(data));
