//! Networks that are told the classes in words: CLIP and SigLIP.
//!
//! A folder holds the weights (safetensors of open_clip or of transformers, or either's pickles), the configuration
//! that their library writes beside them, and the vocabulary; nothing is ever downloaded for it. The text tower embeds
//! the [`Prompts`] of a taxonomy's classes once. What is left is a network whose last layer is these embeddings, so that
//! predictions and probes ask it as any other, gradients included.
//!
//! ```no_run
//! use in9_data::Taxonomy;
//! use in9_models::mapping::Mapping;
//! use in9_models::zero_shot::{Options, open};
//! use in9_models::Classifier;
//!
//! # fn main() -> in9_models::Result<()> {
//! let taxonomy = Taxonomy::named("imagenet-9")?;
//! let network = open("clip-vit-base-patch32".as_ref(), &taxonomy, &Options::default())?;
//! let classifier = Classifier::new(network, &taxonomy, Mapping::A)?;
//! # Ok(())
//! # }
//! ```

mod config;
mod names;
mod network;
mod prompts;
mod sizes;
mod tokenizer;
mod towers;

use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use in9_data::predictions::Training;
use in9_data::{Normalization, Taxonomy};

pub use crate::open::ZeroShotRecord;
pub use names::Scheme;
pub use prompts::Prompts;
pub use tokenizer::{Cleaning, Tokenizer};

use crate::arch::transformer::TextTower;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::open::{NormalizationSource, Opened, Provenance, digest_of_texts};
use crate::params::Params;
use crate::registry::Architecture;
use crate::weights::{self, Limits};
use network::normalised;
use towers::Towers;

/// The two kinds of network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Contrast of a softmax over a batch; a class token, and texts that see what comes before.
    Clip,
    /// A sigmoid for each pair; a pooling attention, and texts that see everything.
    Siglip,
}

impl Family {
    fn architecture(self) -> &'static Architecture {
        match self {
            Self::Clip => &network::CLIP,
            Self::Siglip => &network::SIGLIP,
        }
    }

    /// What pictures are normalised with where nobody says it.
    fn normalization(self) -> Normalization {
        match self {
            Self::Clip => CLIP_NORMALIZATION,
            Self::Siglip => Normalization::HALF,
        }
    }
}

/// OpenAI's mean and deviation of pictures, with which all CLIPs are trained unless they say otherwise.
const CLIP_NORMALIZATION: Normalization = Normalization {
    mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
    std: [0.268_629_54, 0.261_302_6, 0.275_777_1],
};

/// What is to be known about a network beside what lies in its folder.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// What the classes are called.
    pub prompts: Prompts,
    /// The vocabulary, where it does not lie beside the weights.
    pub tokenizer: Option<&'a Path>,
    /// What pictures are normalised with, whatever the configuration says.
    pub normalization: Option<Normalization>,
    /// Where the model's parameters go.
    pub device: Device,
}

impl Default for Options<'_> {
    /// Plain prompts, everything else from the folder, on the processor.
    fn default() -> Self {
        Self { prompts: Prompts::plain(), tokenizer: None, normalization: None, device: Device::Cpu }
    }
}

/// Opens the network in `path`, a folder or its weight file, for the classes of `taxonomy`.
///
/// # Errors
/// [`Error::File`], [`Error::Weights`] and [`Error::Base`] when a file is missing or is not what it should be; nothing
/// is loaded unless every tensor fits. [`Error::Setting`] for prompts of other classes.
pub fn open(path: &Path, taxonomy: &Taxonomy, options: &Options<'_>) -> Result<Opened> {
    let path = weight_file(path)?;
    // What is wrong with the prompts is said before the work of loading.
    let prompts = &options.prompts;
    let (names, texts) = (prompts.names(taxonomy)?, prompts.texts(taxonomy)?);
    let file = weights::read(&path, &Limits::default())?;
    let towers = Towers::of(&path, file.tensors)?;
    let tokenizer = towers.tokenizer(options.tokenizer)?;
    let (scale, bias) = (towers.scalar("logit_scale")?.exp(), towers.bias()?);
    let embeddings = embeddings(&towers.text_tower()?, &tokenizer, towers.family, &texts)?;

    let mut tensors = towers.tensors("visual")?;
    tensors.insert("head.weight".to_owned(), (embeddings * f64::from(scale))?);
    tensors.insert("head.bias".to_owned(), Tensor::full(bias, taxonomy.len(), &Device::Cpu)?);
    let params = Params::frozen(tensors, DType::F32, &options.device);
    let (architecture, builder) = (towers.family.architecture(), network::builder(towers.image));
    let model = Model::with_builder(architecture, towers.name(), builder, taxonomy.len(), &params)?;

    let (normalization, source) = normalization(&towers, options.normalization);
    let mut notes = file.notes;
    let count = texts.iter().map(Vec::len).sum::<usize>();
    notes.push(format!("names of {}; prompts {}, {count} texts", towers.renamed.scheme, prompts.name));
    Ok(Opened {
        name: format!("{}, prompts {}", table_name(&path, &towers.name()), prompts.name),
        trained_on: String::new(),
        training: Training::of_weights("", &file.digest),
        classes: taxonomy.classes.iter().map(|class| class.name.clone()).collect(),
        normalization,
        preprocessing: None,
        size: Some(towers.image.size),
        zero_shot: Some(ZeroShotRecord {
            prompts: prompts.name.clone(),
            prompts_digest: digest_of_texts(&texts),
            templates: prompts.templates().to_vec(),
            names,
            vocabulary: tokenizer.digest.clone(),
            config: towers.config.digest.clone(),
            temperature: 1.0 / scale,
            bias,
        }),
        provenance: Provenance {
            digest: file.digest,
            origin: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            normalization: source,
            notes,
        },
        model,
    })
}

