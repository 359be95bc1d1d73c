//! Which SAM a file of weights is of: its sizes, by the shapes of its tensors.

use super::memory;
use crate::weights::StateDict;

/// Side of the input, in pixels, of a network whose weights do not tell it: that of all published ones.
const SIDE: usize = 1024;

/// Largest side that in9-data brings a photograph to.
const LARGEST_SIDE: usize = 4096;

/// Most layers, channels, or positions along an axis: more than the largest network has, and few enough to multiply.
const MOST: usize = 1 << 13;

/// Sizes of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SamConfig {
    /// Pixels of a side of its input.
    pub image: usize,
    /// What encodes the image.
    pub encoder: EncoderSizes,
    /// What draws the mask.
    pub decoder: DecoderSizes,
}

/// Sizes of what encodes the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncoderSizes {
    /// A vision transformer with windows: SAM.
    Vit(VitSizes),
    /// TinyViT: MobileSAM.
    Tiny(TinySizes),
}

/// Sizes of a vision transformer with windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VitSizes {
    /// Pixels of a side of a patch.
    pub patch: usize,
    /// Channels of a token.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Heads of an attention.
    pub heads: usize,
    /// Tokens of a side of a window.
    pub window: usize,
    /// Blocks that attend to all tokens instead, from 0.
    pub global: Vec<usize>,
}

/// Sizes of TinyViT, by stage; the first stage has convolutions in the place of attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TinySizes {
    /// Channels.
    pub widths: [usize; 4],
    /// Number of blocks.
    pub depths: [usize; 4],
    /// Heads of an attention; the first is of no use.
    pub heads: [usize; 4],
    /// Tokens of a side of a window; the first is of no use.
    pub windows: [usize; 4],
}

/// Sizes of what takes prompts and draws the mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecoderSizes {
    /// Channels of a token, and of what the encoder gives.
    pub width: usize,
    /// Masks that could be asked for.
    pub masks: usize,
    /// Layers of the transformer.
    pub layers: usize,
    /// Channels between the two layers of its perceptrons.
    pub hidden: usize,
    /// Layers of the perceptron that predicts the IoU.
    pub iou_layers: usize,
    /// Channels between these.
    pub iou_hidden: usize,
    /// Channels to which a mask that is a prompt is brought down.
    pub mask_channels: usize,
}

/// What was expected and what was found.
type Wrong = (String, String);

impl SamConfig {
    /// The sizes of the network whose tensors these are.
    ///
    /// # Errors
    /// What was expected, and what was found.
    pub fn of(tensors: &StateDict) -> Result<Self, (String, String)> {
        let shapes = Shapes(tensors);
        let decoder = shapes.decoder()?;
        let (encoder, image) = match tensors.get("image_encoder.patch_embed.seq.0.c.weight") {
            Some(_) => (EncoderSizes::Tiny(shapes.tiny()?), SIDE),
            None => {
                let (vit, image) = shapes.vit()?;
                (EncoderSizes::Vit(vit), image)
            }
        };
        if image > LARGEST_SIDE {
            return Err((format!("a side of at most {LARGEST_SIDE} pixels"), image.to_string()));
        }
        Ok(Self { image, encoder, decoder })
    }

    /// Tokens of a side of the encoded image.
    pub fn grid(&self) -> usize {
        match &self.encoder {
            EncoderSizes::Vit(vit) => self.image / vit.patch,
            EncoderSizes::Tiny(_) => self.image / 16,
        }
    }

    /// Bytes of memory that the weights `tensors` and one run take together at most.
    pub fn bytes(&self, tensors: &StateDict) -> u64 {
        memory::bytes(self, tensors)
    }

    /// Whether a tensor of the file is the network's: batch norms' counters are of no use, nor is the classifier that
    /// MobileSAM's encoder was trained with.
    pub(super) fn uses(&self, name: &str) -> bool {
        let classifies = matches!(self.encoder, EncoderSizes::Tiny(_))
            && ["image_encoder.head.", "image_encoder.norm_head."].iter().any(|of| name.starts_with(of));
        !classifies && !name.ends_with(".num_batches_tracked")
    }
}

struct Shapes<'a>(&'a StateDict);

