//! Data that means harm, or is merely broken: it is shown as what it is, and the rest is shown too.

use std::fs;

use in9_explorer::server::Config;

use crate::chromium::Page;
use crate::in_browser;
use crate::support::world::{World, world};
use crate::support::{collection, serve};

/// Names that would be markup, a script, a formula or a path somewhere.
const NAMES: [&str; 9] = [
    "<script>document.title='owned'",
    "<img src=x onerror=document.title='owned'>",
    "\"onmouseover=alert(1) x=\"",
    "'; alert(1);--",
    "=cmd|'calc'!A1",
    "&lt;b&gt;{{7*7}}${7*7}",
    "<!--SCRIPT-->",
    "%3Cscript%3E javascript&colon;alert(1)",
    "a|b&c#d?e=f%25",
];

fn pages(page: &mut Page<'_>, address: &str, world: &World) {
    page.open(address);
    for hash in crate::all_pages() {
        page.go(&format!("#{hash}"));
        assert_eq!(page.number("document.querySelectorAll('main script, main img[onerror], main b, main [onmouseover]').length"), 0);
        assert!(!page.text("document.title").contains("owned"), "{hash}");
    }
    // Each name is shown letter by letter, and can be filtered by.
    for (class, name) in world.classes.iter().enumerate() {
        let query = format!(
            "new URLSearchParams({{set: 'world/test', class: {}}}).toString()",
            serde_json::json!(name)
        );
        let query = page.text(&query);
        page.go(&format!("#/grid?{query}"));
        let count = world.samples.iter().filter(|s| usize::from(s.1) == class).count();
        let shown = page.text("document.querySelector('.count').textContent.split(' ')[0]");
        assert_eq!(shown, count.to_string(), "{name}");
        let text = page.text("document.querySelector('.card .what').textContent");
        assert!(text == *name || text.contains('…'), "{text} is not {name}");
    }
}

#[test]
fn names_that_are_markup_are_shown_letter_by_letter() {
    in_browser(|page| {
        let world = world(&NAMES);
        let all = collection(std::slice::from_ref(&world.out));
        assert!(all.notices().is_empty(), "{:?}", all.notices());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("page.html");
        in9_explorer::export::to_file(&all, &path, &Default::default()).unwrap();
        let address = serve(all, Config::default());
        pages(page, &format!("http://{address}/"), &world);
        pages(page, &format!("file://{}", path.display()), &world);
    });
}

#[test]
fn formulas_do_not_reach_a_spreadsheet() {
    in_browser(|page| {
        let world = world(&NAMES);
        let address = serve(collection(std::slice::from_ref(&world.out)), Config::default());
        let dir = tempfile::tempdir().unwrap();
        page.open(&format!("http://{address}/#/grid?set=world/test"));
        page.downloads_to(dir.path());
        page.action("Select all");
        page.action("CSV");
        let table = String::from_utf8(page.saved(&dir.path().join("selection.csv"))).unwrap();
        assert!(table.contains("'=cmd|") && !table.contains(",=cmd|"));
    });
}

#[test]
fn what_is_broken_is_named_and_the_rest_is_shown() {
    in_browser(|page| {
        let world = world(&crate::support::world::CLASSES);
        let out = &world.out;
        // A shard that is none, of the split that no model was tested on.
        fs::write(out.join("data/world/shards/train-00000.in9"), "none").unwrap();
        // A table whose rows name unknown photographs, one with a label of 10,000 characters, one that is none.
        let table = fs::read_to_string(out.join("predictions/steady-s0.csv")).unwrap();
        let first = &world.samples[0].0;
        fs::write(out.join("predictions/steady-s0.csv"), table.replace(first.as_str(), "nobody_0")).unwrap();
        let head = table.lines().next().unwrap();
        let long = "x".repeat(10_000);
        let labels =
            format!("{}\nm,,,world,test,original,{long},{long},,butterfly,,fish,1,0,0,0,0,0,0,0,0\n", head);
        fs::write(out.join("long.csv"), labels).unwrap();
        fs::write(out.join("none.csv"), "<h1>no table</h1>").unwrap();
        let summary = out.join("probes/saliency/steady-s0/summary.json");
        fs::write(summary, "{").unwrap();
        let maps = out.join("probes/saliency/leans-s0/overlays/000000-grad-cam.png");
        fs::write(maps, "<svg onload=alert(1)>").unwrap();
        let paths = [out.clone(), out.join("long.csv"), out.join("none.csv")];
        let all = collection(&paths);
        let notices = all.notices().join("\n");
        for part in ["train", "rows are left out", "none.csv", "summary"] {
            assert!(notices.contains(part), "{part} is not in {notices}");
        }
        let address = serve(all, Config::default());
        page.open(&format!("http://{address}/"));
        assert!(page.number("document.querySelectorAll('.notices li').length") >= 4);
        assert_eq!(page.number("document.querySelectorAll('.notices h1').length"), 0);
        assert_eq!(page.number("document.querySelectorAll('.accuracy tbody tr').length"), 2);
        page.go("#/grid?set=world/test");
        let count = page.text("document.querySelector('.count').textContent.split(' ')[0]");
        assert_eq!(count, world.samples.len().to_string());
        // A saliency map that is no picture is not shown as one.
        page.go("#/photograph?set=world/test&p=0&over=map|0|0");
        page.until(
            "!!document.querySelector('.over .missing') || document.querySelector('.over img').complete",
        );
        page.open(&format!("http://{address}/"));
        page.forget();
    });
}

