//! Downloads, against a server on the loopback address.

#![cfg(feature = "download")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use in9_models::registry::{Cache, Checksum, Pretrained, find_pretrained};

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
        _ => stream.write_all(&body),
    }
}

fn fetch(cache: &Cache, weights: &Pretrained) -> Result<Vec<u8>, String> {
    let path = cache.fetch(weights, &mut |_, _| {}).map_err(|e| e.to_string())?;
    Ok(std::fs::read(path).unwrap())
}

#[test]
fn a_file_is_downloaded_once_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let (address, asked) = serve(Manner::Honest);
    let cache = Cache::new(folder.path().join("new")).mirror(&address);
    let weights = weights(Checksum::Prefix(&DIGEST[..8]));
    let mut last = (0, None);
    cache.fetch(&weights, &mut |done, total| last = (done, total)).unwrap();
    assert_eq!(last, (CONTENT.len() as u64, Some(CONTENT.len() as u64)));
    assert_eq!(fetch(&cache, &weights).unwrap(), CONTENT);
    assert_eq!(asked.lock().unwrap().len(), 1);

    // Somebody changes the cached file.
    std::fs::write(cache.path(&weights), b"other").unwrap();
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
    std::fs::write(folder.path().join("small-weights.pth.part"), &CONTENT[..10]).unwrap();
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
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_unpublished_digest_is_recorded_and_then_held() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _) = serve(Manner::Honest);
    let cache = Cache::new(folder.path()).mirror(&address);
    let weights = weights(Checksum::Unpublished);
    assert_eq!(fetch(&cache, &weights).unwrap(), CONTENT);
    std::fs::write(cache.path(&weights), b"other").unwrap();
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
