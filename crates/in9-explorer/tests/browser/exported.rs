//! The page as a file from disk: the same pages, without a server.

use in9_explorer::export::{self, Options};

use crate::chromium::Page;
use crate::support::collection;
use crate::{WORLD, all_pages, in_browser};

/// Whether every picture of the page shows something.
const DRAWN: &str = "(() => { const images = [...document.images]; \
    const canvases = [...document.querySelectorAll('main canvas')]; \
    return images.every((i) => i.complete && i.naturalWidth > 0) && \
    canvases.every((c) => c.dataset.drawn === 'yes') && images.length + canvases.length > 0; })()";

fn walk(page: &mut Page<'_>, address: &str) {
    page.open(address);
    for hash in all_pages() {
        page.go(&format!("#{hash}"));
        assert_eq!(page.number("document.querySelectorAll('[role=alert], .missing').length"), 0, "{hash}");
        if !hash.contains("overview") && !hash.contains("compare") {
            assert_eq!(page.read(DRAWN), true, "{hash}");
        }
    }
    let requests = page.requests();
    assert!(requests.iter().all(|url| url.starts_with("file:") || url == "about:blank"), "{requests:?}");
}

#[test]
fn one_file_opens_from_disk() {
    in_browser(|page| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("page.html");
        let exported =
            export::to_file(&collection(std::slice::from_ref(&WORLD.out)), &path, &Options::default())
                .unwrap();
        assert_eq!(exported.photographs, WORLD.samples.len());
        walk(page, &format!("file://{}", path.display()));
        let requests = page.requests();
        let other = |url: &&String| !url.ends_with("page.html") && *url != "about:blank";
        assert!(!requests.iter().any(|url| other(&url)), "{requests:?}");
    });
}

#[test]
fn a_folder_opens_from_disk_and_replaces_only_its_own() {
    in_browser(|page| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pages");
        let all = collection(std::slice::from_ref(&WORLD.out));
        export::to_folder(&all, &path, &Options::default()).unwrap();
        walk(page, &format!("file://{}/index.html", path.display()));
        // Mixed views of the grid are put together from what lies in the file.
        page.go("#/grid?set=world/test&v=mixed-rand");
        assert_eq!(page.number("document.querySelectorAll('.missing').length"), 0);
        assert!(page.number("document.querySelectorAll('.card canvas').length") > 0);
        export::to_folder(&all, &path, &Options { photographs: 3, ..Options::default() }).unwrap();
        std::fs::write(path.join("thesis.tex"), "mine").unwrap();
        assert!(export::to_folder(&all, &path, &Options::default()).is_err());
        assert!(path.join("thesis.tex").exists());
    });
}

#[test]
fn the_report_lies_beside_and_its_photographs_lead_into_the_page() {
    in_browser(|page| {
        let world = crate::support::world::world(&crate::support::world::CLASSES);
        let id = &world.samples[5].0;
        let report = world.out.join("report");
        std::fs::create_dir(&report).unwrap();
        let text = format!(
            "<!doctype html><title>R</title><a data-see=\"photograph?set=world%2Ftest&#38;id={id}\">five</a>"
        );
        std::fs::write(report.join("index.html"), text).unwrap();
        let all = collection(std::slice::from_ref(&world.out));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pages");
        export::to_folder(&all, &path, &Options::default()).unwrap();
        let served = crate::support::serve(all, in9_explorer::server::Config::default());
        let disk = format!("file://{}/index.html", path.display());
        for address in [format!("http://{served}/"), disk] {
            page.open(&address);
            page.read(
                "[...document.querySelectorAll('#pages a')].find((a) => a.textContent === 'Report').click()",
            );
            page.until("document.title === 'R' && document.readyState === 'complete'");
            page.click("a");
            page.until("location.hash.startsWith('#/photograph') && !!document.querySelector('main')");
            page.ready();
            assert!(page.text("document.querySelector('h1').textContent").contains(id), "{address}");
        }
    });
}

#[test]
fn composites_from_disk_are_those_of_the_server() {
    in_browser(|page| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("page.html");
        export::to_file(&collection(std::slice::from_ref(&WORLD.out)), &path, &Options::default()).unwrap();
        let server = crate::SERVER.clone();
        let pixels = "(() => { const e = document.querySelector('.result .picture'); const c = new OffscreenCanvas(48, 48); \
            const g = c.getContext('2d'); g.drawImage(e, 0, 0); return [...g.getImageData(0, 0, 48, 48).data]; })()";
        page.open(&format!("{server}#/mixer?set=world/test&fg=3&bg=7"));
        let served = page.read(pixels);
        page.open(&format!("file://{}#/mixer?set=world/test&fg=3&bg=7", path.display()));
        let drawn = page.read(pixels);
        let (served, drawn) = (served.as_array().unwrap(), drawn.as_array().unwrap());
        let apart: f64 = served
            .iter()
            .zip(drawn)
            .map(|(a, b)| (a.as_f64().unwrap() - b.as_f64().unwrap()).abs())
            .sum::<f64>()
            / served.len() as f64;
        // JPEG changes a photograph a little, and the edge of a mask not at all.
        assert!(apart < 6.0, "{apart} levels apart on average");
    });
}

#[test]
fn a_file_keeps_its_budget_and_says_what_it_leaves_out() {
    in_browser(|page| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("page.html");
        let options = Options { photographs: 500, bytes: 60_000 };
        let exported =
            export::to_file(&collection(std::slice::from_ref(&WORLD.out)), &path, &options).unwrap();
        assert!(exported.photographs > 0 && exported.photographs < WORLD.samples.len(), "{exported:?}");
        // The last photograph, with its backgrounds, may go over by its own size.
        assert!(exported.bytes < 120_000, "{exported:?}");
        page.open(&format!("file://{}", path.display()));
        let note = page.text("document.querySelector('main').textContent");
        assert!(note.contains(&format!(
            "This file holds {} of {}",
            exported.photographs,
            WORLD.samples.len()
        )));
        page.go("#/photograph?set=world/test&p=40");
        assert!(page.text("document.querySelector('[role=alert]').textContent").contains("not in this file"));
    });
}

#[test]
fn a_selection_of_a_file_is_saved_too() {
    in_browser(|page| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("page.html");
        export::to_file(
            &collection(std::slice::from_ref(&WORLD.out)),
            &path,
            &Options { photographs: 5, ..Options::default() },
        )
        .unwrap();
        page.open(&format!("file://{}#/grid?set=world/test&v=mixed-next", path.display()));
        page.downloads_to(dir.path());
        page.action("Select all");
        page.action("Pictures");
        let archive = page.saved(&dir.path().join("selection.zip"));
        assert_eq!(archive.windows(8).filter(|w| w == b"\x89PNG\r\n\x1a\n").count(), 5);
    });
}
