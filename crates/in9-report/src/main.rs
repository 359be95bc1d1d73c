//! The `in9-report` program.

#[global_allocator]
static MEMORY: in9_base::memory::Memory = in9_base::memory::Memory;

fn main() -> std::process::ExitCode {
    in9_report::cli::main()
}
