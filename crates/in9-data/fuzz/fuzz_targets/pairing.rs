//! Pairings: an error, or a table that is read again the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| in9_data::fuzzing::pairing(input));
