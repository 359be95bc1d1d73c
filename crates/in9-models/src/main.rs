//! The `in9-models` program: its command line is [`in9_models::cli`].

#[global_allocator]
static MEMORY: in9_base::memory::Memory = in9_base::memory::Memory;

fn main() -> std::process::ExitCode {
    in9_base::shell::main::<in9_models::cli::Cli>()
}
