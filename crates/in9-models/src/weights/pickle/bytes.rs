//! The bytes of a pickle, from front to end, never beyond.

use super::Span;
use crate::weights::fault::{Checked, Fault, fault};

/// Bytes, and how far they were read.
pub(super) struct Bytes<'a> {
    pub(super) input: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Bytes<'a> {
    /// The place of a string of `len` bytes.
    pub(super) fn text(&mut self, len: usize) -> Checked<Span> {
        let start = self.at;
        std::str::from_utf8(self.take(len)?)
            .map_err(|_| fault(format!("string at byte {start}"), "UTF-8", "other bytes"))?;
        // Inputs beyond 32 bits are refused before they are read.
        Ok(Span { start: start as u32, len: len as u32 })
    }

    /// A module's or a class's name, which ends with the line.
    pub(super) fn line(&mut self) -> Checked<&'a str> {
        let at = self.at;
        let rest = self.input.get(at..).unwrap_or_default();
        // Longer lines are not names.
        let Some(len) = rest.iter().take(512).position(|&b| b == b'\n') else {
            return Err(fault(format!("name at byte {at}"), "a line", "no end of line"));
        };
        let text = self.take(len + 1)?;
        std::str::from_utf8(&text[..len])
            .map_err(|_| fault(format!("name at byte {at}"), "UTF-8", "other bytes"))
    }

    /// A length of four bytes.
    pub(super) fn length4(&mut self) -> Checked<usize> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    /// A length of eight bytes.
    pub(super) fn length8(&mut self) -> Checked<usize> {
        let n = u64::from_le_bytes(self.array()?);
        Ok(usize::try_from(n).unwrap_or(usize::MAX))
    }

    /// One byte.
    pub(super) fn byte(&mut self) -> Checked<u8> {
        Ok(self.take(1)?[0])
    }

    /// `N` bytes by value.
    pub(super) fn array<const N: usize>(&mut self) -> Checked<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    /// `len` bytes.
    pub(super) fn take(&mut self, len: usize) -> Checked<&'a [u8]> {
        let left = self.input.len().saturating_sub(self.at);
        if len > left {
            let what = format!("the pickle at byte {}", self.at);
            return Err(Fault::CutOff { what, needed: len as u64, left: left as u64 });
        }
        self.at += len;
        Ok(&self.input[self.at - len..self.at])
    }
}
