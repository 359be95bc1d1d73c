//! What is done already: a stamp beside each finished stage, and the keys that tell whether it still counts.
//!
//! A stage's key is the BLAKE3 of its program, its arguments with every path left symbolic, and the digests
//! of what it reads. Keys use the *contents* of inputs, so a stage that ran again and wrote the same bytes
//! leaves everything behind it alone.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::graph::{Arg, Graph, Stage};
use crate::programs::Programs;

/// Changes when the meaning of keys or stamps does.
const VERSION: &str = "in9 stage 1";

/// Written when a stage has ended well.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) key: String,
    /// Digest of the output's contents.
    pub(crate) digest: String,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) seconds: f64,
    /// The program reported faulty input that it left out (exit code 3).
    pub(crate) skips: bool,
}

/// Whether a stage has to run.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// Its output is there and belongs to its present inputs.
    Done(Stamp),
    /// Its output is there, but something it depends on has changed.
    Stale,
    Missing,
    /// Not known before an earlier stage has run.
    Waiting,
}

/// The stamps of one output folder.
pub(crate) struct Cache<'a> {
    pub(crate) out: &'a Path,
    pub(crate) programs: &'a Programs,
    /// Digest of the user's photographs, if there are any.
    pub(crate) data: Option<String>,
}

impl Cache<'_> {
    /// The state of `stage`, given the states of the stages before it.
    pub(crate) fn state(&self, stage: &Stage, before: &[State]) -> Result<State> {
        let Some(key) = self.key(stage, before)? else { return Ok(State::Waiting) };
        let Ok(text) = fs::read_to_string(self.stamp_path(stage)) else { return Ok(State::Missing) };
        // A stamp that cannot be read is as good as none: the stage runs again.
        let Ok(stamp) = serde_json::from_str::<Stamp>(&text) else { return Ok(State::Missing) };
        match measure(&self.out.join(&stage.output)) {
            Ok(size) if size == (stamp.files, stamp.bytes) => {}
            _ => return Ok(State::Missing),
        }
        Ok(if stamp.key == key { State::Done(stamp) } else { State::Stale })
    }

    pub(crate) fn states(&self, graph: &Graph) -> Result<Vec<State>> {
        let mut states = Vec::with_capacity(graph.stages.len());
        for stage in &graph.stages {
            states.push(self.state(stage, &states)?);
        }
        Ok(states)
    }

    /// `None` while an input is not there.
    pub(crate) fn key(&self, stage: &Stage, before: &[State]) -> Result<Option<String>> {
        let mut hash = blake3::Hasher::new();
        let mut part = |text: &str| {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        part(VERSION);
        part(self.programs.digest(stage.program)?);
        for arg in &stage.args {
            match arg {
                Arg::Text(text) => part(text),
                Arg::Output => part("@output"),
                Arg::Input(_) => part("@input"),
                Arg::Data => part("@data"),
                Arg::File(path) => {
                    // Programs tell published weights from others by their name.
                    part(&path.file_name().unwrap_or_default().to_string_lossy());
                    part(&digest(path)?);
                }
                Arg::Spec(name, content) => {
                    part(name);
                    part(content);
                }
            }
        }
        if stage.reads_data() {
            part(self.data.as_deref().unwrap_or(""));
        }
        for input in stage.inputs() {
            let State::Done(stamp) = &before[input] else { return Ok(None) };
            part(&stamp.digest);
        }
        Ok(Some(hash.finalize().to_hex().to_string()))
    }

    /// Stamps a stage that has just written its output.
    pub(crate) fn stamp(&self, stage: &Stage, key: String, seconds: f64, skips: bool) -> Result<Stamp> {
        let output = self.out.join(&stage.output);
        let (files, bytes) = measure(&output)?;
        let stamp = Stamp { key, digest: digest(&output)?, files, bytes, seconds, skips };
        let path = self.stamp_path(stage);
        write_whole(&path, serde_json::to_string_pretty(&stamp)?.as_bytes())?;
        Ok(stamp)
    }

    /// Forgets that `stage` is done; what it wrote stays, to resume from.
    pub(crate) fn forget(&self, stage: &Stage) -> Result<()> {
        remove(&self.stamp_path(stage))
    }

    /// Forgets all about `stage`, so that it starts from nothing.
    pub(crate) fn reset(&self, stage: &Stage) -> Result<()> {
        self.forget(stage)?;
        remove(&self.begun_path(stage))
    }

    /// Notes that `stage` is about to write its output, and clears what a run with another key left there.
    pub(crate) fn begin(&self, stage: &Stage, key: &str) -> Result<()> {
        self.forget(stage)?;
        let begun = self.begun_path(stage);
        if fs::read_to_string(&begun).ok().as_deref() != Some(key) {
            remove(&self.out.join(&stage.output))?;
        }
        write_whole(&begun, key.as_bytes())
    }

    fn stamp_path(&self, stage: &Stage) -> PathBuf {
        self.out.join(".stages").join(stage.file_name()).with_added_extension("json")
    }

    fn begun_path(&self, stage: &Stage) -> PathBuf {
        self.out.join(".stages").join(stage.file_name()).with_added_extension("begun")
    }
}

