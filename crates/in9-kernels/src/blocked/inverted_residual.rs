//! The block of MobileNets and EfficientNets at inference, strip by strip.
//!
//! Layer by layer, the expanded activations, six times as wide as the block's own, are written to memory and read
//! again twice. Here some rows of an image are expanded, filtered and projected while they are in the second-level
//! cache; rows that the next strip needs too stay where they are. Before a gate, which depends on all rows, the filtered
//! rows of one image are kept. With fewer images than threads the block is computed layer by layer, with the same bits.

use super::{
    Filters, depthwise,
    lanes::BLOCK,
    layout::dims,
    pool,
    product::{Finish, Inputs, Output, Run, Target, multiply},
    scale,
};
use crate::{
    Activation, Conv2dConfig, Error, FrozenConv2d, Result, conv::geometry::Geometry, cpu, scratch,
    simd::Level,
};
use candle_core::Tensor;
use rayon::prelude::*;
use std::sync::Mutex;

/// Target for the expanded and the filtered rows of a strip, in elements (384 kB).
const STRIP_ELEMENTS: usize = 96 << 10;

/// From the mean of each channel, `[1, channels]`, to its factor, `[1, channels]`.
pub type Gate<'a> = &'a (dyn Fn(&Tensor) -> Result<Tensor> + Sync);

/// `project(gate(depthwise(expand(x)))) (+ x)` (Sandler and others 2018, figure 3; with the gate, Howard and others
/// 2019), of layers whose batch norms are folded in.
#[derive(Clone, Copy)]
pub struct InvertedResidual<'a> {
    /// A 1×1 convolution to more channels, and its activation.
    pub expand: Option<(&'a FrozenConv2d, Activation)>,
    /// The depthwise convolution, its settings, and its activation.
    pub depthwise: (&'a FrozenConv2d, Conv2dConfig, Activation),
    /// Factors of the channels.
    pub gate: Option<Gate<'a>>,
    /// A 1×1 convolution to fewer channels.
    pub project: &'a FrozenConv2d,
    /// Whether `x` is added to the result.
    pub skip: bool,
}

impl InvertedResidual<'_> {
    /// Computes the block.
    ///
    /// # Shapes
    /// - `x`: `[batch, channels / 8, height, width, 8]`
    /// - result: `[batch, out / 8, oh, ow, 8]`
    ///
    /// # Errors
    /// [`Error::Shape`] if the layers do not fit each other or `x`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let [n, blocks, h, w] = dims("inverted residual", x)?;
        // With fewer images than threads a layer is divided better than an image.
        let whole = n >= rayon::current_num_threads() && n * h * w > 0;
        match self.fused(n, [blocks * BLOCK, h, w]).filter(|_| whole) {
            Some(fused) => fused.forward(x),
            None => self.by_layers(x),
        }
    }

    fn by_layers(&self, x: &Tensor) -> Result<Tensor> {
        let plain = Conv2dConfig::new(1, 0);
        let mut y = match self.expand {
            Some((expand, activation)) => expand.forward(x, &plain, None, activation)?,
            None => x.clone(),
        };
        let (depthwise, config, activation) = &self.depthwise;
        y = depthwise.forward(&y, config, None, *activation)?;
        if let Some(gate) = self.gate {
            let gates = gate(&crate::global_avg_pool(&y)?)?;
            y = crate::scale_channels_inplace(y, &gates)?;
        }
        self.project.forward(&y, &plain, self.skip.then_some(x), Activation::None)
    }

    /// The block for images of this size, if its layers are of the kinds that the strips are made for.
    fn fused(&self, n: usize, [channels, h, w]: [usize; 3]) -> Option<Fused<'_>> {
        let plain = Conv2dConfig::new(1, 0);
        let one_tap = |(g, _): &(Geometry, &Filters)| g.taps() == 1;
        let expand = match self.expand {
            Some((expand, activation)) => {
                let (g, filters) = expand.in_blocks(&[n, channels, h, w], &plain).filter(one_tap)?;
                Some((g, filters.pointwise()?, expand.bias(), activation))
            }
            None => None,
        };
        let expanded = expand.as_ref().map_or(channels, |(g, ..)| g.co);
        let (depthwise, config, activation) = &self.depthwise;
        let (g, filters) = depthwise.in_blocks(&[n, expanded, h, w], config)?;
        let depthwise = (g, filters.depthwise()?, depthwise.bias(), *activation);
        let project = self.project.in_blocks(&[n, expanded, g.oh, g.ow], &plain);
        let (project, filters) = project.filter(one_tap)?;
        if self.skip && (project.co, g.oh, g.ow) != (channels, h, w) {
            return None;
        }
        let project = (project, filters.pointwise()?, self.project.bias());
        Some(Fused { level: Level::current(), expand, depthwise, gate: self.gate, project, skip: self.skip })
    }
}

