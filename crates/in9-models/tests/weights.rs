//! Weight files as torch writes them, and files that must be refused.

mod hostile;

use std::path::Path;

use candle_core::{DType, Device};
use hostile::*;
use in9_models::weights::{self, Fault, Format, Head, Limits, RawTensor, StateDict};
use in9_models::{Error, Params, build};

/// The error for a file of these bytes.
fn refusal(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    std::fs::write(&path, bytes).unwrap();
    let before = peak_memory();
    let error = weights::read(&path, &Limits::default()).map(|f| f.notes).unwrap_err().to_string();
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        assert!(after - before < 64 << 20, "{} bytes more at the peak: {error}", after - before);
    }
    assert!(error.contains("weights: ") && error.contains("expected"), "{error}");
    assert!(!error.contains('\n') && error.len() < 600, "{error}");
    error
}

fn check_contents(tensors: &StateDict) {
    let get = |name: &str| tensors.get(name).unwrap_or_else(|| panic!("{name} is missing"));
    let floats = |name: &str| get(name).to_f32().unwrap();
    let base: Vec<f32> = (0..24).map(|i| i as f32 / 8.0).collect();
    assert_eq!(floats("plain"), base);
    let transposed: Vec<f32> = (0..24).map(|i| base[i % 4 * 6 + i / 4]).collect();
    assert_eq!((get("transposed").shape(), floats("transposed")), ([6, 4].as_slice(), transposed));
    assert_eq!(floats("shared.a"), base[6..18]);
    assert_eq!(floats("shared.b"), base.iter().step_by(2).copied().collect::<Vec<_>>());
    assert_eq!(floats("half"), [1.5, -2.0]);
    assert_eq!(floats("brain"), [1.5, -2.0]);
    assert_eq!(floats("double"), [0.1]);
    assert_eq!(get("bn.num_batches_tracked").bytes().unwrap(), 7i64.to_le_bytes());
    assert_eq!(get("flag").bytes().unwrap(), [1, 0]);
    assert_eq!((get("empty").shape(), get("empty").byte_len()), ([0, 3].as_slice(), 0));
    assert_eq!(floats("parameter"), [3.0]);
    assert_eq!(tensors.len(), 11);
}

#[test]
fn both_torch_formats_are_read() {
    for (name, format) in [("legacy.pth", Format::TorchLegacy), ("zip.pth", Format::TorchZip)] {
        let file = weights::read(&fixture(name), &Limits::default()).unwrap();
        assert_eq!(file.format, format);
        check_contents(&file.tensors);
    }
}

#[test]
fn checkpoints_are_unwrapped_with_a_note_a_step() {
    let file = weights::read(&fixture("checkpoint.pth"), &Limits::default()).unwrap();
    check_contents(&file.tensors);
    assert_eq!(file.notes.len(), 2, "{:?}", file.notes);
    assert!(file.notes[0].contains("`epoch`"), "{:?}", file.notes);

    let file = weights::read(&fixture("robustness.pth"), &Limits::default()).unwrap();
    assert_eq!(file.tensors.names().collect::<Vec<_>>(), ["conv1.weight", "fc.weight"]);
    assert_eq!(file.tensors.get("fc.weight").unwrap().to_f32().unwrap(), [0.0, 1.0, 2.0, 3.0]);
    let normaliser = "inputs were normalised with mean 0.4717 0.4499 0.3837, std 0.26 0.2516 0.2575";
    assert!(file.notes.last().unwrap().contains(normaliser), "{:?}", file.notes);
}

#[test]
fn every_prefix_of_every_file_is_refused() {
    for name in ["legacy.pth", "zip.pth", "robustness.pth"] {
        let whole = bytes_of(name);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut");
        for end in (0..whole.len()).step_by(7) {
            std::fs::write(&path, &whole[..end]).unwrap();
            assert!(weights::read(&path, &Limits::default()).is_err(), "{name} cut at {end}");
        }
    }
}

#[test]
fn flipped_bytes_never_panic() {
    for name in ["legacy.pth", "zip.pth"] {
        let whole = bytes_of(name);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flipped");
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x41;
            std::fs::write(&path, &bytes).unwrap();
            // Some flips only change a value; the point is a clean answer either way.
            let _ = weights::read(&path, &Limits::default());
        }
    }
}

#[test]
fn a_pickle_that_calls_a_function_is_refused_by_name() {
    let error = refusal(&bytes_of("calls.pth"));
    assert!(error.contains("`builtins.print`") || error.contains("`__builtin__.print`"), "{error}");
    let hostile = legacy(b"\x80\x02cposix\nsystem\nX\x02\0\0\0ls\x85R.", b"", b"");
    assert!(refusal(&hostile).contains("`posix.system`"));
}

