//! The directory of a zip archive whose members are stored, as torch writes it.
//!
//! Torch never compresses, so a member is a range of the file. Reading only that form keeps
//! memory bounded by the file and lets overlapping and repeated members be refused. The format:
//! PKWARE's APPNOTE.TXT, sections 4.3.7 to 4.3.16 and 4.5.3 (zip64).

use std::collections::HashMap;
use std::ops::Range;

use crate::weights::fault::{Checked, Fault, fault, shown};
use crate::weights::limits::Limits;
use crate::weights::source::Source;

const END: &[u8; 4] = b"PK\x05\x06";
const END64: &[u8; 4] = b"PK\x06\x06";
const END64_LOCATOR: &[u8; 4] = b"PK\x06\x07";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const LOCAL: &[u8; 4] = b"PK\x03\x04";

/// Whether a file that begins with `start` is an archive.
pub(in crate::weights) fn is_archive(start: &[u8]) -> bool {
    start.starts_with(LOCAL) || start.starts_with(END)
}

/// A stored member: where its bytes are and what they should sum to.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) range: Range<u64>,
    crc: u32,
}

/// Members by name.
#[derive(Debug)]
pub(super) struct Archive<'s> {
    source: &'s Source,
    pub(super) members: HashMap<String, Member>,
}

impl<'s> Archive<'s> {
    /// Reads the directory of the archive.
    pub(super) fn read(source: &'s Source, limits: &Limits) -> Checked<Self> {
        let Directory { start, end, count } = directory(source)?;
        let most = limits.tensors.saturating_add(64) as u64;
        if count > most {
            let what = "members of the archive".into();
            return Err(Fault::AboveLimit { what, most, unit: "members", found: count });
        }
        if end - start > limits.header_bytes {
            let (what, most) = ("directory of the archive".into(), limits.header_bytes);
            return Err(Fault::AboveLimit { what, most, unit: "bytes", found: end - start });
        }
        let bytes = source.bytes(start..end, "the directory of the archive")?;
        let mut members = HashMap::new();
        let mut at = 0;
        for _ in 0..count {
            let (name, member, next) = entry(source, &bytes, at)?;
            at = next;
            if members.contains_key(&name) {
                return Err(Fault::Duplicate { what: "members of the archive", name: shown(&name) });
            }
            members.insert(name, member);
        }
        let archive = Self { source, members };
        archive.refuse_overlap(start)?;
        Ok(archive)
    }

    /// The bytes of the member `name`, compared with their checksum; `None` when there is none.
    pub(super) fn bytes(&self, name: &str, most: u64) -> Checked<Option<Vec<u8>>> {
        let Some(member) = self.members.get(name) else { return Ok(None) };
        let found = member.range.end - member.range.start;
        if found > most {
            let what = format!("length of `{}`", shown(name));
            return Err(Fault::AboveLimit { what, most, unit: "bytes", found });
        }
        let bytes = self.source.bytes(member.range.clone(), "the archive")?;
        member.compare(name, crc32fast::hash(&bytes))?;
        Ok(Some(bytes))
    }

    /// Where the bytes of the member `name` are, after they were compared with their checksum.
    pub(super) fn place(&self, name: &str) -> Checked<Option<Range<u64>>> {
        let Some(member) = self.members.get(name) else { return Ok(None) };
        let mut hasher = crc32fast::Hasher::new();
        self.source.stream(member.range.clone(), "the archive", |piece| {
            hasher.update(piece);
            Ok(())
        })?;
        member.compare(name, hasher.finalize())?;
        Ok(Some(member.range.clone()))
    }

    fn refuse_overlap(&self, directory: u64) -> Checked<()> {
        let mut ranges: Vec<_> = self.members.iter().map(|(n, m)| (&m.range, n)).collect();
        ranges.sort_by_key(|(r, _)| (r.start, r.end));
        let mut end = 0;
        for (range, name) in ranges {
            if range.start < end || range.end > directory {
                return Err(fault(
                    format!("member `{}` of the archive", shown(name)),
                    "bytes of its own",
                    "bytes that belong to another member or to the directory",
                ));
            }
            end = range.end;
        }
        Ok(())
    }
}

