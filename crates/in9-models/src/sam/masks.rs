//! A SAM as a source of masks: from a file of weights to what in9-data asks.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use candle_core::{Device, Tensor};
use in9_base::guard::guarded;
use in9_data::{
    Activation, Fit, InputDescription, Layout, MaskNetwork, NetworkDescription, NetworkMasks, Order,
    OutputDescription, PromptDescription, PromptForm, Shown,
};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::Sam;
use super::sizes::SamConfig;
use crate::error::{Error, Result};
use crate::weights::{self, Limits, WeightFile};

/// Opens SAM (ViT-B, L or H) or MobileSAM to draw masks: weights under the authors' names, in safetensors or torch's files,
/// recognised by their shapes.
///
/// # Errors
/// Those of [`weights::read`]; [`Error::File`] for weights of another network, and of one that takes more memory than
/// `limits` allow.
pub fn open(path: &Path, limits: &in9_data::Limits) -> Result<NetworkMasks> {
    let WeightFile { tensors, digest, .. } = weights::read(path, &Limits::default())?;
    let config = SamConfig::of(&tensors).map_err(|(expected, found)| {
        Error::file(path, "not the weights of a SAM, under its authors' names", expected, found)
    })?;
    let bytes = config.bytes(&tensors);
    if bytes > limits.network_bytes {
        let expected = format!("at most {} bytes of memory", limits.network_bytes);
        return Err(Error::file(path, "its network is too large", expected, format!("{bytes} for one run")));
    }
    let sam = Sam::new(path, &config, &tensors)?;
    let threads = rayon::current_num_threads();
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().map_err(|e| Error::Device {
        device: "the processor".to_owned(),
        why: format!("{threads} threads cannot be started ({e}); use fewer"),
    })?;
    let side = 4 * config.grid();
    let output = [1, 1, side, side];
    let description = description(path, &config);
    let network = SamMasks {
        sam: Arc::new(sam),
        pool,
        path: path.to_path_buf(),
        digest,
        output,
        bytes,
        side: config.image,
    };
    Ok(NetworkMasks::described(description, Arc::new(network), limits)?)
}

/// What the authors do with a picture and a mask.
fn description(path: &Path, config: &SamConfig) -> NetworkDescription {
    NetworkDescription {
        file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        shown: Shown::Photograph,
        margin: 0.0,
        input: InputDescription {
            name: None,
            size: [config.image as u32; 2],
            layout: Layout::Nchw,
            order: Order::Rgb,
            fit: Fit::Pad,
            scale: 1.0,
            mean: [123.675, 116.28, 103.53],
            std: [58.395, 57.12, 57.375],
        },
        prompt: Some(PromptDescription {
            name: "box".to_owned(),
            form: PromptForm::Corners,
            shape: vec![1, 4],
        }),
        output: OutputDescription {
            name: None,
            activation: Activation::None,
            channel: 0,
            stretch: false,
            threshold: 0.0,
        },
    }
}

struct SamMasks {
    sam: Arc<Sam>,
    pool: ThreadPool,
    path: PathBuf,
    digest: String,
    output: [usize; 4],
    bytes: u64,
    /// Pixels of a side of the input.
    side: usize,
}

impl std::fmt::Debug for SamMasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SamMasks")
            .field("path", &self.path)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl MaskNetwork for SamMasks {
    fn digest(&self) -> &str {
        &self.digest
    }
    fn runtime(&self) -> &str {
        "candle"
    }
    fn output_shape(&self) -> &[usize] {
        &self.output
    }
    fn bytes(&self) -> u64 {
        self.bytes
    }
    fn run(&self, values: &[f32], prompt: &[f32]) -> in9_data::Result<Vec<f32>> {
        let failed = |found: String| {
            let advice = "use another network";
            in9_data::Error::malformed(&self.path, "its network failed", "an answer", found, advice)
        };
        let corners: [f32; 4] =
            prompt.try_into().map_err(|_| failed(format!("a prompt of {} values", prompt.len())))?;
        let pixels = Tensor::from_slice(values, (1, 3, self.side, self.side), &Device::Cpu)
            .map_err(|e| failed(e.to_string()))?;
        // On threads of its own, for which this one waits without doing anything else: a thread of a build that waits
        // among its like may begin with another photograph, and wait there for the memory that this one holds.
        let (sender, receiver) = sync_channel(1);
        let sam = self.sam.clone();
        self.pool.spawn(move || {
            let answer = guarded(|| -> Result<Vec<f32>> {
                Ok(sam.forward(&pixels, corners)?.flatten_all()?.to_vec1()?)
            });
            // Nobody waits any more only where the process ends.
            let _ = sender.send(answer);
        });
        receiver.recv().map_err(|e| failed(e.to_string()))?.map_err(failed)
    }
}
