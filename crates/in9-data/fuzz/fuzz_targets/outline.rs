//! Outlines of datasets: an error or a value, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| in9_data::fuzzing::outline(input));
