//! What features owe to objects and backgrounds, where the truth is known.
#![cfg(all(feature = "cli", feature = "probes"))]

mod support;

use in9_analysis::probes::additivity::{Embedder, LayerAdditivity, Parts, Pixels, estimate, run};
use in9_analysis::probes::{Pictures, Scenes};
use in9_analysis::stats::Bootstrap;
use in9_data::{Dataset, Pairing, SoundSplit, Split, View};
use support::{finish, program, trained, world};

/// One layer, made of a picture's pixels by a function.
struct Made<F>(F);

impl<F: Fn(&[f32]) -> Vec<f32>> Embedder for Made<F> {
    fn layers(&self) -> Vec<String> {
        vec!["made".into()]
    }

    fn embed(&self, pictures: &Pictures) -> in9_analysis::Result<Vec<Vec<f32>>> {
        let of = |pixels: &[f32]| (self.0)(pixels);
        Ok(vec![pictures.pixels.chunks_exact(pictures.values()).flat_map(of).collect()])
    }
}

struct World {
    split: SoundSplit,
    backgrounds: Vec<u32>,
    /// Pixels that are in no object, and pixels that are in every one of the images below.
    never: Vec<usize>,
    always: Vec<usize>,
    /// Photographs that have a common pixel in their objects.
    images: Vec<u32>,
}

impl World {
    fn of(dataset: &Dataset) -> Self {
        let split = dataset.split("test").unwrap().check_layers().unwrap();
        let backgrounds = Pairing::frozen(dataset, &split, View::MixedRand).unwrap().0;
        let masks: Vec<Vec<bool>> = (0..Split::len(&split)).map(|i| Scenes::mask(&split, i)).collect();
        let pixels = masks[0].len();
        let never = (0..pixels).filter(|&at| masks.iter().all(|mask| !mask[at])).collect();
        // The pixel that most objects have.
        let often = |at: &usize| masks.iter().filter(|mask| mask[*at]).count();
        let middle = (0..pixels).max_by_key(often).unwrap();
        let images = (0..masks.len() as u32).filter(|&i| masks[i as usize][middle]).collect();
        Self { split, backgrounds, never, always: vec![middle], images }
    }

    fn found(&self, made: impl Fn(&[f32]) -> Vec<f32>) -> (LayerAdditivity, Vec<Parts>) {
        let pixels = Pixels { view: View::MixedRand, backgrounds: &self.backgrounds };
        let embedder = Made(made);
        let (widths, found) = run(&self.split, &embedder, &self.images, pixels, 7, &mut |_, _| {}).unwrap();
        let (_, alone) = run(&self.split, &embedder, &self.images, pixels, 1, &mut |_, _| {}).unwrap();
        assert_eq!(found, alone, "batches change nothing");
        let parts: Vec<Parts> = found.iter().map(|one| one.layers[0]).collect();
        (estimate("made", widths[0], &parts, &Bootstrap { replicates: 200, ..Bootstrap::default() }), parts)
    }
}

#[test]
fn truths_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::of(&world(dir.path()));
    assert!(world.never.len() > 20 && world.images.len() > 8, "{} {}", world.never.len(), world.images.len());
    let plane = Split::size(&world.split).pow(2);

    // Linear in the pixels, and an offset: exactly additive, and something is of each player.
    let weight = |i: usize, channel: usize| ((i * 31 + channel * 17) % 23) as f32 - 11.0;
    let linear = |pixels: &[f32]| -> Vec<f32> {
        let of = |c: usize| pixels.iter().enumerate().map(|(i, v)| f64::from(weight(i, c) * v)).sum::<f64>();
        (0..6).map(|c| of(c) as f32 + 3.0).collect()
    };
    let (found, parts) = world.found(linear);
    assert!(found.r2.low > 0.999_999 && found.r2.high <= 1.0 && found.cosine.low > 0.999_999, "{found:?}");
    assert!(parts.iter().all(|one| one.error < 1e-9 * one.displacement));
    assert!((0.02..0.98).contains(&found.foreground.value), "{found:?}");
    assert!((found.foreground.value + found.background.value - 1.0).abs() < 1e-12);

    // An encoder that sees only pixels that are background in every picture, however it bends them.
    let behind = |pixels: &[f32]| -> Vec<f32> {
        let mean = world.never.iter().map(|&at| pixels[at]).sum::<f32>() / world.never.len() as f32;
        vec![(5.0 * mean).tanh(), mean * mean]
    };
    let (found, _) = world.found(behind);
    assert_eq!([found.foreground.value, found.foreground.low, found.foreground.high], [0.0; 3]);
    assert_eq!([found.background.value, found.r2.value], [1.0; 2]);

    // One that sees only pixels of objects.
    let before = |pixels: &[f32]| -> Vec<f32> {
        let value = pixels[world.always[0]] + 0.1 * pixels[plane + world.always[0]];
        vec![value.sqrt(), value]
    };
    let (found, _) = world.found(before);
    assert_eq!([found.foreground.value, found.foreground.low], [1.0; 2]);
    assert!((found.r2.value - 1.0).abs() < 1e-12);

    // One that answers to both together and to neither alone: half each, and the sum of the parts foretells nothing.
    let both = |pixels: &[f32]| -> Vec<f32> { vec![before(pixels)[1] * behind(pixels)[1]] };
    let (found, parts) = world.found(both);
    assert!((found.foreground.value - 0.5).abs() < 1e-9 && found.r2.value < 0.0, "{found:?}");
    assert!(parts.iter().all(|one| one.cosine.is_none()));
}

#[test]
fn the_command_tells_layers_and_features() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = trained(dir.path());
    let dir = dir.path();
    let additivity = |out: &str, more: &[&str], code: i32| {
        let mut command = program();
        command.arg("additivity").arg("--weights").arg(dir.join("run")).arg("--data").arg(dataset.path());
        finish(command.arg("--out").arg(dir.join(out)).args(more), code)
    };
    let (printed, _) = additivity("all", &[], 0);
    assert!(printed.contains("foreground's share") && printed.contains("| features"), "{printed}");
    let read = |path: &str| std::fs::read_to_string(dir.join(path)).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&read("all/summary.json")).unwrap();
    let layers = summary["layers"].as_array().unwrap();
    assert!(layers.len() > 3);
    assert_eq!((&summary["features"], &summary["images"]), (&"input of fc".into(), &18.into()));
    assert_eq!(read("all/additivity.csv").lines().count(), 1 + 18 * layers.len());

    // Of the features alone, as of all; a batch changes no byte.
    let first = layers[0]["layer"].as_str().unwrap();
    additivity("some", &["--layers", first, "--batch-size", "1", "--jobs", "1"], 0);
    let some: serde_json::Value = serde_json::from_str(&read("some/summary.json")).unwrap();
    assert_eq!(some["layers"][1], *layers.last().unwrap());
    let (_, said) = additivity("none", &["--layers", "conv9"], 1);
    assert!(said.contains("conv9 is no layer of") && said.contains(first), "{said}");
    let (_, said) = additivity("none", &["--view", "only-fg"], 1);
    assert!(said.contains("which show an object on a background"), "{said}");
    // A photograph divided into its own object and background.
    let (printed, _) = additivity("own", &["--view", "original", "--layers", first], 0);
    assert!(printed.contains("original"), "{printed}");
}
