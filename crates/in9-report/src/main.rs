//! The `in9-report` program.

fn main() -> std::process::ExitCode {
    in9_report::cli::main()
}
