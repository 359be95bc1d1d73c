//! The decoder: tokens and the encoded image attend to each other, then one token becomes the filter of the mask.

use candle_core::{IndexOp as _, Tensor};
use candle_nn::{
    ConvTranspose2d, ConvTranspose2dConfig, Linear, Module as _, VarBuilder, conv_transpose2d, linear,
};
use candle_transformers::models::segment_anything::LayerNorm2d;
use candle_transformers::models::segment_anything::transformer::TwoWayTransformer;

use super::sizes::DecoderSizes;
use crate::error::Result;

/// Heads of every attention; no shape tells them.
const HEADS: usize = 8;

/// candle-transformers' decoder but for its GELU.
pub(super) struct Decoder {
    /// That of the predicted IoU, which nobody asks for here, and those of the masks, `[tokens, width]`.
    tokens: Tensor,
    transformer: TwoWayTransformer,
    first: ConvTranspose2d,
    norm: LayerNorm2d,
    second: ConvTranspose2d,
    /// What makes the mask's token its filter.
    filter: Vec<Linear>,
}

impl Decoder {
    pub(super) fn new(sizes: &DecoderSizes, vb: VarBuilder<'_>) -> Result<Self> {
        let &DecoderSizes { width, masks, layers, hidden, iou_layers, iou_hidden, .. } = sizes;
        let token = |count, name: &str| vb.pp(name).get((count, width), "weight");
        let twice = ConvTranspose2dConfig { stride: 2, ..Default::default() };
        let upscaling = vb.pp("output_upscaling");
        let filters = vb.pp("output_hypernetworks_mlps");
        let filter = |i| perceptron(filters.pp(i), [width, width, width / 8], 3);
        // The other filters and the IoU's perceptron are read all the same: weights fit as a whole or not at all.
        for other in 1..masks {
            filter(other)?;
        }
        perceptron(vb.pp("iou_prediction_head"), [width, iou_hidden, masks], iou_layers)?;
        Ok(Self {
            tokens: Tensor::cat(&[token(1, "iou_token")?, token(masks, "mask_tokens")?], 0)?,
            transformer: TwoWayTransformer::new(layers, width, HEADS, hidden, vb.pp("transformer"))?,
            first: conv_transpose2d(width, width / 4, 2, twice, upscaling.pp(0))?,
            norm: LayerNorm2d::new(width / 4, 1e-6, upscaling.pp(1))?,
            second: conv_transpose2d(width / 4, width / 8, 2, twice, upscaling.pp(3))?,
            filter: filter(0)?,
        })
    }

    /// # Shapes
    /// - `image`, `positions`, `dense`: `[1, width, grid, grid]`
    /// - `sparse`: `[1, tokens, width]`
    /// - output: `[1, 1, 4 · grid, 4 · grid]`
    pub(super) fn forward(
        &self,
        image: &Tensor,
        positions: &Tensor,
        sparse: &Tensor,
        dense: &Tensor,
    ) -> Result<Tensor> {
        let tokens = Tensor::cat(&[&self.tokens.unsqueeze(0)?, sparse], 1)?;
        let image = image.broadcast_add(dense)?;
        let (n, width, rows, columns) = image.dims4()?;
        let (tokens, image) = self.transformer.forward(&image, positions, &tokens)?;
        let image = image.transpose(1, 2)?.reshape((n, width, rows, columns))?;
        let large = self.norm.forward(&self.first.forward(&image)?)?.gelu_erf()?;
        let large = self.second.forward(&large)?.gelu_erf()?;
        // The first mask's token is that of prompts which are not ambiguous.
        let mut filter = tokens.i((.., 1))?;
        for (i, layer) in self.filter.iter().enumerate() {
            filter = layer.forward(&filter)?;
            if i + 1 < self.filter.len() {
                filter = filter.relu()?;
            }
        }
        let (n, channels, rows, columns) = large.dims4()?;
        let mask = filter.unsqueeze(1)?.matmul(&large.reshape((n, channels, rows * columns))?)?;
        Ok(mask.reshape((n, 1, rows, columns))?)
    }
}

/// `layers` fully connected layers, with ReLU between them.
fn perceptron(
    vb: VarBuilder<'_>,
    [inputs, hidden, outputs]: [usize; 3],
    layers: usize,
) -> Result<Vec<Linear>> {
    let layer = |i: usize| {
        let from = if i == 0 { inputs } else { hidden };
        let to = if i + 1 == layers { outputs } else { hidden };
        Ok(linear(from, to, vb.pp("layers").pp(i))?)
    };
    (0..layers).map(layer).collect()
}
