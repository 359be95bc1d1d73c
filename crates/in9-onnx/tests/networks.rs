//! Networks beside ONNX Runtime, and files that are none.
//!
//! `tests/oracles/data_masks.py` made what is in `tests/networks`; what is read there is a little JSON of known form.

use std::path::{Path, PathBuf};

use in9_onnx::{Asked, Error, Network, Result};

const MEMORY: u64 = 4 << 30;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/networks")
}

fn open(name: &str, shape: &[usize], output: Option<&str>) -> Result<Network> {
    let asked = Asked { shape, output, memory_bytes: MEMORY, ..Asked::default() };
    Network::open(&folder().join(format!("{name}.onnx")), &asked)
}

/// The oracle's input.
fn values(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 37 + ((i * i) >> 7)) % 256) as f32 / 256.0).collect()
}

/// The numbers of `"key": [...]` in the part of the oracle's answers that is about `name`.
fn numbers(text: &str, name: &str, key: &str) -> Vec<f32> {
    let of = &text[text.find(&format!("\"{name}\"")).unwrap()..];
    let list = &of[of.find(&format!("\"{key}\": [")).unwrap()..];
    let list = &list[list.find('[').unwrap() + 1..list.find(']').unwrap()];
    list.split(',').map(|number| number.trim().parse().unwrap()).collect()
}

#[test]
fn answers_are_those_of_onnx_runtime() {
    let text = std::fs::read_to_string(folder().join("answers.json")).unwrap();
    // The last is in half precision, of which ONNX Runtime keeps the roundings between operators.
    for (name, near) in [("apart", 2e-5), ("red", 2e-5), ("classes", 2e-5), ("dark", 2e-5), ("short", 2e-3)] {
        let extents = |key| numbers(&text, name, key).iter().map(|&v| v as usize).collect::<Vec<_>>();
        let network = open(name, &extents("input"), Some("map")).unwrap();
        assert_eq!(network.output_shape(), extents("shape"), "{name}");
        let answer = network.run(&values(extents("input").iter().product())).unwrap();
        let expected = numbers(&text, name, "values");
        assert_eq!(answer.len().div_ceil(7), expected.len());
        let furthest =
            answer.iter().step_by(7).zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(furthest < near, "{name}: {furthest}");
        // It is told what a run takes before there is one: at least the input and the output.
        let least = 4 * (extents("input").iter().product::<usize>() + answer.len()) as u64;
        assert!((least..1 << 24).contains(&network.bytes()), "{name}: {} bytes", network.bytes());
    }
}

/// A value of half precision has eleven digits of two; its bits in a single one end in thirteen zeros.
#[test]
fn what_is_in_half_precision_is_computed_in_single() {
    let network = open("short", &[1, 3, 24, 32], None).unwrap();
    let answer = network.run(&values(3 * 24 * 32)).unwrap();
    assert!(
        answer.iter().any(|value| value.to_bits() & 0x1fff != 0),
        "all of {} values are rounded",
        answer.len()
    );
}

#[test]
fn a_prompt_is_found_by_its_name_and_asked_for() {
    let text = std::fs::read_to_string(folder().join("answers.json")).unwrap();
    let open = |file: &str, name: &str, prompt: &[usize]| {
        let asked = Asked {
            shape: &[1, 3, 48, 64],
            prompt: Some((name, prompt)),
            memory_bytes: MEMORY,
            ..Asked::default()
        };
        Network::open(&folder().join(file), &asked)
    };
    let network = open("boxed.onnx", "box", &[1, 1, 4]).unwrap();
    let answer = network.run_with(&values(3 * 48 * 64), &[8.0, 4.0, 40.5, 36.0]).unwrap();
    let expected = numbers(&text, "boxed", "values");
    let furthest = answer.iter().step_by(7).zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(answer.len().div_ceil(7) == expected.len() && furthest < 2e-5, "{furthest}");
    let elsewhere = network.run_with(&values(3 * 48 * 64), &[0.0, 0.0, 64.0, 48.0]).unwrap();
    assert!(elsewhere != answer);
    assert!(
        network.run(&values(3 * 48 * 64)).is_err() && network.run_with(&values(3 * 48 * 64), &[1.0]).is_err()
    );
    for (file, name, prompt, said) in [
        (
            "boxed.onnx",
            "corners",
            &[1, 1, 4][..],
            "expected two inputs, one of them corners, found box, pixels",
        ),
        ("boxed.onnx", "box", &[1, 2, 2], "expected [1, 2, 2] of float, found [1, 1, 4] (box)"),
        ("boxed.onnx", "box", &[1, 0, 4], "expected 1 to"),
        ("red.onnx", "box", &[1, 1, 4], "expected two inputs, one of them box, found pixels"),
        ("wrong/several-prompts.onnx", "z", &[1, 3, 8, 8], "found x, z, w"),
    ] {
        let text = open(file, name, prompt).unwrap_err().to_string();
        assert!(text.contains(said), "{text}");
    }
    let alone = self::open("boxed", &[1, 3, 48, 64], None).unwrap_err().to_string();
    assert!(alone.contains("expected one input, found box, pixels"), "{alone}");
}

