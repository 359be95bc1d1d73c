//! The matrix product at the heart of every convolution in blocks: tiles of some pixels by some channels.
//!
//! A tile's sums stay in registers. For every input of a pixel, the weights of the tile's output channels are
//! loaded as vectors, and the pixels' inputs, one element each, are read from where they lie and broadcast. So the
//! image need not be rearranged, whatever its kernel and stride, and what is written are whole vectors of channels.

use super::lanes::{BLOCK, Isa, Lanes, for_each_isa};
use crate::{Activation, activation::specialise};
use std::ops::Range;

/// Output channels at whose multiples the work may be divided: whole panels on every instruction set.
pub(crate) const PANEL: usize = 4 * BLOCK;

/// Most pixels of a tile with one register a pixel.
const NARROW: usize = 12;

/// Where the inputs of a pixel lie.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// The first element of each group of inputs, counted from the pixel's position.
    pub(crate) groups: &'a [usize],
    /// Elements of a group, which lie together.
    pub(crate) depth: usize,
    /// Elements from one pixel of a run to the next.
    pub(crate) pixel: usize,
}

impl Inputs<'_> {
    /// Inputs of a pixel.
    pub(super) fn count(&self) -> usize {
        self.groups.len() * self.depth
    }

    /// One more than the last element that a run from position 0 reads.
    fn end(&self, pixels: usize) -> usize {
        let last = self.groups.iter().max().copied().unwrap_or(0);
        last + self.depth + pixels.saturating_sub(1) * self.pixel
    }
}

/// Output pixels that lie together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Position of the first pixel's inputs.
    pub(crate) x: usize,
    /// Position of the first pixel's outputs of channel 0.
    pub(crate) y: usize,
    pub(crate) pixels: usize,
}

/// What becomes of a sum: `activation(sum + bias + residual)`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Finish<'a> {
    /// `[outputs]`
    pub(crate) bias: Option<&'a [f32]>,
    /// Laid out as the output.
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) activation: Activation,
}

/// Memory for outputs that several tasks write, each its own elements.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    start: *mut f32,
    len: usize,
}

// SAFETY: `Output` gives no access to its memory by itself; who writes through it has to promise that nobody else
// does so at the same elements (see `multiply`).
unsafe impl Send for Output {}
// SAFETY: as above.
unsafe impl Sync for Output {}

impl Output {
    /// The memory of `buffer`, which nobody may use otherwise while it is written.
    pub(crate) fn new(buffer: &mut [std::mem::MaybeUninit<f32>]) -> Self {
        Self { start: buffer.as_mut_ptr().cast(), len: buffer.len() }
    }

    /// The same of memory that holds something already.
    pub(crate) fn over(buffer: &mut [f32]) -> Self {
        Self { start: buffer.as_mut_ptr(), len: buffer.len() }
    }

    /// The `len` elements from `at` on.
    pub(super) fn part(self, at: usize, len: usize) -> Self {
        Self { start: self.at(at, len), len }
    }

    /// The first of `len` elements from `at` on.
    pub(crate) fn at(self, at: usize, len: usize) -> *mut f32 {
        assert!(at <= self.len && len <= self.len - at, "outputs beyond their memory");
        self.start.wrapping_add(at)
    }
}

/// Where outputs go.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) y: Output,
    /// Elements from one block of channels to the next.
    pub(crate) block: usize,
    /// Elements from one pixel of a run to the next.
    pub(crate) pixel: usize,
}

impl Target {
    /// Pixels that lie together.
    pub(super) fn dense(y: Output, block: usize) -> Self {
        Self { y, block, pixel: BLOCK }
    }
}

/// Widths of the panels of `outputs` channels, in order, on an instruction set.
#[inline(always)]
pub(crate) fn panels<I: Isa>(outputs: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut start = outputs.start;
    std::iter::from_fn(move || {
        let left = outputs.end - start;
        let width = [2 * I::Wide::COUNT, I::Wide::COUNT, BLOCK].into_iter().find(|&width| width <= left)?;
        start += width;
        Some(start - width..start)
    })
}

