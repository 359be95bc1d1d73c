//! One file over HTTP, going on from what is there.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

use super::fault::DownloadFault;
use super::{DownloadProgress, Failure, Patience};
use crate::error::Error;

fn agent(url: &str, patience: &Patience) -> ureq::Agent {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    ureq::Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        // Checked at every redirect: who asks over https is never led to http.
        .https_only(url.starts_with("https://"))
        .max_redirects(5)
        .timeout_resolve(Some(patience.stall))
        .timeout_connect(Some(patience.stall))
        .timeout_recv_response(Some(patience.stall))
        .timeout_per_read(Some(patience.stall))
        .timeout_per_write(Some(patience.stall))
        .build()
        .into()
}

/// Brings `file`, which is at `part`, to its full length of at most `most` bytes.
pub(super) fn transfer(
    url: &str,
    file: &mut File,
    part: &Path,
    most: u64,
    patience: &Patience,
    progress: &mut dyn FnMut(DownloadProgress),
) -> Result<(), Failure> {
    let local = |e: std::io::Error| Failure::Local(Error::io(part)(e));
    let http =
        |source| Failure::Remote(DownloadFault::Http { url: url.to_owned(), source: Box::new(source) });
    let mut have = file.metadata().map_err(local)?.len();
    if have > most {
        file.set_len(0).map_err(local)?;
        have = 0;
    }
    let mut request = agent(url, patience).get(url);
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    let mut response = request.call().map_err(http)?;
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
            let first = range.strip_prefix("bytes ").and_then(|range| range.split('-').next()?.parse().ok());
            if first != Some(have) {
                let why = format!("the server sent another part ({})", range.escape_debug());
                return Err(Failure::Remote(DownloadFault::BrokenOff { url: url.to_owned(), have, why }));
            }
            length.map(|n| n.saturating_add(have))
        }
        // Nothing beyond what is there: the check of the digest will tell.
        416 if have > 0 => return Ok(()),
        status => return Err(Failure::Remote(DownloadFault::Status { url: url.to_owned(), status })),
    };
    if total.is_some_and(|n| n > most) {
        return Err(Failure::Remote(DownloadFault::TooLarge { url: url.to_owned(), most }));
    }
    file.seek(SeekFrom::End(0)).map_err(local)?;
    let mut body = response.body_mut().as_reader();
    let mut buffer = vec![0; 1 << 16];
    let mut clock = Clock::new(patience, total.unwrap_or(most));
    loop {
        progress(DownloadProgress::Bytes { done: have, total });
        let n = body.read(&mut buffer).map_err(|e| {
            if is_timeout(&e) {
                return Failure::Remote(clock.stalled(url, have));
            }
            let (url, why) = (url.to_owned(), e.to_string());
            Failure::Remote(DownloadFault::BrokenOff { url, have, why })
        })?;
        if n == 0 {
            break;
        }
        file.write_all(&buffer[..n]).map_err(local)?;
        have += n as u64;
        if have > most {
            // It would only be found too long again.
            file.set_len(0).map_err(local)?;
            return Err(Failure::Remote(DownloadFault::TooLarge { url: url.to_owned(), most }));
        }
        clock.received(n as u64, url, have)?;
    }
    file.sync_all().map_err(local)?;
    match total {
        Some(total) if have != total => {
            let why = format!("of {total}");
            Err(Failure::Remote(DownloadFault::BrokenOff { url: url.to_owned(), have, why }))
        }
        _ => Ok(()),
    }
}

/// Whether nothing came for too long: the system's word for it, or the client's own inside another error.
fn is_timeout(error: &std::io::Error) -> bool {
    let client = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>());
    error.kind() == std::io::ErrorKind::TimedOut || matches!(client, Some(ureq::Error::Timeout(_)))
}

/// Notices a transfer that goes on without getting anywhere.
struct Clock<'p> {
    patience: &'p Patience,
    started: Instant,
    allowed: Duration,
    /// The window in which [`Patience::least`] bytes have to come.
    window: Instant,
    received: u64,
}

impl<'p> Clock<'p> {
    fn new(patience: &'p Patience, bytes: u64) -> Self {
        let now = Instant::now();
        let allowed = patience.allowed(bytes);
        Self { patience, started: now, allowed, window: now, received: 0 }
    }

    fn received(&mut self, bytes: u64, url: &str, have: u64) -> Result<(), Failure> {
        self.received += bytes;
        if self.received >= self.patience.least() {
            (self.window, self.received) = (Instant::now(), 0);
        } else if self.window.elapsed() > self.patience.stall {
            return Err(Failure::Remote(self.stalled(url, have)));
        }
        if self.started.elapsed() > self.allowed {
            let seconds = self.allowed.as_secs();
            return Err(Failure::Remote(DownloadFault::TooSlow { url: url.to_owned(), have, seconds }));
        }
        Ok(())
    }

    fn stalled(&self, url: &str, have: u64) -> DownloadFault {
        let (least, seconds) = (self.patience.least(), self.patience.stall.as_secs());
        DownloadFault::Stalled { url: url.to_owned(), have, least, seconds }
    }
}
