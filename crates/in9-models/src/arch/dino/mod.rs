//! DINOv2 (Oquab et al. 2023, arXiv 2304.07193), with registers (Darcet et al. 2023, arXiv 2309.16588) or without, and DINOv3
//! (Siméoni et al. 2025, arXiv 2508.10104), for evaluation only. Names are timm's.
//!
//! They were trained without labels: published weights have no classifier. Its input, which stands for the picture, is the
//! class token behind the last norm, as in the authors' own code.

mod block;
mod positions;

use candle_core::Tensor;

use super::transformer::{EncoderConfig, LayerNorm, Nonlinearity, Patches, QkvBias, Rotary, SMALL};
use crate::error::{Error, Result};
use crate::init::Init;
use crate::layers::Linear;
use crate::model::{Context, Mode, Network};
use crate::params::{Kind, Params};
use block::Block;
use positions::resampled;

/// Sizes of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DinoConfig {
    /// Its blocks.
    pub encoder: EncoderConfig,
    /// Side of a patch, in pixels.
    pub patch: usize,
    /// Learnt tokens beside the class token, of which nothing is asked in the end.
    pub registers: usize,
    /// What sets the generations apart.
    pub generation: Generation,
}

/// How tokens know where they are, and what else came with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// DINOv2: learnt positions on a square of so many patches a side, resampled for pictures of another size.
    V2 {
        /// Patches a side.
        grid: usize,
    },
    /// DINOv3: rotary positions.
    V3 {
        /// Biases of queries, keys and values.
        bias: QkvBias,
        /// Whether the first layer of each perceptron has a gate beside it (SwiGLU).
        gated: bool,
    },
}

/// The published sizes: channels, blocks, heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// ViT-S.
    Small,
    /// ViT-B.
    Base,
    /// ViT-L.
    Large,
}

impl DinoConfig {
    /// DINOv2 with 14×14 patches, trained last on pictures of 518 pixels, with so many registers (none or four).
    pub fn v2(size: Size, registers: usize) -> Self {
        let encoder = size.encoder(1e-6);
        Self { encoder, patch: 14, registers, generation: Generation::V2 { grid: 37 } }
    }

    /// DINOv3 with 16×16 patches and four registers.
    pub fn v3(size: Size, bias: QkvBias, gated: bool) -> Self {
        let encoder = size.encoder(1e-5);
        Self { encoder, patch: 16, registers: 4, generation: Generation::V3 { bias, gated } }
    }
}

impl Size {
    fn encoder(self, epsilon: f64) -> EncoderConfig {
        let (width, layers) = match self {
            Self::Small => (384, 12),
            Self::Base => (768, 12),
            Self::Large => (1024, 24),
        };
        let nonlinearity = Nonlinearity::Gelu;
        EncoderConfig { width, layers, heads: width / 64, hidden: 4 * width, nonlinearity, epsilon }
    }
}

/// Builds a network of these sizes.
///
/// # Errors
/// When `params` holds weights that do not fit.
pub fn build(params: &Params, classes: usize, config: &DinoConfig) -> Result<Box<dyn Network>> {
    let EncoderConfig { width, layers, heads, epsilon, .. } = config.encoder;
    config.encoder.check()?;
    if !width.is_multiple_of(4 * heads) || config.patch == 0 {
        let expected = format!("a fourth of a multiple of {heads} heads, in patches of at least a pixel");
        return Err(Error::setting("width of a network", expected, width));
    }
    let token = |name: &str, count| -> Result<Tensor> {
        Ok(params.get(name, &[1, count, width], Kind::Bias, SMALL)?.value)
    };
    let class = token("cls_token", 1)?;
    let registers = match config.registers {
        0 => None,
        count => Some(token("reg_token", count)?),
    };
    let positions = match config.generation {
        // With registers, the class token's own position is part of the token.
        Generation::V2 { grid } => {
            Some(token("pos_embed", grid * grid + usize::from(config.registers == 0))?)
        }
        Generation::V3 { .. } => None,
    };
    let blocks = params.at("blocks");
    Ok(Box::new(Dino {
        config: *config,
        patches: Patches::new(params, "patch_embed.proj", config.patch, width, true)?,
        class,
        registers,
        positions,
        blocks: (0..layers).map(|i| Block::new(&blocks.at(i), config)).collect::<Result<_>>()?,
        norm: LayerNorm::new(params, "norm", width, epsilon)?,
        head: Linear::with_init(params, "head", width, classes, SMALL, Init::Constant(0.0))?,
        name: params.name("dino"),
    }))
}

struct Dino {
    config: DinoConfig,
    patches: Patches,
    /// `[1, 1, width]`
    class: Tensor,
    /// `[1, registers, width]`
    registers: Option<Tensor>,
    /// `[1, positions, width]`, the class token's first where it has one.
    positions: Option<Tensor>,
    blocks: Vec<Block>,
    norm: LayerNorm,
    head: Linear,
    name: String,
}

impl Network for Dino {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        if context.mode() != Mode::Eval {
            return Err(Error::Frozen(self.name.clone()));
        }
        let side = self.config.patch;
        if x.dims()[2..].iter().any(|pixels| !pixels.is_multiple_of(side)) {
            return Err(Error::Shape {
                what: "input of a network of patches".into(),
                expected: format!("[n, 3, h, w] with sides that are multiples of {side}"),
                found: x.dims().to_vec(),
            });
        }
        let (patches, [rows, columns]) = self.patches.forward(x)?;
        let mut x = self.placed(patches, rows, columns)?;
        let rotary = match self.config.generation {
            Generation::V2 { .. } => None,
            Generation::V3 { .. } => {
                let channels = self.config.encoder.width / self.config.encoder.heads;
                Some(Rotary::new(channels, rows, columns, &x)?)
            }
        };
        for block in &self.blocks {
            x = block.forward(&x, rotary.as_ref(), [rows, columns], context)?;
        }
        if let Some(rollout) = &mut context.rollout {
            rollout.read_first([rows, columns])?;
        }
        let class = x.narrow(1, 0, 1)?.squeeze(1)?;
        self.head.forward(&self.norm.forward(&class)?)
    }

    fn own_layers(&self) -> bool {
        false
    }

    fn tap_names(&self) -> Vec<String> {
        self.blocks.iter().map(|block| block.tap.clone()).collect()
    }

    fn attends(&self) -> bool {
        true
    }
}

impl Dino {
    /// All tokens: the class token, the registers, the patches; with their positions where those are learnt.
    fn placed(&self, patches: Tensor, rows: usize, columns: usize) -> Result<Tensor> {
        let n = patches.dim(0)?;
        let mut class = self.class.clone();
        let mut patches = patches;
        if let (Some(positions), Generation::V2 { grid }) = (&self.positions, self.config.generation) {
            let own = positions.dim(1)? - grid * grid;
            let antialias = self.registers.is_some();
            let of_patches = positions.narrow(1, own, grid * grid)?.squeeze(0)?;
            patches = patches.broadcast_add(&resampled(&of_patches, grid, [rows, columns], antialias)?)?;
            if own > 0 {
                class = (class + positions.narrow(1, 0, own)?)?;
            }
        }
        let mut tokens = vec![class];
        tokens.extend(self.registers.clone());
        let mut all = Vec::with_capacity(3);
        for token in tokens {
            let (_, count, width) = token.dims3()?;
            all.push(token.broadcast_as((n, count, width))?.contiguous()?);
        }
        all.push(patches);
        Ok(Tensor::cat(&all, 1)?)
    }
}
