//! Published weights from their hub into a local cache.
//!
//! A file is trusted only after its SHA-256 was compared. An interrupted download leaves a `.part`
//! file and goes on from there. Without a network the error says which file to put where.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

use super::pretrained::{Checksum, Pretrained};
use crate::error::{Error, Result};

/// No published weights of ours come near this many bytes.
const LARGEST: u64 = 8 << 30;

/// A folder of downloaded weights.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    mirror: Option<String>,
}

impl Cache {
    /// In this folder, which is made when something is downloaded.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), mirror: None }
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

    /// Where the file of `weights` is or will be.
    pub fn path(&self, weights: &Pretrained) -> PathBuf {
        self.folder.join(weights.file)
    }

    /// The checked file of `weights`, downloaded if it is not there. `progress` hears of bytes done
    /// and, once the server has told, of all.
    ///
    /// # Errors
    /// [`Error::File`] when it is not there and cannot be had, or is not the published file;
    /// [`Error::Io`] when the cache cannot be written.
    pub fn fetch(&self, weights: &Pretrained, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<PathBuf> {
        let path = self.path(weights);
        let record = self.folder.join(format!("{}.sha256", weights.file));
        if path.exists() {
            check(weights, &path, &record)?;
            return Ok(path);
        }
        let url = match (&self.mirror, weights.url) {
            (Some(mirror), _) => format!("{mirror}/{}", weights.file),
            (None, Some(url)) => url.to_owned(),
            (None, None) => {
                let why = format!("not downloadable by itself: {}", weights.licence);
                return Err(missing(&path, weights, &why));
            }
        };
        fs::create_dir_all(&self.folder).map_err(Error::io(&self.folder))?;
        let part = self.folder.join(format!("{}.part", weights.file));
        download(&url, &part, progress).map_err(|failure| match failure {
            Failure::Local(error) => error,
            Failure::Remote(why) => missing(&path, weights, &format!("{url}: {why}")),
        })?;
        if let Err(error) = check(weights, &part, &record) {
            // Going on from wrong bytes would never end well.
            fs::remove_file(&part).map_err(Error::io(&part))?;
            return Err(error);
        }
        fs::rename(&part, &path).map_err(Error::io(&path))?;
        Ok(path)
    }
}

fn missing(path: &Path, weights: &Pretrained, why: &str) -> Error {
    let expected = match weights.checksum {
        Checksum::Sha256(digest) => format!("a file with SHA-256 {digest}"),
        Checksum::Prefix(prefix) => format!("a file whose SHA-256 begins with {prefix}"),
        Checksum::Unpublished => "the published file".into(),
    };
    let what = format!("{} is not in the cache and {why}; put the file there by hand", weights.name());
    Error::file(path, what, expected, "no file")
}

/// Compares the digest of the file at `path`. Where none is published, that of the first download
/// is recorded beside it and holds from then on.
fn check(weights: &Pretrained, path: &Path, record: &Path) -> Result<()> {
    let mut file = File::open(path).map_err(Error::io(path))?;
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
        Checksum::Unpublished if record.exists() => {
            fs::read_to_string(record).map_err(Error::io(record))?.trim().to_owned()
        }
        Checksum::Unpublished => {
            in9_base::files::write_bytes(record, format!("{digest}\n"))?;
            return Ok(());
        }
    };
    if !expected.is_empty() && digest.starts_with(&expected) {
        return Ok(());
    }
    let what = format!("is not the published {}; remove it and fetch again", weights.name());
    Err(Error::file(path, what, format!("SHA-256 {expected}…"), digest))
}

enum Failure {
    Local(Error),
    Remote(String),
}

impl From<ureq::Error> for Failure {
    fn from(error: ureq::Error) -> Self {
        Self::Remote(error.to_string())
    }
}

fn agent() -> ureq::Agent {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    ureq::Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .build()
        .into()
}

/// Brings `part` to its full length, going on from what is there.
fn download(url: &str, part: &Path, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<(), Failure> {
    let local = |e: std::io::Error| Failure::Local(Error::io(part)(e));
    let mut file = OpenOptions::new().create(true).append(true).open(part).map_err(local)?;
    // Two processes must not write one file; the second waits and finds it longer.
    file.lock().map_err(local)?;
    let mut have = file.metadata().map_err(local)?.len();
    let mut request = agent().get(url);
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    let mut response = request.call()?;
    let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let length = header("content-length").and_then(|v| v.parse::<u64>().ok());
    let total = match response.status().as_u16() {
        // The server starts over.
        200 => {
            file.set_len(0).map_err(local)?;
            have = 0;
            length
        }
        206 => {
            // Content-Range: bytes FIRST-LAST/TOTAL
            let range = header("content-range").unwrap_or_default();
            let range = range.strip_prefix("bytes ").unwrap_or_default();
            if range.split('-').next().and_then(|first| first.parse().ok()) != Some(have) {
                return Err(Failure::Remote(format!("the server sent another part ({range})")));
            }
            length.map(|n| n.saturating_add(have))
        }
        // Nothing beyond what is there: the check of the digest will tell.
        416 if have > 0 => return Ok(()),
        status => return Err(Failure::Remote(format!("HTTP status {status}"))),
    };
    if total.is_some_and(|n| n > LARGEST) {
        return Err(Failure::Remote(format!("{} bytes, above the limit of {LARGEST}", total.unwrap_or(0))));
    }
    file.seek(SeekFrom::End(0)).map_err(local)?;
    let mut body = response.body_mut().as_reader();
    let mut buffer = vec![0; 1 << 16];
    loop {
        progress(have, total);
        let n = body.read(&mut buffer).map_err(|e| {
            Failure::Remote(format!("broken off after {have} bytes ({e}); run again to go on"))
        })?;
        if n == 0 {
            break;
        }
        file.write_all(&buffer[..n]).map_err(local)?;
        have += n as u64;
        if have > LARGEST {
            return Err(Failure::Remote(format!("more than {LARGEST} bytes")));
        }
    }
    file.sync_all().map_err(local)?;
    match total {
        Some(total) if have != total => {
            Err(Failure::Remote(format!("broken off after {have} of {total} bytes; run again to go on")))
        }
        _ => Ok(()),
    }
}
