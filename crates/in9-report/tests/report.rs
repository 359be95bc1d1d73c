//! The report from drawn predictions: what it says, and that it says it in the same bytes.

use in9_analysis::paper_world::{World, draw};
use in9_report::{Error, make};
use std::fmt::Write;
use std::fs;
use std::path::Path;

fn inputs(dir: &Path) {
    let all: Vec<&str> = in9_data::View::PAPER.iter().map(|v| v.name()).collect();
    let world = World { dataset: "d", split: "test", per_class: 60, reliance: 1.0, seed: 0 };
    draw(&world, &all).unwrap().write_atomic(&dir.join("test.csv")).unwrap();
    let still = World { dataset: "still", reliance: 0.0, ..world };
    draw(&still, &["original", "mixed-rand"]).unwrap().write_atomic(&dir.join("still.csv")).unwrap();
    fs::create_dir(dir.join("run")).unwrap();
    fs::write(dir.join("run/log.csv"), "epoch,train_loss,train_accuracy\n0,2.1,0.2\n1,1.5,0.4\n").unwrap();
    let spec = r#"title = "Drawn & judged"
recipe = "test"
[[dataset]]
name = "d"
path = "d"
rho = 0.9
main = true
[[dataset]]
name = "still"
path = "still"
rho = 0.0
[[predictions]]
path = "test.csv"
[[predictions]]
path = "still.csv"
[[run]]
name = "run"
path = "run"
"#;
    fs::write(dir.join("report.toml"), spec).unwrap();
}

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
    // The page, results.json, settings.toml, six tables and the mark of whose the folder is; and of each figure and each
    // table of the page the files.
    assert_eq!(names.iter().filter(|name| !name.contains('/')).count(), 10);
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

/// A training as its `run.toml` tells it.
#[derive(Clone, Copy)]
struct Trained {
    name: &'static str,
    seed: u32,
    classes: usize,
    fraction: f64,
    epochs: u32,
    arch: &'static str,
    robust: bool,
}

const PLAIN: Trained = Trained {
    name: "whole-0",
    seed: 0,
    classes: 9,
    fraction: 1.0,
    epochs: 8,
    arch: "resnet-50",
    robust: false,
};

/// Original-trained networks with predictions and runs; returns the page and claims.csv.
fn report_of(trainings: &[Trained]) -> (String, String) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut spec = "title = \"t\"\n[[dataset]]\nname = \"d\"\npath = \"d\"\n".to_owned();
    for (i, t) in trainings.iter().enumerate() {
        let world = World { dataset: "d", split: "test", per_class: 20, reliance: 1.0, seed: 3 };
        let mut table = draw(&world, &["original"]).unwrap();
        for row in &mut table.rows {
            row.model = t.name.into();
            row.arch = t.arch.into();
            if t.fraction < 1.0 {
                row.trained_on = format!("original ({} %)", 100.0 * t.fraction);
            } else if t.classes != 9 {
                row.trained_on = format!("original ({} classes)", t.classes);
            } else if t.robust {
                row.trained_on = "original (against L2 0.5)".into();
            }
            // Backgrounds help an adversarially trained one where they fit.
            if t.robust && row.view == in9_data::View::MixedSame {
                row.predicted = Some(row.class);
            }
            // Networks that learned less are wrong on some images more.
            let lost: &[char] = match (t.classes, t.fraction) {
                (9, 1.0) => &[],
                (_, 1.0) => &['2'],
                (_, 0.5) => &['0', '4', '8'],
                _ => &['0', '2', '4', '6', '8'],
            };
            if row.image.ends_with(lost) {
                row.predicted = Some((row.class + 1) % 9);
            }
        }
        let name = t.name;
        table.write_atomic(&dir.join(format!("{name}.csv"))).unwrap();
        fs::create_dir(dir.join(name)).unwrap();
        let classes: Vec<String> = (0..t.classes).map(|c| format!("c{c}")).collect();
        let run = format!(
            "name = {name:?}\nseed = {}\n[model]\narch = {:?}\nclasses = {classes:?}\n[data]\ndataset = \"d\"\n\
             view = \"original\"\nsamples = {}\nfraction = {:?}\ngroup = {}\n[training]\nepochs = {}\n{}",
            t.seed,
            t.arch,
            i + 1,
            t.fraction,
            u8::from(t.classes != 9),
            t.epochs,
            if t.robust { "[training.attack]\nnorm = \"l2\"\nepsilon = 0.5\n" } else { "" }
        );
        fs::write(dir.join(name).join("run.toml"), run).unwrap();
        write!(spec, "[[run]]\nname = {name:?}\npath = {name:?}\n[[predictions]]\npath = \"{name}.csv\"\n")
            .unwrap();
    }
    fs::write(dir.join("report.toml"), spec).unwrap();
    make(&dir.join("report.toml"), &dir.join("report")).unwrap();
    let read = |name: &str| fs::read_to_string(dir.join("report").join(name)).unwrap();
    (read("index.html"), read("claims.csv"))
}

