//! What mends networks that lean on backgrounds: the worst group gains, and the paired comparison of groups shows it.
//!
//! The set is Waterbirds' in small: two kinds of bird, a bar that lies and one that stands, before two kinds of place. In
//! training nine of ten birds are in the place of their kind; in validation and test every group has as many.

#![allow(clippy::print_stdout, reason = "the figures are for whoever looks at them")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use in9_data::predictions::{Card, FoundCard};
use in9_data::rng;
use in9_tests::{expect, ground, program};

/// Photographs of a bird in the place of its kind and in the other's, by split.
const COUNTS: [(u8, [usize; 2]); 3] = [(0, [190, 20]), (1, [40, 40]), (2, [100, 100])];
/// Side of the photographs, in pixels.
const SIDE: u32 = 32;

/// Draws the set into `root`.
fn draw(root: &Path) {
    fs::create_dir_all(root).unwrap();
    let mut metadata = "img_filename,y,place,split\n".to_owned();
    for (split, counts) in COUNTS {
        for class in 0..2u32 {
            for (other, count) in (0u32..).zip(counts) {
                let place = (class + other) % 2;
                for i in 0..count {
                    let name = format!("{split}{class}{place}-{i:03}.png");
                    photograph(class, place, &name).save(root.join(&name)).unwrap();
                    writeln!(metadata, "{name},{class},{place},{split}").unwrap();
                }
            }
        }
    }
    fs::write(root.join("metadata.csv"), metadata).unwrap();
}

/// A bird of this class in this place.
fn photograph(class: u32, place: u32, name: &str) -> image::RgbImage {
    let mut random = rng::stream(3, "birds", rng::text_key(name), 0);
    let mut below = |n: u32| (rng::unit(&mut random) * n as f32) as u32;
    let (width, height) = if class == 0 { (14, 5) } else { (5, 14) };
    let (left, top) = (below(SIDE - width), below(SIDE - height));
    // Some birds are easy to see, others hardly: the place is always easy.
    let brighter = 20 + below(91) as i32;
    let ground = if place == 0 { [70, 150, 70] } else { [70, 40, 180] };
    image::RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let is_bird = (left..left + width).contains(&x) && (top..top + height).contains(&y);
        let raised = if is_bird { brighter } else { 0 };
        image::Rgb(ground.map(|value: i32| (value + raised + below(101) as i32 - 50).clamp(0, 255) as u8))
    })
}

/// The set, its dataset and a network that was trained to be right on average, in one folder.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        draw(&world.at("birds"));
        let mut build = program("in9");
        build.args(["build", "--source", "waterbirds", "--photos-only", "--size", "32", "--root"]);
        expect(build.arg(world.at("birds")).arg("--out").arg(world.at("data")), 0);
        world.train("erm", &[]);
        world
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn metadata(&self) -> PathBuf {
        self.at("birds/metadata.csv")
    }

    /// Trains the network `name`, and has it answer the test photographs.
    fn train(&self, name: &str, more: &[&str]) {
        let mut train = ground::training("original", 8, 40);
        train.args(["--augment", "none", "--name", name]).args(more);
        expect(train.arg("--data").arg(self.at("data")).arg("--out").arg(self.at(name)), 0);
        let mut predict = program("in9");
        predict.args(["predict", "--views", "original", "--split", "test", "--weights"]).arg(self.at(name));
        expect(
            predict.arg("--data").arg(self.at("data")).arg("--out").arg(self.at(&format!("{name}.csv"))),
            0,
        );
    }

    /// What `compare` says of the worst groups of `first` and `second`, of two tables.
    fn compare(&self, first: &str, second: &str) -> serde_json::Value {
        let out = self.at(&format!("{first}-{second}"));
        let mut compare = program("in9");
        compare.arg("compare").args([first, second].map(|name| self.at(&format!("{name}.csv"))));
        compare.arg("--groups").arg(self.metadata()).arg("--out").arg(&out);
        let (printed, _) = expect(&mut compare, 0);
        assert!(printed.contains("worst: ") && printed.contains("landbird · 1"), "{printed}");
        println!("{printed}");
        let results: serde_json::Value =
            serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
        results[0]["groups"][0].clone()
    }
}

/// Checks that the worst group gained, beyond what chance explains, and not because all are guessed at.
fn gained(found: &serde_json::Value) {
    let difference = |limit: &str| found["difference"][limit].as_f64().unwrap();
    assert!(difference("low") > 0.0 && difference("value") > 0.05, "{found}");
    assert!(found["p"].as_f64().unwrap() < 0.01, "{found}");
    let groups = found["groups"].as_array().unwrap();
    let sum: f64 = groups.iter().map(|group| group["first"].as_f64().unwrap()).sum();
    assert!(groups.len() == 4 && sum / 4.0 > 0.6, "{found}");
}

