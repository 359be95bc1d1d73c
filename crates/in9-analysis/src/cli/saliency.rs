//! `saliency`: where a network looks, measured against the true masks.

use super::pieces::maps::{self, Kept};
use super::pieces::{self, Pieces};
use super::target::{Opened, Target};
use crate::output::Grid;
use crate::output::json;
use crate::output::number::{percent_interval, points_interval};
use crate::output::png;
use crate::probes::saliency::gradients::Smooth;
use crate::probes::saliency::null::{Beyond, Elsewhere, centre_prior};
use crate::probes::saliency::overlay::overlay;
use crate::probes::saliency::summary::summarise;
use crate::probes::saliency::write::{OWNER, maps_csv, overlay_name};
use crate::probes::saliency::{ImageRow, Method, Settings, default_tap, run, run_in_batches, sort};
use crate::probes::scenes::first_of_each_class;
use crate::probes::written::{Nulls, Saliency as Written};
use crate::probes::{BlackBox, GradientClassifier};
use crate::stats::Bootstrap;
use anyhow::{Result, bail};
use clap::Args;
use in9_base::files::{self, Journal};
use in9_base::shell::{Outcome, Shell};
use in9_data::View;
use in9_models::Params;
use in9_models::mapping::ClassMap;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Saliency maps of a split, measured against the true foregrounds, with overlays
///
/// Maps are about the true class of each photograph; attention rollout is about no class. What was killed goes on where it was, by the same command.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  in9-analysis saliency --weights runs/original --data toy --out saliency/original"
)]
pub struct Saliency {
    #[command(flatten)]
    target: Target,
    /// grad-cam, hires-cam, input-gradient, smooth-grad, attention-rollout (of transformers), occlusion [default: all that
    /// the network has but the last; occlusion, which needs scores only, for a --scorer]
    #[arg(long, value_delimiter = ',')]
    methods: Vec<Method>,
    /// View the photographs are shown in (not a mixed one).
    #[arg(long, default_value = "original")]
    view: View,
    /// Layers of the class activation maps, named as torchvision or timm name the module, such as layer3.1 or
    /// blocks.11.norm1 (a name that is none is answered with all); the deepest one with places if absent. Overlays show the
    /// first.
    #[arg(long = "layer", alias = "tap", value_name = "LAYER", value_delimiter = ',')]
    taps: Vec<String>,
    /// Steps of the insertion and deletion curves; 0 leaves them out.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(0..=4096))]
    steps: u32,
    /// Noisy copies for smooth-grad.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=4096))]
    samples: u32,
    /// Photographs whose maps are kept as pictures, at most one a class until each has one.
    #[arg(long, default_value_t = 9, value_name = "N")]
    overlays: usize,
    #[command(flatten)]
    pieces: Pieces,
}

/// No overlay is larger than this, in bytes.
const LARGEST_PICTURE: u64 = 1 << 28;

/// Overlays by name, as PNG files.
type Pictures = Vec<(String, Vec<u8>)>;

impl Saliency {
    pub(super) fn run(self, shell: &Shell) -> Result<Outcome> {
        let owner = if self.pieces.shard.is_some() { &maps::OWNER } else { &OWNER };
        let folder = self.target.begin(owner, &self.pieces.merge)?;
        let opened = self.target.open(shell)?;
        let settings = self.settings(&opened)?;
        let more = format!(
            "view = \"{}\"\ntaps = {:?}\nsteps = {}\nsamples = {}\n",
            self.view, settings.taps, self.steps, self.samples
        );
        let methods: Vec<&str> = settings.methods.iter().map(|method| method.name()).collect();
        let of_pieces = format!("methods = {methods:?}\noverlays = {}\n", self.overlays);
        let written = self.pieces.settings(opened.settings(&more), &of_pieces)?;
        let kept = first_of_each_class(&*opened.seen, &settings.images, self.overlays);
        let (rows, pictures, journal) = match self.pieces.merge.is_empty() {
            true => self.measured(&opened, &settings, &kept, &written, shell)?,
            false => (maps::merged(&self.pieces, &settings.images)?, self.pictures(&settings, &kept)?, None),
        };
        for (name, png) in &pictures {
            folder.write(name, png)?;
        }
        folder.write("settings.toml", written)?;
        if let Some(piece) = self.pieces.shard {
            folder.write(maps::ROWS, maps::table(&rows)?)?;
            folder.finish()?;
            journal.map_or(Ok(()), Journal::remove)?;
            shell.print(format_args!("piece {piece}: {} maps", rows.len()))?;
            return Ok(Outcome::Done);
        }
        let bootstrap = Bootstrap { seed: self.target.on.seed, ..Bootstrap::default() };
        let summary = Written {
            source: opened.source.clone(),
            view: self.view,
            tap: settings.taps[0].clone(),
            methods: summarise(&rows, &bootstrap),
            nulls: Some(nulls(&opened, &settings, &bootstrap)?),
        };
        folder.write("summary.json", json::pretty(&summary)?)?;
        folder.write("maps.csv", maps_csv(&opened.split, &opened.classes, &rows)?)?;
        folder.finish()?;
        journal.map_or(Ok(()), Journal::remove)?;
        shell.print(printed(&summary).trim_end())?;
        Ok(Outcome::Done)
    }

