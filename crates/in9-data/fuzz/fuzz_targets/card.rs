//! Cards of prediction tables: an error, or what is written and read again the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| in9_data::fuzzing::card(input));