#[test]
fn a_hundred_gigabytes_are_refused_before_they_are_allocated() {
    let claimed = 25_000_000_000u64;
    let header =
        format!(r#"{{"w":{{"dtype":"F32","shape":[{claimed}],"data_offsets":[0,{}]}}}}"#, claimed * 4);
    refusal(&safetensors(&header, 64));
    let claim = one_tensor(claimed as i64, claimed as i64, 1);
    assert!(refusal(&legacy(&claim, KEY_LIST, &counted(claimed, 64))).contains("cut off"));
    // A header length of 2^64 − 1 in front of a JSON brace.
    refusal(&[[0xffu8; 8].as_slice(), b"{\"w\":1}".as_slice()].concat());
}

#[test]
fn a_small_storage_cannot_unfold_into_a_large_tensor() {
    // Stride 0 repeats one element a thousand million times.
    let bomb = legacy(&one_tensor(1, 1_000_000_000, 0), KEY_LIST, &counted(1, 4));
    assert!(refusal(&bomb).contains("times the file"));
}

#[test]
fn a_tensor_outside_its_storage_is_refused() {
    let outside = legacy(&one_tensor(4, 3, 2), KEY_LIST, &counted(4, 16));
    assert!(refusal(&outside).contains("outside its storage"));
    let overflow = legacy(&one_tensor(4, i64::MAX, i64::MAX), KEY_LIST, &counted(4, 16));
    assert!(refusal(&overflow).contains("outside its storage"));
    // The storage itself is shorter than the pickle says.
    let short = legacy(&one_tensor(4, 4, 1), KEY_LIST, &counted(3, 12));
    assert!(refusal(&short).contains("too short"));
    let right = legacy(&one_tensor(4, 4, 1), KEY_LIST, &counted(4, 16));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("w"), right).unwrap();
    assert!(weights::read(&folder.path().join("w"), &Limits::default()).is_ok());
}

#[test]
fn duplicate_names_are_refused_in_every_format() {
    let entry = r#"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    assert!(refusal(&safetensors(&format!(r#"{{"w":{entry},"w":{entry}}}"#), 4)).contains("duplicate"));
    // The same item twice in one dictionary.
    let once = one_tensor(1, 1, 1);
    let item = &once[3..once.len() - 1];
    let twice = [b"\x80\x02}".as_slice(), item, item, b"."].concat();
    assert!(refusal(&legacy(&twice, KEY_LIST, &counted(1, 4))).contains("`w` twice"));
    // Two members of one name: rename the last directory entry to the first's, `data/1` to `data/0`.
    let mut zip = bytes_of("zip.pth");
    let places: Vec<usize> = (0..zip.len() - 6).filter(|&i| &zip[i..i + 6] == b"data/1").collect();
    let last = *places.last().unwrap();
    assert_ne!(zip[last + 6], b'0', "a name that continues");
    zip[last + 5] = b'0';
    assert!(refusal(&zip).contains("twice"));
}

