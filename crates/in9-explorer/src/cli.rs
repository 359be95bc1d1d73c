//! The command line.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand};
use in9_base::shell::{Machine, Outcome, Program, Shell};

use crate::server::{self, Config};
use crate::{Answerer, Collection, Inputs, export};

/// Every photograph in all its views beside every model's answers, in a browser or as one file.
#[derive(Debug, Parser)]
#[command(name = "in9-explorer", version, after_help = "Example:\n  in9-explorer serve out")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    machine: Machine,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Serve),
}

/// Show photographs, answers and probes in a browser, or write them as a page that needs no server.
///
/// Opens on this machine alone: the address that is printed works in no other machine's browser.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  in9-explorer serve out\n  in9-explorer serve data/world predictions/*.csv probes/*\n  \
                  in9-explorer serve out --export page.html"
)]
pub struct Serve {
    /// Output folder of `reproduce`, or any number of datasets, prediction tables and probe outputs
    #[arg(required = true, value_name = "OUT")]
    inputs: Vec<PathBuf>,
    /// Port to listen on; 0 is any free one
    #[arg(long, default_value_t = 8009, value_name = "N")]
    port: u16,
    /// Address to listen on; one that other machines reach asks every browser for a token
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    bind: IpAddr,
    /// The token, at least 16 characters [default: a random one where one is needed]
    #[arg(long, env = "IN9_TOKEN", hide_env_values = true, value_name = "SECRET")]
    token: Option<String>,
    /// Write a folder or one HTML file instead, which opens from disk
    #[arg(long, value_name = "DIR|FILE.html")]
    export: Option<PathBuf>,
    /// Photographs of an export, spread evenly over the classes
    #[arg(long, default_value_t = export::Options::default().photographs, requires = "export", value_name = "N")]
    photographs: usize,
    /// Megabytes of an export's pictures; photographs beyond it are left out
    #[arg(long, default_value_t = export::Options::default().bytes / 1_000_000, requires = "export", value_name = "N")]
    megabytes: usize,
    #[cfg(feature = "networks")]
    #[command(flatten)]
    networks: crate::networks::Networks,
}

impl Program for Cli {
    fn machine(&self) -> Machine {
        self.machine
    }

    fn run(self, shell: &Shell) -> Result<Outcome> {
        match self.command {
            Command::Serve(serve) => serve.run(shell),
        }
    }
}

impl Serve {
    /// Runs the command.
    ///
    /// # Errors
    /// If nothing can be shown, the address cannot be had, or the export cannot be written.
    pub fn run(self, shell: &Shell) -> Result<Outcome> {
        let inputs = Inputs::find(&self.inputs)?;
        let collection = Collection::load(&inputs, &Default::default())?;
        for notice in collection.notices() {
            shell.say(format_args!("note: {}", notice.replace(char::is_control, " ")));
        }
        let (sets, photographs, models) = collection.counts();
        let outcome = if collection.notices().is_empty() { Outcome::Done } else { Outcome::Skips };
        if let Some(path) = &self.export {
            self.write(&collection, path, shell)?;
            return Ok(outcome);
        }
        shell.say(format_args!("{photographs} photographs in {sets} test sets, {models} models"));
        let config = self.config()?;
        let answerers = self.answerers(&collection, shell)?;
        let token = config.token.clone();
        let quiet = shell.is_quiet();
        server::serve(collection, answerers, &config, |address| {
            let query = token.map(|token| format!("?token={token}")).unwrap_or_default();
            // The address is this command's result.
            let _ = shell.print(format_args!("http://{}/{query}", reachable(address)));
            if !quiet {
                shell.say("open this address in a browser; Ctrl-C ends");
            }
        })?;
        Ok(outcome)
    }

    fn config(&self) -> Result<Config> {
        let address = SocketAddr::new(self.bind, self.port);
        let token = match &self.token {
            Some(token) if token.len() < 16 => {
                bail!("--token is too short (expected 16 characters at least)")
            }
            Some(token) if !token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') => {
                bail!("--token may hold letters, digits, - and _ only, because it becomes part of an address")
            }
            Some(token) => Some(token.clone()),
            None if self.bind.is_loopback() => None,
            None => Some(server::random_token()?),
        };
        Ok(Config { address, token })
    }

    #[cfg(feature = "networks")]
    fn answerers(&self, collection: &Collection, shell: &Shell) -> Result<Vec<Box<dyn Answerer>>> {
        self.networks.open(collection, shell)
    }

    #[cfg(not(feature = "networks"))]
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "with networks it opens those that were named"
    )]
    fn answerers(&self, _: &Collection, _: &Shell) -> Result<Vec<Box<dyn Answerer>>> {
        Ok(Vec::new())
    }

    fn write(&self, collection: &Collection, path: &std::path::Path, shell: &Shell) -> Result<()> {
        let options = export::Options {
            photographs: self.photographs,
            bytes: self.megabytes.saturating_mul(1_000_000),
        };
        let page = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("html"));
        let exported = if page {
            export::to_file(collection, path, &options)?
        } else {
            export::to_folder(collection, path, &options)?
        };
        let export::Exported { photographs, of, bytes } = exported;
        let megabytes = bytes as f64 / 1e6;
        shell.say(format_args!("{photographs} of {of} photographs, {megabytes:.1} MB of pictures"));
        shell.print(if page { path.to_owned() } else { path.join("index.html") }.display())
    }
}

/// An address that a browser can open: listening on every address is not one.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        return SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port());
    }
    address
}
