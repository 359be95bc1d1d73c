//! The `in9-models` program: its command line is [`in9_models::cli`].

fn main() -> std::process::ExitCode {
    in9_base::shell::main::<in9_models::cli::Cli>()
}
