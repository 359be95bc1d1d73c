//! The program's commands about weights, end to end: list, fetch, inspect, convert, forward.

#![cfg(feature = "cli")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use candle_core::{DType, Device, Tensor};
use in9_models::weights::{self, Limits, RawTensor, StateDict};
use in9_models::{Mode, Model, Params, build, npy};

fn program(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_in9-models")).args(args).output().unwrap()
}

/// What a run that succeeds prints.
fn printed(args: &[&str]) -> String {
    let output = program(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The last line of a run that fails.
fn refused(args: &[&str]) -> String {
    let output = program(args);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    let line = text.lines().last().unwrap().to_owned();
    assert!(line.starts_with("error: "), "{text}");
    line
}

fn str(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A small network, and its weights as a file.
fn tiny(path: &Path) -> Model {
    let model = build("resnet-tiny", 5, &Params::random(3, DType::F32, &Device::Cpu)).unwrap();
    let mut dict = StateDict::default();
    for parameter in model.parameters() {
        let values = parameter.value.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        dict.insert(&parameter.name, RawTensor::from_f32(parameter.value.dims(), &values)).unwrap();
    }
    weights::write(path, &dict, None).unwrap();
    model
}

#[test]
fn list_shows_what_the_registry_knows() {
    let names = |pattern: &str| -> Vec<String> {
        let text = printed(&["list", pattern]);
        let lines = text.lines().filter(|line| !line.starts_with(' '));
        lines.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
    };
    let residual =
        ["resnet-small", "resnet-tiny", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"];
    assert_eq!(names("resnet*"), residual);
    assert_eq!(names("tf_*lite?").len(), 3);
    let long = printed(&["list", "--long", "resnet50"]);
    for shown in [
        "arXiv 1512.03385",
        "https://download.pytorch.org/models/resnet50-0676ba61.pth",
        "SHA-256 begins with 0676ba61",
        "BSD-3-Clause",
        "resize the shorter side to 256 (bilinear), crop 224, mean 0.4850 0.4560 0.4060",
        "1000 classes",
        "76.13 % ImageNet top-1",
        "gluon",
    ] {
        assert!(long.contains(shown), "{shown}: {long}");
    }
    assert!(refused(&["list", "resnext*"]).contains("resnext*"));
}

#[test]
fn inspect_convert_and_forward_agree_with_the_library() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let model = tiny(&at("w.safetensors"));

    let text = printed(&["inspect", str(&at("w.safetensors")), "--arch", "resnet-tiny"]);
    assert!(text.starts_with("safetensors: ") && text.contains("fits resnet-tiny with 5 classes"), "{text}");
    assert!(text.contains("[5, 128]") && text.contains("fc.weight"), "{text}");
    let error = refused(&["inspect", str(&at("w.safetensors")), "--arch", "resnet18"]);
    assert!(
        error.contains("nothing was loaded") && error.contains("conv1.weight [64, 3, 7, 7] is [16, 3, 3, 3]"),
        "{error}"
    );

    let legacy = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/weights/robustness.pth");
    printed(&["convert", "--in", str(&legacy), "--out", str(&at("c.safetensors"))]);
    let [from, to] = [legacy, at("c.safetensors")].map(|p| weights::read(&p, &Limits::default()).unwrap());
    let values = |file: &weights::WeightFile| -> Vec<_> {
        file.tensors.iter().map(|(name, raw)| (name.to_owned(), raw.to_f32().unwrap())).collect()
    };
    let mut expected = values(&from);
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(values(&to), expected);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = at("c.safetensors").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644, "everybody may read what was converted");
    }

    let values: Vec<f32> = (0..3 * 3 * 32 * 32).map(|i| (i * 7919 % 2003) as f32 / 1000.0 - 1.0).collect();
    npy::write(&at("x.npy"), &[3, 3, 32, 32], &values).unwrap();
    let [w, x, y, g] = ["w.safetensors", "x.npy", "y.npy", "g.npy"].map(at);
    let mut args = vec!["forward", "--arch", "resnet-tiny", "--batch-size", "2", "--weights", str(&w)];
    args.extend(["--input", str(&x), "--output", str(&y), "--input-grad", str(&g)]);
    printed(&args);
    let input = Tensor::from_vec(values, (3, 3, 32, 32), &Device::Cpu).unwrap();
    let expected = model.frozen().unwrap().forward(&input, Mode::Eval).unwrap();
    let (shape, logits) = npy::read(&y).unwrap();
    assert_eq!(shape, [3, 5]);
    // A pass whose gradient is asked for adds up in another order.
    for (found, expected) in logits.iter().zip(expected.flatten_all().unwrap().to_vec1::<f32>().unwrap()) {
        assert!((found - expected).abs() < 1e-5 * expected.abs().max(1.0), "{found} {expected}");
    }
    let (shape, gradient) = npy::read(&g).unwrap();
    assert_eq!(shape, [3, 3, 32, 32]);
    assert!(gradient.iter().any(|&v| v != 0.0));

    npy::write(&x, &[1, 1, 32, 32], &[0.0; 1024]).unwrap();
    assert!(refused(&args).contains("[1, 1, 32, 32]"));
    for shape in [[1, 3, 0, 32], [1, 3, 32, 0], [0, 3, 32, 32]] {
        npy::write(&x, &shape, &[]).unwrap();
        assert!(refused(&args).contains(&format!("{shape:?}")));
    }
}

#[test]
fn fetch_downloads_once_and_then_trusts_only_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head: Vec<String> = lines.map_while(|l| l.ok().filter(|l| !l.is_empty())).collect();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nabcd").unwrap();
        head[0].clone()
    });
    let args = ["fetch", "convnext_tiny", "--mirror", &address, "--cache", str(&cache)];
    let path = printed(&args);
    assert_eq!(server.join().unwrap(), "GET /convnext_tiny.fb_in1k.safetensors HTTP/1.1");
    assert_eq!(std::fs::read(path.trim()).unwrap(), b"abcd");
    // The server is gone; the cache answers.
    assert_eq!(printed(&args), path);
    std::fs::write(path.trim(), b"abce").unwrap();
    assert!(refused(&args).contains("is not the published convnext_tiny.fb"));
    assert!(refused(&["fetch", "resnet50.v9"]).contains("resnet50.imagenet1k-v2"));
}

