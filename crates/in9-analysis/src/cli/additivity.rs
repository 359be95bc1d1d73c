//! `additivity`: what an encoder's features owe to objects and to backgrounds.

use super::target::{On, Seen};
use crate::output::Grid;
use crate::output::csv_files::encode;
use crate::output::json;
use crate::output::number::{decimal_interval, percent_interval};
use crate::probes::additivity::{Embedder as _, EncoderLayers, ImageParts, Pixels, estimate, run};
use crate::probes::written::Additivity as Written;
use crate::stats::Bootstrap;
use anyhow::{Result, ensure};
use clap::Args;
use in9_base::files::Owner;
use in9_base::shell::{Outcome, Shell};
use in9_data::{Pairing, View};
use in9_models::Encoder;
use in9_models::cli::encoder::EncoderArgs;

const OWNER: Owner =
    Owner { made_by: "in9-analysis additivity", names: &["summary.json", "additivity.csv", "settings.toml"] };

/// Views that show an object on a background.
const VIEWS: [View; 4] = [View::Original, View::MixedSame, View::MixedRand, View::MixedNext];

/// Of an encoder's features, how much comes from objects and how much from backgrounds, and do the two add up?
///
/// Needs no classifier. The pixels of a picture are divided between its object and its background, and what the features owe to
/// each are their Shapley values, layer by layer. R² and cosine say how well the sum of the two foretells what the encoder
/// makes of both together.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    in9-analysis additivity --weights dinov2_vits14_pretrain.pth --arch vit_small_patch14_dinov2 --normalization imagenet --size 224 --data in9 --out additivity/dinov2\n  \
    in9-analysis additivity --image-tower clip-vit-base-patch32 --data in9 --out additivity/clip\n  \
    in9-analysis additivity --weights runs/original --data toy --layers layer1.1,layer4.1 --out additivity/original")]
pub struct Additivity {
    #[command(flatten)]
    network: EncoderArgs,
    #[command(flatten)]
    on: On,
    /// View whose pictures are divided: original, mixed-same, mixed-rand, mixed-next.
    #[arg(long, default_value = "mixed-rand")]
    view: View,
    /// Layers beside the features, each averaged over places, named as torchvision or timm name the module [default: all that
    /// the network names]
    #[arg(long, value_delimiter = ',', value_name = "LAYER")]
    layers: Option<Vec<String>>,
}

impl Additivity {
    pub(super) fn run(self, shell: &Shell) -> Result<Outcome> {
        ensure!(
            VIEWS.contains(&self.view),
            "--view: expected original, mixed-same, mixed-rand or mixed-next, which show an object on a background, found {}",
            self.view
        );
        let folder = self.on.begin(&OWNER, &[], self.network.path())?;
        let Seen { dataset, split, scenes, .. } = self.on.open()?;
        let (device, kind) = self.on.device.open(shell)?;
        let encoder = self.network.open(device, shell)?;
        let record = self.network.record(&encoder);
        let source = self.on.source(&record, &dataset, &split);
        let embedder = EncoderLayers { encoder: &encoder, layers: self.layers(&encoder)? };
        let images = self.on.chosen(&split, "additivity-images");
        let backgrounds = match self.view {
            View::Original => (0..split.len() as u32).collect(),
            view => Pairing::frozen(&dataset, &split, view)?.0,
        };
        let progress = shell.progress("additivity", "images", images.len() as u64);
        let tell = &mut |done, all| progress.tell("additivity", done as u64, all as u64);
        let pixels = Pixels { view: self.view, backgrounds: &backgrounds };
        let (widths, found) = run(&*scenes, &embedder, &images, pixels, self.on.batch(), tell)?;
        progress.finish();

        let bootstrap = Bootstrap { seed: self.on.seed, ..Bootstrap::default() };
        let names = embedder.layers();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let layers = names.iter().zip(&widths).enumerate().map(|(at, (name, &width))| {
            let parts: Vec<_> = found.iter().map(|one| one.layers[at]).collect();
            estimate(name, width, &parts, &bootstrap)
        });
        let summary = Written {
            source,
            view: self.view,
            images: images.len(),
            features: encoder.layer().to_owned(),
            layers: layers.collect(),
        };
        let classes: Vec<&str> = dataset.taxonomy().classes.iter().map(|class| class.name.as_str()).collect();
        let about = |image: u32| {
            let sample = split.sample(image as usize);
            [sample.id.clone(), classes[usize::from(sample.class)].to_owned()]
        };
        let rows = found.iter().flat_map(|one| rows(one, &names, about(one.image)));
        folder.write("summary.json", json::pretty(&summary)?)?;
        folder.write("additivity.csv", encode(&HEADER, rows)?)?;
        let settings = self.on.settings(&record, &summary.source, &dataset.digest(), &kind)?;
        folder.write(
            "settings.toml",
            format!(
                "{settings}view = \"{}\"\nlayers = {:?}\nfeatures = {:?}\n",
                self.view,
                embedder.layers,
                encoder.layer()
            ),
        )?;
        folder.finish()?;
        shell.print(printed(&summary).trim_end())?;
        Ok(Outcome::Done)
    }

    /// The layers beside the features, from the input to the output.
    fn layers(&self, encoder: &Encoder) -> Result<Vec<String>> {
        let known = encoder.layers();
        let Some(asked) = &self.layers else { return Ok(known) };
        if let Some(layer) = asked.iter().find(|layer| !known.contains(layer)) {
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            anyhow::bail!("--layers: {layer} is no layer of {} (expected {known})", encoder.network().name);
        }
        Ok(known.into_iter().filter(|layer| asked.contains(layer)).collect())
    }
}

const HEADER: [&str; 8] =
    ["image", "class", "layer", "foreground_share", "displacement", "error", "spread", "cosine"];

/// A photograph's rows; squares of lengths, and empty where there is no number.
fn rows<'a>(
    one: &'a ImageParts,
    names: &'a [&str],
    about: [String; 2],
) -> impl Iterator<Item = Vec<String>> + 'a {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    names.iter().zip(&one.layers).map(move |(name, parts)| {
        let numbers = [
            number(parts.share()),
            parts.displacement.to_string(),
            parts.error.to_string(),
            parts.spread.to_string(),
            number(parts.cosine),
        ];
        about.iter().cloned().chain([(*name).to_owned()]).chain(numbers).collect()
    })
}

fn printed(s: &Written) -> String {
    let title = format!(
        "{} on {} photographs of {} {}, {}",
        s.source.model, s.images, s.source.dataset, s.source.split, s.view
    );
    let header =
        ["layer", "channels", "foreground's share %", "background's share %", "R² of the sum", "cosine"];
    let mut grid = Grid::new(title, &header);
    for layer in &s.layers {
        grid.push(vec![
            layer.layer.clone(),
            layer.width.to_string(),
            percent_interval(&layer.foreground),
            percent_interval(&layer.background),
            decimal_interval(&layer.r2),
            decimal_interval(&layer.cosine),
        ]);
    }
    grid.markdown()
}
