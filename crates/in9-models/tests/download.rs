//! Downloads, against a server on the loopback address.

#![cfg(feature = "download")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use in9_models::Error;
use in9_models::registry::{Cache, Checksum, DownloadFault, DownloadProgress, Pretrained, find_pretrained};

const CONTENT: &[u8] = b"the weights of a very small network";
/// SHA-256 of `CONTENT`, by `sha256sum`.
const DIGEST: &str = "c21c222426ba964bd09efff0d51f55f1ee799182b46add56890970b02e058d27";

fn weights(checksum: Checksum) -> Pretrained {
    Pretrained { file: "small-weights.pth", checksum, ..*find_pretrained("resnet18").unwrap() }
}

/// How the server misbehaves.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Honest,
    /// Sends this many bytes of the body and hangs up.
    HangsUpAfter(usize),
    IgnoresRanges,
    NotFound,
    Corrupts,
    /// Sends this many bytes of the body and then nothing, without hanging up.
    StallsAfter(usize),
    /// Sends a byte now and then.
    Trickles,
    /// Claims a body of a terabyte.
    Boasts,
    /// Tells no length and never ends.
    Endless,
    /// Sends half of the body, waits this many milliseconds, and sends the rest.
    Pauses(u64),
    /// Answers nothing.
    Mute,
}

/// Answers requests until the process ends; returns its address and the ranges it was asked for.
fn serve(manner: Manner) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let ranges = Arc::new(Mutex::new(Vec::new()));
    let asked = ranges.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer(stream, manner, &asked);
        }
    });
    (address, ranges)
}

fn answer(mut stream: TcpStream, manner: Manner, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut range = String::new();
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?.to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("range:") {
            range = value.trim().to_owned();
        }
        if line.is_empty() {
            break;
        }
    }
    asked.lock().unwrap().push(range.clone());
    match manner {
        Manner::Mute => thread::sleep(Duration::from_secs(60)),
        Manner::Boasts => return write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 1u64 << 40),
        Manner::Endless => {
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[0; 1 << 16])?;
            }
        }
        _ => {}
    }
    let mut content = CONTENT.to_vec();
    if manner == Manner::Corrupts {
        content[3] ^= 1;
    }
    let from = range.strip_prefix("bytes=").and_then(|r| r.strip_suffix('-')?.parse::<usize>().ok());
    let (head, body) = match (manner, from) {
        (Manner::NotFound, _) => ("404 Not Found".to_owned(), Vec::new()),
        (_, Some(from)) if manner != Manner::IgnoresRanges && from < content.len() => {
            let (last, total) = (content.len() - 1, content.len());
            (
                format!("206 Partial Content\r\nContent-Range: bytes {from}-{last}/{total}"),
                content[from..].to_vec(),
            )
        }
        _ => ("200 OK".to_owned(), content),
    };
    write!(stream, "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    match manner {
        Manner::HangsUpAfter(n) => stream.write_all(&body[..n.min(body.len())]),
        Manner::StallsAfter(n) => {
            stream.write_all(&body[..n])?;
            thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        Manner::Trickles => body.iter().try_for_each(|byte| {
            thread::sleep(Duration::from_millis(150));
            stream.write_all(&[*byte])
        }),
        Manner::Pauses(milliseconds) => {
            let (first, rest) = body.split_at(body.len() / 2);
            stream.write_all(first)?;
            thread::sleep(Duration::from_millis(milliseconds));
            stream.write_all(rest)
        }
        _ => stream.write_all(&body),
    }
}

fn fetch(cache: &Cache, weights: &Pretrained) -> Result<Vec<u8>, String> {
    let path = cache.fetch(weights, &mut |_| {}).map_err(|e| e.to_string())?;
    Ok(fs::read(path).unwrap())
}

fn part(folder: &tempfile::TempDir) -> std::path::PathBuf {
    folder.path().join("small-weights.pth.part")
}

/// Why the download of the small weights from a server of this manner, given up after a silence of
/// half a second, did not succeed.
fn fault(folder: &tempfile::TempDir, manner: Manner) -> DownloadFault {
    let (address, _) = serve(manner);
    let cache = Cache::new(folder.path()).mirror(&address).stall_after(Duration::from_millis(500));
    let started = Instant::now();
    let error = cache.fetch(&weights(Checksum::Sha256(DIGEST)), &mut |_| {}).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(30), "{error}");
    match error {
        Error::Download { fault, .. } => *fault,
        other => panic!("{other}"),
    }
}