/// A section of a page.
fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let start = page.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("no section {id}"));
    let length = page[start..].find("</section>").unwrap();
    &page[start..start + length]
}

#[test]
fn curves_join_trainings_that_differ_in_one_thing_only() {
    let trainings = [
        Trained { name: "quarter", fraction: 0.25, ..PLAIN },
        Trained { name: "half", fraction: 0.5, ..PLAIN },
        PLAIN,
        Trained { name: "whole-1", seed: 1, ..PLAIN },
        Trained { name: "longer", epochs: 15, ..PLAIN },
        Trained { name: "longer-half", epochs: 15, fraction: 0.5, ..PLAIN },
        Trained { name: "larger", arch: "resnet-152", ..PLAIN },
        Trained { name: "pairs", classes: 18, ..PLAIN },
        Trained { name: "fours", classes: 36, ..PLAIN },
        Trained { name: "fine", classes: 144, ..PLAIN },
    ];
    let (page, claims) = report_of(&trainings);
    let curves = section(&page, "curves");
    // Any number of points, each with its network; seeds alone and together.
    for cell in
        ["quarter", "half", "whole-0", "whole-1", "mean of 2 seeds", "pairs", "fours", "fine", "longer"]
    {
        assert!(curves.contains(&format!(">{cell}<")) == (cell != "longer"), "{cell}");
    }
    for axis in ["9", "18", "36", "144", "0.25", "0.5", "1"] {
        assert!(curves.contains(&format!("text-anchor=\"middle\">{axis}</text>")), "no tick at {axis}");
    }
    // What was trained otherwise is named with the reason, and joined with nothing.
    assert!(curves.contains("Not on the curve: longer (training.epochs = 15 instead of 8)."), "{curves}");
    assert!(curves.contains("Not on the curve: longer-half (training.epochs = 15 instead of 8)."));
    assert!(curves.contains("resnet-152"), "{curves}");
    // Nor do means over seeds mix them: only the two whole ones are one training twice.
    let gaps = section(&page, "gaps");
    let means = &gaps[gaps.find("Means over training seeds").unwrap()..];
    assert_eq!(means.matches("<tr>").count(), 2, "{means}");
    assert!(means.contains("<td class=\"n\">2</td>"), "{means}");
    assert!(curves.contains("IN-9LB") && curves.contains("+13.3"), "the paper's gaps are missing");
    let line =
        |id: &str| claims.lines().find(|l| l.starts_with(id)).unwrap_or_else(|| panic!("{id}:\n{claims}"));
    assert!(line("size-raises-accuracy").contains("(means of 2 and 1 seeds)"), "{claims}");
    assert!(line("size-raises-accuracy").contains(",supported,"), "{claims}");
    assert!(line("finer-labels-shrink-gap").contains("BG-gap with 144 classes"), "{claims}");
    for id in ["size-keeps-gap", "size-teaches-outline", "finer-labels-cost-accuracy"] {
        line(id);
    }
}

