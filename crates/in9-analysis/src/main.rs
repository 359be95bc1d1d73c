//! The `in9-analysis` program: its command line is [`in9_analysis::cli`].

fn main() -> std::process::ExitCode {
    in9_base::shell::main::<in9_analysis::cli::Cli>()
}