/// Opens the image tower of the network in `path`, a folder or its weight file; `normalization` is what pictures are
/// normalised with, whatever the configuration says. Its outputs are embeddings of pictures, of length one.
///
/// # Errors
/// Those of [`open`], but for texts and vocabularies.
pub fn image_tower(path: &Path, asked: Option<Normalization>, device: &Device) -> Result<Opened> {
    let path = weight_file(path)?;
    let file = weights::read(&path, &Limits::default())?;
    let towers = Towers::of(&path, file.tensors)?;
    let width = towers.image.embedding();
    let mut tensors = towers.tensors("visual")?;
    let (weight, bias) = weights::identity_head(width, &Device::Cpu)?;
    tensors.extend([("head.weight".to_owned(), weight), ("head.bias".to_owned(), bias)]);
    let params = Params::frozen(tensors, DType::F32, device);
    let (architecture, builder) = (towers.family.architecture(), network::builder(towers.image));
    let (normalization, source) = normalization(&towers, asked);
    let mut notes = file.notes;
    notes.push(format!("names of {}; the image tower alone", towers.renamed.scheme));
    Ok(Opened {
        model: Model::with_builder(architecture, towers.name(), builder, width, &params)?,
        name: table_name(&path, &towers.name()),
        trained_on: String::new(),
        training: Training::of_weights("", &file.digest),
        classes: Vec::new(),
        normalization,
        preprocessing: None,
        size: Some(towers.image.size),
        zero_shot: None,
        provenance: Provenance {
            digest: file.digest,
            origin: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            normalization: source,
            notes,
        },
    })
}

/// What pictures are normalised with, and how that is known.
fn normalization(towers: &Towers, asked: Option<Normalization>) -> (Normalization, NormalizationSource) {
    match (asked, towers.config.normalization.clone()) {
        (Some(asked), _) => (asked, NormalizationSource::Asked),
        (None, Some((said, file))) => (said, NormalizationSource::Config(file)),
        (None, None) => {
            let family = towers.family.architecture().name.to_owned();
            (towers.family.normalization(), NormalizationSource::Architecture(family))
        }
    }
}

/// What a network is called in tables, but for its prompts: its architecture, and its folder or file.
fn table_name(path: &Path, architecture: &str) -> String {
    const USUAL: [&str; 4] = ["model", "pytorch_model", "open_clip_model", "open_clip_pytorch_model"];
    let last = |path: &Path| path.file_stem().map(|name| name.to_string_lossy().into_owned());
    let file = last(path).unwrap_or_default();
    let own = match USUAL.contains(&file.as_str()) {
        // What libraries call every file says less than its folder.
        true => std::path::absolute(path).ok().and_then(|path| last(path.parent()?)).unwrap_or_default(),
        false => file,
    };
    match own.is_empty() || own == architecture {
        true => architecture.to_owned(),
        false => format!("{architecture}-{own}"),
    }
}

/// The embedding of each class, `[classes, embedding]` of length one: the mean of its texts', each of length one.
fn embeddings(
    tower: &TextTower,
    tokenizer: &Tokenizer,
    family: Family,
    texts: &[Vec<String>],
) -> Result<Tensor> {
    let embedding = |text: &String| -> Result<Tensor> {
        // Texts of CLIP see nothing after their end; those of SigLIP see what fills them up, and end with it.
        let ids = if family == Family::Clip { tokenizer.tokens(text)? } else { tokenizer.filled(text)? };
        normalised(&tower.forward(&ids)?.unsqueeze(0)?)
    };
    let class = |texts: &Vec<String>| -> Result<Tensor> {
        let all = texts.iter().map(embedding).collect::<Result<Vec<_>>>()?;
        normalised(&Tensor::cat(&all, 0)?.mean_keepdim(0)?)
    };
    Ok(Tensor::cat(&texts.iter().map(class).collect::<Result<Vec<_>>>()?, 0)?)
}

/// The weight file in a folder, or the file itself.
fn weight_file(path: &Path) -> Result<PathBuf> {
    if !path.is_dir() {
        return Ok(path.to_path_buf());
    }
    let known = [
        "open_clip_model.safetensors",
        "model.safetensors",
        "open_clip_pytorch_model.bin",
        "pytorch_model.bin",
    ];
    known.iter().map(|name| path.join(name)).find(|path| path.is_file()).ok_or_else(|| {
        Error::file(path, "no weights of an image and a text tower", known.join(", or "), "none of them")
    })
}