/// The block with packed filters and known sizes.
struct Fused<'a> {
    level: Level,
    expand: Option<(Geometry, &'a [f32], Option<&'a Tensor>, Activation)>,
    depthwise: (Geometry, &'a [f32], Option<&'a Tensor>, Activation),
    gate: Option<Gate<'a>>,
    project: (Geometry, &'a [f32], Option<&'a Tensor>),
    skip: bool,
}

/// The elements of the layers' biases.
type Biases<'a> = [Option<&'a [f32]>; 3];

impl Fused<'_> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let g = &self.project.0;
        let len = g.n * g.co * g.plane_out();
        let mut y = Vec::with_capacity(len);
        let out = Output::new(&mut y.spare_capacity_mut()[..len]);
        let expand_bias = self.expand.as_ref().and_then(|(_, _, bias, _)| *bias);
        // What goes wrong in a gate is Candle's to say; the first such error is returned.
        let fault: Mutex<Option<Error>> = Mutex::new(None);
        cpu::with_slices([Some(x), expand_bias, self.depthwise.2, self.project.2], |[x, a, b, c]| {
            let x = x.unwrap_or_default();
            let image = x.len() / g.n;
            (0..g.n).into_par_iter().for_each(|i| {
                let image = Image { block: self, biases: [a, b, c], x: &x[i * image..][..image], i, out };
                if let Err(error) = image.run()
                    && let Ok(mut fault) = fault.lock()
                {
                    fault.get_or_insert(error);
                }
            });
        })?;
        if let Some(error) = fault.into_inner().unwrap_or_default() {
            return Err(error);
        }
        // SAFETY: the capacity is at least `len`, and every image wrote all of its outputs, or there was an error.
        unsafe { y.set_len(len) };
        Ok(cpu::tensor(y, (g.n, g.co / BLOCK, g.oh, g.ow, BLOCK))?)
    }

    /// Most output rows of a strip, and the rows of the image that they need.
    fn strip(&self) -> [usize; 2] {
        let g = &self.depthwise.0;
        let need = |rows: usize| ((rows - 1) * g.sy + (g.kh - 1) * g.dy + 1).min(g.h);
        let elements = |rows: usize| g.ci * (need(rows) * g.w + rows * g.ow);
        let rows = (1..=g.oh).rev().find(|&rows| elements(rows) <= STRIP_ELEMENTS).unwrap_or(1);
        // Strips of nearly equal size.
        let rows = g.oh.div_ceil(g.oh.div_ceil(rows));
        [rows, need(rows)]
    }
}

/// One image of the batch.
struct Image<'a> {
    block: &'a Fused<'a>,
    biases: Biases<'a>,
    /// `[channels / 8, h, w, 8]`
    x: &'a [f32],
    /// Which image it is.
    i: usize,
    out: Output,
}