#[test]
fn broken_safetensors_layouts_are_refused() {
    let file = |a: &str, b: &str, data| safetensors(&format!(r#"{{"a":{a},"b":{b}}}"#), data);
    let entry = |dtype: &str, from: usize, to: usize| {
        format!(r#"{{"dtype":"{dtype}","shape":[2],"data_offsets":[{from},{to}]}}"#)
    };
    refusal(&file(&entry("F32", 0, 8), &entry("F32", 4, 12), 12)); // overlap
    refusal(&file(&entry("F32", 0, 8), &entry("F32", 12, 20), 20)); // hole
    refusal(&file(&entry("F64", 0, 8), &entry("F32", 8, 16), 16)); // wrong type for the bytes
    refusal(&file(&entry("Q32", 0, 8), &entry("F32", 8, 16), 16)); // unknown type
    refusal(&file(&entry("F32", 0, 8), &entry("F32", 8, 16), 12)); // cut off
    refusal(&file(&entry("F32", 0, 8), &entry("F32", 8, 16), 20)); // bytes that belong to nothing
    refusal(&safetensors("{\"a\":", 4));
    refusal(&safetensors("{}", 0));
}

#[test]
fn damaged_and_foreign_archives_are_refused() {
    let mut damaged = bytes_of("zip.pth");
    let value = damaged.windows(4).position(|w| w == 0.125f32.to_le_bytes()).unwrap();
    damaged[value] ^= 1;
    assert!(refusal(&damaged).contains("checksum"));

    // The compression method in the first directory entry.
    let mut packed = bytes_of("zip.pth");
    let entry = packed.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    packed[entry + 10] = 8;
    assert!(refusal(&packed).contains("compressed"));

    // The second member starts where the first does.
    let mut overlapping = bytes_of("zip.pth");
    let entries: Vec<usize> =
        (0..overlapping.len() - 4).filter(|&i| &overlapping[i..i + 4] == b"PK\x01\x02").collect();
    overlapping.copy_within(entries[0] + 42..entries[0] + 46, entries[1] + 42);
    refusal(&overlapping);

    assert!(refusal(&bytes_of("plain-pickle.pth")).contains("a pickle that torch did not write"));
    assert!(refusal(b"<!DOCTYPE html><html>not found</html>").contains("a web page"));
    assert!(refusal(b"").contains("empty"));
}

#[test]
fn archives_that_claim_more_than_they_hold_are_refused() {
    let right = torch_zip(&one_tensor(4, 4, 1), &[0; 16]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("w"), right).unwrap();
    assert_eq!(weights::read(&folder.path().join("w"), &Limits::default()).unwrap().tensors.len(), 1);

    let claimed = 25_000_000_000;
    assert!(refusal(&torch_zip(&one_tensor(claimed, claimed, 1), &[0; 16])).contains("`w`"));
    // Four numbers of two bytes where the pickle says four of four.
    assert!(refusal(&torch_zip(&one_tensor(4, 4, 1), &[0; 8])).contains("too short"));
    assert!(refusal(&torch_zip(&one_tensor(1, 1_000_000_000, 0), &[0; 4])).contains("times the file"));
    let hostile = torch_zip(b"\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R.", &[0; 4]);
    assert!(refusal(&hostile).contains("`os.system`"));
    // A type that torch has not.
    let text = one_tensor(1, 1, 1);
    let at = text.windows(12).position(|w| w == b"FloatStorage").unwrap();
    let mut unknown = text.clone();
    unknown[at..at + 5].copy_from_slice(b"Bloat");
    assert!(refusal(&torch_zip(&unknown, &[0; 4])).contains("BloatStorage"));
    let big_endian = zip(&[("a/data.pkl", &text), ("a/byteorder", b"big"), ("a/data/k", &[0; 4])]);
    assert!(refusal(&big_endian).contains("little"));
    assert!(refusal(&zip(&[("a/data.pkl", &text)])).contains("none"));
    assert!(refusal(&zip(&[("a.txt", b"hello")])).contains("not a torch file"));
}

#[test]
fn limits_are_kept() {
    let path = fixture("zip.pth");
    let small = Limits { file_bytes: 100, ..Limits::default() };
    assert!(weights::read(&path, &small).unwrap_err().to_string().contains("at most 100 bytes"));
    let few = Limits { tensors: 3, ..Limits::default() };
    assert!(weights::read(&path, &few).unwrap_err().to_string().contains("at most 3"));
    let short = Limits { header_bytes: 50, ..Limits::default() };
    for name in ["zip.pth", "legacy.pth"] {
        assert!(weights::read(&fixture(name), &short).is_err(), "{name}");
    }
}

/// The state dict of a freshly built resnet-tiny with nine classes.
fn tiny() -> StateDict {
    let model = build("resnet-tiny", 9, &Params::random(3, DType::F32, &Device::Cpu)).unwrap();
    let mut dict = StateDict::default();
    for parameter in model.parameters() {
        let values = parameter.value.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        dict.insert(&parameter.name, RawTensor::from_f32(parameter.value.dims(), &values)).unwrap();
    }
    dict
}

/// The same tensors, with another in the place of `name`.
fn changed(dict: &StateDict, name: &str, tensor: &RawTensor) -> StateDict {
    let mut out = StateDict::default();
    for (key, value) in dict.iter() {
        out.insert(key, if key == name { tensor.clone() } else { value.clone() }).unwrap();
    }
    out
}

fn load(dict: StateDict, head: Head) -> Result<in9_models::Model, String> {
    weights::load_from("resnet-tiny", Path::new("w.pth"), dict, head, false, &Device::Cpu)
        .map_err(|e| e.to_string())
}

#[test]
fn keys_are_strict_and_the_difference_is_printed() {
    assert_eq!(load(tiny(), Head::FromFile).unwrap().classes(), 9);

    let mut extra = tiny();
    extra.insert("layer9.weight", RawTensor::from_f32(&[1], &[0.0])).unwrap();
    assert!(load(extra, Head::FromFile).err().unwrap().contains("1 left over: layer9.weight [1]"));

    let mut other = StateDict::default();
    for (name, tensor) in tiny().iter() {
        let tensor = match name {
            "bn1.bias" => continue,
            "layer1.0.conv1.weight" => RawTensor::from_f32(&[1, 2], &[0.0, 0.0]),
            _ => tensor.clone(),
        };
        other.insert(name, tensor).unwrap();
    }
    let error = load(other, Head::FromFile).err().unwrap();
    assert!(error.contains("1 missing: bn1.bias [16]"), "{error}");
    assert!(error.contains("1 of another shape: layer1.0.conv1.weight [16, 16, 3, 3] is [1, 2]"), "{error}");

    let mut whole_numbers = tiny();
    let integer = RawTensor::in_memory(safetensors::Dtype::I64, vec![16], vec![0; 128]);
    whole_numbers = changed(&whole_numbers, "bn1.bias", &integer);
    assert!(load(whole_numbers, Head::FromFile).err().unwrap().contains("floating-point"));
}

#[test]
fn the_head_can_be_swapped_and_nothing_else_changes() {
    let model = load(tiny(), Head::Fresh { classes: 4, seed: 5 }).unwrap();
    assert_eq!(model.classes(), 4);
    let tensors = model.tensors();
    for (name, raw) in tiny().iter().filter(|(name, _)| !name.starts_with("fc.")) {
        let values = tensors[name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(values, raw.to_f32().unwrap(), "{name}");
    }
    assert_eq!(tensors["fc.weight"].dims(), [4, 128]);
}

#[test]
fn weights_that_are_no_numbers_are_refused_by_name_in_every_format() {
    for (value, shown) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let mut values = tiny().get("layer1.0.bn1.running_var").unwrap().to_f32().unwrap();
        values[3] = value;
        let raw = RawTensor::from_f32(&[values.len()], &values);
        let dict = changed(&tiny(), "layer1.0.bn1.running_var", &raw);
        let error = load(dict, Head::FromFile).err().unwrap();
        assert!(error.contains("`layer1.0.bn1.running_var`"), "{error}");
        assert!(error.contains(&format!("found {shown} at element 3")), "{error}");
    }
    // A double that no single-precision number comes near.
    let large = [1e300f64; 16].iter().flat_map(|v| v.to_le_bytes()).collect();
    let large = RawTensor::in_memory(safetensors::Dtype::F64, vec![16], large);
    let error = weights::load_from(
        "resnet-tiny",
        Path::new("w"),
        changed(&tiny(), "bn1.bias", &large),
        Head::FromFile,
        false,
        &Device::Cpu,
    );
    let Err(Error::Weights { fault, .. }) = error else { panic!("not refused") };
    assert!(matches!(*fault, Fault::NotFinite { ref name, index: 0, .. } if name == "bn1.bias"));

    // By way of files: what `predict` and every probe do.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let raw = RawTensor::from_f32(&[16], &[f32::NAN; 16]);
    weights::write(&path, &changed(&tiny(), "bn1.bias", &raw), None).unwrap();
    let error = weights::load("resnet-tiny", &path, Head::FromFile, false, &Device::Cpu).err().unwrap();
    assert!(error.to_string().contains("w.safetensors: parameter `bn1.bias`"), "{error}");
}

#[cfg(unix)]
#[test]
fn pipes_devices_and_folders_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [pipe.as_path(), Path::new("/dev/zero"), folder.path()] {
        let refused = weights::read(path, &Limits::default());
        assert!(matches!(refused, Err(Error::Base(in9_base::Error::NotAFile { .. }))), "{refused:?}");
    }
}

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

/// A gigabyte in each format: right, but of no network. What is wrong is found without reading it in.
#[test]
fn large_files_are_not_read_whole() {
    const DATA: u64 = 1 << 30;
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
            assert!(after - before < 64 << 20, "{} bytes more at the peak", after - before);
        }
    }
    // Beyond the limit nothing is read at all.
    let path = sparse(folder.path(), b"PK\x03\x04", &[0], 9 << 30);
    assert!(weights::read(&path, &Limits::default()).unwrap_err().to_string().contains("size of the file"));
}

