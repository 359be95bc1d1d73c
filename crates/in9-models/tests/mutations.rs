//! Thousands of damaged files through every reader: an error or a value, never a panic, never much memory.
//!
//! A fixed number of executions with a fixed seed; `IN9_FUZZ_EXECUTIONS` asks for more. The same corpus
//! (`fuzz/corpus`) starts the coverage-guided targets in `fuzz/`.
#![allow(clippy::print_stdout, reason = "a test says how much it tried")]

mod hostile;

use std::path::Path;

use hostile::*;
use in9_base::rng;
use in9_models::npy;
use in9_models::weights::{self, Limits};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// Executions of each reader.
fn executions() -> u64 {
    std::env::var("IN9_FUZZ_EXECUTIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(5_000)
}

/// The files of one format that mutations start from: the corpus of its fuzz target. A published package has no fuzz
/// targets, and no corpora: then `None`, after one line that says so.
fn corpus(target: &str) -> Option<Vec<Vec<u8>>> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    if !fuzz.is_dir() {
        println!("skipped: the corpus of {target} is in the repository only");
        return None;
    }
    let folder = fuzz.join("corpus").join(target);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let files: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!(!files.is_empty());
    Some(files)
}

fn below(rng: &mut ChaCha8Rng, bound: usize) -> usize {
    rng::below(rng, bound.max(1) as u32) as usize
}

/// Numbers that programs get wrong.
const INTERESTING: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// One to eight changes: bits, bytes, numbers, cuts, repetitions, parts of another file.
fn mutate(rng: &mut ChaCha8Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[below(rng, corpus.len())].clone();
    for _ in 0..=below(rng, 8) {
        let at = below(rng, bytes.len());
        let len = below(rng, 64).min(bytes.len() - at.min(bytes.len()));
        match below(rng, 9) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << below(rng, 8),
            1 if !bytes.is_empty() => bytes[at] = rng.next_u32() as u8,
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..at + len)),
            4 => {
                let part = bytes[at..at + len].to_vec();
                let times = 1 + below(rng, 20);
                bytes.splice(at..at, part.repeat(times));
            }
            5 => {
                let other = &corpus[below(rng, corpus.len())];
                let from = below(rng, other.len());
                let part = other[from..(from + 1 + below(rng, 200)).min(other.len())].to_vec();
                bytes.splice(at..at + len, part);
            }
            6 => {
                let number = INTERESTING[below(rng, INTERESTING.len())].to_le_bytes();
                let width = [1, 2, 4, 8][below(rng, 4)].min(bytes.len() - at);
                bytes[at..at + width].copy_from_slice(&number[..width]);
            }
            7 => bytes.insert(at.min(bytes.len()), rng.next_u32() as u8),
            _ => {
                // A digit in a header of text.
                if let Some(digit) = bytes[at..].iter().position(u8::is_ascii_digit) {
                    bytes[at + digit] = b'0' + below(rng, 10) as u8;
                }
            }
        }
        // Repetition of repetition: corpora have small files.
        bytes.truncate(1 << 16);
    }
    bytes
}

/// Reads everything that a file of weights offers; how many tensors it had.
fn weigh(bytes: Vec<u8>) -> Option<usize> {
    let file = weights::read_bytes(bytes, &Limits::default()).ok()?;
    for (_, tensor) in file.tensors.iter() {
        let _ = tensor.to_f32();
        assert_eq!(tensor.bytes().unwrap().len() as u64, tensor.byte_len());
    }
    Some(file.tensors.len())
}

/// Runs `read` on the corpus and on mutations of it; what it returns tells whether a file was accepted.
fn run(target: &str, shape: impl Fn(Vec<u8>) -> Vec<u8>, read: impl Fn(Vec<u8>) -> bool) {
    let Some(corpus) = corpus(target) else { return };
    let before = peak_memory();
    for file in &corpus {
        read(shape(file.clone()));
    }
    let (mut accepted, total) = (0u64, executions());
    for execution in 0..total {
        let mut rng = rng::stream(1, target, execution, 0);
        accepted += u64::from(read(shape(mutate(&mut rng, &corpus))));
    }
    println!("{target}: {total} executions, {accepted} accepted");
    // A mutation must not always be refused at the door.
    assert!(accepted > 0, "{target}");
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        let more = after.saturating_sub(before);
        assert!(more < 128 << 20, "{target}: {} bytes more at the peak", more);
    }
}

#[test]
fn damaged_safetensors_are_refused_or_read() {
    run("safetensors", |bytes| bytes, |bytes| weigh(bytes).is_some());
}

#[test]
fn damaged_torch_archives_are_refused_or_read() {
    run("torch_zip", |bytes| bytes, |bytes| weigh(bytes).is_some());
}

#[test]
fn damaged_legacy_files_are_refused_or_read() {
    run("torch_legacy", |bytes| bytes, |bytes| weigh(bytes).is_some());
}

/// With right checksums around them, so that what is wrong gets past the archive.
#[test]
fn damaged_pickles_in_whole_archives_are_refused_or_read() {
    run("pickle", |pickle| torch_zip(&pickle, &[0; 64]), |bytes| weigh(bytes).is_some());
}

#[test]
fn damaged_arrays_are_refused_or_read() {
    run("npy", |bytes| bytes, |bytes| npy::read_bytes(Path::new("a.npy"), &bytes).is_ok());
}
