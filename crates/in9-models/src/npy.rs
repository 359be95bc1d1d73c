//! NumPy's array files, for tensors that come from or go to other frameworks.
//!
//! Layout: six bytes of magic, two of version, the header's length (two bytes in version 1, four
//! later), a header in Python's syntax, the elements. Source: NumPy's `numpy/lib/format.py`.

use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use in9_base::files;
use npyz::WriterBuilder;

use crate::error::{Error, Result};

/// Largest file that is read, in bytes.
const MOST_BYTES: u64 = 512 << 20;

/// Longest header that is read, in bytes; an array of 32 axes needs about 800.
const MOST_HEADER: u64 = 4096;

/// Shape and values of the `f32` array at `path`, row-major.
///
/// # Errors
/// [`Error::Base`] for what is no regular file; [`Error::Io`]; [`Error::File`] for another element
/// type, column-major order, more than 512 MiB, or a header that claims another amount of data than
/// the file holds.
pub fn read(path: &Path) -> Result<(Vec<usize>, Vec<f32>)> {
    let file = files::open(path)?;
    let len = file.metadata().map_err(Error::io(path))?.len();
    parse(path, BufReader::new(file), len)
}

/// Shape and values of an array file that is in memory; `name` stands for a path in errors.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(name: &Path, bytes: &[u8]) -> Result<(Vec<usize>, Vec<f32>)> {
    parse(name, Cursor::new(bytes), bytes.len() as u64)
}

fn parse(path: &Path, mut file: impl Read + Seek, len: u64) -> Result<(Vec<usize>, Vec<f32>)> {
    let damaged = |e: std::io::Error| {
        Error::file(path, "is not a NumPy array", "an .npy file", e.to_string().escape_debug())
    };
    if len > MOST_BYTES {
        return Err(Error::file(path, "is too large", format!("at most {MOST_BYTES} bytes"), len));
    }
    let start = check_header(path, &mut file)?;
    file.seek(SeekFrom::Start(0)).map_err(Error::io(path))?;
    let npy = npyz::NpyFile::new(file).map_err(damaged)?;
    let element = npy.dtype();
    if !matches!(&element, npyz::DType::Plain(t) if t.to_string() == "<f4") {
        return Err(Error::file(path, "has another element type", "float32 (<f4)", element.descr()));
    }
    if npy.order() != npyz::Order::C {
        return Err(Error::file(path, "has another memory order", "C order", "Fortran order"));
    }
    let shape = npy.shape().to_vec();
    let needed = shape.iter().try_fold(4u64, |n, &d| n.checked_mul(d));
    let found = len.saturating_sub(start);
    match needed {
        Some(needed) if needed == found => {}
        Some(needed) if needed < found => {
            let expected = format!("{needed} bytes of data for shape {shape:?}");
            return Err(Error::file(path, "has bytes that belong to nothing", expected, found));
        }
        _ => {
            let found = format!("{found} bytes");
            return Err(Error::file(path, "is cut off", format!("data for shape {shape:?}"), found));
        }
    }
    let shape = shape.into_iter().map(|d| d as usize).collect();
    Ok((shape, npy.into_vec().map_err(damaged)?))
}

/// Where the data start, if the header is short and flat.
///
/// The library takes memory for any length that a header claims, and follows brackets as deep as
/// they go; an array of plain numbers has one pair of braces and one of parentheses.
fn check_header(path: &Path, file: &mut impl Read) -> Result<u64> {
    let refused = |expected: String, found: String| {
        Error::file(path, "has no header of an array of numbers", expected, found)
    };
    let cut = |_| refused("the header of an .npy file".into(), "the end of the file".into());
    let mut fixed = [0; 8];
    file.read_exact(&mut fixed).map_err(cut)?;
    let mut length = [0; 4];
    // The library refuses other magic and versions.
    let bytes = if fixed[6] == 1 { 2 } else { 4 };
    file.read_exact(&mut length[..bytes]).map_err(cut)?;
    let length = u64::from(u32::from_le_bytes(length));
    if length > MOST_HEADER {
        return Err(refused(format!("at most {MOST_HEADER} bytes"), length.to_string()));
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header).map_err(cut)?;
    let count = |wanted: u8| header.iter().filter(|&&b| b == wanted).count();
    if count(b'(') > 1 || count(b'{') > 1 || count(b'[') > 0 {
        return Err(refused("one dictionary with one shape".into(), "more brackets".into()));
    }
    if elements(&header).is_none() {
        return Err(refused("a shape of fewer than 2⁶² elements".into(), "another".into()));
    }
    Ok(8 + bytes as u64 + length)
}

