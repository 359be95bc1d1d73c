//! TinyViT (Wu et al. 2022) as MobileSAM has it: convolutions, then attention inside windows, for evaluation.

use candle_core::Tensor;
use candle_nn::{Conv2d, Conv2dConfig, Module as _, conv2d_no_bias};
use candle_transformers::models::segment_anything::LayerNorm2d;

use super::sizes::TinySizes;
use crate::arch::candle_backend::builder;
use crate::arch::swin::windows::Windows;
use crate::arch::transformer::{Attention, EncoderConfig, LayerNorm, Nonlinearity, Perceptron, SMALL};
use crate::error::Result;
use crate::layers::{Activation, Conv, ConvBnAct};
use crate::model::{Context, Mode};
use crate::params::{Kind, Params};

/// What is added to variances.
const EPSILON: f64 = 1e-5;

/// How many times as wide perceptrons and convolutions are inside.
const WIDER: usize = 4;

pub(super) struct TinyVit {
    patches: [ConvBnAct; 2],
    convolutions: Vec<Convolutions>,
    /// Each brings the tokens to the next stage's width; the blocks of that stage.
    stages: Vec<(Convolutions, Vec<Block>)>,
    neck: (Conv2d, LayerNorm2d, Conv2d, LayerNorm2d),
}

impl TinyVit {
    /// Parameters `patch_embed`, `layers` and `neck`, with `outputs` channels in the end.
    pub(super) fn new(params: &Params, sizes: &TinySizes, outputs: usize) -> Result<Self> {
        let widths = sizes.widths;
        let seq = params.at("patch_embed").at("seq");
        let patch = |at: usize, inputs, outputs| {
            ConvBnAct::new(&seq.at(at), "c", "bn", Conv::new(inputs, outputs, 3).stride(2), Activation::None)
        };
        let layer = |stage: usize| params.at("layers").at(stage);
        let convolution = |i: usize| {
            let hidden = WIDER * widths[0];
            Convolutions::new(&layer(0).at("blocks").at(i), [widths[0], hidden, hidden, widths[0]], 1)
        };
        let stage = |i: usize| -> Result<(Convolutions, Vec<Block>)> {
            let (before, width) = (widths[i - 1], widths[i]);
            // The last keeps the resolution, so that a token is sixteen pixels.
            let stride = if i == 3 { 1 } else { 2 };
            let merging = layer(i - 1).at("downsample");
            let merging = Convolutions::new(&merging, [before, width, width, width], stride)?;
            let blocks = layer(i).at("blocks");
            let block = |b| Block::new(&blocks.at(b), width, sizes.heads[i], sizes.windows[i]);
            Ok((merging, (0..sizes.depths[i]).map(block).collect::<Result<_>>()?))
        };
        let vb = builder(&params.at("neck"), |_| false);
        let three = Conv2dConfig { padding: 1, ..Default::default() };
        Ok(Self {
            patches: [patch(0, 3, widths[0] / 2)?, patch(2, widths[0] / 2, widths[0])?],
            convolutions: (0..sizes.depths[0]).map(convolution).collect::<Result<_>>()?,
            stages: (1..4).map(stage).collect::<Result<_>>()?,
            neck: (
                conv2d_no_bias(widths[3], outputs, 1, Conv2dConfig::default(), vb.pp(0))?,
                LayerNorm2d::new(outputs, 1e-6, vb.pp(1))?,
                conv2d_no_bias(outputs, outputs, 3, three, vb.pp(2))?,
                LayerNorm2d::new(outputs, 1e-6, vb.pp(3))?,
            ),
        })
    }

    /// # Shapes
    /// - `pixels`: `[n, 3, height, width]`
    /// - output: `[n, outputs, height / 16, width / 16]`
    pub(super) fn forward(&self, pixels: &Tensor) -> Result<Tensor> {
        let context = &mut Context::new(Mode::Eval);
        let mut x = self.patches[0].forward(pixels, context)?.gelu_erf()?;
        x = self.patches[1].forward(&x, context)?;
        for block in &self.convolutions {
            x = (block.forward(&x, context)? + &x)?.gelu_erf()?;
        }
        for (merging, blocks) in &self.stages {
            x = merging.forward(&x, context)?;
            for block in blocks {
                x = block.forward(&x, context)?;
            }
        }
        let (narrow, first, around, second) = &self.neck;
        let x = first.forward(&narrow.forward(&x)?)?;
        Ok(second.forward(&around.forward(&x)?)?)
    }
}

