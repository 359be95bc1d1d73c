//! NumPy's array files, for tensors that come from or go to other frameworks.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use npyz::WriterBuilder;

use crate::error::{Error, Result};

/// Shape and values of the `f32` array at `path`, row-major.
///
/// # Errors
/// [`Error::Io`]; [`Error::File`] for another element type, column-major order, or a header that
/// claims another amount of data than the file holds.
pub fn read(path: &Path) -> Result<(Vec<usize>, Vec<f32>)> {
    let file = File::open(path).map_err(Error::io(path))?;
    let bytes = file.metadata().map_err(Error::io(path))?.len();
    let damaged = |e: std::io::Error| Error::file(path, "is not a NumPy array", "an .npy file", e);
    let npy = npyz::NpyFile::new(BufReader::new(file)).map_err(damaged)?;
    let element = npy.dtype();
    if !matches!(&element, npyz::DType::Plain(t) if t.to_string() == "<f4") {
        return Err(Error::file(path, "has another element type", "float32 (<f4)", element.descr()));
    }
    if npy.order() != npyz::Order::C {
        return Err(Error::file(path, "has another memory order", "C order", "Fortran order"));
    }
    let shape = npy.shape().to_vec();
    let needed = shape.iter().try_fold(4u64, |n, &d| n.checked_mul(d));
    if needed.is_none_or(|n| n > bytes) {
        let found = format!("{bytes} bytes in all");
        return Err(Error::file(path, "is cut off", format!("data for shape {shape:?}"), found));
    }
    let shape = shape.into_iter().map(|d| d as usize).collect();
    Ok((shape, npy.into_vec().map_err(damaged)?))
}

/// Writes an array that appears whole at `path`.
///
/// # Errors
/// [`Error::Io`]; [`Error::Shape`] when `values` does not fill `shape`.
pub fn write(path: &Path, shape: &[usize], values: &[f32]) -> Result<()> {
    if shape.iter().product::<usize>() != values.len() {
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
    Ok(in9_base::files::write_bytes(path, &bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_go_round_and_claims_are_checked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        write(&path, &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.5]).unwrap();
        assert_eq!(read(&path).unwrap(), (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.5]));

        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.windows(4).position(|w| w == b"2, 3").unwrap();
        bytes[at..at + 4].copy_from_slice(b"9, 9");
        std::fs::write(&path, bytes).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("cut off"));
    }
}
