//! Maps and measures of a whole split.

use super::attention::attention_rollout;
use super::cam::{grad_cam, hires_cam};
use super::curves::{Curves, curves};
use super::gradients::{Smooth, input_gradient, smooth_grad};
use super::map::Map;
use super::measures::{Measures, measure};
use super::null::Elsewhere;
use super::occlusion::occlusion;
use crate::error::{Error, Result};
use crate::probes::classifier::{GradientClassifier, Pictures};
use crate::probes::scenes::Scenes;
use in9_data::{View, rng};
use serde::{Deserialize, Serialize};

/// A way to make a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Grad-CAM at a tap.
    GradCam,
    /// HiResCAM at a tap.
    HiresCam,
    /// Gradient with respect to the pixels.
    InputGradient,
    /// The same, averaged over noisy copies.
    SmoothGrad,
    /// How much the score falls where a grey square hides the picture: needs no gradient.
    Occlusion,
    /// What the tokens of a transformer attend to, over all blocks: about no class.
    AttentionRollout,
}

impl Method {
    /// All six.
    pub const ALL: [Self; 6] = [
        Self::GradCam,
        Self::HiresCam,
        Self::InputGradient,
        Self::SmoothGrad,
        Self::Occlusion,
        Self::AttentionRollout,
    ];

    /// Name as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::GradCam => "grad-cam",
            Self::HiresCam => "hires-cam",
            Self::InputGradient => "input-gradient",
            Self::SmoothGrad => "smooth-grad",
            Self::Occlusion => "occlusion",
            Self::AttentionRollout => "attention-rollout",
        }
    }

    /// Whether the map depends on a tap.
    pub fn at_tap(self) -> bool {
        matches!(self, Self::GradCam | Self::HiresCam)
    }

    /// Whether more than the classifier's scores is needed: gradients, or what it attends to.
    pub fn needs_insides(self) -> bool {
        self != Self::Occlusion
    }
}

impl std::str::FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        Self::ALL.into_iter().find(|m| m.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("unknown method (expected one of {names}, found {text})")
        })
    }
}

/// Settings of a run over a split.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Photographs, by index.
    pub images: Vec<u32>,
    /// Photographs on whose foregrounds each map is measured beside its own: usually `images`; of a piece those of all
    /// pieces.
    pub others: Vec<u32>,
    /// View they are shown in (not a mixed one: those would need a pairing).
    pub view: View,
    /// Methods.
    pub methods: Vec<Method>,
    /// Taps of the class activation maps, named as torchvision or timm name the module (`layer3.1`); if none is
    /// given, the last one that is a plane of places. Inside the network Grad-CAM and HiResCAM are different maps;
    /// right before a global mean they are one.
    pub taps: Vec<String>,
    /// Steps of the insertion and deletion curves; 0 leaves them out.
    pub steps: usize,
    /// Noise of SmoothGrad.
    pub smooth: Smooth,
    /// Pictures a pass.
    pub batch: usize,
}

/// Measures of one map.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageRow {
    /// Index of the photograph.
    pub image: u32,
    /// Its class, which the map is about.
    pub class: u16,
    /// The answer; `None` outside the taxonomy.
    pub predicted: Option<u16>,
    /// How the map was made.
    pub method: Method,
    /// Tap of a class activation map; empty for the other methods.
    pub tap: String,
    /// Against the true foreground.
    pub measures: Measures,
    /// Mean share of the map on the foregrounds of the other photographs: what `measures.mass` is for a map that is the
    /// same for every photograph. NaN for an all-zero map or a single photograph.
    pub elsewhere: f64,
    /// Deletion and insertion; empty if they were not asked for.
    pub curves: Curves,
}

