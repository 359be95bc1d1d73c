//! `in9-models list`: the architectures and their published weights.

use std::fmt::Write as _;

use in9_base::shell::Shell;

use crate::registry::{ARCHITECTURES, matches, pretrained_of};

/// Show the architectures and their published weights
#[derive(clap::Args)]
#[command(after_help = "Example: in9-models list 'resnet*'")]
pub struct Args {
    /// Show only names that match; * is any text, ? one character, a name without either matches
    /// anywhere [default: all]
    pattern: Option<String>,
    /// Show the paper, where weights come from, how they are checked, their licence, input and classes
    #[arg(long)]
    long: bool,
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<()> {
    let pattern = args.pattern.unwrap_or_else(|| "*".into());
    let mut out = String::new();
    for entry in ARCHITECTURES.iter().filter(|e| matches(&pattern, e.name)) {
        writeln!(out, "{:<34} {:>3} px  {}", entry.name, entry.input_size, entry.summary)?;
        if args.long {
            writeln!(out, "    paper    {}", entry.paper)?;
        }
        for weights in pretrained_of(entry.name) {
            let size = weights.preprocessing.size;
            writeln!(out, "    {:<30} {size:>3} px  {:.2} % ImageNet top-1", weights.tag, weights.top1)?;
            if args.long {
                writeln!(out, "        from     {}", weights.url.unwrap_or(weights.file))?;
                writeln!(out, "        checked  {}", weights.checksum)?;
                writeln!(out, "        licence  {}", weights.licence)?;
                writeln!(out, "        input    {}", weights.preprocessing)?;
                writeln!(out, "        output   {} classes", weights.classes)?;
            }
        }
    }
    if out.is_empty() {
        anyhow::bail!("{pattern}: no architecture has such a name; `in9-models list` shows all");
    }
    shell.print(out.trim_end())
}
