//! The `in9-analysis` program: parses arguments and calls the library.
fn main() {}
