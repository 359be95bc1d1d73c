//! Masks as NumPy arrays.

/// The first bytes of a NumPy file.
pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads an array of `height`×`width`, in C order: booleans, bytes (0 is background), or 32-bit shares of an object, of
/// which those above a half are foreground. One byte a pixel, 0 or 1.
pub(crate) fn npy_mask(bytes: &[u8], width: u32, height: u32) -> Result<Vec<u8>, String> {
    check_header(bytes)?;
    let undecodable = |e: std::io::Error| format!("expected a whole .npy file, found: {e}");
    let file = npyz::NpyFile::new(bytes).map_err(undecodable)?;
    if file.shape() != [u64::from(height), u64::from(width)] {
        return Err(format!("expected an array of {height}x{width}, found {:?}", file.shape()));
    }
    if file.order() != npyz::Order::C {
        return Err("expected C order, found Fortran order".into());
    }
    let kind = file.dtype().descr();
    Ok(match kind.trim_matches('\'') {
        "|b1" => file.into_vec::<bool>().map_err(undecodable)?.into_iter().map(u8::from).collect(),
        "|u1" => file.into_vec::<u8>().map_err(undecodable)?.into_iter().map(|v| u8::from(v != 0)).collect(),
        "<f4" => {
            file.into_vec::<f32>().map_err(undecodable)?.into_iter().map(|v| u8::from(v > 0.5)).collect()
        }
        other => return Err(format!("expected booleans, bytes or 32-bit floats, found {other}")),
    })
}

/// Refuses a header that no mask needs, before it is parsed: the parser follows brackets as deep as they go.
fn check_header(bytes: &[u8]) -> Result<(), String> {
    const LONGEST: usize = 4096;
    const DEEPEST: usize = 8;
    let Some((b"\x93NUMPY", &[version, _, a, b, c, d, ..])) = bytes.split_at_checked(6) else {
        return Err("expected the start of a .npy file, found something else".into());
    };
    let (start, length) = match version {
        1 => (10, usize::from(u16::from_le_bytes([a, b]))),
        2 | 3 => (12, u32::from_le_bytes([a, b, c, d]) as usize),
        other => return Err(format!("expected .npy version 1 to 3, found {other}")),
    };
    if length > LONGEST {
        return Err(format!("expected a header of at most {LONGEST} bytes, found {length}"));
    }
    let header =
        bytes.get(start..start + length).ok_or("expected a whole header, found the end of the file")?;
    let mut depth = 0usize;
    for byte in header {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(format!("expected brackets at most {DEEPEST} deep, found more"));
        }
    }
    // The parser multiplies the lengths of the axes and does not look for an overflow. Whatever else in
    // the header is a number is small.
    let words = header.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    let mut elements = 1u64;
    for word in words.filter(|word| word.first().is_some_and(u8::is_ascii_digit)) {
        let number =
            std::str::from_utf8(word).ok().and_then(|word| word.replace('_', "").parse::<u64>().ok());
        elements = number
            .and_then(|number| elements.checked_mul(number.max(1)))
            .ok_or("expected lengths of axes whose product is below 2^64, found others")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(kind: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let text = format!("{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend_from_slice(data);
        bytes
    }

    #[test]
    fn masks_of_every_kind_are_read_and_what_is_none_is_refused() {
        let good = npy("|b1", "False", "(2, 2)", &[1, 0, 0, 1]);
        assert_eq!(npy_mask(&good, 2, 2).unwrap(), [1, 0, 0, 1]);
        assert_eq!(npy_mask(&npy("|u1", "False", "(2, 2)", &[255, 0, 0, 1]), 2, 2).unwrap(), [1, 0, 0, 1]);
        let soft: Vec<u8> = [0.9f32, 0.5, 0.0, 0.51, 0.2, 1.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(npy_mask(&npy("<f4", "False", "(2, 3)", &soft), 3, 2).unwrap(), [1, 0, 0, 1, 0, 1]);
        assert!(npy_mask(&npy("<f4", "False", "(2, 3)", &soft), 2, 3).unwrap_err().contains("3x2"));
        for (bytes, what) in [
            (npy("<f8", "False", "(2, 2)", &[0; 32]), "found <f8"),
            (npy("|b1", "True", "(2, 2)", &[1, 0, 0, 1]), "Fortran"),
            (npy("|b1", "False", "(4000000000, 4000000000)", &[1]), "2x2"),
            (npy("|b1", "False", "(8000000000, 4000000000)", &[1]), "product"),
            (npy("|b1", "False", "(8_000_000_000, 0, 4_000_000_000)", &[]), "product"),
            (npy("|b1", "False", "(99999999999999999999,)", &[1]), "product"),
            (npy("|b1", "False", "(0x2, 2)", &[1]), "product"),
        ] {
            let error = npy_mask(&bytes, 2, 2).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
        for end in 0..good.len() {
            assert!(npy_mask(&good[..end], 2, 2).is_err(), "{end}");
        }
    }
}
