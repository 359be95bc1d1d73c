//! What the page says, and that it says it in the same bytes.

use super::{inputs, section};
use in9_analysis::paper_world::{World, draw};
use in9_data::View;
use in9_data::predictions::Row;
use in9_report::make;
use std::fmt::Write;
use std::fs;
use std::path::Path;

#[test]
fn a_world_like_the_papers_shows_the_papers_claims() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let (spec, out) = (dir.path().join("report.toml"), dir.path().join("report"));
    make(&spec, &out).unwrap();
    let csv = fs::read_to_string(out.join("claims.csv")).unwrap();
    for claim in ["background-own-test", "gap-original", "mixed-rand-training-helps", "gap-grows-with-rho"] {
        let mut lines = csv.lines().filter(|l| l.starts_with(claim)).peekable();
        assert!(lines.peek().is_some(), "{claim} is missing");
        assert!(lines.all(|l| l.split(',').nth(2) == Some("supported")), "{claim}:\n{csv}");
    }
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(page.contains("<title>Drawn &#38; judged</title>"));
    for id in ["claims", "matrix", "gaps", "figures", "categories", "rho-sweep", "training", "methods"] {
        assert!(page.contains(&format!("<section id=\"{id}\"")), "{id}");
        assert!(page.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    // Nothing is fetched from elsewhere and nothing of this machine is told.
    assert!(page.match_indices("http://").all(|(i, _)| page[i..].starts_with("http://www.w3.org")));
    assert!(!page.contains("https://") && !page.contains(dir.path().to_str().unwrap()));
    let results: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    assert_eq!(results["models"].as_array().unwrap().len(), 10);
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let spec = dir.path().join("report.toml");
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    make(&spec, &a).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| make(&spec, &b).unwrap());
    let names = files(&a, &a);
    assert_eq!(names, files(&b, &b));
    for name in &names {
        assert!(fs::read(a.join(name)).unwrap() == fs::read(b.join(name)).unwrap(), "{name}");
    }
    // The page, results.json, settings.toml, seven tables, two files for papers and the mark of whose the folder is; and of each figure and each
    // table of the page the files.
    assert_eq!(names.iter().filter(|name| !name.contains('/')).count(), 13);
    let page = fs::read_to_string(a.join("index.html")).unwrap();
    let count = |end: &str| names.iter().filter(|name| name.contains('/') && name.ends_with(end)).count();
    assert_eq!(count(".svg"), page.matches("<figure id=\"figure-").count());
    for end in [".tex", ".md", ".csv"] {
        assert_eq!(count(end), page.matches("<figure class=\"table\"").count(), "{end}");
    }
}

/// The files below a folder, by their paths in it.
fn files(root: &Path, folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(root, &path));
        } else {
            found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
    found.sort();
    found
}

/// Figures drawn with nothing in them, tables of rows without names, words that were true of trained networks only: what
/// a report on three published models once was.
#[test]
fn published_and_strange_models_have_cards_names_and_every_figure() {
    let dir = tempfile::tempdir().unwrap();
    let models = [("resnet50-v2", "imagenet", 0.2), ("vit-b-16", "imagenet", 0.6), ("my_net <1>", "", 1.0)];
    let mut spec = "title = \"t\"\n".to_owned();
    for (i, (name, trained_on, reliance)) in models.into_iter().enumerate() {
        let world = World { dataset: "mine", split: "test", per_class: 30, reliance, seed: 5 };
        let mut table = draw(&world, &["original"]).unwrap();
        for row in &mut table.rows {
            (row.model, row.arch, row.trained_on) = (name.into(), String::new(), trained_on.into());
        }
        table.write_atomic(&dir.path().join(format!("{i}.csv"))).unwrap();
        write!(spec, "[[predictions]]\npath = \"{i}.csv\"\n").unwrap();
    }
    fs::write(dir.path().join("report.toml"), spec).unwrap();
    let out = dir.path().join("report");
    make(&dir.path().join("report.toml"), &out).unwrap();
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    let header = &page[..page.find("</header>").unwrap()];
    for name in ["resnet50-v2", "vit-b-16", "my_net &#60;1&#62;"] {
        assert!(header.contains(&format!("<span class=\"name\">{name}</span>")), "{name}: {header}");
        for id in ["gaps", "matrix", "categories", "classes", "intervals"] {
            let svg = name.replace("&#60;", "&lt;").replace("&#62;", "&gt;");
            let section = section(&page, id);
            assert!(section.contains(name) || section.contains(&svg), "{name} is not in {id}");
        }
    }
    assert!(!page.contains("No network was tested") && !page.contains("trained on imagenet"), "{page}");
    // Every chart has something drawn in it, and two columns tell who a row is about.
    for chart in page.split("<svg class=\"chart\"").skip(1) {
        let chart = &chart[..chart.find("</svg>").unwrap()];
        let drawn =
            ["<rect", "<circle", "<polyline"].iter().map(|mark| chart.matches(mark).count()).sum::<usize>();
        assert!(drawn > 2, "{chart}");
    }
    assert!(section(&page, "gaps").contains("<th>model</th><th>trained on</th>"));
    let latex = fs::read_to_string(out.join("tables/gaps-bg-gap-on-test.tex")).unwrap();
    assert!(latex.contains("\\toprule") && latex.contains("my\\_net $<$1$>$ & --"), "{latex}");
    let svg = fs::read_to_string(out.join("figures/gaps-bg-gap-by-network-on-test.svg")).unwrap();
    assert!(svg.contains("<style>") && !svg.contains("var(--"), "{svg}");
    // Numbers of its own, one after another, with the paper's beside.
    assert!(
        page.contains("<b>Figure 1</b> <span class=\"paper-number\">(the paper’s Figure 12)</span>"),
        "{page}"
    );
    let figures = page.matches("<figure id=\"figure-").count();
    assert!((1..=figures).all(|n| page.contains(&format!("<figure id=\"figure-{n}\""))));
}

