//! Every filter, order and selection of the grid.

use in9_data::View;

use crate::chromium::Page;
use crate::support::world::{fooling, predicts};
use crate::{SERVER, WORLD, in_browser};

const GRID: &str = "#/grid?set=world/test";

fn shown(page: &mut Page<'_>) -> usize {
    let text = page.text("document.querySelector('.count').textContent.split(' ')[0]");
    text.replace(',', "").parse().unwrap()
}

/// How many photographs of the world are like this.
fn count(like: impl Fn(usize, u16) -> bool) -> usize {
    WORLD.samples.iter().enumerate().filter(|(at, (_, class))| like(*at, *class)).count()
}

fn right(model: usize, at: usize, class: u16, view: View) -> bool {
    predicts(model, at, view, class, None) == Some(class)
}

#[test]
fn each_filter_keeps_what_it_says() {
    in_browser(|page| {
        page.open(&format!("{}{GRID}", *SERVER));
        assert_eq!(shown(page), WORLD.samples.len());
        page.choose("Class", &WORLD.classes[4]);
        assert_eq!(shown(page), count(|_, class| class == 4));
        page.choose("Class", "");
        page.choose("View", "no-fg");
        page.choose("Its answer in this view", "right");
        assert_eq!(shown(page), count(|at, class| right(0, at, class, View::NoFg)));
        page.choose("Model", "steady-s0");
        assert_eq!(shown(page), count(|at, class| right(1, at, class, View::NoFg)));
        page.choose("Its answer in this view", "wrong");
        assert_eq!(shown(page), count(|at, class| !right(1, at, class, View::NoFg)));
        page.choose("Its answer in this view", "");
        for (agree, wanted) in [("right", [true, true]), ("wrong", [false, false])] {
            page.choose("All models agree", agree);
            let all = |at, class| [0, 1].map(|m| right(m, at, class, View::NoFg)) == wanted;
            assert_eq!(shown(page), count(all), "{agree}");
        }
        page.choose("All models agree", "mixed");
        assert_eq!(
            shown(page),
            count(|at, class| right(0, at, class, View::NoFg) != right(1, at, class, View::NoFg))
        );
        page.choose("All models agree", "");
        page.choose("Model", "leans-s0");
        page.choose("A background fools it", "yes");
        assert_eq!(shown(page), count(|at, _| fooling(0, at) > 0));
        page.choose("A background fools it", "");
        page.choose("Name holds", &WORLD.samples[3].0);
        assert_eq!(shown(page), 1);
    });
}

#[test]
fn ranges_keep_what_lies_between() {
    in_browser(|page| {
        page.open(&format!("{}{GRID}&m=leans-s0", *SERVER));
        page.choose("Background effect, points, from", "1");
        let known = |at: usize| at % 3 != 2;
        let effect = |at: usize| (at as f64 / 100.0 - 0.05) as f32 * 100.0;
        assert_eq!(shown(page), count(|at, _| known(at) && effect(at) >= 1.0));
        page.choose("Background effect, points, to", "11");
        assert_eq!(shown(page), count(|at, _| known(at) && (1.0..=11.0).contains(&effect(at))));
        page.choose("Background effect, points, from", "");
        page.choose("Background effect, points, to", "");
        page.choose("Reliance on background, %, from", "40");
        // The model's reliance is its number over fifty.
        assert_eq!(shown(page), count(|at, _| known(at) && at >= 20));
        page.go(&format!("{GRID}&fill=0-50"));
        let below = shown(page);
        page.go(&format!("{GRID}&fill=50-100"));
        let above = shown(page);
        assert_eq!(below + above, WORLD.samples.len());
        page.go(&format!("{GRID}&box=0-100"));
        assert_eq!(shown(page), WORLD.samples.len());
        page.go(&format!("{GRID}&con=0-75"));
        assert_eq!(shown(page), count(|at, _| 0.84 - (at % 10) as f32 / 50.0 <= 0.75));
    });
}

