//! Any bytes as an image, a box or trimap and parameters: an error or a mask, never a panic.
#![no_main]

#[path = "../../tests/replay/mod.rs"]
mod replay;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| replay::replay(input, |_| {}));
