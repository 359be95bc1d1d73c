//! The `in9-toy` program.
fn main() -> std::process::ExitCode {
    in9_toy::cli::main()
}
