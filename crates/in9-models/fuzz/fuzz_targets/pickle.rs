//! Pickles inside a legacy file that is otherwise right: an error or tensors, never a panic.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;

/// Magic number, protocol version and a system description that says nothing.
const HEAD: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.";
/// One storage of sixteen elements.
const TAIL: &[u8] = b"\x80\x02]X\x01\0\0\0ka.\x10\0\0\0\0\0\0\0";

fuzz_target!(|input: &[u8]| common::weigh([HEAD, input, TAIL, &[0; 64]].concat()));
