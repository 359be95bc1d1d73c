//! Prediction tables drawn from the paper's Table 5: a world whose true accuracies are published.

use in9_analysis::paper::Paper;
use in9_data::View;
use in9_data::predictions::{Row, Table};
use in9_data::rng::{stream, unit};

/// Class names of ImageNet-9.
pub(crate) const CLASSES: [&str; 9] =
    ["dog", "bird", "vehicle", "reptile", "carnivore", "insect", "instrument", "primate", "fish"];

/// Settings of the drawn world.
#[derive(Clone)]
pub(crate) struct World {
    /// Name of the data set.
    pub(crate) dataset: &'static str,
    /// Split.
    pub(crate) split: &'static str,
    /// Foregrounds of each class.
    pub(crate) per_class: usize,
    /// Weight of the background: 1 keeps the paper's gaps, 0 makes every mixed view alike.
    pub(crate) reliance: f64,
    /// Seed.
    pub(crate) seed: u64,
}

/// Draws predictions of networks trained on `trained_on`, tested on the eight views.
pub(crate) fn draw(world: &World, trained_on: &[&str]) -> Table {
    let paper = Paper::embedded().unwrap();
    let mut rows = Vec::new();
    for (m, trained) in trained_on.iter().enumerate() {
        for image in 0..world.per_class * CLASSES.len() {
            let class = image % CLASSES.len();
            // How hard an image is, it is for all networks and views alike: that pairs them.
            let ease = f64::from(unit(&mut stream(world.seed, "ease", image as u64, 0)));
            for (v, view) in View::PAPER.into_iter().enumerate() {
                let rand = paper.accuracy(trained, "mixed-rand").unwrap() / 100.0;
                let mut p = paper.accuracy(trained, view.name()).unwrap() / 100.0;
                if matches!(view, View::MixedSame | View::MixedNext | View::OnlyBgT) {
                    let neutral = if view == View::OnlyBgT { 1.0 / 9.0 } else { rand };
                    p = neutral + world.reliance * (p - neutral);
                }
                let key = (m * 100 + v) as u64;
                let mut random = stream(world.seed, "draw", image as u64, key);
                let luck = 0.5 * ease + 0.5 * f64::from(unit(&mut random));
                let right = luck < threshold(p);
                let other = (class + 1 + (unit(&mut random) * 7.99) as usize) % CLASSES.len();
                let predicted = if right { class } else { other };
                rows.push(row(world, trained, view, image, class, predicted));
            }
        }
    }
    Table { classes: CLASSES.map(str::to_owned).to_vec(), rows }
}

/// The quantile of the sum of two halves of uniform numbers (a triangle distribution).
fn threshold(p: f64) -> f64 {
    if p < 0.5 { (p / 2.0).sqrt() } else { 1.0 - ((1.0 - p) / 2.0).sqrt() }
}

fn row(world: &World, trained: &str, view: View, image: usize, class: usize, predicted: usize) -> Row {
    let id = format!("{}-{image:05}", CLASSES[class]);
    let mut scores = vec![0.02; CLASSES.len()];
    scores[predicted] = 0.84;
    Row {
        model: format!("{}-{trained}", world.dataset),
        arch: "resnet-50".into(),
        trained_on: trained.into(),
        dataset: world.dataset.into(),
        split: world.split.into(),
        view,
        image: id.clone(),
        foreground: id,
        background: if view.needs_background() { format!("bg-{image:05}") } else { String::new() },
        class: class as u16,
        background_class: view.needs_background().then_some(class as u16),
        predicted: Some(predicted as u16),
        scores,
    }
}