/// Three convolutions with batch norms: of single pixels, of a channel's neighbourhoods, and of single pixels again, with
/// GELU between them.
struct Convolutions([ConvBnAct; 3]);

impl Convolutions {
    fn new(params: &Params, [a, b, c, d]: [usize; 4], stride: usize) -> Result<Self> {
        let layer = |name, conv| ConvBnAct::new(&params.at(name), "c", "bn", conv, Activation::None);
        Ok(Self([
            layer("conv1", Conv::new(a, b, 1))?,
            layer("conv2", Conv::new(b, c, 3).groups(b).stride(stride))?,
            layer("conv3", Conv::new(c, d, 1))?,
        ]))
    }

    fn forward(&self, x: &Tensor, context: &Context) -> Result<Tensor> {
        let [first, second, third] = &self.0;
        let x = first.forward(x, context)?.gelu_erf()?;
        let x = second.forward(&x, context)?.gelu_erf()?;
        third.forward(&x, context)
    }
}

/// Attention inside windows, a convolution of each channel, and a perceptron.
struct Block {
    norm: LayerNorm,
    attention: Attention,
    /// What is added to the products of two tokens of a window, by how far they are apart, `[heads, area, area]`.
    bias: Tensor,
    window: usize,
    convolution: ConvBnAct,
    perceptron_norm: LayerNorm,
    perceptron: Perceptron,
}

impl Block {
    fn new(params: &Params, width: usize, heads: usize, window: usize) -> Result<Self> {
        let nonlinearity = Nonlinearity::Gelu;
        let sizes =
            EncoderConfig { width, layers: 1, heads, hidden: WIDER * width, nonlinearity, epsilon: EPSILON };
        sizes.check()?;
        let (attn, mlp, area) = (params.at("attn"), params.at("mlp"), window * window);
        let table = attn.get("attention_biases", &[heads, area], Kind::Bias, SMALL)?.value;
        let places = Tensor::from_vec(places(window), area * area, params.device())?;
        let conv = Conv::new(width, width, 3).groups(width);
        Ok(Self {
            norm: LayerNorm::new(&attn, "norm", width, EPSILON)?,
            attention: Attention::by_head(&attn, width, heads)?,
            bias: table.index_select(&places, 1)?.reshape((heads, area, area))?,
            window,
            convolution: ConvBnAct::new(&params.at("local_conv"), "c", "bn", conv, Activation::None)?,
            perceptron_norm: LayerNorm::new(&mlp, "norm", width, EPSILON)?,
            perceptron: Perceptron::new(&mlp, &sizes)?,
        })
    }

    /// # Shapes
    /// - `x`, output: `[n, width, rows, columns]`
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        let (n, width, rows, columns) = x.dims4()?;
        let tokens = x.permute((0, 2, 3, 1))?.contiguous()?;
        let windows = Windows::new(self.window, rows, columns, &tokens)?;
        // What fills the last windows is attended to, as by the authors.
        let cut = self.norm.forward(&windows.cut(&tokens, false)?)?;
        let attended = self.attention.forward(&cut, None, Some(&self.bias), None, context)?;
        let x = (tokens + windows.joined(&attended, false)?)?;
        let x = self.convolution.forward(&x.permute((0, 3, 1, 2))?.contiguous()?, context)?;
        let tokens = x.flatten_from(2)?.transpose(1, 2)?.contiguous()?;
        let tokens = self.perceptron.forward(&self.perceptron_norm.forward(&tokens)?, &tokens)?;
        Ok(tokens.transpose(1, 2)?.contiguous()?.reshape((n, width, rows, columns))?)
    }
}

/// For each pair of tokens of a window, by rows, where the table has the bias of their distance: down, then across, in either
/// direction.
fn places(side: usize) -> Vec<u32> {
    let area = side * side;
    let place = |a: usize, b: usize| (a / side).abs_diff(b / side) * side + (a % side).abs_diff(b % side);
    (0..area * area).map(|pair| place(pair / area, pair % area) as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_alike_in_either_direction() {
        let places = places(3);
        assert_eq!((places[0], places[8], places[8 * 9]), (0, 8, 8));
        // From the first token of the second row to the second of the first.
        assert_eq!(places[3 * 9 + 1], 4);
    }
}