/// Elements of the shape in a flat header. (The library multiplies without a look at overflow.)
fn elements(header: &[u8]) -> Option<u64> {
    let header = std::str::from_utf8(header).ok()?;
    let (shape, _) = header.split_once('(')?.1.split_once(')')?;
    let sizes = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
    // Python 2 wrote long numbers so.
    let mut sizes = sizes.map(|size| size.trim_end_matches('L').parse::<u64>());
    sizes.try_fold(1u64, |n, size| n.checked_mul(size.ok()?)).filter(|&n| n < 1 << 62)
}

/// Writes an array that appears whole at `path`.
///
/// # Errors
/// [`Error::Base`] when it cannot be written; [`Error::Shape`] when `values` does not fill `shape`.
pub fn write(path: &Path, shape: &[usize], values: &[f32]) -> Result<()> {
    let len = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    if len != Some(values.len()) {
        let expected = format!("{} values", values.len());
        return Err(Error::Shape { what: "array to write".into(), expected, found: shape.to_vec() });
    }
    let mut bytes = Vec::with_capacity(values.len() * 4 + 128);
    let shape: Vec<u64> = shape.iter().map(|&d| d as u64).collect();
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&shape)
        .writer(&mut bytes)
        .begin_nd()
        .map_err(Error::io(path))?;
    writer.extend(values.iter().copied()).map_err(Error::io(path))?;
    writer.finish().map_err(Error::io(path))?;
    Ok(files::write_bytes(path, &bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        read_bytes(Path::new("a.npy"), bytes).unwrap_err().to_string()
    }

    /// A version-1 file with this header and this many bytes of data.
    fn file(header: &str, data: usize) -> Vec<u8> {
        let length = (header.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\0".as_slice(), &length, header.as_bytes(), &vec![0; data]].concat()
    }

    #[test]
    fn arrays_go_round_and_claims_are_checked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        write(&path, &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.5]).unwrap();
        assert_eq!(read(&path).unwrap(), (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.5]));

        let bytes = std::fs::read(&path).unwrap();
        let mut longer = bytes.clone();
        let at = longer.windows(4).position(|w| w == b"2, 3").unwrap();
        longer[at..at + 4].copy_from_slice(b"9, 9");
        assert!(refusal(&longer).contains("cut off"));
        assert!(refusal(&[bytes.as_slice(), &[0]].concat()).contains("belong to nothing"));
        for end in 0..bytes.len() {
            refusal(&bytes[..end]);
        }
    }

    #[test]
    fn headers_that_would_take_memory_or_the_stack_are_refused() {
        let nested = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {}", "(".repeat(2000));
        assert!(refusal(&file(&nested, 0)).contains("brackets"));
        assert!(refusal(&file(&"[".repeat(4000), 0)).contains("brackets"));
        let huge = [b"\x93NUMPY\x02\0".as_slice(), &u32::MAX.to_le_bytes(), b"{"].concat();
        assert!(refusal(&huge).contains("at most 4096"));
        let claim = "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999999), }";
        assert!(refusal(&file(claim, 64)).contains("fewer than"));
        assert!(
            refusal(&file(&claim.replace("9999999999, 9999999999", "9999999999, 3"), 64)).contains("cut off")
        );
    }

    #[cfg(unix)]
    #[test]
    fn pipes_devices_and_sparse_gigabytes_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(matches!(read(&pipe), Err(Error::Base(_))));
        assert!(matches!(read(Path::new("/dev/zero")), Err(Error::Base(_))));
        let sparse = folder.path().join("sparse.npy");
        std::fs::write(
            &sparse,
            file("{'descr': '<f4', 'fortran_order': False, 'shape': (1879048192,), }", 0),
        )
        .unwrap();
        std::fs::File::options().write(true).open(&sparse).unwrap().set_len(7 << 30).unwrap();
        assert!(read(&sparse).unwrap_err().to_string().contains("too large"));
    }
}
