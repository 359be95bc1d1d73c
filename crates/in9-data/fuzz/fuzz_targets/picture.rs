//! Photographs and masks within limits: an error or pixels, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| in9_data::fuzzing::picture(input));