impl Shapes<'_> {
    /// The shape of a tensor, of `N` axes, none of them empty or above [`MOST`].
    fn of<const N: usize>(&self, name: &str) -> Result<[usize; N], Wrong> {
        let expected = || format!("{name} of {N} axes, each 1 to {MOST}");
        let found = self.0.get(name).ok_or_else(|| (expected(), "no such tensor".to_owned()))?.shape();
        match <[usize; N]>::try_from(found) {
            Ok(shape) if shape.iter().all(|side| (1..=MOST).contains(side)) => Ok(shape),
            _ => Err((expected(), format!("{found:?}"))),
        }
    }

    /// How many of `NAME.0`, `NAME.1`, … have a tensor of this name.
    fn count(&self, name: &str, tensor: &str) -> usize {
        (0..MOST).take_while(|i| self.0.get(&format!("{name}.{i}.{tensor}")).is_some()).count()
    }

    fn decoder(&self) -> Result<DecoderSizes, Wrong> {
        let [masks, width] = self.of("mask_decoder.mask_tokens.weight")?;
        let [iou_hidden, _] = self.of("mask_decoder.iou_prediction_head.layers.0.weight")?;
        let [hidden, _] = self.of("mask_decoder.transformer.layers.0.mlp.lin1.weight")?;
        let [mask_channels, _, _, _] = self.of("prompt_encoder.mask_downscaling.3.weight")?;
        // Halved for attention across, and divided among eight heads there.
        if !width.is_multiple_of(16) {
            return Err((
                "mask_decoder.mask_tokens.weight of a multiple of 16".to_owned(),
                width.to_string(),
            ));
        }
        Ok(DecoderSizes {
            width,
            masks,
            layers: self.count("mask_decoder.transformer.layers", "norm1.weight"),
            hidden,
            iou_layers: self.count("mask_decoder.iou_prediction_head.layers", "weight"),
            iou_hidden,
            mask_channels,
        })
    }

    fn vit(&self) -> Result<(VitSizes, usize), Wrong> {
        let [width, _, patch, _] = self.of("image_encoder.patch_embed.proj.weight")?;
        let [_, grid, _, _] = self.of("image_encoder.pos_embed")?;
        let layers = self.count("image_encoder.blocks", "norm1.weight");
        let (mut window, mut global, mut heads) = (None, Vec::new(), None);
        for block in 0..layers {
            let name = format!("image_encoder.blocks.{block}.attn.rel_pos_h");
            let [steps, channels] = self.of(&name)?;
            // From one end of what is attended to, to the other.
            let side = steps.div_ceil(2);
            if side == grid {
                global.push(block);
            } else if *window.get_or_insert(side) != side {
                return Err((format!("{name} of windows like the others'"), format!("{side} tokens a side")));
            }
            if !width.is_multiple_of(channels) || *heads.get_or_insert(width / channels) != width / channels {
                return Err((format!("{name} of a part of {width} channels"), channels.to_string()));
            }
        }
        let heads = heads.ok_or_else(|| ("image_encoder.blocks.0".to_owned(), "none".to_owned()))?;
        let window = window.unwrap_or(grid);
        Ok((VitSizes { patch, width, layers, heads, window, global }, grid.saturating_mul(patch)))
    }

    fn tiny(&self) -> Result<TinySizes, Wrong> {
        let [first, ..] = self.of::<4>("image_encoder.patch_embed.seq.2.c.weight")?;
        let stage = |i: usize| format!("image_encoder.layers.{i}.blocks");
        let mut sizes = TinySizes { widths: [first; 4], depths: [0; 4], heads: [1; 4], windows: [1; 4] };
        sizes.depths[0] = self.count(&stage(0), "conv1.c.weight");
        for i in 1..4 {
            let name = format!("{}.0.attn.attention_biases", stage(i));
            let [heads, distances] = self.of(&name)?;
            [sizes.widths[i]] = self.of(&format!("{}.0.mlp.norm.weight", stage(i)))?;
            sizes.depths[i] = self.count(&stage(i), "mlp.norm.weight");
            (sizes.heads[i], sizes.windows[i]) = (heads, distances.isqrt());
            if distances.isqrt().pow(2) != distances {
                return Err((format!("{name} of a square number of distances"), distances.to_string()));
            }
        }
        Ok(sizes)
    }
}
