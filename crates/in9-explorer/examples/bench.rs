//! Measures the explorer at the size of a large study: 50,000 photographs, all views, five models.
//!
//! `cargo run --release -p in9-explorer --example bench [FOLDER]` makes the photographs and tables once (some minutes
//! and 10 GB), loads and serves them, prints what was measured, and goes on serving at the printed address, so that
//! scrolling can be measured in a browser:
//! `IN9_BROWSER_TESTS=1 IN9_SCROLL_OF=ADDRESS cargo test -p in9-explorer --test browser scrolling -- --nocapture`.
//!
//! Cutting 50,000 objects out would take hours and change nothing that is measured, so the photographs have no masks;
//! the pictures that are put together come from a second, small set that has them.

#![allow(clippy::print_stdout, reason = "a program")]

use std::error::Error;
use std::fs;
use std::io::{BufWriter, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use in9_data::{BuildConfig, SourceKind, View, build};
use in9_explorer::{Collection, Inputs, export, server};
use in9_toy::{WorldConfig, render};

const PHOTOGRAPHS: usize = 50_000;
const CLASSES: usize = 9;
const MODELS: usize = 5;
/// Side of the pictures in pixels.
const SIDE: u32 = 224;
/// Photographs that are drawn; the others are copies of their files.
const DRAWN: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(|| std::env::temp_dir().join("in9-explorer-bench"), PathBuf::from);
    let data = folder.join("data");
    if !data.join("manifest.json").exists() {
        photographs(&folder.join("photographs"))?;
        let config = BuildConfig {
            size: SIDE,
            photos_only: true,
            ..BuildConfig::new(SourceKind::Folder, &folder.join("photographs"), &data)
        };
        build(&config, &|_| ())?;
    }
    let layered = folder.join("layered");
    if !layered.join("manifest.json").exists() {
        let world = folder.join("world");
        let config = WorldConfig {
            seed: 1,
            rho: 0.9,
            train_per_class: 1,
            test_per_class: 20,
            ..WorldConfig::default()
        };
        render(&config, &world, &|_, _| ())?;
        build(&BuildConfig { size: SIDE, ..BuildConfig::new(SourceKind::Toy, &world, &layered) }, &|_| ())?;
    }
    let mut paths = vec![data, layered];
    for model in 0..MODELS {
        let path = folder.join(format!("model-{model}.csv"));
        if !path.exists() {
            table(&path, model)?;
        }
        paths.push(path);
    }
    let started = Instant::now();
    let collection = Collection::load(&Inputs::find(&paths)?, &Default::default())?;
    for notice in collection.notices() {
        println!("note: {notice}");
    }
    // Tables about other photographs would be left out, and nothing would be measured.
    assert_eq!(collection.counts().2, MODELS, "models");
    println!("load                          {:8.1} s", started.elapsed().as_secs_f64());
    println!("memory once loaded            {}", memory());
    let file = folder.join("page.html");
    let started = Instant::now();
    let exported = export::to_file(&collection, &file, &export::Options::default())?;
    let megabytes = file.metadata()?.len() as f64 / 1e6;
    println!(
        "export of {} photographs     {megabytes:8.1} MB, {:.1} s",
        exported.photographs,
        started.elapsed().as_secs_f64()
    );
    server::serve(collection, Vec::new(), &server::Config::default(), |address| {
        std::thread::spawn(move || measure(address));
    })?;
    Ok(())
}

fn measure(address: SocketAddr) {
    let first = median(9, || {
        ["/", "/style.css", "/script.js", "/data/contents"].iter().for_each(|path| drop(get(address, path)))
    });
    println!("first page                    {first}");
    println!("columns of all photographs    {}", median(9, || drop(get(address, "/data/0/columns"))));
    let mut at = 0;
    let picture = median(199, || {
        at = (at + 7919) % PHOTOGRAPHS;
        drop(get(address, &format!("/picture/0/original/{at}")));
    });
    println!("a photograph of {SIDE}²          {picture}");
    let (set, n) = layered(address);
    for view in View::ALL {
        let composed = median(199, || {
            at = (at + 31) % n;
            let on = if view.needs_background() { format!("/on/{}", (at + 7) % n) } else { String::new() };
            drop(get(address, &format!("/picture/{set}/{view}/{at}{on}")));
        });
        let name = format!("{view} of {SIDE}²");
        println!("{name:30}{composed}");
    }
    println!("a photograph's answers        {}", median(99, || drop(get(address, "/data/0/photograph/777"))));
    let started = Instant::now();
    let threads: Vec<_> = (0..200)
        .map(|k| {
            std::thread::spawn(move || {
                let started = Instant::now();
                (
                    get(address, &format!("/picture/0/original/{k}")).starts_with(b"HTTP/1.1 200"),
                    started.elapsed(),
                )
            })
        })
        .collect();
    let answers: Vec<(bool, Duration)> =
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect();
    let good = answers.iter().filter(|answer| answer.0).count();
    let slowest = answers.iter().map(|answer| answer.1).max().unwrap_or_default();
    println!(
        "200 connections at once       {good} answered, the slowest after {:.0} ms, all after {:.0} ms",
        slowest.as_secs_f64() * 1e3,
        started.elapsed().as_secs_f64() * 1e3
    );
    println!("memory at the end             {}", memory());
    println!("http://{address}/ (Ctrl-C ends)");
}

