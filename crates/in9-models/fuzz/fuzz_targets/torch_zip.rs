//! Torch files since version 1.6, as they are and with their checksums made right: an error or tensors, never a
//! panic.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    common::weigh(input.to_vec());
    let mut sealed = input.to_vec();
    common::seal_zip(&mut sealed);
    common::weigh(sealed);
});
