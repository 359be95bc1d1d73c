//! The program `in9`.

use std::process::ExitCode;

#[global_allocator]
static MEMORY: in9_base::memory::Memory = in9_base::memory::Memory;

fn main() -> ExitCode {
    in9::run(std::env::args_os().collect(), None)
}
