//! Tests of this folder's readers on sound, damaged and hostile files.

use std::collections::HashMap;

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::*;

fn small() -> StateDict {
    let mut dict = StateDict::default();
    dict.insert("b.weight", RawTensor::from_f32(&[2, 1], &[1.0, -2.0])).unwrap();
    dict.insert("a", RawTensor::from_f32(&[], &[3.0])).unwrap();
    dict.insert("n", RawTensor::in_memory(Dtype::I64, vec![1], vec![7; 8])).unwrap();
    dict
}

fn back(bytes: Vec<u8>) -> Checked<(StateDict, Option<Metadata>)> {
    read(&Source::memory(bytes), &Limits::default())
}

fn same(a: &StateDict, b: &StateDict) -> bool {
    a.len() == b.len()
        && a.iter().all(|(name, raw)| {
            b.get(name).is_some_and(|other| {
                (raw.dtype(), raw.shape()) == (other.dtype(), other.shape())
                    && raw.bytes().unwrap() == other.bytes().unwrap()
            })
        })
}

#[test]
fn what_is_written_is_read_back_and_has_the_library_s_own_bytes() {
    let (dict, folder) = (small(), tempfile::tempdir().unwrap());
    let path = folder.path().join("w.safetensors");
    write(&path, &dict, None).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let data: Vec<_> = dict.iter().map(|(name, raw)| (name, raw, raw.bytes().unwrap())).collect();
    let views = data.iter().map(|(name, raw, bytes)| {
        (*name, TensorView::new(raw.dtype(), raw.shape().to_vec(), bytes).unwrap())
    });
    assert_eq!(bytes, safetensors::serialize(views, None::<HashMap<_, _>>).unwrap());
    let (tensors, metadata) = back(bytes).unwrap();
    assert!(same(&tensors, &dict) && metadata.is_none());
}

#[test]
fn bytes_that_do_not_fit_their_shape_are_not_written() {
    let mut dict = small();
    dict.insert("c", RawTensor::from_f32(&[3], &[1.0])).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    assert!(write(&path, &dict, None).unwrap_err().to_string().contains("fit their shapes"));
    assert!(!path.exists());
}

#[cfg(unix)]
#[test]
fn everybody_may_read_what_is_written() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    write(&path, &small(), None).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn a_sealed_file_with_any_flipped_bit_is_refused() {
    let (dict, folder) = (small(), tempfile::tempdir().unwrap());
    let path = folder.path().join("w.safetensors");
    let text = r#"{"mean":[0.25,0.5]}"#;
    write(&path, &dict, Some(text)).unwrap();
    let whole = std::fs::read(&path).unwrap();
    assert_eq!(back(whole.clone()).unwrap().1, Some(Metadata { text: text.into(), sealed: true }));
    for bit in 0..8 * whole.len() {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(back(damaged).is_err(), "bit {bit}");
    }
}

#[test]
fn a_header_of_sixteen_megabytes_stays_within_its_limits() {
    let file = |json: String| [(json.len() as u64).to_le_bytes().as_slice(), json.as_bytes()].concat();
    let entry = r#""NAME":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"#;
    let many: String = (0..70_000).map(|i| entry.replace("NAME", &i.to_string())).collect();
    let many = back(file(format!("{{{}}}", many.trim_end_matches(',')))).unwrap_err().to_string();
    assert!(many.contains("at most 65537"), "{many}");
    let shape = "0,".repeat(1 << 22);
    let long = format!(r#"{{"a":{{"dtype":"F32","shape":[{shape}0],"data_offsets":[0,0]}}}}"#);
    assert!(back(file(long)).unwrap_err().to_string().contains("more than 64 numbers"));
    let deep = format!(r#"{{"a":{}1{}}}"#, r#"{"a":"#.repeat(100), "}".repeat(100));
    assert!(back(file(deep)).unwrap_err().to_string().contains("too deep"));
    let long = file(format!("{{{}}}", " ".repeat(17 << 20)));
    assert!(back(long).unwrap_err().to_string().contains("at most 16777216 bytes"));
}
