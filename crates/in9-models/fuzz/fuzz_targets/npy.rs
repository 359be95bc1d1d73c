//! NumPy arrays: an error or values, never a panic.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = in9_models::npy::read_bytes(Path::new("fuzz.npy"), input);
});
