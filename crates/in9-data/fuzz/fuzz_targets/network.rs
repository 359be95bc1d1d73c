//! Descriptions of networks that draw masks: an error, or what is read again the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| in9_data::fuzzing::network(input));