#[test]
fn a_broken_record_costs_its_own_pictures_only() {
    in_browser(|page| {
        let world = world(&crate::support::world::CLASSES);
        let shard = world.out.join("data/world/shards/test-00000.in9");
        let mut bytes = fs::read(&shard).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        fs::write(&shard, bytes).unwrap();
        let address = serve(collection(std::slice::from_ref(&world.out)), Config::default());
        page.size(1280, 6000);
        page.open(&format!("http://{address}/#/grid?set=world/test"));
        assert_eq!(page.number("document.querySelectorAll('.card').length"), world.samples.len());
        page.until("document.querySelectorAll('.missing').length === 1");
        assert!(page.text("document.querySelector('.missing').textContent").contains("cannot be read"));
        // Its page shows everything that is known besides.
        let at = page.text("document.querySelector('.card:has(.missing)').dataset.at");
        page.go(&format!("#/photograph?set=world/test&p={at}"));
        assert_eq!(page.number("document.querySelectorAll('.views .answers > li').length"), 30);
        // The browser itself notes the pictures that it did not get.
        page.open(&format!("http://{address}/"));
        page.forget();
    });
}

#[test]
fn names_of_a_thousand_letters_leave_the_page_as_wide_as_it_is() {
    in_browser(|page| {
        let world = world(&crate::support::world::CLASSES);
        let [one, two] = ["leans-s0", "steady-s0"]
            .map(|model| fs::read_to_string(world.out.join(format!("predictions/{model}.csv"))).unwrap());
        let rows: String = two.lines().skip(1).flat_map(|line| [line, "\n"]).collect();
        let with = |letters: usize| {
            let name = |letter: &str| letter.repeat(letters);
            let text = (one.clone() + &rows).replace("butterfly", &name("b")).replace("leans-s0", &name("m"));
            let path = world.out.join(format!("{letters}.csv"));
            fs::write(&path, text.replace(world.samples[0].0.as_str(), &name("i"))).unwrap();
            path
        };
        // A table whose names are ten times as long is refused, and said to be: by a line that is long too.
        let all = collection(&[with(1_000), with(10_000)]);
        assert_eq!(all.notices().len(), 1, "{:?}", all.notices());
        let address = serve(all, Config::default());
        page.open(&format!("http://{address}/"));
        assert!(page.text("document.querySelector('.notices li').textContent").contains("10000.csv"));
        for width in [360, 1280] {
            page.size(width, 900);
            for hash in
                ["#/overview", "#/grid", "#/grid?keep=10p", "#/photograph?p=0", "#/mixer", "#/compare"]
            {
                page.go(hash);
                assert_eq!(page.number("document.querySelectorAll('[role=alert]').length"), 0, "{hash}");
                let over = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
                assert_eq!(page.number(over), 0, "{width}, {hash}");
            }
        }
    });
}

#[test]
fn a_table_alone_and_a_dataset_alone_are_shown() {
    in_browser(|page| {
        let world = world(&crate::support::world::CLASSES);
        let table = serve(collection(&[world.out.join("predictions/leans-s0.csv")]), Config::default());
        let photographs = serve(collection(&[world.out.join("data/world")]), Config::default());
        page.open(&format!("http://{table}/"));
        for hash in crate::all_pages() {
            page.go(&format!("#{hash}"));
            assert_eq!(page.number("document.querySelectorAll('h1').length"), 1, "{hash}");
        }
        page.go("#/photograph?set=world/test&p=0");
        assert!(page.text("document.querySelector('main').textContent").contains("no pictures"));
        page.open(&format!("http://{photographs}/"));
        for hash in crate::all_pages() {
            page.go(&format!("#{hash}"));
            assert_eq!(page.number("document.querySelectorAll('h1').length"), 1, "{hash}");
        }
    });
}

#[test]
fn a_class_without_photographs_is_an_empty_list() {
    in_browser(|page| {
        // No row and no sample of the tenth class.
        let world = world(&crate::support::world::CLASSES);
        let table = fs::read_to_string(world.out.join("predictions/leans-s0.csv")).unwrap();
        let more = table.lines().enumerate().map(|(i, line)| match i {
            0 => format!("{line},score_unicorn\n"),
            _ => format!("{line},0\n"),
        });
        let path = world.out.join("more.csv");
        fs::write(&path, more.collect::<String>()).unwrap();
        let address = serve(collection(&[path]), Config::default());
        page.open(&format!("http://{address}/#/grid?class=unicorn"));
        assert!(
            page.text("document.querySelector('.empty').textContent").contains("No photograph is like that")
        );
        page.go("#/overview");
        assert!(page.text("document.querySelector('.classes').textContent").contains("unicorn 0"));
    });
}