#[test]
fn sixty_megabytes_of_pickle_instructions_are_refused_within_the_budget() {
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
            assert!(after - before < 512 << 20, "{} bytes more at the peak", after - before);
        }
    }
}

/// Every call with the same tuple of 100,000 arguments: work that grew with the square of the file.
#[test]
fn a_pickle_of_calls_is_read_in_time_linear_in_its_length() {
    let tensor = b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0kX\x03\0\0\0cpuK\x01tQK\0K\x01\x85K\x01\x85\x89}tR";
    let head = [b"\x80\x02ctorch._utils\n_rebuild_parameter\nq\x00(".as_slice(), tensor].concat();
    let arguments = [head.as_slice(), &b"N".repeat(100_000), b"tq\x01"].concat();
    let object = [arguments.as_slice(), &b"h\x00h\x01R0".repeat(300_000), b"N."].concat();
    assert!(object.len() > 1_600_000);
    assert!(refusal(&torch_zip(&object, &[0; 4])).contains("dictionary of tensors"));
}

/// In safetensors a repeated name would silently be the last one; so would a repeated field.
#[test]
fn repeated_fields_of_a_tensor_are_refused() {
    let header = r#"{"w":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}"#;
    assert!(refusal(&safetensors(header, 4)).contains("duplicate name `shape`"));
}
