//! Pasting and background told apart on a toy world whose truth is known: objects and scenes carry codes, and a classifier of
//! a few lines reads them. What it does with an artefact of pasting is planted, and so is what it does with scenes.
#![cfg(all(feature = "cli", feature = "probes"))]

mod support;

use in9_analysis::metrics::{self, LADDER, Ladder, ladder};
use in9_analysis::probes::mask_error::Backgrounds;
use in9_analysis::probes::surface::{Axis, Grid, Position, Side, answers, surface};
use in9_analysis::probes::{Classifier, Pictures, Scenes};
use in9_analysis::stats::Bootstrap;
use in9_analysis::{Frame, Result};
use in9_base::Piece;
use in9_data::predictions::{Row, Table, Training};
use in9_data::rng::{below, stream, unit};
use in9_data::{Layers, MaskBits, Pairing, Paste, SoundSplit, Split, View};
use in9_models::mapping::Mapping;
use in9_models::open::{Options, open};
use in9_models::predict::Predictor;
use in9_models::train::{AugmentSetting, Plan, Settings, Silent};
use std::collections::BTreeMap;

const CLASSES: u16 = 9;
/// The colour of a halo, which no other pixel has.
const HALO: [u8; 3] = [2, 5, 2];

/// What an object does to the classifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Known by itself.
    Plain,
    /// Not known with a halo around it; by some, nor in a corner.
    Fragile,
    /// Taken for whatever the scene says.
    Leaning,
    /// Never known.
    Hopeless,
}

const KINDS: [Kind; 4] = [Kind::Plain, Kind::Fragile, Kind::Leaning, Kind::Hopeless];

/// Of each photograph three in ten are fragile, a quarter leans, a tenth is hopeless.
fn kind(i: usize) -> Kind {
    match unit(&mut stream(5, "kind", i as u64, 0)) {
        u if u < 0.30 => Kind::Fragile,
        u if u < 0.55 => Kind::Leaning,
        u if u < 0.65 => Kind::Hopeless,
        _ => Kind::Plain,
    }
}

/// The toy world's layers, with every object in one colour that says class and kind, and every scene with its class in its
/// corners.
struct Coded {
    split: SoundSplit,
    photos: Vec<Vec<u8>>,
    tiled: Vec<Vec<u8>>,
    /// Whether pasting leaves a halo.
    halo: bool,
}

impl Coded {
    fn new(split: SoundSplit, halo: bool) -> Self {
        let (mut photos, mut tiled) = (Vec::new(), Vec::new());
        for i in 0..Split::len(&split) {
            let (layers, class) = (split.layers(i), split.sample(i).class);
            // Codes are colours that no other pixel has.
            let dull = |layer: &[u8]| layer.iter().map(|&value| value.clamp(8, 247)).collect::<Vec<u8>>();
            let (mut photo, mut behind) = (dull(layers.photo), dull(layers.tiled));
            let size = Split::size(&split);
            for corner in corners(size) {
                let scene = [1, 255, 20 * class as u8];
                photo[corner * 3..][..3].copy_from_slice(&scene);
                behind[corner * 3..][..3].copy_from_slice(&scene);
            }
            let code = KINDS.iter().position(|k| *k == kind(i)).unwrap() as u8;
            for at in (0..size * size).filter(|at| layers.mask.get(at % size, at / size)) {
                photo[at * 3..][..3].copy_from_slice(&[255, 1, 20 * class as u8 + code]);
            }
            photos.push(photo);
            tiled.push(behind);
        }
        Self { split, photos, tiled, halo }
    }

    fn layers(&self, i: usize) -> Layers<'_> {
        Layers { photo: &self.photos[i], tiled: &self.tiled[i], mask: self.split.layers(i).mask }
    }
}

fn corners(size: usize) -> [usize; 4] {
    [0, size - 1, (size - 1) * size, size * size - 1]
}