    /// What is measured of the network, on all photographs.
    fn settings(&self, opened: &Opened) -> Result<Settings> {
        let mut taps: Vec<String> = Vec::new();
        for tap in &self.taps {
            if !taps.contains(tap) {
                taps.push(tap.clone());
            }
        }
        let methods = self.methods(opened)?;
        match opened.network.own() {
            Some(own) if taps.is_empty() && methods.iter().any(|m| m.at_tap()) => {
                taps.push(default_tap(&own.taps())?);
            }
            Some(_) if !taps.is_empty() => {}
            _ => taps = vec![String::new()],
        }
        Ok(Settings {
            view: self.view,
            methods: methods.into_iter().collect(),
            taps,
            steps: self.steps as usize,
            smooth: Smooth { samples: self.samples, seed: self.target.on.seed, ..Smooth::default() },
            batch: self.target.on.batch(),
            images: self.target.on.chosen(&opened.split, "saliency-images"),
            others: self.target.on.chosen(&opened.split, "saliency-images"),
        })
    }

    /// The methods that were asked for, or those that the classifier has.
    fn methods(&self, opened: &Opened) -> Result<BTreeSet<Method>> {
        let (own, model) = (opened.network.own(), &opened.source.model);
        let attends = own.is_some_and(|own| own.attends());
        if self.methods.is_empty() {
            let Some(own) = own else { return Ok(BTreeSet::from([Method::Occlusion])) };
            let tapped = !own.taps().is_empty();
            let has = |m: &Method| match m {
                Method::Occlusion => false,
                Method::AttentionRollout => attends,
                m => tapped || !m.at_tap(),
            };
            return Ok(Method::ALL.into_iter().filter(has).collect());
        }
        for method in &self.methods {
            let name = method.name();
            if own.is_none() && method.needs_insides() {
                bail!(
                    "--methods: {name} needs more than scores, which is all that {model} gives; choose occlusion"
                );
            }
            if *method == Method::AttentionRollout && !attends {
                bail!(
                    "--methods: {name} needs a network whose tokens attend to each other, which {model} is not; choose grad-cam"
                );
            }
        }
        Ok(self.methods.iter().copied().collect())
    }

    /// Makes the maps of this piece's photographs, and keeps those of `kept` as pictures; or goes on with measurements that
    /// were ended, which are in the journal until the results stand.
    fn measured(
        &self,
        opened: &Opened,
        settings: &Settings,
        kept: &BTreeSet<u32>,
        written: &str,
        shell: &Shell,
    ) -> Result<(Vec<ImageRow>, Pictures, Option<Journal>)> {
        let progress = shell.progress("saliency", "maps", 0);
        let (size, mut pictures, mut rows) = (opened.seen.size(), BTreeMap::new(), Vec::<ImageRow>::new());
        let share = self.pieces.share(settings.images.clone());
        let mut journal = pieces::journal(&self.target.on.out, written, |record| match Kept::read(record) {
            Some(Kept::Picture(name, png)) => {
                pictures.insert(name, png);
                true
            }
            Some(Kept::Rows(more)) if more.iter().all(|row| share.binary_search(&row.image).is_ok()) => {
                rows.extend(more);
                true
            }
            _ => false,
        })?;
        let done: BTreeSet<u32> = rows.iter().map(|row| row.image).collect();
        let left: Vec<u32> = share.iter().copied().filter(|image| !done.contains(image)).collect();
        let (closed, before) = (BlackBox(&opened.network), rows.len());
        // Those of the batch that is being measured.
        let new = RefCell::new(Vec::new());
        run_in_batches(
            &*opened.seen,
            opened.network.own().map_or(&closed as &dyn GradientClassifier, |own| own),
            &Settings { images: left, ..settings.clone() },
            &mut |row, rgb, map| {
                if kept.contains(&row.image) && (row.tap.is_empty() || row.tap == settings.taps[0]) {
                    new.borrow_mut().push((overlay_name(row.image, "photo"), rgb.to_vec()));
                    new.borrow_mut().push((overlay_name(row.image, row.method.name()), overlay(rgb, map)));
                }
            },
            &mut |batch, all| {
                for (name, rgb) in new.take() {
                    let picture = png(&rgb, size)?;
                    journal.append(&Kept::Picture(name.clone(), picture.clone()).record()?)?;
                    pictures.insert(name, picture);
                }
                journal.append(&maps::table(&batch)?)?;
                rows.extend(batch);
                progress.tell("saliency", rows.len() as u64, (before + all) as u64);
                Ok(())
            },
        )?;
        progress.finish();
        sort(&mut rows);
        Ok((rows, pictures.into_iter().collect(), Some(journal)))
    }