#[test]
fn a_single_training_makes_no_curve_and_its_claims_are_named_as_not_judged() {
    let (page, claims) = report_of(&[PLAIN, Trained { name: "longer", epochs: 15, fraction: 0.5, ..PLAIN }]);
    assert!(!page.contains("<section id=\"curves\""));
    assert!(!claims.contains("size-"), "{claims}");
    let judged = section(&page, "claims");
    assert!(judged.contains("More training photographs raise all accuracies."), "{judged}");
    assert!(judged.contains("networks trained alike on shares of the photographs"), "{judged}");
}

#[test]
fn an_adversarial_training_is_set_against_the_same_one_without_the_attack() {
    let trainings = [
        PLAIN,
        Trained { name: "half", fraction: 0.5, ..PLAIN },
        Trained { name: "hard", robust: true, ..PLAIN },
        // Nothing was trained for as long without the attack.
        Trained { name: "hard-longer", robust: true, epochs: 15, ..PLAIN },
    ];
    let (page, claims) = report_of(&trainings);
    let lines: Vec<&str> =
        claims.lines().filter(|l| l.starts_with("robust-training-does-not-help")).collect();
    assert_eq!(lines.len(), 1, "{claims}");
    let fields: Vec<&str> = lines[0].split(',').collect();
    assert_eq!(fields[3], "BG-gap of hard − BG-gap of whole-0");
    // Right on every mixed-same image: its gap is larger by what the plain one lacks there.
    assert!(fields[4].parse::<f64>().unwrap() > 20.0 && fields[8] == "supported", "{}", lines[0]);
    // It is in Figure 12, and on no curve.
    let curves = section(&page, "curves");
    assert!(curves.contains("Not on the curve: hard (training.attack.epsilon"), "{curves}");
    assert!(curves.contains("against L2 0.5"), "{curves}");
}

#[test]
fn progress_is_judged_by_accuracy_on_original_where_nothing_was_tested_on_imagenet() {
    let half = Trained { name: "half", fraction: 0.5, ..PLAIN };
    let others = [
        Trained { name: "fine", classes: 18, ..PLAIN },
        Trained { name: "hard", robust: true, ..PLAIN },
        Trained { name: "quarter", fraction: 0.25, ..PLAIN },
    ];
    let (page, claims) = report_of(&[PLAIN, half, others[0], others[1]]);
    let lines: Vec<&str> = claims.lines().filter(|l| l.starts_with("progress-rises")).collect();
    assert_eq!(lines.len(), 5, "{claims}");
    for line in lines {
        assert!(line.contains("against accuracy on original (3 networks)"), "{line}");
    }
    let progress = section(&page, "progress");
    assert!(progress.contains("(whole-0, half, fine)"), "{progress}");
    // Two places are no line, however many networks stand at them.
    let twin = Trained { name: "whole-1", seed: 1, ..PLAIN };
    let (page, claims) = report_of(&[PLAIN, twin, half, others[1]]);
    assert!(
        !claims.contains("progress-") && section(&page, "claims").contains("networks of different quality")
    );
}

#[test]
fn a_published_classifier_is_set_against_the_network_trained_from_scratch() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let world = World { dataset: "d", split: "test", per_class: 60, reliance: 0.0, seed: 0 };
    let mut table = draw(&world, &["original"]).unwrap();
    for row in &mut table.rows {
        (row.model, row.trained_on) = ("resnet50-imagenet1k-v1".into(), "imagenet".into());
    }
    table.write_atomic(&dir.path().join("published.csv")).unwrap();
    let (spec, out) = (dir.path().join("report.toml"), dir.path().join("report"));
    make(&spec, &out).unwrap();
    let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    assert!(!read("claims.csv").contains("pre-training-shrinks-gap"));
    assert!(section(&read("index.html"), "claims").contains("--model ARCH=WEIGHTS"));
    let text = fs::read_to_string(&spec).unwrap() + "[[predictions]]\npath = \"published.csv\"\n";
    fs::write(&spec, text).unwrap();
    make(&spec, &out).unwrap();
    let claims = read("claims.csv");
    let line = claims.lines().find(|l| l.starts_with("pre-training-shrinks-gap")).expect("a judged claim");
    assert!(line.contains("BG-gap of resnet50-imagenet1k-v1 − BG-gap of d-original"), "{line}");
    assert!(line.split(',').nth(2) == Some("supported"), "{line}");
    assert!(!read("index.html").contains("--model ARCH=WEIGHTS"));
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

