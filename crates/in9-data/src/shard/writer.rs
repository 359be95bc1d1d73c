//! Writing a shard, plane by plane, in one pass.

use std::io::Write;
use std::path::Path;

use in9_base::files;

use crate::error::{Error, Result};

use super::codec::{Sample, encode_index};
use super::header::{HEADER, Header, PAGE, Planes, footer};

/// A sample's layers, borrowed from wherever they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    /// size·size·3 bytes.
    pub(crate) photo: &'a [u8],
    /// size·size·3 bytes, or empty in a shard of photographs only.
    pub(crate) tiled: &'a [u8],
    /// ⌈size²/8⌉ bytes, or empty in a shard of photographs only.
    pub(crate) mask: &'a [u8],
}

/// Passes everything on and hashes it.
struct Hashing<'a> {
    file: &'a mut dyn Write,
    hasher: blake3::Hasher,
    written: u64,
}

impl Hashing<'_> {
    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.hasher.update(bytes);
        self.written += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    fn pad_to(&mut self, offset: u64) -> std::io::Result<()> {
        const ZEROS: [u8; PAGE as usize] = [0; PAGE as usize];
        let gap = (offset - self.written) as usize;
        debug_assert!(gap <= ZEROS.len());
        self.put(&ZEROS[..gap])
    }
}

/// Writes a shard through a temporary file; returns the BLAKE3 of its bytes before the footer.
///
/// `record(i)` gives the layers of sample i; it is asked three times for each.
///
/// # Errors
/// If the file cannot be written or `record` fails.
pub(crate) fn write<'a>(
    path: &Path,
    size: u32,
    classes: u32,
    planes: Planes,
    settings: [u8; 32],
    samples: &[Sample],
    record: impl Fn(usize) -> Result<Record<'a>>,
) -> Result<blake3::Hash> {
    let index = encode_index(samples).map_err(|e| {
        Error::malformed(path, "index cannot be encoded", "encodable entries", e, "report this as a bug")
    })?;
    let header = Header {
        samples: samples.len() as u64,
        size,
        classes,
        planes,
        index_length: index.len() as u64,
        index_crc: crc32fast::hash(&index),
        settings,
    };
    let layout = header.layout().ok_or_else(|| {
        let found = format!("{} samples", samples.len());
        Error::Setting { setting: "samples of a shard", expected: "a file below 2^64 bytes", found }
    })?;
    let (mut hash, mut failed) = (None, None);
    let written = files::write(path, |file| {
        let mut out = Hashing { file, hasher: blake3::Hasher::new(), written: 0 };
        let head = header.to_bytes(&layout);
        out.put(&head)?;
        out.put(&index)?;
        let mut crcs = vec![0u32; samples.len() * header.crcs_per_sample() as usize];
        let stride = header.crcs_per_sample() as usize;
        let starts = [layout.photo, layout.tiled, layout.mask];
        let lengths = [header.rgb(), header.rgb(), header.mask()];
        for plane in 0..stride {
            out.pad_to(starts[plane])?;
            for i in 0..samples.len() {
                let record = match record(i) {
                    Ok(record) => record,
                    Err(error) => {
                        failed = Some(error);
                        return Err(std::io::ErrorKind::Other.into());
                    }
                };
                let bytes = [record.photo, record.tiled, record.mask][plane];
                assert_eq!(bytes.len() as u64, lengths[plane], "bytes of a layer");
                crcs[i * stride + plane] = crc32fast::hash(bytes);
                out.put(bytes)?;
            }
        }
        out.pad_to(layout.crcs)?;
        let crcs: Vec<u8> = crcs.iter().flat_map(|crc| crc.to_le_bytes()).collect();
        out.put(&crcs)?;
        let digest = out.hasher.finalize();
        let tail = [head[124], head[125], head[126], head[127]];
        out.file.write_all(&footer(&digest, &layout, tail))?;
        hash = Some(digest);
        Ok(())
    });
    if let Some(error) = failed {
        return Err(error);
    }
    written?;
    debug_assert_eq!(HEADER % 64, 0);
    Ok(hash.unwrap_or_else(|| unreachable!("a written shard has a hash")))
}