for_each_isa! {
    /// Packs weights for [`multiply`]: for every panel, `[inputs][channels of the panel]`.
    ///
    /// `weight(output, input)` is the position of a weight in `from`, or none for one that is zero; `packed` has
    /// `outputs * inputs` elements.
    ///
    /// # Safety
    /// None is needed beyond the bounds of the slices, which are checked.
    pub(super) unsafe fn pack<I>(
        from: &[f32],
        outputs: usize,
        inputs: usize,
        weight: &(dyn Fn(usize, usize) -> Option<usize> + Sync),
        packed: &mut [f32],
    ) {
        for panel in panels::<I>(0..outputs) {
            let packed = &mut packed[panel.start * inputs..panel.end * inputs];
            for (input, packed) in packed.chunks_exact_mut(panel.len()).enumerate() {
                for (output, packed) in panel.clone().zip(packed) {
                    *packed = weight(output, input).map_or(0.0, |at| from[at]);
                }
            }
        }
    }
}

for_each_isa! {
    /// Computes these output channels of all runs.
    ///
    /// `outputs` begins at a multiple of [`PANEL`] and ends at one or at the last channel, a multiple of eight.
    /// Every output is one sum over the inputs in their order.
    ///
    /// # Safety
    /// Nobody else may use the outputs of these channels and runs in `to.y` meanwhile.
    pub(crate) unsafe fn multiply<I>(
        x: &[f32],
        inputs: Inputs<'_>,
        packed: &[f32],
        outputs: Range<usize>,
        runs: &[Run],
        to: Target,
        finish: Finish<'_>,
    ) {
        for run in runs {
            assert!(run.pixels == 0 || run.x + inputs.end(run.pixels) <= x.len(), "inputs beyond the image");
        }
        for panel in panels::<I>(outputs) {
            let packed = &packed[panel.start * inputs.count()..panel.end * inputs.count()];
            let call = Panel { x, inputs, packed, first: panel.start, runs, to, finish };
            // SAFETY: the runs' inputs are inside `x` by the assertion above, and the panel has as many weights as
            // the slice; the caller promises that nobody else uses its outputs.
            unsafe {
                if panel.len() == 2 * I::Wide::COUNT {
                    call.run::<I, I::Wide, 2>(I::PIXELS);
                } else if panel.len() == I::Wide::COUNT {
                    call.run::<I, I::Wide, 1>(NARROW);
                } else {
                    call.run::<I, I::Eight, 1>(NARROW);
                }
            }
        }
    }
}

/// The output channels of a panel.
struct Panel<'a> {
    x: &'a [f32],
    inputs: Inputs<'a>,
    /// The panel's weights.
    packed: &'a [f32],
    /// The first output channel.
    first: usize,
    runs: &'a [Run],
    to: Target,
    finish: Finish<'a>,
}

impl Panel<'_> {
    /// Computes all runs, in tiles of nearly equal size of `most` pixels at most.
    ///
    /// # Safety
    /// Runs of all inputs lie in `x`, `packed` has the weights of `V` registers for every input, and nobody else
    /// uses the outputs.
    #[inline(always)]
    unsafe fn run<I: Isa, L: Lanes, const V: usize>(&self, most: usize) {
        for run in self.runs {
            let tiles = run.pixels.div_ceil(most);
            for tile in 0..tiles {
                let (start, end) = (run.pixels * tile / tiles, run.pixels * (tile + 1) / tiles);
                let at = Run {
                    x: run.x + start * self.inputs.pixel,
                    y: run.y + start * self.to.pixel,
                    pixels: end - start,
                };
                macro_rules! sizes {
                    ($($size:literal)*) => {
                        match at.pixels {
                            // SAFETY: the tile is a part of the run; the rest is the caller's promise.
                            $($size if $size <= most => unsafe { self.tile::<L, V, $size>(at) },)*
                            _ => unreachable!("tiles of a run are neither empty nor larger than the largest"),
                        }
                    };
                }
                sizes!(1 2 3 4 5 6 7 8 9 10 11 12);
            }
            if !is_quick(self.finish.activation) {
                assert!(self.to.pixel == BLOCK, "only pixels that lie together are activated afterwards");
                for block in 0..V * L::COUNT / BLOCK {
                    let at = run.y + (self.first / BLOCK + block) * self.to.block;
                    let len = run.pixels * BLOCK;
                    // SAFETY: the tiles above wrote these elements, and nobody else uses them.
                    let y = unsafe { std::slice::from_raw_parts_mut(self.to.y.at(at, len), len) };
                    activate::<I>(y, self.finish.activation);
                }
            }
        }
    }

    /// One tile of `P` pixels by `V` registers.
    ///
    /// # Safety
    /// As for [`Self::run`], of a run of `P` pixels.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const V: usize, const P: usize>(&self, at: Run) {
        let Inputs { groups, depth, pixel } = self.inputs;
        let x = self.x.as_ptr().wrapping_add(at.x);
        // SAFETY: the caller promises that the inputs of the run are inside `x`, and that there are weights for
        // all of them. The two forms differ in what the compiler knows.
        let sums = unsafe {
            if depth == BLOCK && pixel == BLOCK {
                sums::<L, V, P>(x, groups, BLOCK, BLOCK, self.packed.as_ptr())
            } else {
                sums::<L, V, P>(x, groups, depth, pixel, self.packed.as_ptr())
            }
        };
        let (registers, stride, step) = (L::COUNT / BLOCK, self.to.block, self.to.pixel);
        for v in 0..V {
            let block = self.first / BLOCK + v * registers;
            let bias = match self.finish.bias {
                // SAFETY: the slice has as many elements as are read.
                Some(bias) => unsafe { L::load(bias[block * BLOCK..][..L::COUNT].as_ptr()) },
                None => L::splat(NO_BIAS),
            };
            let start = at.y + block * stride;
            let len = (registers - 1) * stride + (P - 1) * step + BLOCK;
            let to = self.to.y.at(start, len);
            let residual = self.finish.residual.map(|residual| residual[start..][..len].as_ptr());
            for (p, sums) in sums.iter().enumerate() {
                let mut sum = sums[v].add(bias);
                // SAFETY: pixel p of every block of the register is inside the `len` elements; nobody else uses
                // those of the output by the caller's promise.
                unsafe {
                    if let Some(residual) = residual {
                        sum = sum.add(L::load_blocks(residual.add(p * step), stride));
                    }
                    quick(sum, self.finish.activation).store_blocks(to.add(p * step), stride);
                }
            }
        }
    }
}

