//! The page in a real browser: every page, filter, key and link, as a server and as a file from disk.
//!
//! Without Chromium on the machine these tests say so and pass.
#![allow(unreachable_pub, reason = "a test crate has no public")]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

mod accessible;
mod chromium;
mod exported;
mod filters;
mod hostile;
mod keys;
mod pages;
mod scrolling;
#[path = "../support/mod.rs"]
mod support;

use std::sync::{LazyLock, Mutex};

use chromium::{Browser, Page};
use in9_explorer::server::Config;
use support::world::{CLASSES, World, world};

static BROWSER: LazyLock<Mutex<Option<Browser>>> = LazyLock::new(|| Mutex::new(Browser::start()));
static WORLD: LazyLock<World> = LazyLock::new(|| world(&CLASSES));
static SERVER: LazyLock<String> = LazyLock::new(|| {
    let address = support::serve(support::collection(std::slice::from_ref(&WORLD.out)), Config::default());
    format!("http://{address}/")
});

/// Runs a test in a page of its own, if there is a browser. What the browser complains of fails the test.
fn in_browser(test: impl FnOnce(&mut Page<'_>)) {
    if std::env::var_os("IN9_BROWSER_TESTS").is_none() {
        println!("skipped: the explorer is driven by a browser only where IN9_BROWSER_TESTS is set");
        return;
    }
    // A test that failed leaves the browser usable.
    let mut browser = BROWSER.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(browser) = browser.as_mut() else {
        println!("skipped: no Chromium (install chromium, or set IN9_CHROMIUM)");
        return;
    };
    let mut page = browser.page();
    test(&mut page);
    let complaints = page.complaints();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// Every page, as the part of an address after `#`.
fn all_pages() -> Vec<String> {
    [
        "/overview",
        "/grid?set=world/test&m=leans-s0&sort=effect",
        "/photograph?set=world/test&p=2",
        "/mixer?set=world/test&fg=2&bg=6",
        "/compare?set=world/test&a=leans-s0&b=steady-s0&v=mixed-rand",
    ]
    .map(str::to_owned)
    .to_vec()
}
