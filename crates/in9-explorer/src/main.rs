//! The `in9-explorer` program; its command line is [`in9_explorer::cli`].

fn main() -> std::process::ExitCode {
    in9_base::shell::main::<in9_explorer::cli::Cli>()
}