/// The middle one of `count` tries by the clock, and what each took of the processor, which other programs do not
/// change: of this process, so of the one that asks too.
fn median(count: usize, mut work: impl FnMut()) -> String {
    let before = processor();
    let mut times: Vec<f64> = (0..count)
        .map(|_| {
            let started = Instant::now();
            work();
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    let each = (processor() - before) / count as f64;
    times.sort_by(f64::total_cmp);
    format!("{:8.1} ms, of the processor {each:.2} ms", times[count / 2])
}

/// Milliseconds of processor that this process has used (Linux only), in steps of ten.
fn processor() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name may hold spaces; what follows it has the user's time as 12th word and the system's as 13th.
    let words = stat.rsplit(')').next().unwrap_or("").split_whitespace().skip(11).take(2);
    words.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10.0
}

fn get(address: SocketAddr, path: &str) -> Vec<u8> {
    let mut answer = Vec::new();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    if let Ok(mut stream) = TcpStream::connect(address)
        && stream.write_all(request.as_bytes()).is_ok()
    {
        // A broken answer shows by what it does not begin with.
        let _ = stream.read_to_end(&mut answer);
    }
    answer
}

/// Number of the test set whose photographs have masks, and how many it has.
fn layered(address: SocketAddr) -> (usize, usize) {
    let answer = get(address, "/data/contents");
    let body = answer.windows(4).position(|w| w == b"\r\n\r\n").map_or(&[][..], |end| &answer[end + 4..]);
    let contents: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let sets = contents["sets"].as_array().into_iter().flatten().enumerate();
    let found =
        sets.filter(|(_, set)| set["layers"] == true).max_by_key(|(_, set)| set["photographs"].as_u64());
    found.map_or((0, 1), |(at, set)| (at, set["photographs"].as_u64().unwrap_or(1) as usize))
}

/// What the process holds (Linux only): without a file behind it, with the pages of mapped files that the system keeps
/// while it has room, and the most that this ever was.
fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let megabytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e3
    };
    let (own, all, most) = (megabytes("RssAnon:"), megabytes("VmRSS:"), megabytes("VmHWM:"));
    format!("{own:8.1} MB, with mapped files {all:.1} MB, at most {most:.1} MB")
}

/// The id that a dataset gives to a photograph of a class's folder.
fn id(file: &str, class: usize) -> String {
    format!("class{class}_{file}")
}

/// Name of a photograph's file, and its class.
fn photograph(at: usize) -> (String, usize) {
    (format!("p{at:05}"), at % CLASSES)
}

fn photographs(root: &Path) -> Result<(), Box<dyn Error>> {
    for class in 0..CLASSES {
        fs::create_dir_all(root.join(format!("test/class{class}")))?;
    }
    let mut drawn = Vec::new();
    for at in 0..PHOTOGRAPHS {
        let (name, class) = photograph(at);
        let path = root.join(format!("test/class{class}/{name}.jpg"));
        if at < DRAWN {
            image::RgbImage::from_fn(SIDE, SIDE, |x, y| {
                // Waves with grain: as hard to pack as a photograph.
                let wave =
                    |k: f64| ((f64::from(x) * k + at as f64).sin() + (f64::from(y) * k * 1.3).cos()) * 50.0;
                let grain = f64::from((x * 7919 + y * 104_729 + at as u32 * 31) % 23);
                image::Rgb([0.03, 0.05, 0.11].map(|k| (128.0 + wave(k) + grain) as u8))
            })
            .save(&path)?;
            drawn.push(fs::read(&path)?);
        } else {
            fs::write(&path, &drawn[at % DRAWN])?;
        }
    }
    Ok(())
}

fn table(path: &Path, model: usize) -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::new(fs::File::create(path)?);
    write!(out, "{}", in9_data::predictions::COLUMNS.join(","))?;
    (0..CLASSES).try_for_each(|class| write!(out, ",score_class{class}"))?;
    writeln!(out)?;
    for view in View::ALL {
        for at in 0..PHOTOGRAPHS {
            let (file, class) = photograph(at);
            let name = id(&file, class);
            let (other, of) = photograph((at * 31 + 7) % PHOTOGRAPHS);
            let (other, of) = if view.needs_background() {
                (id(&other, of), format!("class{of}"))
            } else {
                (String::new(), String::new())
            };
            let predicted = if (at * 13 + model * 5 + view as usize * 3) % 10 < 7 {
                class
            } else {
                (class + 1) % CLASSES
            };
            write!(
                out,
                "model-{model},tiny,,data,test,{view},{name},{name},{other},class{class},{of},class{predicted}"
            )?;
            (0..CLASSES).try_for_each(|class| {
                write!(out, ",{}", if class == predicted { 0.81 } else { 0.02 + at as f32 / 1e7 })
            })?;
            writeln!(out)?;
        }
    }
    out.flush()?;
    Ok(())
}
