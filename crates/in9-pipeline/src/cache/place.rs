//! Where a stage writes: beside its output's place, in a folder of its own, so that the output appears whole
//! and nothing of others is ever removed.
//!
//! A stage `runs/net` writes `runs/.net.making/net`. When its program has ended well, the stamp is written,
//! which lists every file, and then the output is moved to `runs/net`, and behind it the files that belong beside it. Whatever a killed program leaves, its
//! temporary files included, lies in the folder that is being made and goes with it. What stands in the
//! output's place is removed by its stamp's list, and only if nothing else is there.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use in9_base::files;

use super::{Cache, Found, Listing, Stamp};
use crate::error::{Error, Result};
use crate::graph::Stage;

/// No key is longer than this, in bytes.
const LONGEST_KEY: u64 = 1 << 10;

impl Cache<'_> {
    /// Checks that nothing but this program's own outputs stands where `stage` would write.
    ///
    /// # Errors
    /// [`Error::NotOurs`] with the first thing that is in the way.
    pub fn check_place(&self, stage: &Stage) -> Result<()> {
        let listing = self.read_stamp(stage)?.map_or_else(Listing::default, |stamp| stamp.listing);
        let not_ours = |path| Error::NotOurs { path, stage: stage.id.clone() };
        let output = self.out.join(&stage.output);
        if fs::symlink_metadata(&output).is_ok()
            && let Some(path) = stranger(&listing, &output)?
        {
            let stamp = self.stamp_path(stage);
            return Err(match listing == Listing::default() && fs::symlink_metadata(&stamp).is_ok() {
                true => Error::DamagedStamp { stamp, output },
                false => not_ours(path),
            });
        }
        if let Some(path) = listing.stranger_beside(&output, stage.beside()) {
            return Err(not_ours(path));
        }
        let making = self.making_folder(stage);
        if fs::symlink_metadata(&making).is_ok() && !self.record_path(stage).exists() {
            return Err(not_ours(making));
        }
        Ok(())
    }

    /// Makes ready where `stage` writes, and returns the path for its program. What a run with another key
    /// left there goes; what one with the same key left stays if the stage resumes.
    ///
    /// # Errors
    /// [`Error::NotOurs`] if something else is in the way; then nothing is changed.
    pub fn begin(&self, stage: &Stage, key: &str) -> Result<PathBuf> {
        self.check_place(stage)?;
        let (making, record) = (self.making_folder(stage), self.record_path(stage));
        let earlier = if record.exists() { files::read_text(&record, LONGEST_KEY).ok() } else { None };
        if let Some(stamp) = self.read_stamp(stage)? {
            let output = self.out.join(&stage.output);
            stamp.listing.remove(&output)?;
            // A power cut that brought the output back, but not the stamp that says whose it is, would leave something
            // that no run may ever remove.
            let parent = files::parent(&output);
            if parent.is_dir() {
                files::sync_folder(parent)?;
            }
        }
        files::remove_file(&self.stamp_path(stage))?;
        let kept = stage.resumes_from().filter(|_| earlier.as_deref() == Some(key));
        clear(&making, kept.as_deref())?;
        // The record is there before the folder and goes after it, so that the folder is never without one.
        files::create_folder(files::parent(&record))?;
        files::write_bytes(&record, key)?;
        files::create_folder(&making)?;
        if files::is_planted("stamp-before-output") {
            self.stamp_unmade(stage, key)?;
        }
        Ok(self.made(stage))
    }

    /// Stamps a stage whose program has just ended well, and moves its output to its place.
    ///
    /// # Errors
    /// [`Error::NoOutput`] if the program wrote none; otherwise as [`Cache::begin`].
    pub fn finish(&self, stage: &Stage, key: String, seconds: f64, skips: bool) -> Result<Stamp> {
        let made = self.made(stage);
        if fs::symlink_metadata(&made).is_err() {
            return Err(Error::NoOutput { path: made });
        }
        if made.is_dir() {
            files::remove_leftovers(&made)?;
        }
        let listing = Listing::of(&made, stage.beside())?;
        let stamp = Stamp::new(key, listing, seconds, skips);
        self.write_stamp(stage, &stamp)?;
        self.put_in_place(stage)?;
        Ok(stamp)
    }

    /// Goes on where a run was ended between an output and its place, and clears what such a run left.
    ///
    /// # Errors
    /// If a file cannot be read, moved or removed.
    pub fn recover(&self, stage: &Stage) -> Result<()> {
        if !self.record_path(stage).exists() {
            return Ok(());
        }
        let Some(stamp) = self.read_stamp(stage)? else { return Ok(()) };
        let output = self.out.join(&stage.output);
        if fs::symlink_metadata(&output).is_ok() {
            return self.put_beside(stage);
        }
        if let Found::Intact | Found::Moved(_) = stamp.listing.compare(&self.made(stage), false)? {
            self.put_in_place(stage)?;
        }
        Ok(())
    }

    /// Makes `stage` run again from nothing. What it wrote stays until then, and stays known as its own.
    ///
    /// # Errors
    /// If its stamp cannot be written.
    pub fn reset(&self, stage: &Stage) -> Result<()> {
        if let Some(stamp) = self.read_stamp(stage)? {
            self.write_stamp(stage, &Stamp { key: "again".to_owned(), ..stamp })?;
        }
        if self.record_path(stage).exists() {
            self.clear_making(stage)?;
        }
        Ok(())
    }

    /// The bug that the simulator of faults plants: a stage counts as done before its program has run.
    fn stamp_unmade(&self, stage: &Stage, key: &str) -> Result<()> {
        self.write_stamp(stage, &Stamp::new(key.to_owned(), Listing::default(), 0.0, false))
    }

    fn put_in_place(&self, stage: &Stage) -> Result<()> {
        let output = self.out.join(&stage.output);
        if fs::symlink_metadata(&output).is_ok() {
            return Err(Error::NotOurs { path: output, stage: stage.id.clone() });
        }
        files::move_to(&self.made(stage), &output)?;
        self.put_beside(stage)
    }

    /// Moves what belongs beside an output that is in its place, and clears what is left.
    fn put_beside(&self, stage: &Stage) -> Result<()> {
        let (made, output) = (self.made(stage), self.out.join(&stage.output));
        for ending in stage.beside() {
            let (from, to) = (files::sibling(&made, ending), files::sibling(&output, ending));
            if fs::symlink_metadata(&from).is_err() {
                continue;
            }
            if fs::symlink_metadata(&to).is_ok() {
                return Err(Error::NotOurs { path: to, stage: stage.id.clone() });
            }
            files::move_to(&from, &to)?;
        }
        self.clear_making(stage)
    }

    fn clear_making(&self, stage: &Stage) -> Result<()> {
        let making = self.making_folder(stage);
        clear(&making, None)?;
        // Nor may the folder come back without its record.
        let parent = files::parent(&making);
        if parent.is_dir() {
            files::sync_folder(parent)?;
        }
        Ok(files::remove_file(&self.record_path(stage))?)
    }

    /// What the stage's program writes.
    fn made(&self, stage: &Stage) -> PathBuf {
        self.making_folder(stage).join(name_of(stage).unwrap_or_default())
    }

    fn making_folder(&self, stage: &Stage) -> PathBuf {
        let name = name_of(stage).unwrap_or_default().to_string_lossy();
        self.out.join(&stage.output).with_file_name(format!(".{name}.making"))
    }

    /// The file that says that the folder being made is ours, and for which key.
    fn record_path(&self, stage: &Stage) -> PathBuf {
        stage.file_in(&self.out.join(".stages"), "making")
    }
}