impl Scenes for Coded {
    fn len(&self) -> usize {
        self.photos.len()
    }
    fn size(&self) -> usize {
        Split::size(&self.split)
    }
    fn class(&self, i: usize) -> u16 {
        self.split.sample(i).class
    }
    fn id(&self, i: usize) -> &str {
        &self.split.sample(i).id
    }
    fn compose(&self, view: View, i: usize, background: usize, out: &mut [u8]) {
        let (size, behind) = (self.size(), view.needs_background().then_some(&self.tiled[background][..]));
        in9_data::compose(view, &self.layers(i), self.split.sample(i).crop_box, behind, size, out);
        if self.halo && view != View::Original {
            let mask = self.layers(i).mask;
            let near = |x: usize, y: usize| {
                let beside = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
                beside.into_iter().any(|(x, y)| x < size && y < size && mask.get(x, y))
            };
            for (at, pixel) in out.chunks_exact_mut(3).enumerate() {
                let (x, y) = (at % size, at / size);
                if !mask.get(x, y) && near(x, y) && !corners(size).contains(&at) {
                    pixel.copy_from_slice(&HALO);
                }
            }
        }
    }
    fn paste(&self, how: &Paste, i: usize, background: usize, out: &mut [u8]) {
        in9_data::paste(how, &self.layers(i), &self.tiled[background], self.size(), out);
    }
    fn mask(&self, i: usize) -> Vec<bool> {
        self.split.mask(i)
    }
    fn stored_mask(&self, i: usize) -> (usize, Vec<u8>) {
        self.split.stored_mask(i)
    }
    fn compose_with(&self, _: MaskBits<'_>, view: View, i: usize, background: usize, out: &mut [u8]) {
        self.compose(view, i, background, out);
    }
}

/// Reads the codes.
struct Reader {
    /// Whether fragile objects are not known in a corner.
    minds_corners: bool,
}

impl Classifier for Reader {
    fn classes(&self) -> usize {
        usize::from(CLASSES)
    }
    fn scores(&self, pictures: &Pictures) -> Result<Vec<f32>> {
        let (size, pixels) = (pictures.size, pictures.size * pictures.size);
        let mut scores = Vec::new();
        for picture in pictures.pixels.chunks(pictures.values()) {
            let pixel = |at: usize| [0, 1, 2].map(|c| (picture[c * pixels + at] * 255.0).round() as u8);
            let object: Vec<usize> = (0..pixels).filter(|&at| pixel(at)[..2] == [255, 1]).collect();
            let scene = corners(size).into_iter().find(|&at| pixel(at)[..2] == [1, 255]);
            let halo = (0..pixels).filter(|&at| pixel(at) == HALO).count();
            let mut answer = CLASSES - 1;
            if let Some(&first) = object.first() {
                let code = pixel(first)[2];
                let (class, kind) = (u16::from(code / 20), KINDS[usize::from(code % 20)]);
                let wrong = (class + 1) % CLASSES;
                let middle = |along: fn(usize, usize) -> usize| {
                    object.iter().map(|&at| along(at, size) as f64 + 0.5).sum::<f64>()
                        / (object.len() * size) as f64
                };
                let off = [middle(|at, size| at % size), middle(|at, size| at / size)];
                let in_corner = off.iter().all(|along| (along - 0.5).abs() > 0.2);
                answer = match kind {
                    Kind::Fragile if halo > 3 || self.minds_corners && in_corner => wrong,
                    Kind::Leaning => scene.map_or(class, |at| u16::from(pixel(at)[2] / 20)),
                    Kind::Hopeless => wrong,
                    _ => class,
                };
            }
            scores.extend((0..CLASSES).map(|class| f32::from(u8::from(class == answer))));
        }
        Ok(scores)
    }
}

/// The test photographs of a toy world, and whose background each gets in mixed-same and mixed-rand.
fn world(dir: &std::path::Path) -> (SoundSplit, BTreeMap<View, Vec<u32>>) {
    let dataset = support::world_of(dir, 2, 30, 0.0);
    let split = dataset.split("test").unwrap().check_layers().unwrap();
    let mixed = [View::MixedSame, View::MixedRand];
    let partners = mixed.map(|view| (view, Pairing::frozen(&dataset, &split, view).unwrap().0));
    (split, partners.into_iter().collect())
}

