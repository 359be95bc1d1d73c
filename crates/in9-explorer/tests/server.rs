//! The server as any program on the machine or page in the browser could talk to it.

mod support;

use std::net::SocketAddr;
use std::sync::LazyLock;

use in9_data::{Dataset, View};
use in9_explorer::server::{Config, serve};
use serde_json::Value;
use support::world::{CLASSES, World, world};
use support::{collection, get, send};

static WORLD: LazyLock<World> = LazyLock::new(|| world(&CLASSES));
static SERVER: LazyLock<SocketAddr> =
    LazyLock::new(|| support::serve(collection(std::slice::from_ref(&WORLD.out)), Config::default()));

fn json(path: &str) -> Value {
    let reply = get(*SERVER, path);
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    serde_json::from_slice(&reply.body).unwrap()
}

#[test]
fn the_contents_name_every_set_model_and_number() {
    let contents = json("/data/contents");
    assert_eq!(contents["title"], "A small world");
    assert_eq!(contents["notices"], Value::Array(Vec::new()));
    let set = &contents["sets"][0];
    assert_eq!(set["name"], "world/test");
    assert_eq!(set["photographs"], WORLD.samples.len());
    assert_eq!(set["models"][0]["name"], WORLD.models[0]);
    let accuracy = &set["models"][0]["accuracy"][0];
    let right = WORLD.samples.iter().enumerate().filter(|(at, (_, class))| {
        support::world::predicts(0, *at, View::Original, *class, None) == Some(*class)
    });
    assert_eq!(accuracy["correct"], right.count());
    assert!(set["models"][0]["gap"][0].as_f64().is_some());
    // The training split has pictures but no models, and comes after.
    assert_eq!(contents["sets"][1]["name"], "world/train");
}

#[test]
fn pictures_are_the_datasets_own() {
    let dataset = Dataset::open(&WORLD.out.join("data/world")).unwrap();
    let split = dataset.split("test").unwrap();
    let reply = get(*SERVER, "/picture/0/original/3");
    assert_eq!(reply.header("content-type"), Some("image/png"));
    let shown = image::load_from_memory(&reply.body).unwrap().to_rgb8().into_raw();
    let dataset_json = json("/data/0/photograph/3");
    assert_eq!(dataset_json["id"], split.sample(3).id.as_str());
    let tiled = get(*SERVER, "/picture/0/only-bg-t/5");
    let tiled = image::load_from_memory(&tiled.body).unwrap().to_rgb8().into_raw();
    let mixed = get(*SERVER, "/picture/0/mixed-rand/3/on/5");
    let mixed = image::load_from_memory(&mixed.body).unwrap().to_rgb8().into_raw();
    let mask = get(*SERVER, "/picture/0/mask/3");
    let mask = image::load_from_memory(&mask.body).unwrap().to_rgba8().into_raw();
    for pixel in 0..mask.len() / 4 {
        let source = if mask[pixel * 4 + 3] == 255 { &shown } else { &tiled };
        assert_eq!(mixed[pixel * 3..pixel * 3 + 3], source[pixel * 3..pixel * 3 + 3]);
    }
    for view in View::ALL {
        assert_eq!(get(*SERVER, &format!("/picture/0/{view}/0")).status, 200, "{view}");
    }
}

#[test]
fn a_picture_that_the_browser_has_is_not_sent_again() {
    let first = get(*SERVER, "/picture/0/original/0");
    let tag = first.header("etag").unwrap();
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    let request = format!(
        "GET /picture/0/original/0 HTTP/1.1\r\nHost: {}\r\nIf-None-Match: {tag}\r\nConnection: close\r\n\r\n",
        *SERVER
    );
    let again = send(*SERVER, &request);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let contents = json("/data/contents");
    let digest = contents["sets"][0]["digest"].as_str().unwrap();
    let named = get(*SERVER, &format!("/picture/0/original/0?v={}", &digest[..16]));
    assert!(named.header("cache-control").unwrap().contains("immutable"));
    assert_ne!(get(*SERVER, "/picture/0/original/1").header("etag"), Some(tag));
}

#[test]
fn what_is_not_there_is_not_found() {
    for path in [
        "/picture/0/original/9999",
        "/picture/9/original/0",
        "/picture/0/sideways/0",
        "/picture/0/mixed-rand/0/on/9999",
        "/picture/0/original/0/on/1/2",
        "/data/0/photograph/9999",
        "/data/7/columns",
        "/saliency/0/0/0/9",
        "/saliency/0/7/0/0",
        "/data/0/comparison/0/9",
        "/report",
        "/nothing",
    ] {
        assert_eq!(get(*SERVER, path).status, 404, "{path}");
    }
    for path in [
        "/picture/0/original/-1",
        "/picture/0/original/x",
        "/data/99999999999999999999/columns",
        "/selection.html",
    ] {
        assert_eq!(get(*SERVER, path).status, 400, "{path}");
    }
}

#[test]
fn no_path_leads_out_of_the_program() {
    for path in [
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/picture/0/..%2f..%2f..%2fetc%2fpasswd/0",
        "/picture/0/original/..%2f0",
        "/saliency/0/0/0/..%2f..%2fsummary.json",
        "//etc/passwd",
        "/data/0/photograph/0%00",
    ] {
        let reply = get(*SERVER, path);
        assert!(matches!(reply.status, 400 | 404), "{path}: {}", reply.status);
        assert!(!reply.text().contains("root:"), "{path}");
    }
}