/// A table of saliency maps that holds none.
const MAPS: &str = "image,class,predicted,method,mass,lift,pointing,iou,deletion,insertion,tap\n";

/// One broken table of a probe once ended the whole report.
#[test]
fn a_probe_with_a_broken_table_is_left_out_and_named() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let share = r#"{ "value": 0.5, "low": 0.4, "high": 0.6 }"#;
    let source = r#""model": "m", "trained_on": "original", "dataset": "d", "split": "test""#;
    let saliency = format!(
        r#"{{ {source}, "view": "original", "tap": "layer3.1", "methods": [ {{ "method": "hires-cam", "images": 4,
        "empty": 0, "mass": {share}, "lift": {share}, "pointing": {share}, "iou": {share}, "deletion": null,
        "insertion": null }} ] }}"#
    );
    let mean = format!(
        r#"{{ "images": 1, "background": {share}, "foreground": {share}, "interaction": {share}, "reliance": {share} }}"#
    );
    let counterfactual = format!(r#"{{ {source}, "partners": 2, "mean": {mean}, "classes": [] }}"#);
    let adversarial = format!(
        r#"{{ {source}, "exhaustive": false, "foregrounds": 2, "backgrounds": 2, "passes": 4, "official_passes": null,
        "ordered_passes": null, "rules": [], "challenge_accuracy": null, "rates": [], "classes": [] }}"#
    );
    let spec = dir.path().join("report.toml");
    let mut text = fs::read_to_string(&spec).unwrap();
    for (kind, table, whole, summary) in [
        ("saliency", "maps.csv", MAPS, saliency),
        ("counterfactual", "effects.csv", "image,background_effect,reliance\na,0.5,0.5\n", counterfactual),
        (
            "adversarial",
            "foregrounds.csv",
            "foreground,class,rule,vulnerable,first_background,tries,right_on_own\n",
            adversarial,
        ),
    ] {
        let folder = dir.path().join(kind);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("summary.json"), summary).unwrap();
        fs::write(folder.join(table), whole).unwrap();
        text += &format!("[[probe]]\nkind = \"{kind}\"\npath = \"{kind}\"\n");
    }
    fs::write(&spec, text).unwrap();
    let out = dir.path().join("report");
    let skipped = |line: &str| {
        let summary = make(&spec, &out).unwrap();
        let (probes, others): (Vec<_>, Vec<_>) =
            summary.skipped.into_iter().partition(|skipped| skipped.starts_with("probe "));
        assert!(
            probes.iter().any(|skipped| skipped.starts_with(line)) || line.is_empty(),
            "{line}: {probes:?}"
        );
        (probes.len(), others.len())
    };
    let (none, others) = skipped("");
    assert_eq!(none, 0, "a whole probe is left out");
    for (at, (kind, table)) in
        [("saliency", "maps.csv"), ("counterfactual", "effects.csv"), ("adversarial", "foregrounds.csv")]
            .into_iter()
            .enumerate()
    {
        fs::write(dir.path().join(kind).join(table), "one,two\n1\n\"2,3,4").unwrap();
        assert_eq!(skipped(&format!("probe {kind}: ")), (at + 1, others));
    }
    fs::remove_file(dir.path().join("saliency/maps.csv")).unwrap();
    assert_eq!(skipped("probe saliency: "), (3, others));
}

