//! What the tests share.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

pub mod world;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use in9_explorer::{Answerer, Collection, Inputs, server};

/// Reads what these paths hold.
pub fn collection(paths: &[PathBuf]) -> Collection {
    Collection::load(&Inputs::find(paths).unwrap(), &Default::default()).unwrap()
}

/// Serves a collection on a free port until the test ends.
pub fn serve(collection: Collection, config: server::Config) -> SocketAddr {
    serve_with(collection, Vec::new(), config)
}

/// The same with networks that answer.
pub fn serve_with(
    collection: Collection,
    answerers: Vec<Box<dyn Answerer>>,
    config: server::Config,
) -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let ready = move |address| sender.send(address).unwrap();
        server::serve(collection, answerers, &config, ready).unwrap();
    });
    receiver.recv_timeout(Duration::from_secs(60)).expect("the server starts")
}

/// An answer of the server.
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Sends a request as it is written, and reads all of the answer.
pub fn send(address: SocketAddr, request: &str) -> Reply {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head, body: bytes[end + 4..].to_vec() }
}

/// Gets a path with the server's own name.
pub fn get(address: SocketAddr, path: &str) -> Reply {
    send(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"))
}
