//! What each page shows, and where its links lead.

use in9_data::View;
use in9_explorer::server::Config;
use in9_explorer::{Answer, Answerer};

use crate::support::world::{fooling, predicts};
use crate::support::{collection, serve_with};
use crate::{SERVER, WORLD, in_browser};

/// Whether a model of the world is right on a photograph of a view without a second photograph.
fn right(model: usize, at: usize, view: View) -> bool {
    let class = WORLD.samples[at].1;
    predicts(model, at, view, class, None) == Some(class)
}

#[test]
fn the_overview_leads_from_each_number_to_its_photographs() {
    in_browser(|page| {
        page.open(&SERVER);
        assert_eq!(page.text("document.querySelector('h1').textContent"), "A small world");
        assert_eq!(page.number("document.querySelectorAll('.accuracy tbody tr').length"), 2);
        let n = WORLD.samples.len();
        let share = (0..n).filter(|&at| right(0, at, View::Original)).count() as f64 / n as f64;
        let shown = page.text("document.querySelector('.accuracy tbody td a').textContent");
        assert_eq!(shown, format!("{:.1}", 100.0 * share));
        // The dots of the gap, and the categories.
        assert_eq!(page.number("document.querySelectorAll('.dotted .dot').length"), 2);
        page.click(".accuracy tbody td a");
        page.until("location.hash.startsWith('#/grid')");
        page.ready();
        let count = page.text("document.querySelector('.count').textContent");
        assert!(count.starts_with(&format!("{n} photographs")), "{count}");
        // Back again, as the browser's own button does.
        page.read("history.back()");
        page.until("!!document.querySelector('.accuracy')");
    });
}

#[test]
fn each_question_of_the_overview_leads_to_its_answer() {
    in_browser(|page| {
        page.open(&SERVER);
        let hrefs =
            page.read("[...document.querySelectorAll('.questions a')].map((a) => a.getAttribute('href'))");
        let hrefs = hrefs.as_array().unwrap().clone();
        assert_eq!(hrefs.len(), 5);
        let n = WORLD.samples.len();
        let mut headings = Vec::new();
        for href in &hrefs {
            page.go(href.as_str().unwrap());
            headings.push(page.text("document.querySelector('h1').textContent"));
            assert_eq!(page.number("document.querySelectorAll('[role=alert], .empty').length"), 0, "{href}");
        }
        assert_eq!(headings, ["Photographs", "Photographs", "Photographs", "Compare two models", "Mixer"]);
        // The second: right as a whole, wrong on a random background, each told by the answers alone.
        page.go(hrefs[1].as_str().unwrap());
        let shown = page.text("document.querySelector('.count').textContent.split(' ')[0]");
        let shown: usize = shown.parse().unwrap();
        assert!(shown > 0 && shown < n);
        assert_eq!(page.number("document.querySelectorAll('.card .verdict.right').length"), 0);
    });
}

#[test]
fn a_category_of_the_overview_leads_to_as_many_photographs() {
    in_browser(|page| {
        page.open(&SERVER);
        let counts = page.read(
            "[...document.querySelectorAll('a[href*=\"cat=\"]')].map((a) => [a.getAttribute('href'), a.textContent])",
        );
        assert_eq!(counts.as_array().unwrap().len(), 10);
        for pair in counts.as_array().unwrap() {
            page.go(pair[0].as_str().unwrap());
            let count = page.text("document.querySelector('.count').textContent.split(' ')[0]");
            assert_eq!(count, pair[1].as_str().unwrap());
        }
    });
}

#[test]
fn a_photograph_shows_every_view_and_every_models_answer() {
    in_browser(|page| {
        page.open(&format!("{}#/photograph?set=world/test&p=4", *SERVER));
        assert_eq!(page.number("document.querySelectorAll('.views figure').length"), 15);
        assert_eq!(page.number("document.querySelectorAll('.views .answers > li').length"), 30);
        let all = "[...document.querySelectorAll('.views img')].every((i) => i.naturalWidth === 48)";
        assert_eq!(page.read(all), true);
        let verdict = page.text("document.querySelector('.views .verdict').textContent");
        assert_eq!(verdict.starts_with('✓'), right(0, 4, View::Original), "{verdict}");
        assert_eq!(page.number("document.querySelectorAll('.fooling > li').length"), fooling(0, 4));
        let strengths = page.read(
            "[...document.querySelectorAll('.fooling .note')].map((p) => Number(p.textContent.match(/fools (\\d+) %/)[1]))",
        );
        let strengths: Vec<i64> = strengths.as_array().unwrap().iter().map(|v| v.as_i64().unwrap()).collect();
        assert!(strengths.is_sorted_by(|a, b| a >= b), "{strengths:?}");
        let text = page.text("document.querySelector('main').textContent");
        for part in ["What a swap changes", "Its object stands on the background of", "Put it elsewhere"] {
            assert!(text.contains(part), "{part}");
        }
    });
}

