//! `in9-models list`: the architectures and their published weights.

use std::io::{self, Write};
use std::process::ExitCode;

use in9_models::registry::{ARCHITECTURES, matches, pretrained_of};

/// Show the architectures and their published weights
#[derive(clap::Args)]
#[command(after_help = "Example: in9-models list 'resnet*'")]
pub(crate) struct Args {
    /// Show only names that match; * is any text, ? one character, a name without either matches
    /// anywhere [default: all]
    pattern: Option<String>,
    /// Show the paper, where weights come from, how they are checked, their licence, input and classes
    #[arg(long)]
    long: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let pattern = args.pattern.unwrap_or_else(|| "*".into());
    let mut out = io::stdout().lock();
    let mut found = false;
    for entry in ARCHITECTURES.iter().filter(|e| matches(&pattern, e.name)) {
        found = true;
        writeln!(out, "{:<26} {:>3} px  {}", entry.name, entry.input_size, entry.summary)?;
        if args.long {
            writeln!(out, "    paper    {}", entry.paper)?;
        }
        for weights in pretrained_of(entry.name) {
            let size = weights.preprocessing.size;
            writeln!(out, "    {:<22} {size:>3} px  {:.2} % ImageNet top-1", weights.tag, weights.top1)?;
            if args.long {
                writeln!(out, "        from     {}", weights.url.unwrap_or(weights.file))?;
                writeln!(out, "        checked  {}", weights.checksum)?;
                writeln!(out, "        licence  {}", weights.licence)?;
                writeln!(out, "        input    {}", weights.preprocessing)?;
                writeln!(out, "        output   {} classes", weights.classes)?;
            }
        }
    }
    if !found {
        anyhow::bail!("{pattern}: no architecture has such a name; `in9-models list` shows all");
    }
    Ok(ExitCode::SUCCESS)
}