/// The classifier's answer about every photograph on every rung.
fn answered(scenes: &Coded, partners: &BTreeMap<View, Vec<u32>>) -> BTreeMap<View, Vec<u16>> {
    let mut rgb = vec![0; 3 * scenes.size() * scenes.size()];
    let mut of = |view: View| -> Vec<u16> {
        let mut pictures = Pictures::empty(scenes.size());
        for i in 0..scenes.len() {
            scenes.compose(view, i, partners.get(&view).map_or(i, |partners| partners[i] as usize), &mut rgb);
            pictures.push_rgb(&rgb);
        }
        Reader { minds_corners: false }
            .predict(&pictures)
            .unwrap()
            .into_iter()
            .map(|found| found.unwrap())
            .collect()
    };
    LADDER.map(|view| (view, of(view))).into_iter().collect()
}

/// The ladder over some of the photographs, each as often as it is listed.
fn ladder_of(
    scenes: &Coded,
    answers: &BTreeMap<View, Vec<u16>>,
    listed: &[usize],
    bootstrap: &Bootstrap,
) -> Ladder {
    let mut rows = Vec::new();
    for (place, &i) in listed.iter().enumerate() {
        rows.extend(answers.iter().map(|(&view, answers)| Row {
            model: "reader".into(),
            arch: String::new(),
            trained_on: String::new(),
            dataset: "toy".into(),
            split: "test".into(),
            view,
            image: format!("{place:04}"),
            foreground: format!("{place:04}"),
            background: String::new(),
            class: scenes.class(i),
            background_class: None,
            predicted: Some(answers[i]),
            scores: Vec::new(),
            training: Training::default(),
        }));
    }
    let classes = (0..CLASSES).map(|class| class.to_string()).collect();
    let frame = Frame::new(&[Table { classes, rows }]).unwrap();
    ladder(&frame.models[0], bootstrap).unwrap()
}

#[test]
fn an_artefact_of_pasting_is_called_pasting_and_a_lean_on_scenes_is_called_background_and_intervals_cover() {
    let dir = tempfile::tempdir().unwrap();
    let (split, partners) = world(dir.path());
    let all: Vec<usize> = (0..Split::len(&split)).collect();
    let share = |is: &dyn Fn(usize) -> bool| all.iter().filter(|&&i| is(i)).count() as f64 / all.len() as f64;
    let fragile = share(&|i| kind(i) == Kind::Fragile);
    let misled = share(&|i| {
        let other = split.sample(partners[&View::MixedRand][i] as usize).class;
        kind(i) == Kind::Leaning && other != split.sample(i).class
    });
    assert!(all.len() > 200 && fragile > 0.2 && misled > 0.1, "{} {fragile} {misled}", all.len());
    let near = |found: f64, truth: f64| (found - truth).abs() < 1e-9;
    let bootstrap = Bootstrap { replicates: 300, ..Bootstrap::default() };

    // Clean pasting costs nothing; all of the drop is the scene's.
    let clean = Coded::new(split.clone(), false);
    let found = ladder_of(&clean, &answered(&clean, &partners), &all, &bootstrap);
    assert!(near(found.pasting.value, 0.0) && near(found.background.value, misled), "{found:?}");

    // With a halo the drop is larger by what it costs, and that is called pasting.
    let haloed = Coded::new(split, true);
    let given = answered(&haloed, &partners);
    let found = ladder_of(&haloed, &given, &all, &bootstrap);
    assert!(near(found.pasting.value, fragile) && near(found.background.value, misled), "{found:?}");
    assert!(near(found.total.value, fragile + misled));
    let costs: Vec<f64> = found.steps.iter().map(|step| step.cost.value).collect();
    let truth = [fragile, 0.0, 0.0, 0.0, 0.0, misled];
    assert!(costs.iter().zip(truth).all(|(cost, truth)| near(*cost, truth)), "{costs:?}");

    // Samples of the world: how often do the intervals hold what is true of the whole?
    let (samples, mut pasting, mut background) = (300, 0, 0);
    for sample in 0..samples {
        let mut random = stream(9, "sample", sample, 0);
        let listed: Vec<usize> = (0..120).map(|_| below(&mut random, all.len() as u32) as usize).collect();
        let found = ladder_of(&haloed, &given, &listed, &bootstrap);
        pasting += u32::from(found.pasting.contains(fragile));
        background += u32::from(found.background.contains(misled));
    }
    for (part, covered) in [("pasting", pasting), ("background", background)] {
        let covered = f64::from(covered) / samples as f64;
        assert!((0.915..=0.985).contains(&covered), "{part}: {covered}");
    }
}

