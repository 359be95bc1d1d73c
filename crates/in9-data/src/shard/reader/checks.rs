//! What of a shard is checked, and when: its frame when it is opened, each layer when it is first read.

use std::path::Path;
use std::str::FromStr as _;
use std::sync::atomic::Ordering;

use in9_base::PlainName;

use crate::error::{Damage, Error, Result};

use super::super::codec::Sample;
use super::super::header::{FOOTER_MAGIC, Header, footer};
use super::{LAYERS, MASK, Shard};

impl Shard {
    pub(super) fn check_footer(&self) -> Result<()> {
        let bytes = &self.map[self.layout.footer as usize..];
        let expected =
            footer(&self.hash(), &self.layout, [self.map[124], self.map[125], self.map[126], self.map[127]]);
        if bytes[..8] != FOOTER_MAGIC || bytes != expected {
            let expected = "a footer that repeats the header";
            return Err(Error::damaged(&self.path, Damage::Footer, expected, "something else"));
        }
        Ok(())
    }

    pub(super) fn check_samples(&self) -> Result<()> {
        check_samples(&self.samples, &self.header, &self.path)
    }

    /// Checks a layer of a sample, if that was not done before.
    pub(super) fn check(&self, layer: usize, at: usize) -> Result<()> {
        let bit = 1 << layer;
        // The bit says nothing of other memory, so no order is needed.
        if self.sound[at].load(Ordering::Relaxed) & bit != 0 {
            return Ok(());
        }
        self.check_length()?;
        let bytes = &self.map[self.layer(layer, at)];
        let stored = self.layout.crcs as usize
            + (at * self.header.crcs_per_sample() as usize + layer) * size_of::<u32>();
        let mut expected = [0; 4];
        expected.copy_from_slice(&self.map[stored..stored + 4]);
        let (expected, found) = (u32::from_le_bytes(expected), crc32fast::hash(bytes));
        if expected != found {
            let (path, id, layer) = (self.path.clone(), self.samples[at].id.clone(), LAYERS[layer]);
            return Err(Error::DamagedLayer { path, index: at, id, layer, expected, found });
        }
        if layer == MASK {
            let tail = self.header.size as usize * self.header.size as usize % 8;
            let last = bytes.last().copied().unwrap_or(0);
            if tail != 0 && last >> tail != 0 {
                return Err(self.bad(format!("mask of sample {at}"), "unused bits 0", format!("{last:08b}")));
            }
        }
        self.sound[at].fetch_or(bit, Ordering::Relaxed);
        Ok(())
    }

    /// Refuses a file that was cut or has grown since it was mapped.
    fn check_length(&self) -> Result<()> {
        let found = self.file.metadata().map_err(|e| Error::read(&self.path, e))?.len();
        match found == self.layout.length {
            true => Ok(()),
            false => Err(Error::damaged(
                &self.path,
                Damage::ChangedWhileOpen,
                format!("{} bytes", self.layout.length),
                format!("{found} bytes"),
            )),
        }
    }

    /// Checks every byte: the checksum of every layer, the padding, and the hash of the file.
    ///
    /// # Errors
    /// The first damage found, naming sample and layer.
    pub fn verify(&self) -> Result<()> {
        for at in 0..self.len() {
            (0..self.header.crcs_per_sample() as usize).try_for_each(|layer| self.check(layer, at))?;
        }
        let found = blake3::hash(&self.map[..self.layout.footer as usize]);
        if found != self.hash() {
            return Err(Error::damaged(&self.path, Damage::OutsideLayers, self.hash(), found));
        }
        Ok(())
    }

    fn bad(&self, what: String, expected: impl ToString, found: impl ToString) -> Error {
        bad(&self.path, what, expected, found)
    }
}

/// Refuses samples that no writer of ours could have stored under such a header.
pub(super) fn check_samples(samples: &[Sample], header: &Header, path: &Path) -> Result<()> {
    let size = header.size;
    for (at, sample) in samples.iter().enumerate() {
        let [x0, y0, x1, y1] = sample.crop_box.map(u32::from);
        if x0 > x1 || y0 > y1 || x1 >= size || y1 >= size {
            let expected = format!("a box inside {size}x{size}");
            return Err(bad(path, format!("box of sample {at}"), expected, format!("{:?}", sample.crop_box)));
        }
        if u32::from(sample.class) >= header.classes {
            let expected = format!("below {}", header.classes);
            return Err(bad(path, format!("class of sample {at}"), expected, sample.class));
        }
        if let Err(e) = PlainName::from_str(&sample.id) {
            return Err(bad(path, format!("id of sample {at}"), "a plain file name", e));
        }
    }
    Ok(())
}

fn bad(path: &Path, what: String, expected: impl ToString, found: impl ToString) -> Error {
    Error::malformed(path, what, expected.to_string(), found.to_string(), "copy or build the shard again")
}