#[test]
fn orders_are_orders_and_the_first_tenth_is_a_tenth() {
    in_browser(|page| {
        page.open(&format!("{}{GRID}&m=leans-s0&sort=effect", *SERVER));
        let values = "[...document.querySelectorAll('.card .id')].slice(0, 8).map((e) => Number(e.textContent.split(' · ')[0].replace('−', '-')))";
        let down = page.read(values);
        let down: Vec<f64> = down.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        assert!(down.is_sorted_by(|a, b| a >= b), "{down:?}");
        page.choose("Direction", "up");
        let up = page.read(values);
        assert!(up[0].as_f64().unwrap() < down[0]);
        page.choose("Direction", "");
        page.choose("Keep", "10p");
        // Of those that were probed: where the others would stand, nobody knows.
        assert_eq!(shown(page), count(|at, _| at % 3 != 2).div_ceil(10));
        for sort in ["number", "id", "area", "box", "fill", "reliance", "confidence", "fooled", "mass"] {
            page.choose("Sort by", sort);
            assert!(shown(page) > 0, "{sort}");
        }
    });
}

#[test]
fn an_answer_is_kept_while_another_is_asked_about() {
    in_browser(|page| {
        page.open(&format!("{}{GRID}&m=leans-s0&v=original", *SERVER));
        page.choose("Its answer in this view", "right");
        page.click(".hold");
        page.ready();
        page.choose("View", "no-fg");
        page.choose("Its answer in this view", "wrong");
        let both = |at, class| right(0, at, class, View::Original) && !right(0, at, class, View::NoFg);
        assert_eq!(shown(page), count(both));
        assert!(
            page.text("document.querySelector('.chip').textContent").contains("leans-s0 right on original")
        );
        page.click(".chip");
        page.ready();
        assert_eq!(shown(page), count(|at, class| !right(0, at, class, View::NoFg)));
    });
}

#[test]
fn the_state_is_in_the_address() {
    in_browser(|page| {
        page.open(&format!("{}{GRID}", *SERVER));
        page.choose("Class", &WORLD.classes[2]);
        page.choose("View", "only-fg");
        let address = page.text("location.href");
        let before = shown(page);
        page.open(&address);
        assert_eq!(shown(page), before);
        assert!(page.text("document.querySelector('.card img').src").contains("/only-fg/"));
        page.read("document.querySelector('a.chip').click()");
        page.ready();
        assert!(!page.text("location.hash").contains("class="));
        assert_eq!(shown(page), WORLD.samples.len());
    });
}

#[test]
fn only_photographs_in_sight_are_in_the_page() {
    in_browser(|page| {
        page.size(700, 700);
        page.open(&format!("{}{GRID}", *SERVER));
        page.read("document.querySelector('.grid').style.cssText = 'flex:none;min-height:0;height:150px'");
        page.until("document.querySelectorAll('.card').length < 45");
        let first = page.text("document.querySelector('.card .id').textContent");
        page.read("document.querySelector('.grid').scrollTop = 1e6");
        page.until("[...document.querySelectorAll('.card')].some((c) => c.dataset.at > 40)");
        assert_ne!(page.text("document.querySelector('.card .id').textContent"), first);
        page.ready();
    });
}

#[test]
fn a_selection_is_saved_as_table_pictures_and_page() {
    in_browser(|page| {
        let folder = tempfile::tempdir().unwrap();
        page.open(&format!("{}{GRID}&class={}", *SERVER, WORLD.classes[1]));
        page.downloads_to(folder.path());
        let n = count(|_, class| class == 1);
        page.action("Select all");
        assert_eq!(page.text("document.querySelector('.selected').textContent"), format!("{n} selected"));
        let saved = |page: &mut Page<'_>, text: &str, name: &str| {
            page.action(text);
            page.saved(&folder.path().join(name))
        };
        let table = String::from_utf8(saved(page, "CSV", "selection.csv")).unwrap();
        assert_eq!(table.lines().count(), n + 1);
        assert!(table.starts_with("dataset,split,number,id,class,box,fill,leans-s0: original,"));
        assert!(WORLD.samples.iter().filter(|s| s.1 == 1).all(|s| table.contains(&s.0)));
        let archive = saved(page, "Pictures", "selection.zip");
        let pictures = archive.windows(8).filter(|w| w == b"\x89PNG\r\n\x1a\n").count();
        assert_eq!((pictures, &archive[..4]), (n, b"PK\x03\x04".as_slice()));
        assert!(archive.windows(5).any(|w| w == b"fish/"));
        let html = String::from_utf8(saved(page, "One page", "selection.html")).unwrap();
        assert!(html.contains("Content-Security-Policy") && html.contains(&WORLD.samples[1].0));
    });
}