#[test]
fn a_file_is_downloaded_once_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let (address, asked) = serve(Manner::Honest);
    let cache = Cache::new(folder.path().join("new")).mirror(&address);
    let weights = weights(Checksum::Prefix(&DIGEST[..8]));
    let mut last = DownloadProgress::Waiting;
    cache.fetch(&weights, &mut |step| last = step).unwrap();
    let all = CONTENT.len() as u64;
    assert_eq!(last, DownloadProgress::Bytes { done: all, total: Some(all) });
    assert_eq!(fetch(&cache, &weights).unwrap(), CONTENT);
    assert_eq!(asked.lock().unwrap().len(), 1);

    // Somebody changes the cached file.
    fs::write(cache.path(&weights), b"other").unwrap();
    let error = fetch(&cache, &weights).unwrap_err();
    assert!(error.contains("is not the published resnet18.imagenet1k-v1"), "{error}");
}

#[test]
fn an_interrupted_download_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let weights = weights(Checksum::Sha256(DIGEST));
    let (address, _) = serve(Manner::HangsUpAfter(10));
    let error = fetch(&Cache::new(folder.path()).mirror(&address), &weights).unwrap_err();
    assert!(error.contains("broken off after 10"), "{error}");
    assert!(error.contains(DIGEST) && error.contains("put the file there by hand"), "{error}");

    let (address, asked) = serve(Manner::Honest);
    assert_eq!(fetch(&Cache::new(folder.path()).mirror(&address), &weights).unwrap(), CONTENT);
    assert_eq!(*asked.lock().unwrap(), ["bytes=10-"]);
}

#[test]
fn a_server_without_ranges_sends_everything_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(part(&folder), &CONTENT[..10]).unwrap();
    let (address, _) = serve(Manner::IgnoresRanges);
    let weights = weights(Checksum::Sha256(DIGEST));
    assert_eq!(fetch(&Cache::new(folder.path()).mirror(&address), &weights).unwrap(), CONTENT);
}