    /// The pictures of `kept` that the pieces have made.
    fn pictures(&self, settings: &Settings, kept: &BTreeSet<u32>) -> Result<Pictures> {
        let mut pictures = Vec::new();
        for image in kept {
            let names = settings.methods.iter().map(|method| method.name()).chain(["photo"]);
            for name in names.map(|what| overlay_name(*image, what)) {
                let Some(path) =
                    self.pieces.merge.iter().map(|folder| folder.join(&name)).find(|p| p.exists())
                else {
                    bail!("{name} is in none of the pieces; they are damaged");
                };
                pictures.push((name, files::read(&path, LARGEST_PICTURE)?));
            }
        }
        Ok(pictures)
    }
}

/// What maps show that know nothing: a bright middle, and Grad-CAM of random weights at the first layer.
fn nulls(opened: &Opened, settings: &Settings, bootstrap: &Bootstrap) -> Result<Nulls> {
    let elsewhere = Elsewhere::of(&*opened.seen, &settings.images);
    let prior = centre_prior(&*opened.seen, &settings.images, &elsewhere);
    let mean = |of: fn(&Beyond) -> f64| bootstrap.mean("saliency", &prior.iter().map(of).collect::<Vec<_>>());
    let has_cam = settings.methods.contains(&Method::GradCam);
    let random = opened.network.own().filter(|_| has_cam).map(|own| {
        let (device, classes) = (own.model().device(), opened.classes.len());
        let params = Params::random(settings.smooth.seed, own.model().dtype(), device);
        let model = own.model().rebuilt(classes, &params)?;
        let random =
            in9_models::Classifier::of_model(model, ClassMap::identity(classes), own.normalization());
        let only = Settings { methods: vec![Method::GradCam], steps: 0, ..settings.clone() };
        let only = Settings { taps: settings.taps[..1].to_vec(), ..only };
        let rows = run(&*opened.seen, &random, &only, &mut |_, _, _| {}, &mut |_, _| {})?;
        anyhow::Ok(summarise(&rows, bootstrap).first().and_then(|m| m.beyond))
    });
    Ok(Nulls {
        centre_lift: mean(|b| b.area),
        centre_beyond: mean(|b| b.others),
        centre_pointing: mean(|b| b.pointing),
        random_weights: random.transpose()?.flatten(),
    })
}

fn printed(s: &Written) -> String {
    let title = format!("{} on {} {}, {}", s.source.model, s.source.dataset, s.source.split, s.view);
    let mut grid = Grid::new(
        title,
        &[
            "method",
            "layer",
            "images",
            "mass on foreground %",
            "lift (points)",
            "beyond others (points)",
            "pointing %",
            "IoU %",
        ],
    );
    for m in &s.methods {
        grid.push(vec![
            m.method.name().into(),
            if m.tap.is_empty() { "–".into() } else { m.tap.clone() },
            m.images.to_string(),
            percent_interval(&m.mass),
            points_interval(&m.lift),
            m.beyond.map_or_else(|| "–".into(), |i| points_interval(&i)),
            percent_interval(&m.pointing),
            percent_interval(&m.iou),
        ]);
    }
    let mut text = grid.markdown();
    if let Some(nulls) = &s.nulls {
        let random = nulls.random_weights.map_or_else(String::new, |i| {
            format!("; Grad-CAM of random weights: {} beyond others", points_interval(&i))
        });
        text += &format!(
            "\nA Gaussian in the middle: lift {}, {} beyond others, pointing {} %{random}\n",
            points_interval(&nulls.centre_lift),
            points_interval(&nulls.centre_beyond),
            percent_interval(&nulls.centre_pointing),
        );
    }
    text
}