#[test]
fn nothing_can_be_changed() {
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "MAKE"] {
        let request =
            format!("{method} /data/contents HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", *SERVER);
        let reply = send(*SERVER, &request);
        assert!(matches!(reply.status, 400 | 404 | 405), "{method}: {}", reply.status);
    }
}

#[test]
fn a_page_of_another_name_learns_nothing() {
    let port = SERVER.port();
    for host in [
        "evil.example",
        &format!("evil.example:{port}"),
        &format!("localhost.evil.example:{port}"),
        "127.0.0.1",
        "",
    ] {
        let reply = send(
            *SERVER,
            &format!("GET /data/contents HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
        );
        assert!(matches!(reply.status, 400 | 421), "{host}: {}", reply.status);
        assert!(!reply.text().contains("small world"));
    }
    let none = send(*SERVER, "GET /data/contents HTTP/1.0\r\n\r\n");
    assert!(matches!(none.status, 400 | 421));
    let twice =
        format!("GET / HTTP/1.1\r\nHost: {}\r\nHost: evil.example\r\nConnection: close\r\n\r\n", *SERVER);
    assert!(matches!(send(*SERVER, &twice).status, 400 | 421));
    let named = format!("GET / HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    assert_eq!(send(*SERVER, &named).status, 200);
}

#[test]
fn every_answer_carries_a_strict_policy() {
    for path in ["/", "/style.css", "/script.js", "/data/contents", "/picture/0/original/0", "/nothing"] {
        let reply = get(*SERVER, path);
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(reply.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert!(reply.header("access-control-allow-origin").is_none(), "{path}");
    }
}

#[test]
fn an_address_beyond_this_machine_needs_a_token() {
    let address: SocketAddr = "0.0.0.0:0".parse().unwrap();
    for token in [None, Some("short".to_owned())] {
        let config = Config { address, token };
        assert!(serve(collection(std::slice::from_ref(&WORLD.out)), Vec::new(), &config, |_| ()).is_err());
    }
    let token = "0123456789abcdef".to_owned();
    let open = support::serve(
        collection(std::slice::from_ref(&WORLD.out)),
        Config { address, token: Some(token.clone()) },
    );
    let here = SocketAddr::from(([127, 0, 0, 1], open.port()));
    for path in ["/", "/data/contents", "/picture/0/original/0", "/?token=0123456789abcdeX", "/?token="] {
        let reply = get(here, path);
        assert_eq!(reply.status, 401, "{path}");
        assert!(!reply.text().contains("small world") && !reply.text().contains(&token));
    }
    let entered = get(here, &format!("/?token={token}"));
    assert_eq!((entered.status, entered.header("location")), (303, Some("/")));
    let cookie = entered.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
    let cookie = cookie.split(';').next().unwrap();
    let request = format!(
        "GET /data/contents HTTP/1.1\r\nHost: {here}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(send(here, &request).status, 200);
}

#[test]
fn two_hundred_connections_at_once_are_all_answered() {
    let n = WORLD.samples.len();
    let threads: Vec<_> = (0..200)
        .map(|k| {
            std::thread::spawn(move || match k % 3 {
                0 => get(*SERVER, &format!("/picture/0/bg-blurred/{}", k % n)).status,
                1 => get(*SERVER, &format!("/data/0/photograph/{}", k % n)).status,
                _ => get(*SERVER, "/data/0/columns").status,
            })
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap() == 200));
}

#[test]
fn the_report_is_served_with_links_to_its_photographs() {
    let world = world(&CLASSES);
    let report = world.out.join("report");
    std::fs::create_dir(&report).unwrap();
    let text = "<p>&#60;a data-see=</p><a data-see=\"photograph?set=world%2Ftest&#38;p=1\">one</a>";
    std::fs::write(report.join("index.html"), text).unwrap();
    let address = support::serve(collection(std::slice::from_ref(&world.out)), Config::default());
    let page = get(address, "/report");
    assert_eq!(page.text(), text.replace("<a data-see=\"", "<a href=\"/#/"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("script"), "{policy}");
    let contents: Value = serde_json::from_slice(&get(address, "/data/contents").body).unwrap();
    assert_eq!(contents["report"], "/report");
}

#[test]
fn a_selection_is_one_page_of_just_these() {
    let reply = get(*SERVER, "/selection.html?set=0&photographs=1,4");
    assert_eq!(reply.status, 200);
    assert!(reply.header("content-disposition").unwrap().contains("attachment"));
    let text = reply.text();
    let (id, other) = (&WORLD.samples[4].0, "\"photographs\":{\"1\":");
    assert!(text.contains(id.as_str()) && text.contains(other));
    assert!(!text.contains("src=\"/") && !text.contains("href=\"/"), "asks a server for something");
    for photographs in ["", "9999", "x"] {
        assert_eq!(get(*SERVER, &format!("/selection.html?set=0&photographs={photographs}")).status, 404);
    }
}

#[test]
fn the_backgrounds_that_fool_come_strongest_first() {
    let fooled = &json("/data/0/photograph/2")["fooled"];
    assert_eq!(fooled["count"], support::world::fooling(0, 2));
    let strengths: Vec<f64> = fooled["backgrounds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|background| background["strength"].as_f64().unwrap())
        .collect();
    assert!(strengths.len() > 1 && strengths.is_sorted_by(|a, b| a >= b), "{strengths:?}");
    // In an exhaustive search, the model that a background does not fool was right.
    assert_eq!(fooled["backgrounds"][0]["says"][1]["fooled"], false);
}
