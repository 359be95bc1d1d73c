//! `in9-models fetch`: published weights into the cache.

use std::path::PathBuf;

use in9_base::shell::Shell;

use crate::registry::{Cache, find_pretrained};

/// Download published weights into the cache and print their paths
#[derive(clap::Args)]
#[command(after_help = "Example: in9-models fetch resnet50.gluon mobilenet_v2")]
pub struct Args {
    /// ARCH.TAG as `list` shows them, or ARCH for its first
    #[arg(required = true)]
    names: Vec<String>,
    /// The folder for downloaded weights [default: IN9_CACHE, or the user's cache]
    #[arg(long)]
    cache: Option<PathBuf>,
    /// Take the files from URL/FILE instead of their hubs
    #[arg(long)]
    mirror: Option<String>,
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<()> {
    let mut cache = match args.cache {
        Some(folder) => Cache::new(folder),
        None => Cache::of_user()?,
    };
    if let Some(mirror) = &args.mirror {
        cache = cache.mirror(mirror);
    }
    for name in &args.names {
        let path = super::network::fetch(find_pretrained(name)?, &cache, shell)?;
        shell.print(path.display())?;
    }
    Ok(())
}
