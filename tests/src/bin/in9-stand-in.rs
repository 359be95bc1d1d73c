//! Stands in for `in9` where the pipeline is put under the simulator of faults: answers in milliseconds, and writes as
//! `in9` does. What it writes depends on its command, its arguments and every byte that it reads, so that an output made
//! of wrong inputs is seen.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use in9_base::files::{self, FolderLock, OutputFolder, Owner};
use in9_base::{Result, digest};

const OWNER: Owner =
    Owner { made_by: "stand-in", names: &["result.txt", "deep/result.txt", "checkpoint.txt", "index.html"] };

/// The commands of the pipeline's stages.
const COMMANDS: [&str; 9] =
    ["toy", "build", "train", "predict", "adversarial", "saliency", "counterfactual", "score", "report"];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some("identity") => COMMANDS.iter().for_each(|command| println!("{command} 0")),
        Some("check-arguments") => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            let asked: Vec<Vec<String>> =
                read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default();
            println!("{}", serde_json::json!(vec![None::<String>; asked.len()]));
        }
        Some(_) => {
            let watched = in9_base::parent::watch().map_err(|error| error.to_string());
            if let Err(error) = watched.and_then(|()| stage(&words).map_err(|error| error.to_string())) {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        }
        None => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}

/// Does what a stage's program does, without doing any of its work.
fn stage(words: &[String]) -> Result<()> {
    let (mut text, mut out, mut is_out) = (String::new(), PathBuf::new(), false);
    for word in words {
        let path = Path::new(word);
        if is_out {
            out = path.to_owned();
        } else if path.is_absolute() && path.exists() {
            // Links may lead nowhere, and a mark says whose a folder is, not what it holds.
            let counts = |name: &Path| !name.ends_with(files::MARK) && !path.join(name).is_symlink();
            text += digest::folder(path, counts)?.to_hex().as_str();
        } else if !path.is_absolute() {
            text += word;
        }
        text.push('\n');
        is_out = word == "--out";
    }
    files::remove_leftovers(files::parent(&out))?;
    match words[0].as_str() {
        "predict" => {
            // The card that belongs beside the table.
            files::write_bytes(&out, &text)?;
            files::write_bytes(&files::sibling(&out, ".card.toml"), text.len().to_string())
        }
        "train" => train(&out, &text),
        _ => {
            let folder = OutputFolder::begin(&out, &OWNER, &[])?;
            folder.write("result.txt", &text)?;
            folder.write("deep/result.txt", text)?;
            folder.finish()
        }
    }
}

/// Three steps, each of which adds to what the checkpoint of the one before says.
fn train(out: &Path, text: &str) -> Result<()> {
    OWNER.claim(out)?;
    let _lock = FolderLock::take(out)?;
    files::remove_leftovers(out)?;
    let checkpoint = out.join("checkpoint.txt");
    let mut learnt = match checkpoint.exists() {
        true => files::read_text(&checkpoint, 1 << 20)?,
        false => String::new(),
    };
    while learnt.len() < 3 * (text.len() + 1) {
        learnt += &format!("{text}.");
        files::write_bytes(&checkpoint, &learnt)?;
    }
    files::write_bytes(&out.join("result.txt"), learnt)?;
    files::remove_file(&checkpoint)
}
