//! The leaderboard: a folder with one table and one page of any number of networks.

mod page;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use in9_analysis::leaderboard::{Board, Group, Measure, Rules, csv, tables};
use in9_analysis::output::json;
use in9_base::files::{OutputFolder, Owner};
use serde::Serialize;

use crate::error::Result;

/// Whose the folder is.
const OWNER: Owner = Owner {
    made_by: "in9-report leaderboard",
    names: &[
        "index.html",
        "leaderboard.csv",
        "leaderboard.md",
        "results.json",
        "settings.toml",
        "figures/*.svg",
        "figures/*.pdf",
        "tables/*",
    ],
};

/// What a finished leaderboard has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The board as Markdown.
    pub markdown: String,
    /// What is to be said of cards that cannot be used, a line each.
    pub notes: Vec<String>,
}

/// Contents of `results.json`. Fractions are in `0..=1`; an undefined number is `null`.
#[derive(Serialize)]
struct Results<'a> {
    version: &'static str,
    by: &'static str,
    level: f64,
    replicates: u32,
    seed: u64,
    across: &'a [in9_analysis::leaderboard::Across],
    trust: bool,
    protocols: &'a [Group],
}

/// Makes the leaderboard of the prediction tables at `paths`, with the cards beside them, into the folder `out`:
/// `index.html`, `leaderboard.csv`, `leaderboard.md`, `results.json`, and each figure and table as files of their own.
///
/// # Errors
/// If a table or a card cannot be used, or `out` cannot be written.
pub fn make(title: &str, paths: &[PathBuf], rules: Rules, out: &Path) -> Result<Made> {
    let inputs: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let folder = OutputFolder::begin(out, &OWNER, &inputs)?;
    let board = Board::read(paths, rules)?;
    let page = page::page(title, &board)?;
    folder.write("index.html", page.html)?;
    for (name, bytes) in page.files {
        folder.write(&name, bytes)?;
    }
    folder.write("leaderboard.csv", csv(&board)?)?;
    let markdown = markdown(title, &board);
    folder.write("leaderboard.md", &markdown)?;
    let Rules { by, across, trust, bootstrap } = &board.rules;
    let by = word(*by);
    let results = Results {
        version: env!("CARGO_PKG_VERSION"),
        by,
        level: bootstrap.level,
        replicates: bootstrap.replicates,
        seed: bootstrap.seed,
        across,
        trust: *trust,
        protocols: &board.groups,
    };
    folder.write("results.json", json::pretty(&results)?)?;
    let across: Vec<&str> = across.iter().map(|across| across.field()).collect();
    folder.write(
        "settings.toml",
        format!(
            "by = {by:?}\nacross = {across:?}\ntrust = {trust}\nlevel = {:?}\nreplicates = {}\nseed = {}\n",
            bootstrap.level, bootstrap.replicates, bootstrap.seed
        ),
    )?;
    folder.finish()?;
    Ok(Made { markdown, notes: board.notes })
}

/// The measure as a word for files.
fn word(by: Measure) -> &'static str {
    match by {
        Measure::Accuracy(view) => view.name(),
        Measure::Gap => "gap",
    }
}

/// The board as Markdown.
fn markdown(title: &str, board: &Board) -> String {
    let mut text = format!("# {title}\n\n");
    for (name, group) in page::named(board) {
        let _ = writeln!(text, "## {name}\n");
        if let Some(apart) = tables::apart(group) {
            let _ = writeln!(text, "Measured differently: {apart}.\n");
        }
        let _ = writeln!(text, "{}", tables::ranking(&page::title(board, group), board, group).markdown());
    }
    text
}
