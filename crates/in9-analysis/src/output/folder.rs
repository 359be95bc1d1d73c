//! An output folder that appears whole or not at all.

use crate::error::{Error, Result};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A folder under construction beside its destination.
#[derive(Debug)]
pub struct Folder {
    building: tempfile::TempDir,
    destination: PathBuf,
}

impl Folder {
    /// Begins a folder that will stand at `destination`.
    ///
    /// # Errors
    /// If nothing can be written beside `destination`.
    pub fn begin(destination: &Path) -> Result<Self> {
        let parent = match destination.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(Error::io(parent))?;
        let building =
            tempfile::Builder::new().prefix(".in9-").tempdir_in(parent).map_err(Error::io(parent))?;
        Ok(Self { building, destination: destination.to_owned() })
    }

    /// Writes one file and forces it to disk.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        let path = self.building.path().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::io(parent))?;
        }
        let mut file = fs::File::create(&path).map_err(Error::io(&path))?;
        file.write_all(bytes.as_ref()).map_err(Error::io(&path))?;
        file.sync_all().map_err(Error::io(&path))
    }

    /// Moves the folder to its destination, replacing an earlier one of ours.
    ///
    /// A folder that holds files of other names than those written now is left alone and refused:
    /// it is not an earlier output.
    ///
    /// # Errors
    /// If the destination is in use for something else or cannot be replaced.
    pub fn finish(self) -> Result<()> {
        let destination = &self.destination;
        let parent = self.building.path().parent().unwrap_or(Path::new("."));
        if destination.exists() {
            self.refuse_strangers()?;
            let old =
                tempfile::Builder::new().prefix(".in9-old-").tempdir_in(parent).map_err(Error::io(parent))?;
            fs::rename(destination, old.path().join("old")).map_err(Error::io(destination))?;
        }
        let built = self.building.keep();
        open_to_all(&built)?;
        fs::rename(&built, destination).map_err(Error::io(destination))
    }

    fn refuse_strangers(&self) -> Result<()> {
        const OURS: [&str; 5] = ["html", "json", "csv", "toml", "bin"];
        let destination = &self.destination;
        if !destination.is_dir() {
            return Err(Error::input(
                destination,
                "is a file (expected a folder to write into); choose another --out",
            ));
        }
        for entry in fs::read_dir(destination).map_err(Error::io(destination))? {
            let path = entry.map_err(Error::io(destination))?.path();
            let known = path.extension().and_then(|e| e.to_str()).is_some_and(|e| OURS.contains(&e));
            if !known && !self.building.path().join(path.file_name().unwrap_or_default()).exists() {
                return Err(Error::input(
                    &path,
                    "stands in the output folder but is no output of this program; choose another --out",
                ));
            }
        }
        Ok(())
    }
}

/// Temporary folders are private; results are not.
#[cfg(unix)]
fn open_to_all(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(Error::io(path))
}

#[cfg(not(unix))]
fn open_to_all(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appears_whole_and_replaces_only_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        for text in ["first", "second"] {
            let folder = Folder::begin(&out).unwrap();
            folder.write("a.csv", text).unwrap();
            assert_ne!(fs::read_to_string(out.join("a.csv")).unwrap_or_default(), text);
            folder.finish().unwrap();
            assert_eq!(fs::read_to_string(out.join("a.csv")).unwrap(), text);
        }
        fs::write(out.join("thesis.tex"), "precious").unwrap();
        let folder = Folder::begin(&out).unwrap();
        folder.write("a.csv", "third").unwrap();
        assert!(folder.finish().unwrap_err().to_string().contains("thesis.tex"));
        assert_eq!(fs::read_to_string(out.join("a.csv")).unwrap(), "second");
        // Nothing half-built is left behind.
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