#[test]
fn a_bias_of_place_is_found_along_its_own_axis_only() {
    let dir = tempfile::tempdir().unwrap();
    let (split, partners) = world(dir.path());
    let scenes = Coded::new(split, false);
    let grid = Grid {
        positions: vec![Position::Centre, Position::Corner],
        sizes: vec![Side::Share(0.2), Side::Share(0.4)],
        edges: vec![0.0, 0.02],
        // Likeness would change the scenes' codes.
        similarities: vec![0.0],
    };
    let (reader, images) = (Reader { minds_corners: true }, (0..scenes.len() as u32).collect::<Vec<u32>>());
    let behind = |i: &u32| Backgrounds {
        same: partners[&View::MixedSame][*i as usize],
        rand: partners[&View::MixedRand][*i as usize],
    };
    let behind: Vec<Backgrounds> = images.iter().map(behind).collect();
    let found = answers(&scenes, &reader, &images, &behind, &grid, 3, 64, &mut |_, _| {}).unwrap();
    let found = surface(&grid, &found, &Bootstrap::default()).unwrap();
    let fragile =
        (0..scenes.len()).filter(|&i| kind(i) == Kind::Fragile).count() as f64 / scenes.len() as f64;
    let change = |axis: Axis| found.levels.iter().find_map(|l| l.change.filter(|_| l.axis == axis)).unwrap();
    let place = change(Axis::Position);
    assert!((place.rand.value + fragile).abs() < 0.02, "{place:?}, {fragile}");
    assert!(place.rand.high < 0.0 && place.gap.contains(0.0), "{place:?}");
    for axis in [Axis::Size, Axis::Edge] {
        assert!(change(axis).rand.contains(0.0) && change(axis).rand.value.abs() < 0.02, "{axis:?}");
    }
}

/// A network that learns from boxes alone knows the class where the toy world's boxes tell it, and guesses where they do not.
#[test]
fn what_size_and_place_tell_is_measured_by_training_on_the_box_alone() {
    let accuracy = |leak: f64| {
        let dir = tempfile::tempdir().unwrap();
        let dataset = support::world_of(dir.path(), 30, 20, leak);
        let run = dir.path().join("run");
        let settings =
            Settings { epochs: 10, batch_size: 18, augment: AugmentSetting::None, ..Settings::small() };
        let plan = Plan { settings, normalization: support::ODD, ..Plan::new("resnet-tiny", View::OnlyBox) };
        plan.run(&dataset, &run, false, &mut Silent).unwrap();
        let opened = open(run.to_str().unwrap(), &Options::default()).unwrap();
        let network = in9_models::Classifier::new(opened, dataset.taxonomy(), Mapping::A).unwrap();
        let predictor = Predictor { classifier: &network, batch_size: 64, size: None, piece: Piece::WHOLE };
        let split = dataset.split("test").unwrap();
        let rows = predictor.predict(&dataset, "toy", &split, View::OnlyBox, &mut |_| {}).unwrap();
        let table = Table { classes: (0..CLASSES).map(|class| class.to_string()).collect(), rows };
        let frame = Frame::new(&[table]).unwrap();
        metrics::accuracy(frame.models[0].view(View::OnlyBox), usize::from(CLASSES), 0.95).unwrap().balanced
    };
    let (leaking, silent) = (accuracy(1.0), accuracy(0.0));
    let chance = 1.0 / f64::from(CLASSES);
    assert!(leaking.low > 3.0 * chance, "{leaking:?}");
    assert!(silent.low < chance + 0.03 && silent.value < 2.0 * chance, "{silent:?}");
}
