//! What clap makes of the commands beside their help: completions for shells, and manual pages.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell as Kind;
use in9_base::files;
use in9_base::shell::{Machine, Outcome, Program, Shell};

/// Completions and manual pages of every command.
#[derive(Parser)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    machine: Machine,
}

#[derive(Subcommand)]
enum Command {
    Completions(Completions),
    Man(Man),
}

/// Prints the completions of a shell
#[derive(Args)]
#[command(
    hide = true,
    after_help = "Example:\n  in9 completions bash > ~/.local/share/bash-completion/completions/in9"
)]
struct Completions {
    /// The shell.
    shell: Kind,
}

/// Writes manual pages, one a command
#[derive(Args)]
#[command(hide = true, after_help = "Example:\n  in9 man ~/.local/share/man/man1")]
struct Man {
    /// Folder to write them into.
    folder: PathBuf,
}

impl Program for Cli {
    fn machine(&self) -> Machine {
        self.machine
    }

    fn start(&self, _threads: usize) -> Result<()> {
        Ok(())
    }

    fn run(self, shell: &Shell) -> Result<Outcome> {
        match self.command {
            Command::Completions(completions) => {
                let mut text = Vec::new();
                clap_complete::generate(completions.shell, &mut whole(), "in9", &mut text);
                shell.print(String::from_utf8_lossy(&text).trim_end())?;
            }
            Command::Man(man) => {
                let pages = pages(&whole())?;
                files::create_folder(&man.folder)?;
                for (name, page) in &pages {
                    files::write(&man.folder.join(name), |file| file.write_all(page))?;
                }
                shell.print(format_args!("{}: {} pages", man.folder.display(), pages.len()))?;
            }
        }
        Ok(Outcome::Done)
    }
}

/// Every command of the program.
fn whole() -> clap::Command {
    crate::command(&crate::parts())
}

/// Manual pages with their files' names: `in9.1`, and `in9-COMMAND.1` of each command that the help shows.
fn pages(whole: &clap::Command) -> Result<Vec<(String, Vec<u8>)>> {
    let page = |command: clap::Command| -> Result<Vec<u8>> {
        let mut text = Vec::new();
        clap_mangen::Man::new(command).render(&mut text)?;
        Ok(text)
    };
    let mut pages = vec![("in9.1".to_owned(), page(whole.clone())?)];
    for command in whole.get_subcommands().filter(|command| !command.is_hide_set()) {
        // A page is about a command as it is typed.
        let name = format!("in9-{}", command.get_name());
        let typed = format!("in9 {}", command.get_name());
        pages.push((format!("{name}.1"), page(command.clone().display_name(name).bin_name(typed))?));
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_and_is_completed() {
        let pages = pages(&whole()).unwrap();
        for name in ["in9.1", "in9-build.1", "in9-score.1", "in9-report.1", "in9-reproduce.1"] {
            let page = pages.iter().find(|(known, _)| known == name);
            let (_, text) = page.unwrap_or_else(|| panic!("no {name}"));
            assert!(String::from_utf8_lossy(text).contains(".SH SYNOPSIS"), "{name}");
        }
        assert!(!pages.iter().any(|(name, _)| name == "in9-man.1"));
        for shell in [Kind::Bash, Kind::Zsh, Kind::Fish] {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut whole(), "in9", &mut text);
            let text = String::from_utf8(text).unwrap();
            assert!(text.contains("import-release") && text.contains("taxonomy"), "{shell}");
        }
    }
}