fn name_of(stage: &Stage) -> Option<&OsStr> {
    stage.output.file_name()
}

fn stranger(listing: &Listing, output: &Path) -> Result<Option<PathBuf>> {
    // An empty folder holds nothing that could be lost.
    let is_folder = fs::symlink_metadata(output).is_ok_and(|about| about.is_dir());
    if is_folder && fs::read_dir(output).is_ok_and(|mut entries| entries.next().is_none()) {
        files::remove_folder(output)?;
        return Ok(None);
    }
    if *listing == Listing::default() {
        return Ok(Some(output.to_owned()));
    }
    listing.stranger(output)
}

/// Removes a folder of ours with all that is in it, or all but `kept`.
fn clear(folder: &Path, kept: Option<&OsStr>) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::read(folder)(error)),
    };
    let mut stays = false;
    for entry in entries {
        let entry = entry.map_err(Error::read(folder))?;
        let path = entry.path();
        if kept == Some(&entry.file_name()) {
            stays = true;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                files::remove_leftovers(&path)?;
            }
        } else if entry.file_type().map_err(Error::read(&path))?.is_dir() {
            files::remove_tree(&path)?;
        } else {
            files::remove_file(&path)?;
        }
    }
    if !stays {
        files::remove_folder(folder)?;
    }
    Ok(())
}