/// Removes a file or a folder, if it is there.
fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{}: cannot be removed", path.display()))
        }
        _ => Ok(()),
    }
}

/// Writes a file so that it is there whole or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let partial = path.with_added_extension("partial");
        let mut file = fs::File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    write().with_context(|| format!("{}: cannot be written", path.display()))
}

/// Digest of a file's bytes, or of a folder's names and bytes. Event files are left out: they hold the
/// times at which they were written.
pub(crate) fn digest(path: &Path) -> Result<String> {
    let mut hash = blake3::Hasher::new();
    for file in files(path)? {
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("events.out.tfevents")) {
            continue;
        }
        let name = file.strip_prefix(path).unwrap_or(&file);
        hash.update(name.as_os_str().as_encoded_bytes());
        hash.update(&[0]);
        let mut content = blake3::Hasher::new();
        let mut reader = fs::File::open(&file).with_context(|| format!("reading {}", file.display()))?;
        content.update_reader(&mut reader).with_context(|| format!("reading {}", file.display()))?;
        hash.update(content.finalize().as_bytes());
    }
    Ok(hash.finalize().to_hex().to_string())
}

/// Digest of a folder's names, sizes and times of change: photographs are too many to be read each time.
pub(crate) fn listing_digest(path: &Path) -> Result<String> {
    let mut hash = blake3::Hasher::new();
    for file in files(path)? {
        let about = fs::metadata(&file).with_context(|| format!("reading {}", file.display()))?;
        let changed = about.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let name = file.strip_prefix(path).unwrap_or(&file);
        hash.update(name.as_os_str().as_encoded_bytes());
        hash.update(&[0]);
        hash.update(&about.len().to_le_bytes());
        hash.update(&changed.unwrap_or_default().as_nanos().to_le_bytes());
    }
    Ok(hash.finalize().to_hex().to_string())
}

fn measure(path: &Path) -> Result<(u64, u64)> {
    let mut size = (0, 0);
    for file in files(path)? {
        size.0 += 1;
        size.1 += fs::metadata(&file).with_context(|| format!("reading {}", file.display()))?.len();
    }
    Ok(size)
}

/// `path` itself if it is a file, else all files below it, in order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![path.to_path_buf()];
    while let Some(at) = open.pop() {
        let about = fs::metadata(&at).with_context(|| format!("reading {}", at.display()))?;
        if about.is_dir() {
            for entry in fs::read_dir(&at).with_context(|| format!("reading {}", at.display()))? {
                open.push(entry?.path());
            }
        } else {
            found.push(at);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_sees_names_and_bytes_but_not_event_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/x"), "1").unwrap();
        let before = digest(folder.path()).unwrap();
        fs::write(folder.path().join("events.out.tfevents.1"), "now").unwrap();
        assert_eq!(digest(folder.path()).unwrap(), before);
        fs::write(folder.path().join("a/x"), "2").unwrap();
        assert_ne!(digest(folder.path()).unwrap(), before);
        fs::write(folder.path().join("a/x"), "1").unwrap();
        assert_eq!(digest(folder.path()).unwrap(), before);
        fs::rename(folder.path().join("a/x"), folder.path().join("a/y")).unwrap();
        assert_ne!(digest(folder.path()).unwrap(), before);
    }

    #[test]
    fn a_listing_sees_sizes() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x"), "1").unwrap();
        let before = listing_digest(folder.path()).unwrap();
        assert_eq!(listing_digest(folder.path()).unwrap(), before);
        fs::write(folder.path().join("x"), "12").unwrap();
        assert_ne!(listing_digest(folder.path()).unwrap(), before);
    }
}