#[test]
fn many_threads_get_the_same_bits_of_one_network() {
    let network = open("red", &[1, 3, 20, 32], Some("map")).unwrap();
    let alone = network.run(&values(3 * 20 * 32)).unwrap();
    std::thread::scope(|scope| {
        let runs: Vec<_> =
            (0..4).map(|_| scope.spawn(|| network.run(&values(3 * 20 * 32)).unwrap())).collect();
        for run in runs {
            assert!(run.join().unwrap() == alone);
        }
    });
}

#[test]
fn what_cannot_be_run_is_refused_by_what_it_is() {
    let shape = [1, 3, 8, 8];
    let cases = [
        ("several-inputs", "found x, z"),
        ("several-outputs", "found y, z"),
        ("bytes", "found elements of type uint8 (x)"),
        ("other-size", "found [1, 3, 9, 8] (x)"),
        ("whole-numbers", "found an output of 1,3,8,8"),
        ("unknown-operator", "Fancy"),
        ("no-output", "none for z"),
        ("enormous", "expected at most 4294967296 bytes of memory"),
    ];
    for (name, expected) in cases {
        let error =
            open(&format!("wrong/{name}"), &shape, None).err().unwrap_or_else(|| panic!("{name} was taken"));
        assert!(matches!(error, Error::File { .. }), "{name}: {error}");
        let text = error.to_string();
        assert!(text.contains(expected) && !text.contains('\n') && text.len() < 700, "{name}: {text}");
    }
    let named = Asked {
        input: Some("picture"),
        shape: &[1, 3, 20, 32],
        output: Some("map"),
        memory_bytes: MEMORY,
        ..Asked::default()
    };
    let text = Network::open(&folder().join("red.onnx"), &named).unwrap_err().to_string();
    assert!(text.contains("expected picture, found pixels"), "{text}");
    let text = open("red", &[1, 3, 20, 32], Some("mask")).unwrap_err().to_string();
    assert!(text.contains("expected mask, found half, map"), "{text}");
    for shape in [&[1, 3, 0, 8][..], &[1, 3, usize::MAX, usize::MAX], &[1, 1 << 40], &[1, 3]] {
        assert!(open("red", shape, Some("map")).is_err(), "{shape:?}");
    }
    let network = open("red", &[1, 3, 20, 32], Some("map")).unwrap();
    assert!(network.run(&[0.5; 7]).is_err());
}

#[test]
fn damaged_files_end_in_an_error_of_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("n.onnx");
    let bytes = std::fs::read(folder().join("red.onnx")).unwrap();
    let tried = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let asked =
            Asked { shape: &[1, 3, 20, 32], output: Some("map"), memory_bytes: MEMORY, ..Asked::default() };
        Network::open(&path, &asked).and_then(|network| network.run(&values(3 * 20 * 32)))
    };
    let whole = tried(&bytes).unwrap();
    let mut refused = 0;
    for end in 0..bytes.len() {
        match tried(&bytes[..end]) {
            // What is last in the file says of which version its operators are, which is also the usual one.
            Ok(answer) => assert!(answer == whole, "the first {end} bytes are another network"),
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().contains('\n'), "{error}");
            }
        }
    }
    assert!(refused > bytes.len() * 9 / 10, "{refused} of {}", bytes.len());
    // A byte that is another makes an error or another network, and ends nothing.
    for at in (0..bytes.len()).step_by(3) {
        let mut other = bytes.clone();
        other[at] ^= 0x55;
        let _: Result<Vec<f32>> = tried(&other);
    }
    let absent =
        Network::open(&dir.path().join("none.onnx"), &Asked { shape: &[1, 3, 8, 8], ..Asked::default() });
    assert!(matches!(absent, Err(Error::Base(_))));
}
