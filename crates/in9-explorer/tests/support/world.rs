//! A small world with pictures, two simulated models and their probes, written in the formats that the programs write.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use in9_data::predictions::{Row, Table, Training};
use in9_data::{BuildConfig, Dataset, Pairing, SourceKind, Split, Taxonomy, View, build};
use in9_toy::{WorldConfig, render};

/// Photographs of each class that are tried for the test split; a few fail the protocol's filters.
const EACH: u32 = 6;
/// Sides of the pictures.
const SIZE: u32 = 48;

/// Plain names of the classes.
pub const CLASSES: [&str; 9] =
    ["butterfly", "fish", "cactus", "mushroom", "car", "penguin", "vessel", "rocket", "balloon"];

/// What was made.
pub struct World {
    _folder: tempfile::TempDir,
    /// The output folder, as `reproduce` lays it out.
    pub out: PathBuf,
    pub classes: Vec<String>,
    /// (id, class) of the test photographs, in the dataset's order.
    pub samples: Vec<(String, u16)>,
    pub models: [&'static str; 2],
}

/// What a simulated model says: the first leans on backgrounds, the second does not.
pub fn predicts(
    model: usize,
    at: usize,
    view: View,
    class: u16,
    background_class: Option<u16>,
) -> Option<u16> {
    let sight = (at * 7 + model * 3 + view as usize * 5) % 10;
    match (model, view) {
        // Outside the taxonomy now and then.
        (_, View::OnlyBgB) if sight == 0 => None,
        (0, View::MixedSame | View::MixedRand | View::MixedNext) if sight < 5 => background_class,
        (0, View::NoFg | View::OnlyBgT) => Some(if sight < 6 { class } else { (class + 1) % 9 }),
        (1, View::NoFg | View::OnlyBgT) => Some(if sight < 2 { class } else { (class + 3) % 9 }),
        _ => Some(if sight < 8 { class } else { (class + 2) % 9 }),
    }
}

/// Makes a world whose classes have these names.
pub fn world(names: &[&str; 9]) -> World {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let photos = folder.path().join("photos");
    let config =
        WorldConfig { seed: 3, rho: 0.9, train_per_class: 1, test_per_class: EACH, ..WorldConfig::default() };
    render(&config, &photos, &|_, _| ()).unwrap();
    let mut text = String::from("name = \"test\"\n");
    for (class, name) in names.iter().enumerate() {
        let folder = format!("{class:02}");
        // The toy world's fine labels: three sub-kinds of each class.
        let synsets = [1, 2, 3].map(|kind| format!("n9000{:04}", class * 10 + kind));
        writeln!(text, "[[class]]\nname = {name:?}\nfolder = {folder:?}\nsynsets = {synsets:?}").unwrap();
    }
    let data = out.join("data/world");
    let taxonomy = Taxonomy::parse(&text, Path::new("test")).unwrap();
    let config = BuildConfig {
        size: SIZE,
        taxonomy: Some(taxonomy),
        ..BuildConfig::new(SourceKind::Toy, &photos, &data)
    };
    build(&config, &|_| ()).unwrap();
    let dataset = Dataset::open(&data).unwrap();
    let split = dataset.split("test").unwrap();
    let samples: Vec<(String, u16)> = split.samples().map(|s| (s.id.clone(), s.class)).collect();
    let models = ["leans-s0", "steady-s0"];
    let classes: Vec<String> = names.iter().map(ToString::to_string).collect();
    for (m, model) in models.iter().enumerate() {
        predictions(&out, &dataset, &split, &classes, m, model);
        probes(&out, &samples, &classes, m, model);
    }
    let mut list = String::from(
        "title = \"A small world\"\n[[dataset]]\nname = \"world\"\npath = \"data/world\"\nmain = true\n",
    );
    for model in models {
        writeln!(list, "[[predictions]]\npath = \"predictions/{model}.csv\"").unwrap();
        for kind in ["adversarial", "saliency", "counterfactual"] {
            writeln!(list, "[[probe]]\nkind = \"{kind}\"\npath = \"probes/{kind}/{model}\"").unwrap();
        }
    }
    fs::write(out.join("report.toml"), list).unwrap();
    World { _folder: folder, out, classes, samples, models }
}

fn predictions(out: &Path, dataset: &Dataset, split: &Split, classes: &[String], m: usize, model: &str) {
    let mut rows = Vec::new();
    for view in View::ALL {
        let pairing = view.needs_background().then(|| Pairing::frozen(dataset, split, view).unwrap());
        for (at, sample) in split.samples().enumerate() {
            let other = pairing.as_ref().map(|pairing| split.sample(pairing.0[at] as usize));
            let predicted = predicts(m, at, view, sample.class, other.map(|o| o.class));
            let mut scores = vec![0.02f32; 9];
            scores[usize::from(predicted.unwrap_or(0))] = 0.84 - (at % 10) as f32 / 50.0;
            rows.push(Row {
                model: model.into(),
                arch: "tiny".into(),
                trained_on: if m == 0 { "original".into() } else { "mixed-rand".into() },
                dataset: "world".into(),
                split: "test".into(),
                view,
                image: sample.id.clone(),
                foreground: sample.id.clone(),
                background: other.map_or(String::new(), |o| o.id.clone()),
                class: sample.class,
                background_class: other.map(|o| o.class),
                predicted,
                scores,
                training: Training::default(),
            });
        }
    }
    fs::create_dir_all(out.join("predictions")).unwrap();
    let table = Table { classes: classes.to_vec(), rows };
    table.write_atomic(&out.join(format!("predictions/{model}.csv"))).unwrap();
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Number of backgrounds that fool a model on a foreground: only the first model, and only every other foreground.
pub fn fooling(m: usize, at: usize) -> usize {
    if m == 0 && at.is_multiple_of(2) { 3 + at % 3 } else { 0 }
}

fn probes(out: &Path, samples: &[(String, u16)], classes: &[String], m: usize, model: &str) {
    let summary = format!(
        "{{\"model\":{model:?},\"trained_on\":\"x\",\"dataset\":\"world\",\"split\":\"test\",\"exhaustive\":true}}"
    );
    let write = |kind: &str, files: &[(&str, &str)]| {
        let folder = out.join("probes").join(kind).join(model);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("summary.json"), &summary).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        folder
    };
    let n = samples.len();
    let mut foregrounds =
        String::from("foreground,class,rule,vulnerable,first_background,tries,right_on_own\n");
    let mut backgrounds = String::from("background,class,rule,successes,tries\n");
    let mut fooled = String::from("foreground,class,background,background_class,predicted,targeted\n");
    let mut maps =
        String::from("image,class,predicted,method,mass,area,pointing,iou,deletion,insertion,tap\n");
    let mut effects = String::from("image,class,background_effect,foreground_effect,interaction,reliance\n");
    for (at, (id, class)) in samples.iter().enumerate() {
        let name = quoted(&classes[usize::from(*class)]);
        let count = fooling(m, at);
        writeln!(foregrounds, "{id},{name},untargeted,{},,{n},1", u8::from(count > 0)).unwrap();
        writeln!(backgrounds, "{id},{name},untargeted,{},{n}", (at * 5) % n).unwrap();
        for k in 1..=count {
            let (other, of) = &samples[(at + k * 4) % n];
            let of = quoted(&classes[usize::from(*of)]);
            writeln!(fooled, "{id},{name},{other},{of},{of},1").unwrap();
        }
        if at < 4 {
            writeln!(maps, "{id},{name},{name},grad-cam,0.{}1,0.3,1,0.4,0.1,0.2,layer4.1", at + 2).unwrap();
        }
        if at % 3 != 2 {
            writeln!(effects, "{id},{name},{},0.2,0.0,{}", at as f64 / 100.0 - 0.05, at as f64 / 50.0)
                .unwrap();
        }
    }
    write(
        "adversarial",
        &[("foregrounds.csv", &foregrounds), ("backgrounds.csv", &backgrounds), ("fooled.csv", &fooled)],
    );
    write("counterfactual", &[("effects.csv", &effects)]);
    let folder = write("saliency", &[("maps.csv", &maps)]).join("overlays");
    fs::create_dir(&folder).unwrap();
    let pixels = vec![200u8; (SIZE * SIZE * 3) as usize];
    for at in 0..2 {
        for what in ["grad-cam", "photo"] {
            let path = folder.join(format!("{at:06}-{what}.png"));
            image::save_buffer(path, &pixels, SIZE, SIZE, image::ExtendedColorType::Rgb8).unwrap();
        }
    }
}
