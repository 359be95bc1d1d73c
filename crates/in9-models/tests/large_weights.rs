//! Large weight files, and what they take of the process's memory: a program of its own, so that no other
//! test's memory is counted.

mod hostile;

use std::path::Path;
use std::sync::Mutex;

use candle_core::Device;
use hostile::*;
use in9_models::Error;
use in9_models::weights::{self, Head, Limits};

/// Held by the test whose memory is looked at.
static ALONE: Mutex<()> = Mutex::new(());

/// A file of `len` bytes, of which all but the first and last take no room.
fn sparse(folder: &Path, start: &[u8], end: &[u8], len: u64) -> std::path::PathBuf {
    use std::io::{Seek, SeekFrom, Write};
    let path = folder.join("sparse");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(start).unwrap();
    file.seek(SeekFrom::Start(len - end.len() as u64)).unwrap();
    file.write_all(end).unwrap();
    path
}

/// Large files that are right, but of no network. What is wrong is found without reading it in.
#[test]
fn large_files_are_not_read_whole() {
    let _alone = ALONE.lock();
    const DATA: u64 = 256 << 20;
    let folder = tempfile::tempdir().unwrap();
    let elements = DATA / 4;
    let header = format!(r#"{{"w":{{"dtype":"F32","shape":[{elements}],"data_offsets":[0,{DATA}]}}}}"#);
    let safetensors = safetensors(&header, 0);
    let [n, one] = [elements as i64, 1];
    let legacy = legacy(&one_tensor(n, n, one), KEY_LIST, &counted(elements, 0));
    for start in [safetensors, legacy] {
        let path = sparse(folder.path(), &start, &[0], start.len() as u64 + DATA);
        let before = peak_memory();
        let file = weights::read(&path, &Limits::default()).unwrap();
        assert_eq!(file.tensors.bytes(), DATA);
        let error = weights::load("resnet-tiny", &path, Head::FromFile, false, &Device::Cpu).err().unwrap();
        assert!(error.to_string().contains("nothing was loaded"), "{error}");
        // Writing it in another format takes no more.
        weights::write(&folder.path().join("copy"), &file.tensors, None).unwrap();
        if let (Some(before), Some(after)) = (before, peak_memory()) {
            let more = after.saturating_sub(before);
            assert!(more < 64 << 20, "{} bytes more at the peak", more);
        }
    }
    // Beyond the limit nothing is read at all.
    let path = sparse(folder.path(), b"PK\x03\x04", &[0], 7 << 30);
    assert!(weights::read(&path, &Limits::default()).unwrap_err().to_string().contains("size of the file"));
}

#[test]
fn sixty_megabytes_of_pickle_instructions_are_refused_within_the_budget() {
    let _alone = ALONE.lock();
    for instruction in [b"]", b"}", b"N", b"(", b")"] {
        let object = [b"\x80\x02".as_slice(), &instruction.repeat(60 << 20), b"."].concat();
        let before = peak_memory();
        let folder = tempfile::tempdir().unwrap();
        for file in [legacy(&object, KEY_LIST, &[]), torch_zip(&object, &[])] {
            let path = folder.path().join("w");
            std::fs::write(&path, file).unwrap();
            let error = weights::read(&path, &Limits::default()).unwrap_err();
            assert!(matches!(error, Error::Weights { .. }), "{error}");
        }
        if let (Some(before), Some(after)) = (before, peak_memory()) {
            let more = after.saturating_sub(before);
            assert!(more < 512 << 20, "{} bytes more at the peak", more);
        }
    }
}
