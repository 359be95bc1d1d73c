//! Archives of photographs and annotations: faults or what is in them, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| in9_data::fuzzing::tar(input));
