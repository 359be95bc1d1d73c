//! The `in9-data` program.
fn main() -> std::process::ExitCode {
    in9_data::cli::main()
}