#[test]
fn reweighted_features_raise_the_worst_group() {
    let world = World::new();
    let mut probe = program("in9");
    probe.args([
        "probe",
        "--methods",
        "dfr",
        "--train",
        "val",
        "--views",
        "original",
        "--split",
        "test",
        "--groups",
    ]);
    probe.arg(world.metadata()).arg("--weights").arg(world.at("erm")).arg("--data").arg(world.at("data"));
    let (_, said) = expect(probe.arg("--out").arg(world.at("dfr.csv")), 0);
    assert!(said.contains("dfr: 4 groups, the smallest landbird · 0 of 40"), "{said}");
    gained(&world.compare("dfr", "erm"));
    let FoundCard::Own(card) = Card::of(&world.at("dfr.csv")).unwrap() else { panic!("no card") };
    let of = card.networks[0].probe.as_ref().unwrap();
    assert_eq!((of.method.as_str(), of.split.as_str()), ("dfr", "val"));
    assert!(of.settings.contains("4 groups balanced 10 times"), "{}", of.settings);
    // The same again is the same; without groups, or with those of backgrounds that are not there, nothing is done.
    let before = fs::read(world.at("dfr.csv")).unwrap();
    expect(probe.args(["--batch-size", "7", "--jobs", "1"]), 0);
    assert!(fs::read(world.at("dfr.csv")).unwrap() == before);
    for (groups, expected) in
        [(&[][..], "--groups: missing"), (&["--groups", "backgrounds"], "found original")]
    {
        let mut refused = program("in9");
        refused.args(["probe", "--methods", "dfr"]).args(groups).arg("--weights").arg(world.at("erm"));
        let (_, said) =
            expect(refused.arg("--data").arg(world.at("data")).arg("--out").arg(world.at("no.csv")), 1);
        assert!(said.contains(expected) && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn group_dro_raises_the_worst_group() {
    let world = World::new();
    let metadata = world.metadata();
    let groups = ["--objective", "group-dro", "--groups", metadata.to_str().unwrap()];
    world.train("dro", &[&groups[..], &["--group-step", "0.05"]].concat());
    gained(&world.compare("dro", "erm"));
    let run = fs::read_to_string(world.at("dro/run.toml")).unwrap();
    assert!(run.contains("step_size = 0.05") && run.contains("samples = 20"), "{run}");
    let table = fs::read_to_string(world.at("dro.csv")).unwrap();
    assert!(table.contains(",original (group DRO),"), "{}", table.lines().nth(1).unwrap_or_default());
    // Other groups are another training; a view without backgrounds of others has none to tell groups by.
    fs::write(&metadata, fs::read_to_string(&metadata).unwrap().replace("000.png,0,1,", "000.png,0,2,"))
        .unwrap();
    let train = |more: &[&str], out: &str, code: i32| {
        let mut train = program("in9");
        train.args(["train", "--arch", "resnet-tiny", "--view", "original", "--epochs", "8"]).args(more);
        expect(train.arg("--data").arg(world.at("data")).arg("--out").arg(world.at(out)), code).1
    };
    let said = train(
        &[
            &groups[..],
            &["--batch-size", "40", "--augment", "none", "--name", "dro", "--group-step", "0.05", "--resume"],
        ]
        .concat(),
        "dro",
        1,
    );
    assert!(said.contains("training.group_dro.digest"), "{said}");
    let said = train(&["--objective", "group-dro", "--groups", "backgrounds"], "none", 1);
    assert!(said.contains("--groups") && said.contains("backgrounds") && said.lines().count() == 1, "{said}");
    assert!(train(&["--objective", "group-dro"], "none", 2).contains("--groups"));
    assert!(train(&["--group-step", "0.05"], "none", 1).contains("--objective group-dro"));
}

#[test]
fn backgrounds_tell_groups_where_views_have_those_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let at = |name: &str| folder.join(name);
    expect(&mut ground::render(folder), 0);
    expect(&mut ground::build(folder, folder, "data"), 0);
    let mut train = ground::training("mixed-next", 1, 4);
    train.args(["--objective", "group-dro", "--groups", "backgrounds", "--data"]).arg(at("data"));
    expect(train.arg("--out").arg(at("run")), 0);
    // Each class is before the next one's backgrounds.
    let run = fs::read_to_string(at("run/run.toml")).unwrap();
    assert_eq!(run.matches("[[training.group_dro.group]]").count(), 9, "{run}");
    let mut probe = program("in9");
    probe.args([
        "probe",
        "--methods",
        "dfr",
        "--groups",
        "backgrounds",
        "--view",
        "mixed-next",
        "--l2",
        "0.01",
        "--weights",
    ]);
    probe.arg(at("run")).arg("--data").arg(at("data")).args(["--views", "original,mixed-next"]);
    let (_, said) = expect(probe.arg("--out").arg(at("dfr.csv")), 0);
    assert!(said.contains("dfr: 9 groups, the smallest"), "{said}");
    let mut predict = program("in9");
    predict.args(["predict", "--views", "original,mixed-next", "--weights"]).arg(at("run"));
    expect(predict.arg("--data").arg(at("data")).arg("--out").arg(at("dro.csv")), 0);
    let mut score = program("in9");
    score.args(["score", "--groups", "backgrounds"]).arg(at("dro.csv")).arg("--out").arg(at("scores"));
    expect(&mut score, 0);
    let groups = fs::read_to_string(at("scores/groups.csv")).unwrap();
    assert_eq!(groups.lines().filter(|line| line.contains(",mixed-next,group,")).count(), 9, "{groups}");
    assert!(!groups.contains(",original,group,"), "{groups}");
    let mut compare = program("in9");
    compare.args(["compare", "--groups", "backgrounds"]).arg(at("dfr.csv")).arg(at("dro.csv"));
    let (printed, _) = expect(&mut compare, 0);
    let worst: Vec<&str> = printed.lines().filter(|line| line.contains("worst: ")).collect();
    assert!(worst.len() == 1 && worst[0].contains("mixed-next"), "{printed}");
    // New backgrounds every epoch change the groups, and what nothing tells apart has none.
    let mut fresh = program("in9");
    fresh.args([
        "train",
        "--arch",
        "resnet-tiny",
        "--view",
        "mixed-next",
        "--epochs",
        "1",
        "--fresh-pairings",
    ]);
    fresh.args(["--objective", "group-dro", "--groups", "backgrounds", "--data"]).arg(at("data"));
    assert!(
        expect(fresh.arg("--out").arg(at("none")), 1).1.contains("--fresh-pairings: not a usable setting")
    );
}