#[test]
fn wrong_bytes_are_thrown_away() {
    let folder = tempfile::tempdir().unwrap();
    let weights = weights(Checksum::Sha256(DIGEST));
    let (address, _) = serve(Manner::Corrupts);
    let error = fetch(&Cache::new(folder.path()).mirror(&address), &weights).unwrap_err();
    assert!(error.contains("SHA-256"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_unpublished_digest_is_recorded_and_then_held() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _) = serve(Manner::Honest);
    let cache = Cache::new(folder.path()).mirror(&address);
    let weights = weights(Checksum::Unpublished);
    assert_eq!(fetch(&cache, &weights).unwrap(), CONTENT);
    fs::write(cache.path(&weights), b"other").unwrap();
    assert!(fetch(&cache, &weights).unwrap_err().contains(DIGEST));
}

#[test]
fn without_a_network_the_error_says_which_file_to_put_where() {
    let folder = tempfile::tempdir().unwrap();
    // A port that was free a moment ago and that nobody listens on.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let weights = weights(Checksum::Prefix(&DIGEST[..8]));
    let cache = Cache::new(folder.path()).mirror(&format!("http://{port}"));
    let (not_found, _) = serve(Manner::NotFound);
    for (cache, why) in
        [(cache, port.to_string()), (Cache::new(folder.path()).mirror(&not_found), "404".into())]
    {
        let error = fetch(&cache, &weights).unwrap_err();
        let path = cache.path(&weights).display().to_string();
        assert!(error.starts_with(&path) && error.contains(&why), "{error}");
        assert!(error.contains(&format!("SHA-256 begins with {}", &DIGEST[..8])), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn a_body_that_stalls_is_given_up_and_what_came_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let stalled = fault(&folder, Manner::StallsAfter(10));
    assert!(matches!(stalled, DownloadFault::Stalled { have: 10, .. }), "{stalled}");
    assert_eq!(fs::read(part(&folder)).unwrap(), &CONTENT[..10]);
    let (address, asked) = serve(Manner::Honest);
    let cache = Cache::new(folder.path()).mirror(&address);
    assert_eq!(fetch(&cache, &weights(Checksum::Sha256(DIGEST))).unwrap(), CONTENT);
    assert_eq!(*asked.lock().unwrap(), ["bytes=10-"]);
}

#[test]
fn a_body_that_trickles_counts_as_stalled() {
    let folder = tempfile::tempdir().unwrap();
    let stalled = fault(&folder, Manner::Trickles);
    let DownloadFault::Stalled { have, .. } = stalled else { panic!("{stalled}") };
    assert!(have > 0 && have < CONTENT.len() as u64, "{have}");
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let silent = fault(&tempfile::tempdir().unwrap(), Manner::Mute);
    assert!(matches!(silent, DownloadFault::Http { .. }), "{silent}");
}

#[test]
fn more_than_the_weights_can_have_is_refused_and_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let boast = fault(&folder, Manner::Boasts);
    // resnet18 has 11,689,512 parameters and 9,600 running statistics.
    let DownloadFault::TooLarge { most, .. } = boast else { panic!("{boast}") };
    assert_eq!(most, (11_689_512 + 9_600) * 6 + (8 << 20));
    let endless = fault(&folder, Manner::Endless);
    assert!(matches!(endless, DownloadFault::TooLarge { .. }), "{endless}");
    assert_eq!(fs::metadata(part(&folder)).unwrap().len(), 0);
}

#[cfg(unix)]
#[test]
fn an_unfinished_file_that_is_a_link_or_a_pipe_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("precious");
    fs::write(&precious, b"mine").unwrap();
    std::os::unix::fs::symlink(&precious, part(&folder)).unwrap();
    let link = fault(&folder, Manner::Honest);
    assert!(matches!(link, DownloadFault::NotOurPart { found: "a link", .. }), "{link}");
    assert_eq!(fs::read(&precious).unwrap(), b"mine");

    // A link to nothing would make a file where it leads.
    fs::remove_file(&precious).unwrap();
    assert!(matches!(fault(&folder, Manner::Honest), DownloadFault::NotOurPart { .. }));
    assert!(!precious.exists());

    fs::remove_file(part(&folder)).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(part(&folder)).status().unwrap().success());
    assert!(matches!(fault(&folder, Manner::Honest), DownloadFault::NotOurPart { .. }));
}

#[test]
fn a_second_download_of_the_same_file_waits_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (address, asked) = serve(Manner::Pauses(1500));
    let cache = Cache::new(folder.path()).mirror(&address);
    let weights = weights(Checksum::Sha256(DIGEST));
    thread::scope(|scope| {
        let first = scope.spawn(|| fetch(&cache, &weights).unwrap());
        while asked.lock().unwrap().is_empty() {
            thread::sleep(Duration::from_millis(10));
        }
        let mut waited = false;
        let told = &mut |step| waited |= step == DownloadProgress::Waiting;
        let path = cache.fetch(&weights, told).unwrap();
        assert!(waited);
        assert_eq!(fs::read(path).unwrap(), CONTENT);
        assert_eq!(first.join().unwrap(), CONTENT);
    });
    assert_eq!(asked.lock().unwrap().len(), 1, "the second took what the first had brought");
}

#[test]
fn a_second_download_does_not_wait_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let other = fs::File::options().create(true).append(true).open(part(&folder)).unwrap();
    other.lock().unwrap();
    let busy = fault(&folder, Manner::Honest);
    assert!(matches!(busy, DownloadFault::Busy { .. }), "{busy}");
}

#[test]
fn a_wrong_beginning_is_found_by_the_digest_and_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(part(&folder), b"something else").unwrap();
    let (address, asked) = serve(Manner::Honest);
    let cache = Cache::new(folder.path()).mirror(&address);
    assert_eq!(fetch(&cache, &weights(Checksum::Sha256(DIGEST))).unwrap(), CONTENT);
    assert_eq!(*asked.lock().unwrap(), ["bytes=14-", ""]);
}

/// Without a published digest nothing would tell a wrong beginning from a right one.
#[test]
fn weights_without_a_published_digest_are_never_resumed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(part(&folder), b"something else").unwrap();
    let (address, asked) = serve(Manner::Honest);
    let cache = Cache::new(folder.path()).mirror(&address);
    assert_eq!(fetch(&cache, &weights(Checksum::Unpublished)).unwrap(), CONTENT);
    assert_eq!(*asked.lock().unwrap(), [""]);
}