/// Maps of every image, and their measures by ascending image and method, and by tap in the order given; `keep`
/// receives each map with its picture's bytes; `progress` hears how many are made, of all.
///
/// Maps are about the true class of each image, so that two networks are asked the same question; attention rollout is about
/// no class.
///
/// # Errors
/// If the classifier fails or the view needs a second photograph.
pub fn run(
    scenes: &dyn Scenes,
    classifier: &dyn GradientClassifier,
    settings: &Settings,
    keep: &mut dyn FnMut(&ImageRow, &[u8], &Map),
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<ImageRow>> {
    let mut rows = Vec::new();
    run_in_batches(scenes, classifier, settings, keep, &mut |batch, all| {
        rows.extend(batch);
        progress(rows.len(), all);
        Ok(())
    })?;
    sort(&mut rows);
    Ok(rows)
}

/// As [`run()`], but hands the measures on as they are made, those of a batch of images together, with the number of
/// all: whoever keeps them can go on from there. [`sort`] brings those of all batches into their order.
///
/// # Errors
/// As [`run()`], or what `done` returns.
pub fn run_in_batches(
    scenes: &dyn Scenes,
    classifier: &dyn GradientClassifier,
    settings: &Settings,
    keep: &mut dyn FnMut(&ImageRow, &[u8], &Map),
    done: &mut dyn FnMut(Vec<ImageRow>, usize) -> Result<()>,
) -> Result<()> {
    if settings.view.needs_background() {
        return Err(Error::NeedsPairing { view: settings.view });
    }
    let taps = match &settings.taps[..] {
        [] if settings.methods.iter().any(|m| m.at_tap()) => vec![default_tap(&classifier.taps())?],
        given => given.to_vec(),
    };
    let kinds: Vec<(Method, String)> = settings
        .methods
        .iter()
        .flat_map(|&m| match m.at_tap() {
            true => taps.iter().map(|tap| (m, tap.clone())).collect(),
            false => vec![(m, String::new())],
        })
        .collect();
    let bytes = 3 * scenes.size() * scenes.size();
    let elsewhere = Elsewhere::of(scenes, &settings.others);
    for chunk in settings.images.chunks(settings.batch.max(1)) {
        let mut pictures = Pictures::empty(scenes.size());
        let mut rgb = vec![0; bytes * chunk.len()];
        for (&image, out) in chunk.iter().zip(rgb.chunks_exact_mut(bytes)) {
            scenes.compose(settings.view, image as usize, image as usize, out);
            pictures.push_rgb(out);
        }
        let classes: Vec<u16> = chunk.iter().map(|&i| scenes.class(i as usize)).collect();
        let answers = classifier.predict(&pictures)?;
        let keys: Vec<u64> = chunk.iter().map(|&i| rng::text_key(scenes.id(i as usize))).collect();
        let mut rows = Vec::new();
        for (method, tap) in &kinds {
            let maps = match method {
                Method::GradCam => {
                    grad_cam(&classifier.tap_gradient(&pictures, &classes, tap)?, scenes.size())
                }
                Method::HiresCam => {
                    hires_cam(&classifier.tap_gradient(&pictures, &classes, tap)?, scenes.size())
                }
                Method::InputGradient => input_gradient(classifier, &pictures, &classes)?,
                Method::SmoothGrad => smooth_grad(classifier, &pictures, &classes, &keys, settings.smooth)?,
                Method::Occlusion => occlusion(classifier, &pictures, &classes, settings.batch)?,
                Method::AttentionRollout => attention_rollout(classifier, &pictures)?,
            };
            for (k, map) in maps.iter().enumerate() {
                let picture = &pictures.pixels[k * pictures.values()..(k + 1) * pictures.values()];
                let curves = match settings.steps {
                    0 => Curves::default(),
                    steps => curves(classifier, picture, map, classes[k], steps)?,
                };
                let mask = scenes.mask(chunk[k] as usize);
                let row = ImageRow {
                    image: chunk[k],
                    class: classes[k],
                    predicted: answers[k],
                    method: *method,
                    tap: tap.clone(),
                    measures: measure(map, &mask),
                    elsewhere: elsewhere.mass(map, &mask),
                    curves,
                };
                keep(&row, &rgb[k * bytes..(k + 1) * bytes], map);
                rows.push(row);
            }
        }
        done(rows, settings.images.len() * kinds.len())?;
    }
    Ok(())
}

/// Sorts the measures of several batches, so that none tells how large a batch was; taps stay in their order.
pub fn sort(rows: &mut [ImageRow]) {
    rows.sort_by_key(|row| (row.image, row.method));
}

/// The deepest tap that still has places, judged by its name.
///
/// # Errors
/// If all are pooled.
pub fn default_tap(taps: &[String]) -> Result<String> {
    let flat = |t: &str| {
        ["pool", "fc", "classifier", "head", "logits", "features.pool"].iter().any(|f| t.contains(f))
    };
    let found = taps.iter().rev().find(|t| !flat(t)).cloned();
    found.ok_or_else(|| Error::NoTap { taps: taps.to_vec() })
}
