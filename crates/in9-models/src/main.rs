//! The `in9-models` program: parses arguments and calls the library.
fn main() {}
