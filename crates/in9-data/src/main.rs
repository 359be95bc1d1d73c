//! The `in9-data` program: parses arguments and calls the library.
fn main() {}
