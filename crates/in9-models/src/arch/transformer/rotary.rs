//! Rotary position embedding on a grid of patches (Su et al. 2021, arXiv 2104.09864), as DINOv3 has it (Siméoni et al. 2025,
//! arXiv 2508.10104).

use std::f64::consts::TAU;

use candle_core::{D, Tensor};

use crate::error::Result;

/// The angles by which the channels of a head are turned, for each patch; tokens in front of the patches stay as they are.
///
/// A patch's place is its centre, from −1 to 1 along each side of the picture. The first half of the angles are of its row,
/// the second of its column, each with periods from 1 to nearly [`LONGEST`]; channel `c` of the first half of a head's
/// channels is turned together with channel `c` of the second.
pub(crate) struct Rotary {
    /// `[patches, channels]`
    cos: Tensor,
    /// `[patches, channels]`
    sin: Tensor,
}

/// The period that the longest one comes near to, in halves of a picture's side.
const LONGEST: f64 = 100.0;

impl Rotary {
    /// For heads of so many channels, a multiple of four, on `rows` by `columns` patches; on the device and in the type of
    /// `like`.
    pub(crate) fn new(channels: usize, rows: usize, columns: usize, like: &Tensor) -> Result<Self> {
        let quarter = channels / 4;
        let place = |i: usize, of: usize| 2.0 * (i as f64 + 0.5) / of as f64 - 1.0;
        let mut angles = Vec::with_capacity(rows * columns * channels);
        for row in 0..rows {
            for column in 0..columns {
                let of = |place: f64| {
                    (0..quarter).map(move |i| TAU * place / LONGEST.powf(i as f64 / quarter as f64))
                };
                let half: Vec<f64> = of(place(row, rows)).chain(of(place(column, columns))).collect();
                angles.extend(half.iter().chain(&half));
            }
        }
        let tensor = |f: fn(f64) -> f64| -> Result<Tensor> {
            let values: Vec<f64> = angles.iter().map(|angle| f(*angle)).collect();
            let shape = (rows * columns, 4 * quarter);
            Ok(Tensor::from_vec(values, shape, like.device())?.to_dtype(like.dtype())?)
        };
        Ok(Self { cos: tensor(f64::cos)?, sin: tensor(f64::sin)? })
    }

    /// The cosines and sines, `[patches, channels]`.
    pub(crate) fn angles(&self) -> (&Tensor, &Tensor) {
        (&self.cos, &self.sin)
    }

    /// # Shapes
    /// - `x`, output: `[n, heads, tokens, channels]`, the patches last among the tokens
    pub(crate) fn turn(&self, x: &Tensor) -> Result<Tensor> {
        let (tokens, patches) = (x.dim(2)?, self.cos.dim(0)?);
        let front = x.narrow(2, 0, tokens - patches)?;
        let x = x.narrow(2, tokens - patches, patches)?.contiguous()?;
        let half = x.dim(D::Minus1)? / 2;
        let (first, second) = (x.narrow(D::Minus1, 0, half)?, x.narrow(D::Minus1, half, half)?);
        let across = Tensor::cat(&[&second.neg()?, &first], D::Minus1)?;
        let turned = (x.broadcast_mul(&self.cos)? + across.broadcast_mul(&self.sin)?)?;
        Ok(Tensor::cat(&[&front, &turned], 2)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    /// Products of a turned query and a turned key depend on how far apart they are, and lengths stay.
    #[test]
    fn what_is_as_far_apart_has_the_same_product() {
        let like = Tensor::zeros(1, DType::F64, &Device::Cpu).unwrap();
        let rotary = Rotary::new(8, 3, 4, &like).unwrap();
        let same = |values: &[f64]| {
            let one = Tensor::new(values, &Device::Cpu).unwrap().reshape((1, 1, 1, 8)).unwrap();
            rotary
                .turn(&one.repeat((1, 1, 12 + 2, 1)).unwrap())
                .unwrap()
                .squeeze(0)
                .unwrap()
                .squeeze(0)
                .unwrap()
        };
        let q = same(&[0.3, -1.0, 0.5, 2.0, 1.0, 0.1, -0.7, 0.4]);
        let k = same(&[1.0, 0.2, -0.4, 0.9, -1.3, 0.6, 0.8, -0.1]);
        let products = q.matmul(&k.t().unwrap()).unwrap().to_vec2::<f64>().unwrap();
        // Two tokens stand in front of three rows of four patches.
        let at = |row: usize, column: usize| 2 + 4 * row + column;
        let (a, b) = (products[at(0, 0)][at(1, 2)], products[at(1, 1)][at(2, 3)]);
        assert!((a - b).abs() < 1e-12, "{a} {b}");
        assert!((a - products[at(0, 0)][at(2, 1)]).abs() > 1e-3);
        assert_eq!(products[0][0], products[1][1]);
        let lengths = q.sqr().unwrap().sum(1).unwrap().to_vec1::<f64>().unwrap();
        assert!(lengths.iter().all(|length| (length - lengths[0]).abs() < 1e-12), "{lengths:?}");
    }
}