#[test]
fn a_photograph_is_found_by_its_name_too() {
    in_browser(|page| {
        let (id, _) = &WORLD.samples[7];
        page.open(&format!("{}#/photograph?set=world/test&id={id}", *SERVER));
        assert!(page.text("document.querySelector('h1').textContent").contains(id));
        page.key("ArrowRight");
        page.until("location.hash.includes('p=8')");
        page.ready();
        assert!(page.text("document.querySelector('h1').textContent").contains(&WORLD.samples[8].0));
        page.go("#/photograph?set=world/test&id=nobody");
        assert!(
            page.text("document.querySelector('[role=alert]').textContent").contains("no photograph nobody")
        );
    });
}

#[test]
fn a_photograph_says_what_its_own_background_does() {
    in_browser(|page| {
        page.open(&format!("{}#/photograph?set=world/test&p=2", *SERVER));
        let n = WORLD.samples.len();
        let share = format!("{:.0} %", 100.0 * 10.0 / n as f64);
        let text = page.text("document.querySelector('main').textContent");
        assert!(text.contains(&format!("leans-s0 on {share}")), "{text}");
    });
}

#[test]
fn the_slider_uncovers_the_layer_that_is_chosen() {
    in_browser(|page| {
        page.open(&format!("{}#/photograph?set=world/test&p=0", *SERVER));
        let clip = "getComputedStyle(document.querySelector('.over')).clipPath";
        assert_eq!(page.text(clip), "inset(0px 50% 0px 0px)");
        page.read("(() => { const r = document.querySelector('input[type=range]'); r.value = 80; r.dispatchEvent(new Event('input')); })()");
        assert_eq!(page.text("document.querySelector('.stack').style.getPropertyValue('--cut')"), "80%");
        // Masks, saliency maps and views.
        page.choose("Left: over the picture", "map|0|0");
        assert!(page.text("document.querySelector('.over img').src").ends_with("/saliency/0/0/0/0"));
        page.choose("Right: the picture", "no-fg");
        assert!(page.text("document.querySelector('.stack img').src").contains("/no-fg/0"));
        assert!(page.text("location.hash").contains("base=no-fg"));
    });
}

#[test]
fn a_fooling_background_opens_in_the_mixer() {
    in_browser(|page| {
        page.open(&format!("{}#/photograph?set=world/test&p=4", *SERVER));
        page.click(".fooling a");
        page.until("location.hash.startsWith('#/mixer')");
        page.ready();
        assert!(page.text("location.hash").contains("fg=4"));
        let text = page.text("document.querySelector('main').textContent");
        assert!(text.contains("What the search found") && text.contains('✗'), "{text}");
    });
}

#[test]
fn the_mixer_puts_any_object_on_any_background() {
    in_browser(|page| {
        page.open(&format!("{}#/mixer?set=world/test&fg=3&bg=7", *SERVER));
        let shown = "document.querySelector('.result img').getAttribute('src')";
        assert!(page.text(shown).starts_with("/picture/0/mixed-rand/3/on/7"));
        page.read("[...document.querySelectorAll('button')].find((b) => b.textContent === 'Swap').click()");
        page.until("document.querySelector('.result img').getAttribute('src').startsWith('/picture/0/mixed-rand/7/on/3')");
        page.choose("Background: class", &WORLD.classes[5]);
        let wanted = WORLD.samples.iter().position(|s| s.1 == 5).unwrap();
        assert!(page.text(shown).starts_with(&format!("/picture/0/mixed-rand/7/on/{wanted}")));
        page.click("#random");
        page.until("/fg=\\d+/.test(location.hash) && /bg=\\d+/.test(location.hash)");
        page.click("[aria-label='Object: next']");
        page.ready();
        assert_eq!(page.read("document.querySelector('.result img').naturalWidth"), 48);
    });
}

