//! Removing what is known to be one's own, step by step.

use std::fs;
use std::path::Path;

use super::disk;
use crate::error::{Error, Result};

/// Removes a file or link. That there is none is no error.
///
/// # Errors
/// If it is there and cannot be removed.
pub fn remove_file(path: &Path) -> Result<()> {
    unless_gone(disk::remove_file(path)).map_err(Error::remove(path))
}

/// Removes an empty folder. That there is none is no error.
///
/// # Errors
/// If it is there and cannot be removed, as one that is not empty.
pub fn remove_folder(path: &Path) -> Result<()> {
    unless_gone(disk::remove_folder(path)).map_err(Error::remove(path))
}

/// Removes a folder with all that is in it; links are not followed. For working folders that only programs of ours
/// write to: nothing in it is asked whose it is.
///
/// # Errors
/// If something in it cannot be removed.
pub fn remove_tree(folder: &Path) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(Error::read(folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(Error::read(folder))?;
        let path = entry.path();
        if entry.file_type().map_err(Error::read(&path))?.is_dir() {
            remove_tree(&path)?;
        } else {
            remove_file(&path)?;
        }
    }
    remove_folder(folder)
}

fn unless_gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_no_error_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        remove_file(&at("none")).unwrap();
        remove_folder(&at("none")).unwrap();
        remove_tree(&at("none")).unwrap();
        fs::create_dir_all(at("tree/deep")).unwrap();
        fs::write(at("tree/deep/file"), "x").unwrap();
        fs::create_dir(at("victim")).unwrap();
        fs::write(at("victim/file"), "precious").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(at("victim"), at("tree/link")).unwrap();
        assert!(remove_folder(&at("tree")).is_err());
        remove_tree(&at("tree")).unwrap();
        assert!(!at("tree").exists() && at("victim/file").exists());
    }
}
