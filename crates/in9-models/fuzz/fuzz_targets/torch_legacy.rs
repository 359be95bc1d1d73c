//! Torch files from before version 1.6: an error or tensors, never a panic.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| common::weigh(input.to_vec()));
