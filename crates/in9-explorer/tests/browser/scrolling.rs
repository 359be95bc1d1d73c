//! Scrolling the grid: what is in sight is there, and how many frames a second Chromium's own trace counts.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::chromium::Page;
use crate::{SERVER, in_browser};

/// Frames that the compositor drew, by the trace.
const DRAWN: &str = "DrawFrame";
/// How fast and how far is scrolled, in pixels a second and pixels.
const SPEED: u32 = 3_000;
const DISTANCE: u32 = 24_000;

/// Scrolls the middle of the grid down as a wheel does.
fn scroll(page: &mut Page<'_>, distance: u32) {
    let place = page.read(
        "(() => { const r = document.querySelector('.grid').getBoundingClientRect(); \
         return [r.x + r.width / 2, r.y + r.height / 2]; })()",
    );
    page.call(
        "Input.synthesizeScrollGesture",
        serde_json::json!({
            "x": place[0], "y": place[1], "yDistance": -i64::from(distance), "speed": SPEED,
            "gestureSourceType": "mouse", "preventFling": true,
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
            scroll(page, distance);
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
        scroll(page, 2_000);
        page.ready();
        let before = processor(page.process());
        let events = page.traced(|page| scroll(page, DISTANCE));
        let after = processor(page.process());
        let (frames, seconds, slowest) = frames(&events);
        println!(
            "scrolling: {frames} frames in {seconds:.2} s, {:.1} a second, the longest between two {slowest:.0} ms",
            frames as f64 / seconds
        );
        // A thread that needs less than 20 ms of processor a frame can draw fifty a second, whatever else runs beside.
        let mut spent: Vec<(f64, String)> = after
            .into_iter()
            .map(|((task, name), ms)| {
                let since = before.get(&(task, name.clone())).copied().unwrap_or(0.0);
                ((ms - since) / frames as f64, name)
            })
            .collect();
        spent.sort_by(|a, b| b.0.total_cmp(&a.0));
        let sum: f64 = spent.iter().map(|(ms, _)| ms).sum();
        println!("processor a frame, all threads together: {sum:.1} ms; the busiest:");
        for (ms, name) in spent.iter().take(5) {
            println!("  {name}: {ms:.1} ms");
        }
    });
}

/// Milliseconds of processor that each thread of a process and its descendants has used, by number and name (Linux).
fn processor(root: u32) -> BTreeMap<(u32, String), f64> {
    let number = |entry: &fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
    let list = |path: String| fs::read_dir(path).into_iter().flatten().flatten().collect::<Vec<_>>();
    let parts = |path: &str| -> Option<(String, Vec<String>)> {
        let text = fs::read_to_string(path).ok()?;
        let (head, rest) = text.rsplit_once(')')?;
        let name = head.split_once('(')?.1.to_owned();
        Some((name, rest.split_whitespace().map(str::to_owned).collect()))
    };
    let parent = |pid: u32| parts(&format!("/proc/{pid}/stat"))?.1.get(1)?.parse::<u32>().ok();
    let mut used = BTreeMap::new();
    for pid in list("/proc".to_owned()).iter().filter_map(number) {
        let line = std::iter::successors(Some(pid), |&pid| parent(pid).filter(|&up| up > 1));
        if !line.into_iter().any(|pid| pid == root) {
            continue;
        }
        for task in list(format!("/proc/{pid}/task")).iter().filter_map(number) {
            if let Some((name, words)) = parts(&format!("/proc/{pid}/task/{task}/stat")) {
                // The user's and the system's time, in hundredths of a second.
                let ticks: f64 =
                    words.iter().skip(11).take(2).filter_map(|word| word.parse::<f64>().ok()).sum();
                used.insert((task, name), ticks * 10.0);
            }
        }
    }
    used
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