#[test]
fn one_photograph_has_figures_without_intervals() {
    let dir = tempfile::tempdir().unwrap();
    let world = World { dataset: "d", split: "test", per_class: 1, reliance: 1.0, seed: 0 };
    let mut table = draw(&world, &["original", "mixed-rand"]).unwrap();
    let first = table.rows[0].foreground.clone();
    table.rows.retain(|row| row.foreground == first);
    table.write_atomic(&dir.path().join("p.csv")).unwrap();
    let spec = dir.path().join("report.toml");
    fs::write(&spec, "title = \"t\"\n[[predictions]]\npath = \"p.csv\"\n").unwrap();
    make(&spec, &dir.path().join("report")).unwrap();
    let page = fs::read_to_string(dir.path().join("report/index.html")).unwrap();
    assert!(!page.contains("NaN"), "an undefined limit is printed");
    assert!(section(&page, "gaps").contains("one photograph gives none"));
}

#[test]
fn a_rehearsal_says_what_it_is_and_other_test_sets_have_a_section() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let path = dir.path().join("report.toml");
    // Without a known ρ, the second data set is another test set and not a world of a sweep.
    let spec = fs::read_to_string(&path).unwrap().replace("rho = 0.9\n", "").replace("rho = 0.0\n", "");
    let page = |head: &str, name: &str| {
        fs::write(&path, format!("{head}{spec}")).unwrap();
        make(&path, &dir.path().join(name)).unwrap();
        fs::read_to_string(dir.path().join(name).join("index.html")).unwrap()
    };
    let plain = page("", "plain");
    assert!(!plain.contains("rehearsal") && !plain.contains("Not as the recipe"));
    let others = section(&plain, "other-tests");
    assert!(others.contains("d test (540)") && others.contains("still test (540)"), "{others}");
    let small = page("scale = 0.01\nchanged = [\"train.epochs=1\"]\n", "small");
    assert!(small.contains("A rehearsal: 1 % of the recipe’s photographs and epochs"));
    assert!(small.contains("Not as the recipe has it: train.epochs=1."));
    assert!(section(&small, "methods").contains("Parts of this run"));
    fs::write(&path, format!("scale = 2.0\n{spec}")).unwrap();
    assert!(make(&path, &dir.path().join("no")).unwrap_err().to_string().contains("scale"));
}

/// Every third photograph that is known as it is gets lost on its own tiled background, and nothing more on the rungs between.
#[test]
fn the_drop_is_divided_into_pasting_and_background_where_controls_were_tested() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let world = World { dataset: "d", split: "test", per_class: 60, reliance: 1.0, seed: 0 };
    let mut table = draw(&world, &["original", "mixed-rand"]).unwrap();
    let whole: Vec<_> = table.rows.iter().filter(|row| row.view == View::Original).cloned().collect();
    for (at, row) in whole.iter().enumerate() {
        let lost = Some((row.class + 1) % table.classes.len() as u16);
        let pasted = if at.is_multiple_of(3) { lost } else { row.predicted };
        table.rows.push(Row { view: View::BgInpainted, ..row.clone() });
        for view in [View::BgTiled, View::BgFlat, View::BgNoise] {
            table.rows.push(Row { view, predicted: pasted, ..row.clone() });
        }
        table.rows.push(Row { view: View::OnlyMask, predicted: lost, ..row.clone() });
    }
    table.write_atomic(&dir.path().join("test.csv")).unwrap();
    let (spec, out) = (dir.path().join("report.toml"), dir.path().join("report"));
    make(&spec, &out).unwrap();
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    let pasting = section(&page, "pasting");
    for text in [
        "What each step costs",
        "divided (points)",
        "bg-inpainted",
        "outline, size and place",
        "No network here",
    ] {
        assert!(pasting.contains(text), "{text}");
    }
    let csv = fs::read_to_string(out.join("ladder.csv")).unwrap();
    let costs: Vec<(&str, f64)> = csv
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            Some((*fields.get(8)?, fields.get(9)?.parse().ok()?))
        })
        .collect();
    let part = |name: &str| costs.iter().find(|(part, _)| *part == name).unwrap().1;
    assert!((part("pasting") + part("background") - part("total")).abs() < 1e-9, "{csv}");
    assert!((0.2..0.34).contains(&part("pasting")), "{csv}");
    assert!(fs::read_to_string(out.join("methods.md")).unwrap().contains("own tiled backgrounds"));
}
