//! Prediction tables drawn from the paper's Table 5, to try statistics and reports without any network.
//!
//! The true accuracies of these tables are the published ones, so that whatever is estimated from them can be checked.

use crate::error::{Error, Result};
use crate::paper::Paper;
use in9_base::rng::{stream, unit};
use in9_data::View;
use in9_data::predictions::{Row, Table, Training};

/// Class names of ImageNet-9.
pub const CLASSES: [&str; 9] =
    ["dog", "bird", "vehicle", "reptile", "carnivore", "insect", "instrument", "primate", "fish"];

/// Settings of a drawn world.
#[derive(Debug, Clone, PartialEq)]
pub struct World<'a> {
    /// Name of the data set.
    pub dataset: &'a str,
    /// Split.
    pub split: &'a str,
    /// Foregrounds of each class.
    pub per_class: usize,
    /// Weight of the background in `0..=1`: 1 keeps the paper's gaps, 0 makes every mixed view alike.
    pub reliance: f64,
    /// Seed of every draw.
    pub seed: u64,
}

/// Draws the predictions of networks trained on the views `trained_on`, tested on the paper's eight views.
///
/// An image is as hard for one network and view as for another, which is what pairs them.
///
/// ```
/// use in9_analysis::paper_world::{World, draw};
/// let world = World { dataset: "drawn", split: "test", per_class: 2, reliance: 1.0, seed: 0 };
/// let table = draw(&world, &["original", "mixed-rand"])?;
/// assert_eq!(table.rows.len(), 2 * 8 * 9 * 2);
/// # Ok::<(), in9_analysis::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotInPaper`] for a training view that Table 5 does not have.
pub fn draw(world: &World<'_>, trained_on: &[&str]) -> Result<Table> {
    let paper = Paper::embedded()?;
    let published = |trained: &str, view: &str| {
        let percent = paper.accuracy(trained, view);
        percent.map(|p| p / 100.0).ok_or_else(|| Error::NotInPaper { trained_on: trained.into() })
    };
    let mut rows = Vec::new();
    for (m, trained) in trained_on.iter().enumerate() {
        for image in 0..world.per_class * CLASSES.len() {
            let class = image % CLASSES.len();
            let ease = f64::from(unit(&mut stream(world.seed, "ease", image as u64, 0)));
            for (v, view) in View::PAPER.into_iter().enumerate() {
                let rand = published(trained, "mixed-rand")?;
                let mut p = published(trained, view.name())?;
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
    Ok(Table { classes: CLASSES.map(str::to_owned).to_vec(), rows })
}

/// The quantile of the sum of two halves of uniform numbers (a triangle distribution).
fn threshold(p: f64) -> f64 {
    if p < 0.5 { (p / 2.0).sqrt() } else { 1.0 - ((1.0 - p) / 2.0).sqrt() }
}

fn row(world: &World<'_>, trained: &str, view: View, image: usize, class: usize, predicted: usize) -> Row {
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
        training: Training::default(),
    }
}
