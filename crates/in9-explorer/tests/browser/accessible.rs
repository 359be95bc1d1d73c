//! The page for everybody: axe-core's rules, both themes, from 360 pixels to 4K.

use crate::chromium::Page;
use crate::{SERVER, all_pages, in_browser};

/// Widths and heights of a telephone, a laptop, and a 4K screen.
const SIZES: [(u32, u32); 3] = [(360, 740), (1280, 900), (3840, 2160)];

/// axe-core, under its own licence (MPL 2.0).
const AXE: &str = include_str!("../vendor/axe.min.js");

fn violations(page: &mut Page<'_>) -> Vec<String> {
    if page.read("typeof axe === 'undefined'") == true {
        page.read(AXE);
    }
    let found = page.read(
        "axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => \
         `${v.id}: ${v.help}: ` + v.nodes.slice(0, 3).map((n) => n.html + ' ' + (n.failureSummary || '')).join(' | ')))",
    );
    found.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
}

#[test]
fn no_page_violates_a_rule_of_axe() {
    in_browser(|page| {
        page.open(&SERVER);
        for scheme in ["light", "dark"] {
            page.scheme(scheme);
            for (width, height) in SIZES {
                page.size(width, height);
                for hash in all_pages() {
                    page.go(&format!("#{hash}"));
                    let found = violations(page);
                    assert!(found.is_empty(), "{scheme}, {width}, {hash}: {found:#?}");
                    page.go("#/overview?again");
                }
            }
        }
        page.click("#help-open");
        assert_eq!(violations(page), Vec::<String>::new());
    });
}

#[test]
fn a_file_from_disk_violates_none_either() {
    in_browser(|page| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("page.html");
        let all = crate::support::collection(std::slice::from_ref(&crate::WORLD.out));
        in9_explorer::export::to_file(&all, &path, &Default::default()).unwrap();
        page.open(&format!("file://{}", path.display()));
        for hash in all_pages() {
            page.go(&format!("#{hash}"));
            let found = violations(page);
            assert!(found.is_empty(), "{hash}: {found:#?}");
        }
    });
}

#[test]
fn nothing_runs_out_of_a_narrow_window() {
    in_browser(|page| {
        page.open(&SERVER);
        for (width, height) in SIZES {
            page.size(width, height);
            for hash in all_pages() {
                page.go(&format!("#{hash}"));
                let wide =
                    page.read("document.documentElement.scrollWidth - document.documentElement.clientWidth");
                assert_eq!(wide, 0, "{width}, {hash}");
                page.go("#/overview?again");
            }
        }
    });
}

#[test]
fn pictures_of_the_pages_are_kept_where_they_are_asked_for() {
    // `IN9_SCREENSHOTS=folder cargo test -p in9-explorer --test browser pictures_of` keeps one of each page, width and theme;
    // `IN9_SCREENSHOTS_OF=address` takes them of a running server.
    let Some(folder) = std::env::var_os("IN9_SCREENSHOTS").map(std::path::PathBuf::from) else { return };
    let address = std::env::var("IN9_SCREENSHOTS_OF").ok();
    let pages = std::env::var("IN9_SCREENSHOTS_PAGES").ok();
    std::fs::create_dir_all(&folder).unwrap();
    in_browser(|page| {
        let address = address.unwrap_or_else(|| SERVER.clone());
        let pages = pages.map_or_else(all_pages, |list| list.split_whitespace().map(str::to_owned).collect());
        page.open(&address);
        for scheme in ["light", "dark"] {
            page.scheme(scheme);
            for (width, height) in SIZES {
                page.size(width, height);
                for hash in &pages {
                    page.go("#/overview?again");
                    page.go(&format!("#{hash}"));
                    let name = hash.trim_start_matches('/').split('?').next().unwrap();
                    std::fs::write(folder.join(format!("{name}-{width}-{scheme}.png")), page.picture())
                        .unwrap();
                }
            }
        }
    });
}
