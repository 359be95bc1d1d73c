//! The `in9-toy` program.

#[global_allocator]
static MEMORY: in9_base::memory::Memory = in9_base::memory::Memory;

fn main() -> std::process::ExitCode {
    in9_toy::cli::main()
}
