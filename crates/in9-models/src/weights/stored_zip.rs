//! The directory of a zip archive whose members are stored, as torch writes it.
//!
//! Torch never compresses, so a member is a range of the file. Reading only that form keeps
//! memory bounded by the file and lets overlapping and repeated members be refused.

use std::collections::HashMap;
use std::ops::Range;

use super::fault::{Checked, fault};

const END: &[u8; 4] = b"PK\x05\x06";
const END64: &[u8; 4] = b"PK\x06\x06";
const END64_LOCATOR: &[u8; 4] = b"PK\x06\x07";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const LOCAL: &[u8; 4] = b"PK\x03\x04";

pub(super) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(LOCAL) || bytes.starts_with(END)
}

/// A stored member: where its bytes are and what they should sum to.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) range: Range<usize>,
    crc: u32,
}

/// Members by name.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    file: &'a [u8],
    pub(super) members: HashMap<String, Member>,
}

impl<'a> Archive<'a> {
    /// Reads the directory of `file` with at most `most` members.
    pub(super) fn parse(file: &'a [u8], most: usize) -> Checked<Self> {
        let (start, count) = directory(file)?;
        if count > most as u64 {
            return Err(fault("members of the archive", format!("at most {most}"), count.to_string()));
        }
        let mut members = HashMap::new();
        let mut at = start;
        for _ in 0..count {
            let (name, member, next) = entry(file, at)?;
            at = next;
            if members.contains_key(&name) {
                return Err(fault("members of the archive", "each name once", format!("`{name}` twice")));
            }
            members.insert(name, member);
        }
        let archive = Self { file, members };
        archive.refuse_overlap(start)?;
        Ok(archive)
    }

    /// The bytes of `name`, after their checksum was compared.
    pub(super) fn bytes(&self, name: &str) -> Checked<Option<&'a [u8]>> {
        let Some(member) = self.members.get(name) else { return Ok(None) };
        let bytes = &self.file[member.range.clone()];
        let crc = crc32fast::hash(bytes);
        if crc != member.crc {
            return Err(fault(
                format!("checksum of `{name}`"),
                format!("{:08x}", member.crc),
                format!("{crc:08x}, the file is damaged"),
            ));
        }
        Ok(Some(bytes))
    }

    fn refuse_overlap(&self, directory: usize) -> Checked<()> {
        let mut ranges: Vec<_> = self.members.iter().map(|(n, m)| (&m.range, n)).collect();
        ranges.sort_by_key(|(r, _)| (r.start, r.end));
        let mut end = 0;
        for (range, name) in ranges {
            if range.start < end || range.end > directory {
                return Err(fault(
                    format!("member `{name}` of the archive"),
                    "bytes of its own",
                    "bytes that belong to another member or to the directory",
                ));
            }
            end = range.end;
        }
        Ok(())
    }
}

/// Where the central directory starts, and its number of entries.
fn directory(file: &[u8]) -> Checked<(usize, u64)> {
    let cut = || fault("end record of the archive", "at the end of the file", "none; it is cut off");
    // The record has 22 bytes and a comment of at most 65,535.
    let window = file.len().saturating_sub(22 + 0xffff);
    let tail = file.get(window..).unwrap_or_default();
    let found = tail.windows(4).rposition(|w| w == END).ok_or_else(cut)? + window;
    let end = Fields(file.get(found..found + 22).ok_or_else(cut)?);
    let (mut count, mut start) = (u64::from(end.u16(10)), u64::from(end.u32(16)));
    if (count == 0xffff || start == 0xffff_ffff || end.u32(12) == 0xffff_ffff)
        && let Some(locator) = found.checked_sub(20).map(|at| &file[at..found])
        && locator.starts_with(END64_LOCATOR)
    {
        let at = usize::try_from(Fields(locator).u64(8)).map_err(|_| cut())?;
        let end = at.checked_add(56).and_then(|end| file.get(at..end)).ok_or_else(cut)?;
        if !end.starts_with(END64) {
            return Err(cut());
        }
        (count, start) = (Fields(end).u64(32), Fields(end).u64(48));
    }
    let start = usize::try_from(start).map_err(|_| cut())?;
    if start > found {
        return Err(cut());
    }
    Ok((start, count))
}

/// One entry of the central directory, and where the next begins.
fn entry(file: &[u8], at: usize) -> Checked<(String, Member, usize)> {
    let broken = |found: &str| {
        fault(format!("directory of the archive at byte {at}"), "an entry of a stored member", found)
    };
    let fixed = file.get(at..at.saturating_add(46)).filter(|f| f.starts_with(CENTRAL));
    let fixed = Fields(fixed.ok_or_else(|| broken("other bytes"))?);
    let [name_len, extra_len, comment_len] = [28, 30, 32].map(|i| usize::from(fixed.u16(i)));
    let name = file.get(at + 46..at + 46 + name_len).ok_or_else(|| broken("a cut-off name"))?;
    let extra_at = at + 46 + name_len;
    let extra = file.get(extra_at..extra_at + extra_len).ok_or_else(|| broken("a cut-off entry"))?;
    let name = String::from_utf8(name.to_vec()).map_err(|_| broken("a name that is not UTF-8"))?;
    if fixed.u16(8) & 1 == 1 {
        return Err(broken("an encrypted member"));
    }
    if fixed.u16(10) != 0 {
        return Err(broken("a compressed member; torch stores them"));
    }
    let [packed, unpacked, offset] =
        wide([fixed.u32(20), fixed.u32(24), fixed.u32(42)], extra).ok_or_else(|| broken("sizes missing"))?;
    if packed != unpacked {
        return Err(broken("two sizes"));
    }
    let range = data_range(file, offset, unpacked).ok_or_else(|| {
        fault(
            format!("member `{name}` of the archive"),
            format!("{unpacked} bytes at byte {offset}"),
            format!("a file of {} bytes", file.len()),
        )
    })?;
    Ok((name, Member { range, crc: fixed.u32(16) }, extra_at + extra_len + comment_len))
}

/// Sizes and offset, with those that do not fit 32 bits taken from the zip64 extra field.
fn wide(short: [u32; 3], mut extra: &[u8]) -> Option<[u64; 3]> {
    // In the order of the extra field: unpacked size, packed size, offset.
    let order = [1, 0, 2];
    let mut out = short.map(u64::from);
    if short.iter().all(|&n| n != 0xffff_ffff) {
        return Some(out);
    }
    while extra.len() >= 4 {
        let (id, len) = (Fields(extra).u16(0), usize::from(Fields(extra).u16(2)));
        let body = extra.get(4..4 + len)?;
        if id == 1 {
            let mut at = 0;
            for i in order {
                if short[i] == 0xffff_ffff {
                    out[i] = u64::from_le_bytes(*body.get(at..)?.first_chunk()?);
                    at += 8;
                }
            }
            return Some(out);
        }
        extra = &extra[4 + len..];
    }
    None
}

fn data_range(file: &[u8], offset: u64, len: u64) -> Option<Range<usize>> {
    let at = usize::try_from(offset).ok()?;
    let local = file.get(at..at.checked_add(30)?).filter(|l| l.starts_with(LOCAL))?;
    let start = at + 30 + usize::from(Fields(local).u16(26)) + usize::from(Fields(local).u16(28));
    let end = start.checked_add(usize::try_from(len).ok()?)?;
    (end <= file.len()).then_some(start..end)
}

/// Little-endian numbers at fixed places of a record whose length was checked.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn bytes<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut out = [0; N];
        out.copy_from_slice(&self.0[at..at + N]);
        out
    }

    fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.bytes(at))
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.bytes(at))
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.bytes(at))
    }
}
