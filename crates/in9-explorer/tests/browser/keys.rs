//! The page without a mouse.

use crate::{SERVER, WORLD, in_browser};

const AT: &str = "Number(document.activeElement.dataset.at)";

#[test]
fn the_grid_is_walked_and_selected_by_keys() {
    in_browser(|page| {
        page.open(&format!("{}#/grid?set=world/test", *SERVER));
        page.read("document.querySelector('.card').focus()");
        let across = page.number("Number(document.querySelector('.grid').getAttribute('aria-colcount'))");
        for (key, at) in [
            ("ArrowRight", 1),
            ("ArrowRight", 2),
            ("ArrowLeft", 1),
            ("ArrowDown", 1 + across),
            ("ArrowUp", 1),
            ("ArrowUp", 0),
        ] {
            page.key(key);
            assert_eq!(page.number(AT), at, "{key}");
        }
        page.key("End");
        assert_eq!(page.number(AT), WORLD.samples.len() - 1);
        page.key("ArrowRight");
        assert_eq!(page.number(AT), WORLD.samples.len() - 1);
        page.key("PageUp");
        assert!(page.number(AT) < WORLD.samples.len() - 1);
        page.key("PageDown");
        page.key("Home");
        assert_eq!(page.number(AT), 0);
        page.key(" ");
        page.key("ArrowRight");
        page.key(" ");
        assert_eq!(page.text("document.querySelector('.selected').textContent"), "2 selected");
        assert_eq!(page.number("document.querySelectorAll('[aria-selected=true]').length"), 2);
        page.key(" ");
        assert_eq!(page.text("document.querySelector('.selected').textContent"), "1 selected");
        page.key("Escape");
        assert_eq!(page.text("document.querySelector('.selected').textContent"), "Nothing selected");
        page.key("Enter");
        page.until("location.hash.startsWith('#/photograph')");
        page.ready();
    });
}

#[test]
fn photographs_of_a_list_follow_each_other() {
    in_browser(|page| {
        let class = &WORLD.classes[3];
        let of: Vec<usize> = (0..WORLD.samples.len()).filter(|&at| WORLD.samples[at].1 == 3).collect();
        page.open(&format!("{}#/photograph?set=world/test&class={class}&p={}", *SERVER, of[0]));
        let place = "document.querySelector('.place').textContent";
        assert_eq!(page.text(place), format!("1 of {}", of.len()));
        page.key("ArrowLeft");
        page.key("ArrowRight");
        page.until(&format!("location.hash.includes('p={}')", of[1]));
        page.ready();
        assert_eq!(page.text(place), format!("2 of {}", of.len()));
        page.key("ArrowLeft");
        page.until("document.querySelector('.place').textContent.startsWith('1 of')");
        page.read("document.querySelector('.steps a').click()");
        page.until("location.hash.startsWith('#/grid')");
        assert!(page.text("location.hash").contains("class="));
        page.ready();
    });
}

#[test]
fn each_page_has_a_key_and_the_mixer_draws_by_one() {
    in_browser(|page| {
        page.open(&SERVER);
        for (key, heading) in [
            ("2", "Photographs"),
            ("3", "Mixer"),
            ("4", "Compare two models"),
            ("1", "A small world"),
            ("3", "Mixer"),
        ] {
            page.key(key);
            page.until(&format!("document.querySelector('h1').textContent === {heading:?}"));
            page.ready();
        }
        let before = page.text("location.hash");
        // One draw in thousands is what was there.
        while page.text("location.hash") == before {
            page.key("r");
            page.ready();
        }
        assert!(page.text("location.hash").starts_with("#/mixer?set=world"));
    });
}

#[test]
fn the_list_of_keys_opens_closes_and_can_be_turned_off() {
    in_browser(|page| {
        page.open(&SERVER);
        page.key("?");
        assert_eq!(page.read("document.querySelector('#help').open"), true);
        assert!(page.number("document.querySelectorAll('#help tr').length") > 5);
        page.read("document.querySelector('#help input').click()");
        page.key("Escape");
        page.until("!document.querySelector('#help').open");
        page.key("?");
        assert_eq!(page.read("document.querySelector('#help').open"), false);
        page.read("document.querySelector('#help-open').click()");
        page.read("document.querySelector('#help input').click()");
        page.key("Escape");
        page.go("#/grid?set=world/test");
        page.key("/");
        assert_eq!(page.text("document.activeElement.id"), "search");
        // In a field a key is a letter.
        page.key("?");
        assert_eq!(page.read("document.querySelector('#help').open"), false);
    });
}

#[test]
fn every_control_is_reached_by_tab_and_shows_that_it_has_the_focus() {
    in_browser(|page| {
        page.open(&format!("{}#/grid?set=world/test&m=leans-s0", *SERVER));
        page.key("Tab");
        assert_eq!(page.text("document.activeElement.textContent"), "Skip to the content");
        let wanted = page.number("[...document.querySelectorAll('select:not(:disabled),input:not(:disabled),button:not(:disabled),summary,a[href],.card[tabindex=\"0\"]')].filter((e) => e.getClientRects().length).length");
        let mut seen = 1;
        for _ in 0..wanted + 5 {
            page.key("Tab");
            let place = page.text("document.activeElement.tagName");
            if place == "BODY" {
                break;
            }
            let visible = page.read("(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' || document.activeElement.matches('.grid,main'); })()");
            assert_eq!(visible, true, "{place}");
            seen += 1;
        }
        assert!(seen + 1 >= wanted, "{seen} of {wanted}");
    });
}

#[test]
fn the_theme_is_kept() {
    in_browser(|page| {
        page.scheme("light");
        page.open(&SERVER);
        let paper = "getComputedStyle(document.body).backgroundColor";
        let light = page.text(paper);
        page.click("#theme");
        page.click("#theme");
        let dark = page.text(paper);
        assert_ne!(light, dark);
        page.open(&SERVER);
        assert_eq!(page.text(paper), dark);
        page.click("#theme");
        assert_eq!(page.text(paper), light);
        page.scheme("dark");
        assert_eq!(page.text(paper), dark);
    });
}