/// A server that speaks TLS on the loopback address, with a certificate of the authority in tests/tls.
/// (Both were made for these tests and guard nothing.)
fn serve_tls(answer: String) -> String {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let at = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name);
    let certificate = CertificateDer::from_pem_file(at("loopback.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(at("loopback.key")).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = std::sync::Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut tls = rustls::Stream::new(&mut connection, &mut stream);
            let mut reader = BufReader::new(&mut tls);
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                line.clear();
            }
            let _ = tls.write_all(answer.as_bytes());
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    });
    address
}

#[test]
fn a_download_over_https_is_never_led_to_http() {
    let authority = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls/ca.pem");
    let dir = tempfile::tempdir().unwrap();
    let fetch = |mirror: &str, cache: &str| {
        Command::new(env!("CARGO_BIN_EXE_in9-models"))
            .args(["fetch", "convnext_tiny", "--mirror", mirror, "--cache", str(&dir.path().join(cache))])
            .env("SSL_CERT_FILE", &authority)
            .output()
            .unwrap()
    };
    // Where the redirect would lead.
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    plain.set_nonblocking(true).unwrap();
    let target = format!("http://{}/w", plain.local_addr().unwrap());
    let head = "Content-Length: 4\r\nConnection: close\r\n";
    let redirect = |to: &str| format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\n{head}\r\nabcd");
    let output = fetch(&serve_tls(redirect(&target)), "a");
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("https only") && text.contains(&target), "{text}");
    assert!(plain.accept().is_err(), "the server behind the redirect was asked");

    // The same redirect to https is followed, so it is not something else that was refused.
    let secure = serve_tls(format!("HTTP/1.1 200 OK\r\n{head}\r\nabcd"));
    let output = fetch(&serve_tls(redirect(&format!("{secure}/w"))), "b");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read(String::from_utf8(output.stdout).unwrap().trim()).unwrap(), b"abcd");
}
