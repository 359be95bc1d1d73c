//! Published weights from their hub into a local cache.
//!
//! A file is trusted only after its SHA-256 was compared. An interrupted download leaves a `.part`
//! file and goes on from there. Without a network the error says which file to put where.

mod fault;
mod part;
mod transfer;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use candle_core::{DType, Device};
use in9_base::files;
use sha2::{Digest, Sha256};

pub use fault::DownloadFault;

use super::DownloadProgress;
use super::pretrained::{Checksum, Pretrained};
use crate::error::{Error, Result};
use crate::model::build;
use crate::params::Params;

/// A folder of downloaded weights.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    mirror: Option<String>,
    patience: Patience,
}

/// How slow a server may be.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// The longest silence.
    stall: Duration,
}

impl Patience {
    /// Bytes a second below which a server is as good as silent.
    const SLOWEST: u64 = 2 << 10;

    /// Bytes that have to come within the longest silence.
    fn least(&self) -> u64 {
        (self.stall.as_secs_f64() * Self::SLOWEST as f64) as u64
    }

    /// Time for all of `bytes` bytes: 16 KiB a second on top of a silence.
    fn allowed(&self, bytes: u64) -> Duration {
        self.stall + Duration::from_secs(bytes / (16 << 10))
    }
}

impl Cache {
    /// In this folder, which is made when something is downloaded.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let patience = Patience { stall: Duration::from_secs(30) };
        Self { folder: folder.into(), mirror: None, patience }
    }

    /// The user's: `IN9_CACHE`, else `XDG_CACHE_HOME/in9`, else `HOME/.cache/in9`.
    ///
    /// # Errors
    /// [`Error::Setting`] when none of the three is set.
    pub fn of_user() -> Result<Self> {
        let var = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        var("IN9_CACHE")
            .or_else(|| Some(var("XDG_CACHE_HOME")?.join("in9")))
            .or_else(|| Some(var("HOME")?.join(".cache").join("in9")))
            .map(Self::new)
            .ok_or_else(|| Error::setting("IN9_CACHE", "a folder for downloaded weights", "nothing"))
    }

    /// The same, but files come from `url/FILE` instead of their own hubs.
    pub fn mirror(self, url: &str) -> Self {
        Self { mirror: Some(url.trim_end_matches('/').to_owned()), ..self }
    }

    /// The same, but a server is given up after it was silent for `stall` (30 seconds otherwise).
    pub fn stall_after(self, stall: Duration) -> Self {
        Self { patience: Patience { stall }, ..self }
    }

    /// Where the file of `weights` is or will be.
    pub fn path(&self, weights: &Pretrained) -> PathBuf {
        self.folder.join(weights.file)
    }

    /// The checked file of `weights`, downloaded if it is not there.
    ///
    /// # Errors
    /// [`Error::Download`] when it is not there and cannot be had; [`Error::File`] when it is not the
    /// published file; [`Error::Io`] and [`Error::Base`] when the cache cannot be written.
    pub fn fetch(&self, weights: &Pretrained, progress: &mut dyn FnMut(DownloadProgress)) -> Result<PathBuf> {
        let path = self.path(weights);
        let record = self.folder.join(format!("{}.sha256", weights.file));
        let refused = |failure| match failure {
            Failure::Local(error) => error,
            Failure::Remote(fault) => Error::Download {
                path: path.clone(),
                weights: weights.name(),
                expected: expected(weights),
                fault: Box::new(fault),
            },
        };
        let mut resumed = true;
        loop {
            if path.exists() {
                check(weights, &path, &record)?;
                return Ok(path);
            }
            let url = match (&self.mirror, weights.url) {
                (Some(mirror), _) => format!("{mirror}/{}", weights.file),
                (None, Some(url)) => url.to_owned(),
                (None, None) => {
                    return Err(refused(Failure::Remote(DownloadFault::NotOffered(weights.licence))));
                }
            };
            files::create_folder(&self.folder)?;
            let part = self.folder.join(format!("{}.part", weights.file));
            let Some(mut file) = part::open(&part, &self.patience, progress).map_err(refused)? else {
                continue;
            };
            // Somebody may have finished between the look at `path` and the lock.
            if path.exists() {
                remove(&part)?;
                continue;
            }
            resumed &= file.metadata().map_err(Error::io(&part))?.len() > 0;
            // Nothing tells a right beginning from a wrong one where no digest is published.
            if resumed && weights.checksum == Checksum::Unpublished {
                file.set_len(0).map_err(Error::io(&part))?;
                resumed = false;
            }
            let most = largest(weights)?;
            transfer::transfer(&url, &mut file, &part, most, &self.patience, progress).map_err(refused)?;
            if let Err(error) = check(weights, &part, &record) {
                // Going on from wrong bytes would never end well.
                remove(&part)?;
                if resumed {
                    // The wrong bytes may be those that were there: once more from the start.
                    resumed = false;
                    continue;
                }
                return Err(error);
            }
            fs::rename(&part, &path).map_err(Error::io(&path))?;
            files::sync_folder(&self.folder)?;
            return Ok(path);
        }
    }
}

fn remove(part: &Path) -> Result<()> {
    fs::remove_file(part).map_err(Error::io(part))
}

/// Why [`Cache::fetch`] did not succeed: something of this machine, or of the server.
enum Failure {
    Local(Error),
    Remote(DownloadFault),
}

/// Most bytes that the file of `weights` may have: its parameters in single precision, half as much again
/// for what a checkpoint keeps beside them, and 8 MiB for names.
fn largest(weights: &Pretrained) -> Result<u64> {
    let params = Params::zeros(DType::F32, &Device::Cpu);
    build(weights.arch, weights.classes, &params)?;
    let parameters: usize = params.made().iter().map(|p| p.value.elem_count()).sum();
    Ok(parameters as u64 * 4 * 3 / 2 + (8 << 20))
}

fn expected(weights: &Pretrained) -> String {
    match weights.checksum {
        Checksum::Sha256(digest) => format!("a file with SHA-256 {digest}"),
        Checksum::Prefix(prefix) => format!("a file whose SHA-256 begins with {prefix}"),
        Checksum::Unpublished => "the published file".into(),
    }
}

/// Compares the digest of the file at `path`. Where none is published, that of the first download
/// is recorded beside it and holds from then on.
fn check(weights: &Pretrained, path: &Path, record: &Path) -> Result<()> {
    let mut file = files::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut buffer).map_err(Error::io(path))?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
    }
    let digest: String = hasher.finalize().iter().map(|b| format!("{b:02x}")).collect();
    let expected = match weights.checksum {
        Checksum::Sha256(digest) | Checksum::Prefix(digest) => digest.to_owned(),
        Checksum::Unpublished if record.exists() => files::read_text(record, 1 << 10)?.trim().to_owned(),
        Checksum::Unpublished => {
            files::write_bytes(record, format!("{digest}\n"))?;
            return Ok(());
        }
    };
    if !expected.is_empty() && digest.starts_with(&expected) {
        return Ok(());
    }
    let what = format!("is not the published {}; remove it and fetch again", weights.name());
    Err(Error::file(path, what, format!("SHA-256 {}…", expected.escape_debug()), digest))
}
