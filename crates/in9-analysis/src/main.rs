//! The `in9-analysis` program.

fn main() -> std::process::ExitCode {
    in9_analysis::cli::main()
}