impl Member {
    fn compare(&self, name: &str, crc: u32) -> Checked<()> {
        if crc == self.crc {
            return Ok(());
        }
        let (expected, found) = (format!("{:08x}", self.crc), format!("{crc:08x}"));
        Err(Fault::Damaged { what: format!("`{}`", shown(name)), expected, found })
    }
}

/// Where the central directory is, and its number of entries.
struct Directory {
    start: u64,
    end: u64,
    count: u64,
}

fn directory(source: &Source) -> Checked<Directory> {
    let cut = || fault("end record of the archive", "at the end of the file", "none; it is cut off");
    // The record has 22 bytes and a comment of at most 65,535.
    let window = source.len().saturating_sub(22 + 0xffff);
    let tail = source.bytes(window..source.len(), "the archive")?;
    let found = tail.windows(4).rposition(|w| w == END).ok_or_else(cut)?;
    let record = Fields(tail.get(found..found + 22).ok_or_else(cut)?);
    let (mut count, mut start) = (u64::from(record.u16(10)), u64::from(record.u32(16)));
    let end = window + found as u64;
    if (count == 0xffff || start == 0xffff_ffff || record.u32(12) == 0xffff_ffff)
        && let Some(locator) = end.checked_sub(20)
        && let locator = source.array::<20>(locator, "the archive")?
        && locator.starts_with(END64_LOCATOR)
    {
        let record = source.array::<56>(Fields(&locator).u64(8), "the archive").map_err(|_| cut())?;
        if !record.starts_with(END64) {
            return Err(cut());
        }
        (count, start) = (Fields(&record).u64(32), Fields(&record).u64(48));
    }
    if start > end {
        return Err(cut());
    }
    Ok(Directory { start, end, count })
}

/// The entry at byte `at` of the central directory, and where the next begins.
fn entry(source: &Source, directory: &[u8], at: usize) -> Checked<(String, Member, usize)> {
    let broken = |found: &str| {
        fault(format!("directory of the archive, byte {at}"), "an entry of a stored member", found)
    };
    let fixed = directory.get(at..at.saturating_add(46)).filter(|f| f.starts_with(CENTRAL));
    let fixed = Fields(fixed.ok_or_else(|| broken("other bytes"))?);
    let [name_len, extra_len, comment_len] = [28, 30, 32].map(|i| usize::from(fixed.u16(i)));
    let name = directory.get(at + 46..at + 46 + name_len).ok_or_else(|| broken("a cut-off name"))?;
    let extra_at = at + 46 + name_len;
    let extra = directory.get(extra_at..extra_at + extra_len).ok_or_else(|| broken("a cut-off entry"))?;
    let name = String::from_utf8(name.to_vec()).map_err(|_| broken("a name that is not UTF-8"))?;
    if fixed.u16(8) & 1 == 1 {
        return Err(broken("an encrypted member"));
    }
    if fixed.u16(10) != 0 {
        return Err(broken("a compressed member; torch stores them"));
    }
    let [packed, unpacked, offset] =
        zip64([fixed.u32(20), fixed.u32(24), fixed.u32(42)], extra).ok_or_else(|| broken("sizes missing"))?;
    if packed != unpacked {
        return Err(broken("two sizes"));
    }
    let what = || format!("member `{}` of the archive", shown(&name));
    let local = source.array::<30>(offset, "the archive").ok().filter(|l| l.starts_with(LOCAL));
    let local = local.ok_or_else(|| fault(what(), format!("its header at byte {offset}"), "none"))?;
    let start = offset + 30 + u64::from(Fields(&local).u16(26)) + u64::from(Fields(&local).u16(28));
    let end = start.saturating_add(unpacked);
    if end > source.len() {
        let left = source.len().saturating_sub(start);
        return Err(Fault::CutOff { what: what(), needed: unpacked, left });
    }
    Ok((name, Member { range: start..end, crc: fixed.u32(16) }, extra_at + extra_len + comment_len))
}

/// Sizes and offset, with those that do not fit 32 bits taken from the zip64 extra field.
fn zip64(short: [u32; 3], mut extra: &[u8]) -> Option<[u64; 3]> {
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
