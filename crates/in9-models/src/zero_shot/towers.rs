//! Two towers as they are read: their tensors, sizes and configuration, which fit each other.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};

use super::Family;
use super::config::Config;
use super::names::{Renamed, squeezed};
use super::network;
use super::sizes::Shapes;
use super::tokenizer::Tokenizer;
use crate::arch::transformer::{ImageTower, ImageTowerConfig, TextTower, TextTowerConfig};
use crate::error::{Error, Result};
use crate::params::Params;
use crate::weights::{self, StateDict};

/// A weight file whose every tensor has its place.
pub(super) struct Towers {
    path: PathBuf,
    pub(super) renamed: Renamed,
    pub(super) family: Family,
    pub(super) config: Config,
    pub(super) image: ImageTowerConfig,
    text: TextTowerConfig,
    /// Names and shapes that the towers ask for.
    wanted: BTreeMap<String, Vec<usize>>,
}

impl Towers {
    /// The towers in the file at `path`, which holds `tensors`. No value is read.
    ///
    /// # Errors
    /// [`Error::File`] and [`Error::Weights`] when a tensor is missing, left over or of another shape, and when the
    /// configuration beside the file is of other weights.
    pub(super) fn of(path: &Path, tensors: StateDict) -> Result<Self> {
        let renamed = Renamed::of(path, tensors)?;
        let found = renamed.shapes();
        let shapes = Shapes { path, shapes: &found };
        let family = shapes.family()?;
        let config = Config::read(folder(path), renamed.scheme, family, shapes.widths()?)?;
        let (image, text) = (shapes.image(family, &config)?, shapes.text(family, &config)?);
        if text.embedding != image.embedding() {
            let what = "the towers' embeddings differ; nothing was loaded";
            return Err(Error::file(path, what, image.embedding(), text.embedding));
        }
        let wanted = wanted(family, &image, &text)?;
        let squeezed = wanted.iter().map(|(name, shape)| (name.clone(), squeezed(shape))).collect();
        let name = network::name(family, &image);
        weights::check_shapes(&name, &squeezed, &found).map_err(|fault| fault.at(path))?;
        Ok(Self { path: path.to_owned(), renamed, family, config, image, text, wanted })
    }

    /// What results call the architecture.
    pub(super) fn name(&self) -> String {
        network::name(self.family, &self.image)
    }

    /// The vocabulary in `file`, or else beside the weights.
    pub(super) fn tokenizer(&self, file: Option<&Path>) -> Result<Tokenizer> {
        let folder = folder(&self.path);
        let tokenizer = Tokenizer::open(file, folder, self.text.vocabulary, self.text.context)?;
        match self.config.cleaning {
            Some(cleaning) => Ok(tokenizer.with(cleaning, self.config.pad)),
            None => {
                let expected = "tokenizer_config.json, or tokenizer_kwargs in the configuration";
                Err(Error::file(folder, "nothing says how texts are cleaned", expected, "neither"))
            }
        }
    }

    /// The text tower.
    pub(super) fn text_tower(&self) -> Result<TextTower> {
        let params = Params::frozen(self.tensors("text")?, DType::F32, &Device::Cpu);
        TextTower::new(&params.at("text"), &self.text)
    }

    /// The values of a tower's tensors, by name.
    pub(super) fn tensors(&self, tower: &str) -> Result<HashMap<String, Tensor>> {
        let of = self.wanted.iter().filter(|(name, _)| name.split('.').next() == Some(tower));
        of.map(|(name, shape)| Ok((name.clone(), self.tensor(name, shape)?))).collect()
    }

    /// A tensor of one value.
    pub(super) fn scalar(&self, name: &str) -> Result<f32> {
        Ok(self.tensor(name, &[])?.to_scalar::<f32>()?)
    }

    /// What is added to all scores.
    pub(super) fn bias(&self) -> Result<f32> {
        match self.family {
            Family::Clip => Ok(0.0),
            Family::Siglip => self.scalar("logit_bias"),
        }
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        self.renamed.tensor(&self.path, name, shape, &Device::Cpu)
    }
}

/// Names and shapes that towers of these sizes ask for.
fn wanted(
    family: Family,
    image: &ImageTowerConfig,
    text: &TextTowerConfig,
) -> Result<BTreeMap<String, Vec<usize>>> {
    let params = Params::zeros(DType::F32, &Device::Cpu);
    ImageTower::new(&params.at("visual"), image)?;
    TextTower::new(&params.at("text"), text)?;
    let shape = |p: crate::params::Parameter| (p.name, p.value.dims().to_vec());
    let mut wanted: BTreeMap<_, _> = params.made().into_iter().map(shape).collect();
    wanted.insert("logit_scale".to_owned(), Vec::new());
    if family == Family::Siglip {
        wanted.insert("logit_bias".to_owned(), Vec::new());
    }
    Ok(wanted)
}

/// The folder of a file.
fn folder(path: &Path) -> &Path {
    in9_base::files::parent(path)
}