impl Image<'_> {
    fn run(&self) -> Result<()> {
        let g = &self.block.depthwise.0;
        let [rows, input_rows] = self.block.strip();
        let expanded = if self.block.expand.is_some() { g.ci * input_rows * g.w } else { 0 };
        // A gate depends on all rows, so that the filtered ones are kept until it is known.
        let kept = if self.block.gate.is_some() { g.oh } else { rows };
        scratch::with(expanded, |expanded| {
            scratch::with(g.ci * kept * g.ow, |filtered| {
                let mut held = 0..0;
                for first in (0..g.oh).step_by(rows) {
                    let own = first..(first + rows).min(g.oh);
                    self.expand(&own, &mut held, expanded, input_rows);
                    let at = if self.block.gate.is_some() { own.start } else { 0 };
                    let stride = if self.block.gate.is_some() { g.oh } else { own.len() };
                    self.filter(&own, &held, expanded, input_rows, filtered, [at, stride]);
                    if self.block.gate.is_none() {
                        self.project(&own, &filtered[..g.ci * own.len() * g.ow]);
                    }
                }
                if let Some(gate) = self.block.gate {
                    self.scale(gate, filtered)?;
                    self.project(&(0..g.oh), filtered);
                }
                Ok(())
            })
        })
    }

    /// Makes `held`, the rows of the image whose expanded channels are in `to` (`[channels / 8, capacity, w, 8]`),
    /// those that the outputs `own` need.
    fn expand(
        &self,
        own: &std::ops::Range<usize>,
        held: &mut std::ops::Range<usize>,
        to: &mut [f32],
        capacity: usize,
    ) {
        let g = &self.block.depthwise.0;
        let start = (own.start * g.sy).saturating_sub(g.top).min(g.h);
        let end = ((own.end - 1) * g.sy + (g.kh - 1) * g.dy + 1).saturating_sub(g.top).clamp(start, g.h);
        let Some((layer, packed, _, activation)) = &self.block.expand else {
            *held = start..end;
            return;
        };
        let (row, plane) = (g.w * BLOCK, capacity * g.w * BLOCK);
        let keep = held.end.saturating_sub(start).min(held.len());
        if keep > 0 && start > held.start {
            let from = (start - held.start) * row;
            for plane in to.chunks_exact_mut(plane) {
                plane.copy_within(from..from + keep * row, 0);
            }
        }
        *held = start..end;
        let new = start + keep..end;
        if new.is_empty() {
            return;
        }
        let groups: Vec<usize> =
            (0..layer.ci / BLOCK).map(|block| block * layer.plane_in() * BLOCK).collect();
        let inputs = Inputs { groups: &groups, depth: BLOCK, pixel: BLOCK };
        let run = [Run { x: new.start * row, y: keep * row, pixels: new.len() * g.w }];
        let target = Target::dense(Output::over(to), plane);
        let finish = Finish { bias: self.biases[0], residual: None, activation: *activation };
        // SAFETY: `to` is borrowed here alone.
        unsafe { multiply(self.block.level, self.x, inputs, packed, 0..layer.co, &run, target, finish) };
    }

    /// Filters the rows that are held to the outputs `own`, `[channels / 8, stride, ow, 8]` from row `at` on.
    fn filter(
        &self,
        own: &std::ops::Range<usize>,
        held: &std::ops::Range<usize>,
        expanded: &[f32],
        capacity: usize,
        to: &mut [f32],
        [at, stride]: [usize; 2],
    ) {
        let (g, packed, _, activation) = &self.block.depthwise;
        // The strip as an image of its own.
        let strip =
            Geometry { h: held.len(), top: g.top.saturating_sub(own.start * g.sy), oh: own.len(), ..*g };
        let (from, from_plane, from_row) = match self.block.expand {
            Some(_) => (expanded, capacity, 0),
            None => (self.x, g.h, held.start),
        };
        let finish = Finish { bias: self.biases[1], residual: None, activation: *activation };
        for block in 0..g.ci / BLOCK {
            let x = &from[(block * from_plane + from_row) * g.w * BLOCK..][..held.len() * g.w * BLOCK];
            let y = &mut to[(block * stride + at) * g.ow * BLOCK..][..own.len() * g.ow * BLOCK];
            depthwise::filter_block(self.block.level, x, packed, &strip, block, finish, y);
        }
    }

    /// Multiplies the channels of `[channels / 8, oh, ow, 8]` by their gates.
    fn scale(&self, gate: Gate<'_>, filtered: &mut [f32]) -> Result<()> {
        let (g, level) = (&self.block.depthwise.0, self.block.level);
        let plane = g.plane_out() * BLOCK;
        let mut means = vec![0f32; g.ci];
        for (x, mean) in filtered.chunks_exact(plane).zip(means.chunks_exact_mut(BLOCK)) {
            pool::mean_of(level, x, mean);
        }
        let gates = gate(&cpu::tensor(means, (1, g.ci))?)?;
        if gates.dims() != [1, g.ci] {
            return Err(Error::shape("inverted residual", "gates", format!("[1, {}]", g.ci), gates.dims()));
        }
        cpu::with_slice(&gates, |gates| {
            for (x, gates) in filtered.chunks_exact_mut(plane).zip(gates.chunks_exact(BLOCK)) {
                scale::scale(level, x, gates);
            }
        })?;
        Ok(())
    }

    /// Projects filtered channels, `[channels / 8, rows, ow, 8]`, to the rows `own` of the result.
    fn project(&self, own: &std::ops::Range<usize>, filtered: &[f32]) {
        let (g, packed, _) = &self.block.project;
        let (row, plane) = (g.ow * BLOCK, own.len() * g.ow * BLOCK);
        let groups: Vec<usize> = (0..g.ci / BLOCK).map(|block| block * plane).collect();
        let inputs = Inputs { groups: &groups, depth: BLOCK, pixel: BLOCK };
        let image = g.co * g.plane_out();
        let run = [Run { x: 0, y: own.start * row, pixels: own.len() * g.ow }];
        let target = Target::dense(self.out.part(self.i * image, image), g.plane_out() * BLOCK);
        let residual = self.block.skip.then_some(self.x);
        let finish = Finish { bias: self.biases[2], residual, activation: Activation::None };
        // SAFETY: nobody else writes these rows of this image.
        unsafe { multiply(self.block.level, filtered, inputs, packed, 0..g.co, &run, target, finish) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocked::{
        test_values::{tensor, values},
        to_blocks,
    };

    fn layer(shape: [usize; 4], seed: usize) -> FrozenConv2d {
        FrozenConv2d::new(tensor(&shape, seed), Some(tensor(&shape[..1], seed + 1)))
    }

    /// Strips, which need as many images as threads, beside layer by layer, to the bit: with and without expansion and gate,
    /// one-sided padding, strides, and planes of one and of several strips.
    #[test]
    fn strips_have_the_bits_of_layers() {
        for (from, expanded, to, kernel, stride, padding, side, gated) in [
            (8, 48, 8, 3, 1, [1; 4], 11, false),
            (16, 96, 16, 3, 1, [1; 4], 60, true),
            (16, 96, 24, 3, 2, [0, 1, 0, 1], 50, false),
            (24, 72, 40, 5, 2, [2; 4], 13, true),
            (16, 16, 8, 3, 1, [1; 4], 9, false),
            (8, 8, 8, 5, 1, [2; 4], 2, true),
        ] {
            let label = format!("{from} {expanded} {to} {kernel} {stride} {padding:?} {side} {gated}");
            let expand = layer([expanded, from, 1, 1], 1);
            let depthwise = layer([expanded, 1, kernel, kernel], 3);
            let project = layer([to, expanded, 1, 1], 5);
            let config = Conv2dConfig { stride: [stride; 2], padding, ..Conv2dConfig::new(1, 0) };
            let gate = |means: &Tensor| Activation::Sigmoid.apply(means);
            let block = InvertedResidual {
                expand: (expanded != from).then_some((&expand, Activation::Silu)),
                depthwise: (&depthwise, config.with_groups(expanded), Activation::HardSwish),
                gate: gated.then_some(&gate),
                project: &project,
                skip: from == to && stride == 1,
            };
            let x = to_blocks(&tensor(&[3, from, side, side], 7)).unwrap();
            assert!(block.fused(3, [from, side, side]).is_some(), "{label}");
            let run = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let y = pool.install(|| block.forward(&x)).unwrap();
                values(&y)
            };
            // Three images are fewer than four threads.
            assert_eq!(run(2), run(4), "{label}");
        }
    }

    #[test]
    fn only_what_strips_are_made_for_goes_through_them() {
        let (expand, depthwise) = (layer([16, 8, 3, 3], 1), layer([16, 1, 3, 3], 3));
        let project = layer([8, 16, 1, 1], 5);
        let block = InvertedResidual {
            expand: Some((&expand, Activation::Relu)),
            depthwise: (&depthwise, Conv2dConfig::new(1, 1).with_groups(16), Activation::Relu),
            gate: None,
            project: &project,
            skip: false,
        };
        assert!(block.fused(4, [8, 9, 9]).is_none());
        let x = to_blocks(&tensor(&[4, 8, 9, 9], 7)).unwrap();
        assert_eq!(block.forward(&x).unwrap().dims(), [4, 1, 7, 7, 8]);
    }
}