/// The neutral element of addition: `-0.0 + x` is `x` for every `x`, while `0.0 + -0.0` is `0.0`.
const NO_BIAS: f32 = -0.0;

/// The sums of `P` pixels, `pixel` elements apart.
///
/// # Safety
/// Every group of every pixel must be valid for reads of `depth` elements, `w` for reads of `V` registers for each
/// of all inputs.
#[inline(always)]
unsafe fn sums<L: Lanes, const V: usize, const P: usize>(
    x: *const f32,
    groups: &[usize],
    depth: usize,
    pixel: usize,
    w: *const f32,
) -> [[L; V]; P] {
    let mut sums = [[L::splat(0.0); V]; P];
    let mut w = w;
    for &group in groups {
        let x = x.wrapping_add(group);
        for i in 0..depth {
            // SAFETY: input i of a group of pixel p and the next `V` registers of weights, by the caller's promise.
            unsafe {
                let mut weights = [L::splat(0.0); V];
                for (v, weights) in weights.iter_mut().enumerate() {
                    *weights = L::load(w.add(v * L::COUNT));
                }
                for (p, sums) in sums.iter_mut().enumerate() {
                    let input = L::broadcast(x.add(p * pixel + i));
                    for (sum, weights) in sums.iter_mut().zip(weights) {
                        *sum = input.mul_add(weights, *sum);
                    }
                }
                w = w.add(V * L::COUNT);
            }
        }
    }
    sums
}

/// Whether [`quick`] applies this activation.
pub(super) fn is_quick(activation: Activation) -> bool {
    matches!(activation, Activation::None | Activation::Relu | Activation::Relu6 | Activation::HardSwish)
}

/// The activations that take no more than a few operations; others are left for [`activate`].
#[inline(always)]
pub(super) fn quick<L: Lanes>(x: L, activation: Activation) -> L {
    let zero = L::splat(0.0);
    match activation {
        // In each the operand that may be NaN comes last, and so stays NaN.
        Activation::Relu => zero.max(x),
        Activation::Relu6 => L::splat(6.0).min(zero.max(x)),
        Activation::HardSwish => {
            let gate = L::splat(6.0).min(zero.max(x.add(L::splat(3.0))));
            x.mul(gate).mul(L::splat(1.0 / 6.0))
        }
        _ => x,
    }
}

/// `y = f(y)`.
#[inline(always)]
pub(super) fn activate<I: Isa>(y: &mut [f32], activation: Activation) {
    if I::FMA {
        specialise!(activation, F => for y in y { *y = F.value_with::<true>(*y) })
    } else {
        specialise!(activation, F => for y in y { *y = F.value_with::<false>(*y) })
    }
}
