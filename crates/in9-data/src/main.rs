//! The `in9-data` program.

#[global_allocator]
static MEMORY: in9_base::memory::Memory = in9_base::memory::Memory;

fn main() -> std::process::ExitCode {
    in9_data::cli::main()
}
