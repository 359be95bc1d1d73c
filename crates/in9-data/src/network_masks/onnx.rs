//! Networks in ONNX files, run by tract.

use std::path::Path;
use std::sync::Arc;

use in9_onnx::{Asked, Network};

use crate::error::{Error, Result};
use crate::limits::Limits;

use super::{Layout, MaskNetwork, NetworkDescription, NetworkMasks};

impl MaskNetwork for Network {
    fn digest(&self) -> &str {
        self.digest()
    }
    fn runtime(&self) -> &str {
        "tract"
    }
    fn output_shape(&self) -> &[usize] {
        self.output_shape()
    }
    fn bytes(&self) -> u64 {
        self.bytes()
    }
    fn run(&self, values: &[f32], prompt: &[f32]) -> Result<Vec<f32>> {
        Ok(self.run_with(values, prompt)?)
    }
}

impl NetworkMasks {
    /// Reads the description at `path`, and the network in the ONNX file that it names.
    ///
    /// # Errors
    /// As [`NetworkDescription::parse`] and [`NetworkMasks::new`]; [`Error::Malformed`] for a file that holds no network
    /// that can be run here, or another than is described.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self> {
        let text = in9_base::files::read_text(path, limits.annotation_bytes)?;
        let description = NetworkDescription::parse(&text, path)?;
        let [width, height] = description.input.size.map(|side| side as usize);
        let shape = match description.input.layout {
            Layout::Nchw => [1, 3, height, width],
            Layout::Nhwc => [1, height, width, 3],
        };
        let asked = Asked {
            input: description.input.name.as_deref(),
            shape: &shape,
            prompt: description.prompt.as_ref().map(|prompt| (prompt.name.as_str(), prompt.shape.as_slice())),
            output: description.output.name.as_deref(),
            memory_bytes: limits.network_bytes,
        };
        let network = Network::open(&path.with_file_name(&description.file), &asked)?;
        let described = blake3::hash(text.as_bytes()).to_hex().to_string();
        Self::new(description, described, Arc::new(network), limits)
    }
}

impl From<in9_onnx::Error> for Error {
    fn from(error: in9_onnx::Error) -> Self {
        match error {
            in9_onnx::Error::Base(error) => Self::Files(error),
            in9_onnx::Error::File { path, what, expected, found } => {
                Self::malformed(&path, what, expected, found, "use another network, or mend its description")
            }
        }
    }
}