#[test]
fn each_cell_of_mcnemars_table_leads_to_as_many_photographs() {
    in_browser(|page| {
        page.open(&format!("{}#/compare?set=world/test&a=leans-s0&b=steady-s0&v=no-fg", *SERVER));
        let cells = page.read(
            "[...document.querySelectorAll('.mcnemar td a')].map((a) => [a.getAttribute('href'), a.textContent])",
        );
        let cells = cells.as_array().unwrap().clone();
        let counts: Vec<usize> = cells.iter().map(|c| c[1].as_str().unwrap().parse().unwrap()).collect();
        let expected = [(true, true), (true, false), (false, true), (false, false)].map(|wanted| {
            let both = |at: &usize| (right(0, *at, View::NoFg), right(1, *at, View::NoFg)) == wanted;
            (0..WORLD.samples.len()).filter(both).count()
        });
        assert_eq!(counts, expected);
        let text = page.text("document.querySelector('main').textContent");
        assert!(text.contains("Difference of their BG-gaps") && text.contains("McNemar"));
        assert_eq!(
            page.number("document.querySelectorAll('.compare section:last-child tbody tr').length"),
            9
        );
        // The same table class by class: those on which only one is right lead to them.
        let only = page.read(
            "[...document.querySelectorAll('.each td a')].map((a) => [a.getAttribute('href'), a.textContent])",
        );
        let only = only.as_array().unwrap().clone();
        let sum: usize = only.iter().map(|c| c[1].as_str().unwrap().parse::<usize>().unwrap()).sum();
        assert_eq!(sum, counts[1] + counts[2]);
        page.go(only[0][0].as_str().unwrap());
        let shown = page.text("document.querySelector('.count').textContent.split(' ')[0]");
        assert_eq!(shown, only[0][1].as_str().unwrap());
        for (cell, count) in cells.iter().zip(counts) {
            page.go(cell[0].as_str().unwrap());
            let shown = page.text("document.querySelector('.count').textContent.split(' ')[0]");
            assert_eq!(shown, count.to_string());
            assert_eq!(page.number("document.querySelectorAll('button.chip').length"), 2);
        }
    });
}

#[test]
fn swapping_two_models_turns_every_sign() {
    in_browser(|page| {
        let gap = "document.querySelector('.big').firstChild.textContent";
        page.open(&format!("{}#/compare?set=world/test&a=leans-s0&b=steady-s0", *SERVER));
        let there = page.text(gap);
        page.go("#/compare?set=world/test&a=steady-s0&b=leans-s0");
        let back = page.text(gap);
        assert_eq!(there.trim_start_matches(['+', '−']), back.trim_start_matches(['+', '−']));
        assert_ne!(there, back);
        page.go("#/compare?set=world/test&a=steady-s0&b=steady-s0");
        assert!(page.text("document.querySelector('main').textContent").contains("two different models"));
    });
}

#[test]
fn an_address_that_makes_no_sense_shows_a_page_all_the_same() {
    in_browser(|page| {
        page.open(&SERVER);
        for hash in [
            "#/nowhere",
            "#/grid?set=none&m=none&v=none&sort=none&rel=x-y&ok=a|b",
            "#/mixer?fg=x&bg=-1",
            "#/compare?a=none&b=none&v=none",
            "#/%%%",
        ] {
            page.go(hash);
            assert_eq!(page.number("document.querySelectorAll('h1').length"), 1, "{hash}");
        }
    });
}

#[test]
fn a_photograph_that_is_not_there_is_said_so() {
    in_browser(|page| {
        page.open(&SERVER);
        page.go("#/photograph?set=world/test&p=99999");
        assert!(
            page.text("document.querySelector('[role=alert]').textContent").contains("no such photograph")
        );
        // The browser itself notes the answer that it got.
        page.open(&SERVER);
        page.forget();
    });
}

/// Says the class by the first byte of the picture, and marks everything as salient.
struct Oracle {
    name: &'static str,
    classes: Vec<String>,
}

impl Answerer for Oracle {
    fn name(&self) -> &str {
        self.name
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn answer(&self, rgb: &[u8], size: usize) -> in9_explorer::Result<Answer> {
        assert_eq!(rgb.len(), size * size * 3);
        let predicted = rgb[0] % 9;
        let scores = (0..9).map(|class| if class == predicted { 0.92 } else { 0.01 }).collect();
        Ok(Answer {
            scores,
            predicted: Some(predicted.into()),
            saliency: Some(rgb.iter().map(|b| 255 - b).collect()),
        })
    }
}

#[test]
fn networks_answer_in_the_mixer_with_their_maps() {
    in_browser(|page| {
        let good = Oracle { name: "<b>oracle</b>", classes: WORLD.classes.clone() };
        let other = Oracle { name: "other", classes: vec!["cat".into()] };
        let networks: Vec<Box<dyn Answerer>> = vec![Box::new(good), Box::new(other)];
        let address = serve_with(collection(std::slice::from_ref(&WORLD.out)), networks, Config::default());
        page.open(&format!("http://{address}/#/mixer?set=world/test&fg=1&bg=2"));
        page.until("document.querySelectorAll('.live figure').length === 2");
        page.ready();
        let text = page.text("document.querySelector('.live').textContent");
        assert!(text.contains("<b>oracle</b>") && text.contains("92.0"), "{text}");
        assert!(text.contains("trained on other classes"), "{text}");
        assert_eq!(page.read("document.querySelector('.live img').naturalWidth"), 48);
        page.read("document.querySelector(\"[aria-label='Background: next']\").click()");
        page.until("document.querySelector('.live img')?.src.endsWith('/1/3')");
        page.ready();
    });
}
