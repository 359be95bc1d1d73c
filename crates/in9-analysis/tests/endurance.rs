//! Hours under full load in one process: the loader, a search and downloads side by side keep their memory and leave no
//! descriptor open.
//!
//! ```sh
//! IN9_ENDURANCE_MINUTES=60 cargo test --release -p in9-analysis --test endurance -- --ignored --nocapture
//! ```
#![cfg(all(feature = "cli", feature = "probes", target_os = "linux"))]

mod support;

use in9_analysis::probes::adversarial::{PairLog, Rule, SearchSettings, search};
use in9_data::{Augment, Dataset, Loader, LoaderConfig, View};
use in9_models::Classifier;
use in9_models::mapping::Mapping;
use in9_models::open::{Options, open};
use in9_models::registry::{Cache, Checksum, Pretrained, find_pretrained};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use support::trained;

/// Megabytes in memory, and descriptors that are open.
fn held() -> (f64, usize) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    (kilobytes * 1024.0 / 1e6, fs::read_dir("/proc/self/fd").unwrap().count())
}

/// Reads every view of both splits, in another order each time; every seventh epoch is given up at its first batch.
fn load(dataset: &Dataset, go_on: &AtomicBool, done: &AtomicU64) {
    for epoch in 0.. {
        for (split, view) in ["train", "test"].into_iter().flat_map(|s| View::ALL.map(|view| (s, view))) {
            if !go_on.load(Ordering::Relaxed) {
                return;
            }
            let split = dataset.split(split).unwrap().check_layers().unwrap();
            let augment = Augment::RandomResizedCrop {
                scale: (0.2, 1.0),
                ratio: (0.75, 1.33),
                flip: true,
                jitter: None,
                lighting: 0.05,
            };
            let config = LoaderConfig {
                view,
                batch_size: 7,
                shuffle: true,
                seed: epoch,
                augment,
                ..LoaderConfig::default()
            };
            let batches = Loader::new(dataset, &split, config).unwrap().epoch(epoch).unwrap();
            let wanted = if epoch % 7 == 6 { 1 } else { usize::MAX };
            for batch in batches.take(wanted) {
                done.fetch_add(batch.unwrap().labels.len() as u64, Ordering::Relaxed);
            }
        }
    }
}

/// Searches all pairs of the test split, opening network, photographs and log anew each time.
fn search_pairs(dataset: &Dataset, dir: &Path, go_on: &AtomicBool, done: &AtomicU64) {
    while go_on.load(Ordering::Relaxed) {
        let opened = open(dir.join("run").to_str().unwrap(), &Options::default()).unwrap();
        let network = Classifier::new(opened, dataset.taxonomy(), Mapping::A).unwrap();
        let split = dataset.split("test").unwrap().check_layers().unwrap();
        let all: Vec<u32> = (0..split.len() as u32).collect();
        let settings = SearchSettings {
            rules: Rule::ALL.to_vec(),
            foregrounds: all.clone(),
            backgrounds: all,
            wave: 32,
            batch: 16,
            exhaustive: true,
        };
        let mut log = PairLog::open(&dir.join("pairs"), [7; 32]).unwrap();
        let found = search(&split, &network, &settings, &mut log, &mut |_, _, _| {}).unwrap();
        log.remove().unwrap();
        done.fetch_add(found.passes, Ordering::Relaxed);
    }
}

/// The downloaded file, as long as a small network's, and its SHA-256 by `head -c 3000000 /dev/zero | sha256sum`.
const LENGTH: usize = 3_000_000;
const DIGEST: &str = "35bce4eae54ec8e6cc2868baa8d157914d6ae2858811b4cc0c078c94460fa26f";

/// Every third answer is broken off in the middle.
fn serve(mut stream: TcpStream, number: usize) -> std::io::Result<()> {
    let mut from = 0;
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?.to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("range: bytes=") {
            from = value.trim_end_matches('-').parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let rest = LENGTH - from;
    let status = match from {
        0 => "200 OK".to_owned(),
        _ => format!("206 Partial Content\r\nContent-Range: bytes {from}-{}/{LENGTH}", LENGTH - 1),
    };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {rest}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(&vec![0; if number.is_multiple_of(3) { rest / 2 } else { rest }])
}

/// Downloads, some of which go on where another was broken off, each into an empty cache.
fn download(dir: &Path, go_on: &AtomicBool, done: &AtomicU64) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let _ = serve(stream, number);
        }
    });
    let weights = Pretrained {
        file: "zeros.pth",
        checksum: Checksum::Sha256(DIGEST),
        ..*find_pretrained("resnet18").unwrap()
    };
    while go_on.load(Ordering::Relaxed) {
        let folder = dir.join("cache");
        let cache = Cache::new(&folder).mirror(&address);
        // The second try goes on where the first was broken off.
        let fetched = cache.fetch(&weights, &mut |_| {}).or_else(|_| cache.fetch(&weights, &mut |_| {}));
        assert_eq!(fs::metadata(fetched.unwrap()).unwrap().len(), LENGTH as u64);
        fs::remove_dir_all(&folder).unwrap();
        done.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
#[ignore = "takes as long as one wants: IN9_ENDURANCE_MINUTES, otherwise one"]
fn memory_and_descriptors_stay_as_they_are() {
    let minutes = std::env::var("IN9_ENDURANCE_MINUTES").map_or(1.0, |m| m.parse::<f64>().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let dataset = trained(dir.path());
    let (go_on, done) = (AtomicBool::new(true), [0; 3].map(AtomicU64::new));
    let mut seen: Vec<(f64, usize)> = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| load(&dataset, &go_on, &done[0]));
        scope.spawn(|| search_pairs(&dataset, dir.path(), &go_on, &done[1]));
        scope.spawn(|| download(dir.path(), &go_on, &done[2]));
        let (started, every) = (Instant::now(), Duration::from_secs_f64(minutes * 60.0 / 400.0));
        while started.elapsed().as_secs_f64() < minutes * 60.0 {
            thread::sleep(every);
            seen.push(held());
            if seen.len().is_multiple_of(20) {
                let [pictures, passes, files] = [0, 1, 2].map(|k| done[k].load(Ordering::Relaxed));
                let ((megabytes, open), at) = (seen[seen.len() - 1], started.elapsed().as_secs());
                println!(
                    "{at} s: {megabytes:.1} MB, {open} open; {pictures} pictures, {passes} passes, {files} downloads"
                );
            }
        }
        go_on.store(false, Ordering::Relaxed);
    });
    assert!(done.iter().all(|d| d.load(Ordering::Relaxed) > 10), "{done:?}");
    // The most that was held in the second quarter and in the last: what is needed goes up and down, a leak goes up.
    let quarter = seen.len() / 4;
    let most = |part: &[(f64, usize)]| part.iter().fold((0.0f64, 0), |(m, f), s| (m.max(s.0), f.max(s.1)));
    let (early, late) = (most(&seen[quarter..2 * quarter]), most(&seen[3 * quarter..]));
    println!("at most {:.1} MB and {} open, then {:.1} MB and {}", early.0, early.1, late.0, late.1);
    assert!(late.0 < 1.05 * early.0 + 4.0, "memory: {early:?}, then {late:?}");
    assert!(late.1 <= early.1 + 4, "descriptors: {early:?}, then {late:?}");
}