#[test]
fn probes_of_another_data_set_alone_fill_their_section() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    fs::create_dir(dir.path().join("looks")).unwrap();
    let share = r#"{ "value": 0.5, "low": 0.4, "high": 0.6 }"#;
    let summary = format!(
        r#"{{ "model": "m", "trained_on": "original", "dataset": "still", "split": "test", "view": "original",
        "tap": "layer3.1", "methods": [ {{ "method": "hires-cam", "images": 4, "empty": 0, "mass": {share},
        "lift": {share}, "pointing": {share}, "iou": {share}, "deletion": null, "insertion": null }} ] }}"#
    );
    fs::write(dir.path().join("looks/summary.json"), summary).unwrap();
    fs::write(dir.path().join("looks/maps.csv"), MAPS).unwrap();
    let spec = dir.path().join("report.toml");
    let text = fs::read_to_string(&spec).unwrap() + "[[probe]]\nkind = \"saliency\"\npath = \"looks\"\n";
    fs::write(&spec, text).unwrap();
    let out = dir.path().join("report");
    make(&spec, &out).unwrap();
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    let saliency = section(&page, "saliency");
    assert_eq!(saliency.matches("<table").count(), 1, "{saliency}");
    for cell in ["still test", "hires-cam", "layer3.1", "50.0 [40.0, 60.0]"] {
        assert!(saliency.contains(cell), "{cell} is missing: {saliency}");
    }
    let results: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    assert_eq!(results["more"]["saliency"][0]["tap"], "layer3.1");
}

#[test]
fn a_report_never_replaces_its_inputs_or_what_others_made() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let spec = dir.path().join("report.toml");
    match make(&spec, dir.path()) {
        Err(Error::File(in9_base::Error::InputInside { .. })) => {}
        other => panic!("{other:?}"),
    }
    for name in ["report.toml", "test.csv", "still.csv", "run/log.csv"] {
        assert!(dir.path().join(name).is_file(), "{name}");
    }
    for name in ["notes.csv", "index.html", "data.json", "settings.toml", "weights.bin"] {
        let folder = dir.path().join(format!("foreign-{name}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(name), "precious").unwrap();
        match make(&spec, &folder) {
            Err(Error::File(in9_base::Error::NotOurs { path, .. })) => assert_eq!(path, folder.join(name)),
            other => panic!("{other:?}"),
        }
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), "precious");
    }
    // An earlier report is replaced, unless something strange has come to stand in it.
    let out = dir.path().join("report");
    make(&spec, &out).unwrap();
    make(&spec, &out).unwrap();
    fs::write(out.join("thesis.csv"), "precious").unwrap();
    assert!(make(&spec, &out).is_err());
    assert_eq!(fs::read_to_string(out.join("thesis.csv")).unwrap(), "precious");
}

#[test]
fn losses_beyond_any_scale_and_broken_logs_are_survived() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let log = dir.path().join("run/log.csv");
    fs::write(&log, "epoch,train_loss,train_accuracy\n0,-1e308,1e308\n1,1e308,-1e308\n1e308,inf,NaN\n")
        .unwrap();
    let (spec, out) = (dir.path().join("report.toml"), dir.path().join("report"));
    let summary = make(&spec, &out).unwrap();
    assert!(summary.skipped.iter().all(|line| !line.contains("log")), "{:?}", summary.skipped);
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    let training = section(&page, "training");
    assert!(!training.contains("NaN") && !training.contains("=\"inf"), "{training}");
    // One that is no table is left out and named, and the report is made.
    fs::write(&log, "epoch,train_loss\n0\n").unwrap();
    let summary = make(&spec, &out).unwrap();
    assert!(
        summary.skipped.iter().any(|line| line.starts_with("log of run run: ") && line.contains("line 2"))
    );
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_among_the_inputs_hang_nothing() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let pipe = |name: &str| {
        let path = dir.path().join(name);
        let _ = fs::remove_file(&path);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    };
    let (spec, out) = (dir.path().join("report.toml"), dir.path().join("report"));
    // What can be done without is left out and named.
    for name in ["run/log.csv", "run/run.toml"] {
        pipe(name);
    }
    let summary = make(&spec, &out).unwrap();
    assert_eq!(
        summary.skipped.iter().filter(|line| line.contains("a pipe")).count(),
        2,
        "{:?}",
        summary.skipped
    );
    let piped = pipe("test.csv");
    match make(&spec, &out) {
        Err(Error::Analysis(in9_analysis::Error::File(in9_base::Error::NotAFile { path, .. }))) => {
            assert_eq!(path, piped)
        }
        other => panic!("{other:?}"),
    }
    for path in [pipe("list.toml").as_path(), Path::new("/dev/zero")] {
        assert!(matches!(make(path, &out), Err(Error::File(in9_base::Error::NotAFile { .. }))));
    }
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
