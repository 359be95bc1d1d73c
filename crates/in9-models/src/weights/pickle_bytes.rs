//! The bytes of a pickle, from front to end, never beyond.

use super::fault::{Checked, fault};

/// Bytes, and how far they were read.
pub(super) struct Bytes<'a> {
    pub(super) input: &'a [u8],
    pub(super) at: usize,
}

impl Bytes<'_> {
    /// A string of `len` bytes.
    pub(super) fn text(&mut self, len: usize) -> Checked<&str> {
        let at = self.at;
        std::str::from_utf8(self.take(len)?)
            .map_err(|_| fault(format!("string at byte {at}"), "UTF-8", "other bytes"))
    }

    /// A module's or a class's name, which ends with the line.
    pub(super) fn line(&mut self) -> Checked<String> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        // Longer lines are not names.
        let Some(len) = rest.iter().take(512).position(|&b| b == b'\n') else {
            return Err(fault(format!("name at byte {}", self.at), "a line", "no end of line"));
        };
        let at = self.at;
        let text = self.take(len + 1)?;
        String::from_utf8(text[..len].to_vec())
            .map_err(|_| fault(format!("name at byte {at}"), "UTF-8", "other bytes"))
    }

    pub(super) fn length4(&mut self) -> Checked<usize> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    pub(super) fn length8(&mut self) -> Checked<usize> {
        let n = u64::from_le_bytes(self.array()?);
        Ok(usize::try_from(n).unwrap_or(usize::MAX))
    }

    pub(super) fn byte(&mut self) -> Checked<u8> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn array<const N: usize>(&mut self) -> Checked<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    pub(super) fn take(&mut self, len: usize) -> Checked<&[u8]> {
        let left = self.input.len().saturating_sub(self.at);
        if len > left {
            return Err(fault(
                format!("the pickle is cut off at byte {}", self.at),
                format!("{len} more bytes"),
                format!("{left}"),
            ));
        }
        self.at += len;
        Ok(&self.input[self.at - len..self.at])
    }
}
