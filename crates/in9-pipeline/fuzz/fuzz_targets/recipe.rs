//! Recipes: an error or a graph of stages whose outputs stay in their folder, never a panic.
#![no_main]

#[path = "../../tests/replay/mod.rs"]
mod replay;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    replay::replay(input);
});
