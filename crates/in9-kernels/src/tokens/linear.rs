//! The fully connected layer on tokens.

use candle_core::Tensor;
use rayon::prelude::*;

use super::Nonlinearity;
use super::pack::{Matrix, pack_rows_as_outputs};
use crate::blocked::lanes::BLOCK;
use crate::blocked::product::{Finish, Inputs, Output, Run, Target, multiply};
use crate::simd::Level;
use crate::{Activation, Error, Result, cpu};

/// Most rows of a task: their inputs stay in the second level of the cache while the weights of its outputs pass.
const ROWS: usize = 72;
/// Most outputs of a task, a multiple of the widest panel.
const OUTPUTS: usize = 192;

/// A fully connected layer whose weights are packed once, for evaluation on the CPU.
///
/// A row's results depend neither on the other rows nor on the number of threads.
pub struct FrozenLinear {
    level: Level,
    /// Panels of outputs, one after the other.
    packed: Vec<f32>,
    /// `[outputs]`
    bias: Option<Vec<f32>>,
    inputs: usize,
    outputs: usize,
}

impl FrozenLinear {
    /// Whether so many outputs fill vectors.
    pub fn suits(outputs: usize) -> bool {
        outputs > 0 && outputs.is_multiple_of(BLOCK)
    }

    /// Packs the weights.
    ///
    /// # Shapes
    /// - `weight`: `[outputs, inputs]`, with outputs that are a multiple of eight
    /// - `bias`: `[outputs]`
    ///
    /// # Errors
    /// [`Error::Shape`] if the shapes do not fit; [`Error::Candle`] for tensors that are not f32 on the CPU.
    pub fn new(weight: &Tensor, bias: Option<&Tensor>) -> Result<Self> {
        const OP: &str = "frozen linear layer";
        let &[outputs, inputs] = weight.dims() else {
            return Err(Error::shape(OP, "weight", "[outputs, inputs]", weight.dims()));
        };
        if !Self::suits(outputs) {
            return Err(Error::shape(OP, "weight", "[a multiple of 8, inputs]", weight.dims()));
        }
        if let Some(bias) = bias
            && bias.dims() != [outputs]
        {
            return Err(Error::shape(OP, "bias", format!("[{outputs}]"), bias.dims()));
        }
        let level = Level::current();
        let (packed, bias) = cpu::with_slices([Some(weight), bias], |[weight, bias]| {
            (packed(level, weight.unwrap_or_default(), inputs, outputs), bias.map(<[f32]>::to_vec))
        })?;
        Ok(Self { level, packed, bias, inputs, outputs })
    }

    /// `nonlinearity(x · weightᵀ + bias) + residual`.
    ///
    /// # Shapes
    /// - `x`: `[…, inputs]`
    /// - `residual`, result: `[…, outputs]`
    ///
    /// # Errors
    /// As [`FrozenLinear::new`].
    pub fn forward(
        &self,
        x: &Tensor,
        nonlinearity: Nonlinearity,
        residual: Option<&Tensor>,
    ) -> Result<Tensor> {
        const OP: &str = "frozen linear layer";
        let mut shape = x.dims().to_vec();
        match shape.last_mut() {
            Some(last) if *last == self.inputs => *last = self.outputs,
            _ => return Err(Error::shape(OP, "x", format!("[…, {}]", self.inputs), x.dims())),
        }
        if let Some(residual) = residual
            && residual.dims() != shape
        {
            return Err(Error::shape(OP, "residual", format!("{shape:?}"), residual.dims()));
        }
        let rows = shape[..shape.len() - 1].iter().product();
        let y = cpu::with_slices([Some(x), residual], |[x, residual]| {
            self.rows(x.unwrap_or_default(), rows, nonlinearity, residual)
        })?;
        Ok(cpu::tensor(y, shape)?)
    }

    fn rows(&self, x: &[f32], rows: usize, nonlinearity: Nonlinearity, residual: Option<&[f32]>) -> Vec<f32> {
        let len = rows * self.outputs;
        let mut y = Vec::with_capacity(len);
        if len == 0 {
            return y;
        }
        let task = Layer {
            layer: self,
            x,
            nonlinearity,
            residual,
            y: Output::new(&mut y.spare_capacity_mut()[..len]),
        };
        let (down, across) = (rows.div_ceil(ROWS), self.outputs.div_ceil(OUTPUTS));
        (0..down * across).into_par_iter().for_each(|i| {
            let (block, first) = (i / across, i % across * OUTPUTS);
            let (start, end) = (rows * block / down, rows * (block + 1) / down);
            task.run(start..end, first..(first + OUTPUTS).min(self.outputs));
        });
        // SAFETY: the capacity is at least `len`, and the tasks wrote all rows of all outputs; a panic in one would have left
        // this function.
        unsafe { y.set_len(len) };
        y
    }
}

impl std::fmt::Debug for FrozenLinear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { inputs, outputs, .. } = self;
        f.debug_struct("FrozenLinear")
            .field("inputs", inputs)
            .field("outputs", outputs)
            .finish_non_exhaustive()
    }
}

fn packed(level: Level, weight: &[f32], inputs: usize, outputs: usize) -> Vec<f32> {
    let mut packed = vec![0f32; inputs * outputs];
    let chunk = (OUTPUTS * inputs).max(1);
    // Panels do not straddle multiples of `OUTPUTS`.
    packed.par_chunks_mut(chunk).zip(weight.par_chunks(chunk)).for_each(|(to, data)| {
        let from = Matrix { data, stride: inputs, rows: data.len() / inputs, columns: inputs };
        // SAFETY: the function needs no promise.
        unsafe { pack_rows_as_outputs(level, from, from.rows, 1.0, to) };
    });
    packed
}

