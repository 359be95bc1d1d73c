//! `mask-error`: how much of the BG-gap hangs on errors of the masks.

use super::target::{Opened, Target};
use crate::output::csv_files::encode;
use crate::output::json;
use crate::output::number::{percent_interval, points_interval};
use crate::probes::mask_error::{Backgrounds, LEVELS, Simulation, differences, estimate};
use crate::probes::written::MaskError as Written;
use crate::stats::Bootstrap;
use anyhow::{Result, bail, ensure};
use clap::Args;
use in9_base::files::Owner;
use in9_base::shell::{Outcome, Shell};
use in9_data::{Dataset, MaskNoise, Split, View, outline_distance};
use std::path::PathBuf;

const OWNER: Owner = Owner {
    made_by: "in9-analysis mask-error",
    names: &["summary.json", "differences.csv", "settings.toml"],
};

/// How much of the BG-gap hangs on errors of the masks, and what it would be without them
///
/// Each mask is displaced once more at random, by a little and by more; the gap is measured with each and followed back to
/// masks without error. That assumes that the masks' own error is of the same kind and of the size that is given.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    in9-analysis mask-error --weights runs/original --data toy --boundary-error 1.5 --out masks/original\n  \
    in9-analysis mask-error --weights runs/original --data toy --reference toy-by-hand --out masks/original")]
pub struct MaskError {
    #[command(flatten)]
    target: Target,
    /// Error of the masks as they are: how far their outlines lie from the true ones, as a standard deviation in pixels.
    #[arg(long, value_name = "PIXELS", value_parser = pixels, required_unless_present = "reference")]
    boundary_error: Option<f64>,
    /// Data set of the same photographs with better masks, from which that error is measured.
    #[arg(long, value_name = "DATASET", conflicts_with = "boundary_error")]
    reference: Option<PathBuf>,
    /// Pixels along the outline over which an error stays alike; by default a fourteenth of a side.
    #[arg(long, value_name = "PIXELS", value_parser = pixels)]
    correlation: Option<f64>,
    /// Displaced masks of each photograph at each of four levels of error.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(2..=1000))]
    draws: u32,
}

impl MaskError {
    pub(super) fn run(self, shell: &Shell) -> Result<Outcome> {
        let folder = self.target.begin(&OWNER, &[])?;
        let opened = self.target.open(shell)?;
        let images = self.target.on.chosen(&opened.split, "mask-error-images");
        let [same, rand] = self.target.on.frozen(&opened.split, [View::MixedSame, View::MixedRand])?;
        let partners: Vec<Backgrounds> = images
            .iter()
            .map(|&image| Backgrounds { same: same.0[image as usize], rand: rand.0[image as usize] })
            .collect();
        let (sigma, measured) = self.sigma(&opened)?;
        let correlation = self.correlation.unwrap_or(opened.split.size() as f64 / 14.0).max(1.0);
        let simulation = Simulation {
            noise: MaskNoise { sigma, correlation },
            draws: self.draws as usize,
            seed: self.target.on.seed,
        };
        let progress = shell.progress("mask-error", "images", images.len() as u64);
        let tell = &mut |done, all| progress.tell("mask-error", done as u64, all as u64);
        let network = &opened.network;
        let batch = self.target.on.batch();
        let found = differences(&*opened.seen, network, &images, &partners, &simulation, batch, tell)?;
        progress.finish();
        let bootstrap = Bootstrap { seed: self.target.on.seed, ..Bootstrap::default() };
        let Some(result) = estimate(&found, &bootstrap) else {
            bail!("split {} holds no photograph", opened.source.split);
        };
        let summary = Written {
            source: opened.source.clone(),
            boundary_error: sigma,
            measured_on: measured,
            correlation,
            draws: simulation.draws,
            result,
        };
        let rows = found.iter().map(|one| {
            let levels = one.displaced.iter().map(|draws| draws.iter().sum::<f64>() / draws.len() as f64);
            let numbers = [one.own].into_iter().chain(levels).map(|number| number.to_string());
            [opened.split.sample(one.image as usize).id.clone()].into_iter().chain(numbers).collect()
        });
        let header: Vec<String> = ["image".to_owned(), "own".to_owned()]
            .into_iter()
            .chain(LEVELS.iter().map(|level| format!("level_{level}")))
            .collect();
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        folder.write("summary.json", json::pretty(&summary)?)?;
        folder.write("differences.csv", encode(&header, rows)?)?;
        let more = format!(
            "boundary-error = {sigma:?}\ncorrelation = {correlation:?}\ndraws = {}\n",
            simulation.draws
        );
        folder.write("settings.toml", opened.settings(&more))?;
        folder.finish()?;
        tell_result(shell, &summary)?;
        Ok(Outcome::Done)
    }

    /// The masks' own error in pixels, and on how many photographs it was measured.
    fn sigma(&self, opened: &Opened) -> Result<(f64, Option<usize>)> {
        let (Some(reference), None) = (&self.reference, self.boundary_error) else {
            return Ok((self.boundary_error.unwrap_or_default(), None));
        };
        let dataset = Dataset::open(reference)?;
        let other = dataset.split(Split::name(&opened.split))?.check_layers()?;
        ensure!(
            other.has_layers() && Split::size(&other) == Split::size(&opened.split),
            "{}: expected masks of {} pixels a side, found another size or photographs only",
            reference.display(),
            Split::size(&opened.split)
        );
        let places: std::collections::HashMap<&str, usize> =
            other.samples().enumerate().map(|(at, sample)| (sample.id.as_str(), at)).collect();
        let mut squares = Vec::new();
        for (at, sample) in opened.split.samples().enumerate() {
            let Some(&there) = places.get(sample.id.as_str()) else { continue };
            let apart = outline_distance(&opened.split.layers(at).mask, &other.layers(there).mask);
            squares.extend(apart.map(|pixels| pixels * pixels));
        }
        let common = squares.len();
        ensure!(common > 0, "{}: holds no photograph of split {}", reference.display(), opened.source.split);
        Ok(((squares.iter().sum::<f64>() / common as f64).sqrt(), Some(common)))
    }
}

fn tell_result(shell: &Shell, summary: &Written) -> Result<()> {
    let (source, result) = (&summary.source, &summary.result);
    let measured = summary.measured_on.map_or_else(
        || "as given".to_owned(),
        |photographs| format!("measured on {photographs} photographs"),
    );
    shell.print(format_args!(
        "{} on {} {}: {} images, outlines off by {:.2} pixels ({measured})\n\
         gap with these masks      {} points\n\
         gap without their error   {} points\n\
         difference                {} points\n\
         of the gap's variance     {} % comes from the masks",
        source.model,
        source.dataset,
        source.split,
        result.images,
        summary.boundary_error,
        points_interval(&result.gap),
        points_interval(&result.without_error),
        points_interval(&result.correction),
        percent_interval(&result.share_of_variance),
    ))?;
    Ok(())
}

fn pixels(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(pixels) if (0.0..=1000.0).contains(&pixels) => Ok(pixels),
        _ => Err(format!("expected a number of pixels from 0 to 1000, such as 1.5, found {text}")),
    }
}
