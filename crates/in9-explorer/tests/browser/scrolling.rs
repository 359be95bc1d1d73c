//! Scrolling the grid: what is in sight is there, and how many frames a second Chromium's own trace counts.

use serde_json::Value;

use crate::chromium::Page;
use crate::{SERVER, in_browser};

/// Frames that the compositor drew, by the trace.
const DRAWN: &str = "DrawFrame";
/// How fast and how far a finger would scroll, in pixels a second and pixels.
const SPEED: u32 = 3_000;
const DISTANCE: u32 = 24_000;

/// Scrolls the middle of the grid down as a finger or a wheel does.
fn scroll(page: &mut Page<'_>, distance: u32, source: &str) {
    let place = page.read(
        "(() => { const r = document.querySelector('.grid').getBoundingClientRect(); \
         return [r.x + r.width / 2, r.y + r.height / 2]; })()",
    );
    page.call(
        "Input.synthesizeScrollGesture",
        serde_json::json!({
            "x": place[0], "y": place[1], "yDistance": -i64::from(distance), "speed": SPEED,
            "gestureSourceType": source, "preventFling": true,
        }),
    );
}

#[test]
fn what_is_in_sight_is_there_wherever_one_scrolls() {
    in_browser(|page| {
        page.size(700, 700);
        page.open(&format!("{}#/grid?set=world/test", *SERVER));
        page.read("document.querySelector('.grid').style.cssText = 'flex:none;min-height:0;height:300px'");
        for distance in [100, 250, 5_000] {
            scroll(page, distance, "mouse");
            // Every place of the grid that can be seen is covered by a line of photographs.
            page.until(
                "(() => { const box = document.querySelector('.grid').getBoundingClientRect(); \
                 const end = document.querySelector('.lines').getBoundingClientRect().bottom; \
                 for (let y = box.top + 8; y < Math.min(box.bottom, end) - 12; y += 20) \
                 if (![...document.querySelectorAll('.line')].some((l) => { const r = l.getBoundingClientRect(); \
                 return r.top - 12 <= y && y <= r.bottom + 12; })) return false; return true; })()",
            );
            // One of them is what the Tab key leads to.
            assert_eq!(page.number("document.querySelectorAll('.card[tabindex=\"0\"]').length"), 1);
        }
        assert!(page.number("document.querySelector('.grid').scrollTop") > 0);
    });
}

#[test]
fn scrolling_is_measured_where_it_is_asked_for() {
    // `IN9_SCROLL_OF=address` measures a running server, such as the one that `--example bench` leaves. No test fails
    // by it: how fast a machine draws says nothing about what was built.
    let Ok(address) = std::env::var("IN9_SCROLL_OF") else { return };
    in_browser(|page| {
        page.open(&format!("{}/#/grid", address.trim_end_matches('/')));
        for source in ["mouse", "touch"] {
            scroll(page, 2_000, source);
            page.ready();
            let events = page.traced(|page| scroll(page, DISTANCE, source));
            let (frames, seconds, slowest) = frames(&events);
            println!(
                "scrolling by {source}: {frames} frames in {seconds:.2} s, {:.1} a second, the longest between two {slowest:.0} ms",
                frames as f64 / seconds
            );
        }
    });
}

/// How many frames were drawn, in how many seconds, and the longest time between two in milliseconds.
fn frames(events: &[Value]) -> (usize, f64, f64) {
    let mut times: Vec<f64> =
        events.iter().filter(|e| e["name"] == DRAWN).filter_map(|e| e["ts"].as_f64()).collect();
    times.sort_by(f64::total_cmp);
    let seconds = times.last().zip(times.first()).map_or(f64::NAN, |(last, first)| (last - first) / 1e6);
    let between = times.windows(2).map(|pair| (pair[1] - pair[0]) / 1e3);
    (times.len(), seconds, between.fold(0.0, f64::max))
}