/// One call of a layer.
struct Layer<'a> {
    layer: &'a FrozenLinear,
    x: &'a [f32],
    nonlinearity: Nonlinearity,
    residual: Option<&'a [f32]>,
    y: Output,
}

impl Layer<'_> {
    /// Computes these outputs of these rows.
    fn run(&self, rows: std::ops::Range<usize>, outputs: std::ops::Range<usize>) {
        let FrozenLinear { level, packed, bias, inputs, outputs: width, .. } = self.layer;
        let run = Run { x: rows.start * inputs, y: rows.start * width, pixels: rows.len() };
        let to = Target { y: self.y, block: BLOCK, pixel: *width };
        let is_last_step = self.nonlinearity == Nonlinearity::None;
        let residual = self.residual.filter(|_| is_last_step);
        let finish = Finish { bias: bias.as_deref(), residual, activation: Activation::None };
        let from = Inputs { groups: &[0], depth: *inputs, pixel: *inputs };
        // SAFETY: each task has its own rows and outputs.
        unsafe { multiply(*level, self.x, from, packed, outputs.clone(), &[run], to, finish) };
        if is_last_step {
            return;
        }
        for row in rows {
            let at = row * width + outputs.start;
            // SAFETY: the products above wrote these elements, which are this task's alone.
            let y = unsafe { std::slice::from_raw_parts_mut(self.y.at(at, outputs.len()), outputs.len()) };
            self.nonlinearity.apply_to(*level, y);
            if let Some(residual) = self.residual {
                for (y, residual) in y.iter_mut().zip(&residual[at..]) {
                    *y += residual;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn values(len: usize, step: usize, of: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * step) % of) as f32 - (of / 2) as f32).collect()
    }

    /// Small integers: every sum is exact.
    #[test]
    fn equals_the_definition() {
        for (rows, inputs, outputs) in [(1, 1, 8), (5, 7, 16), (13, 40, 24), (150, 321, 200), (3, 700, 56)] {
            let (x, w) = (values(rows * inputs, 7, 11), values(outputs * inputs, 5, 7));
            let (bias, residual) = (values(outputs, 3, 5), values(rows * outputs, 11, 9));
            let device = Device::Cpu;
            let weight = Tensor::from_slice(&w, (outputs, inputs), &device).unwrap();
            let b = Tensor::from_slice(&bias, outputs, &device).unwrap();
            let layer = FrozenLinear::new(&weight, Some(&b)).unwrap();
            let tokens = Tensor::from_slice(&x, (1, rows, inputs), &device).unwrap();
            let around = Tensor::from_slice(&residual, (1, rows, outputs), &device).unwrap();
            for (nonlinearity, around) in [
                (Nonlinearity::None, None),
                (Nonlinearity::None, Some(&around)),
                (Nonlinearity::Gelu, Some(&around)),
            ] {
                let y = layer.forward(&tokens, nonlinearity, around).unwrap();
                assert_eq!(y.dims(), [1, rows, outputs]);
                let y = y.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                for (i, &y) in y.iter().enumerate() {
                    let (row, o) = (i / outputs, i % outputs);
                    let dot: f32 = (0..inputs).map(|k| x[row * inputs + k] * w[o * inputs + k]).sum();
                    let expected = nonlinearity.value(dot + bias[o]) + around.map_or(0.0, |_| residual[i]);
                    assert!(
                        (y - expected).abs() <= 1e-6 * expected.abs(),
                        "{rows} {inputs} {outputs}: {y} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_row_does_not_depend_on_the_others_or_on_threads() {
        let (rows, inputs, outputs) = (301, 450, 264);
        let x: Vec<f32> = values(rows * inputs, 7, 1001).iter().map(|v| v / 300.0).collect();
        let w: Vec<f32> = values(outputs * inputs, 5, 701).iter().map(|v| v / 200.0).collect();
        let weight = Tensor::from_vec(w, (outputs, inputs), &Device::Cpu).unwrap();
        let layer = FrozenLinear::new(&weight, None).unwrap();
        let run = |threads: usize, x: &[f32]| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| layer.rows(x, x.len() / inputs, Nonlinearity::GeluTanh, None))
        };
        let all = run(1, &x);
        assert_eq!(all, run(3, &x));
        assert_eq!(all[7 * outputs..8 * outputs], run(1, &x[7 * inputs..8 * inputs]));
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let tensor = |shape: &[usize]| Tensor::ones(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(FrozenLinear::new(&tensor(&[9, 4]), None).is_err());
        assert!(FrozenLinear::new(&tensor(&[8]), None).is_err());
        assert!(FrozenLinear::new(&tensor(&[8, 4]), Some(&tensor(&[4]))).is_err());
        let layer = FrozenLinear::new(&tensor(&[8, 4]), None).unwrap();
        let forward = |x: &[usize], residual: &[usize]| {
            layer.forward(&tensor(x), Nonlinearity::None, Some(&tensor(residual))).err()
        };
        assert!(matches!(forward(&[2, 5], &[2, 8]), Some(Error::Shape { argument: "x", .. })));
        assert!(matches!(forward(&[2, 4], &[2, 4]), Some(Error::Shape { argument: "residual", .. })));
        assert!(forward(&[2, 4], &[2, 8]).is_none());
    }
}
