//! Attention rollout: which patches of a picture the tokens of a network draw on, through all of its attentions.
//!
//! A token behind a block is half what it was (the way around the attention) and half what it attends to, the mean over the
//! heads. Multiplied from the first block to the last, these shares say how much of each token comes from each token of the
//! input. It asks about no class: it is about all that the network reads.
//!
//! Source: S. Abnar and W. Zuidema, "Quantifying attention flow in transformers", ACL 2020, section 3, with the shares of
//! attention and of the way around both a half, as there. For networks that the paper does not know: where tokens are merged
//! (Swin), the new one draws alike on those that it is made of; attention inside windows moves shares inside windows, and
//! what fills the last windows holds none; a network that reads the mean of its tokens reads them all alike; and a learnt
//! query (SigLIP) reads what it attends to.

use candle_core::{D, Tensor};

use crate::error::Result;
use crate::model::{Context, Model};

impl Model {
    /// Whether tokens attend to each other, so that [`Model::attention_rollout`] has an answer.
    pub fn attends(&self) -> bool {
        self.network.attends()
    }

    /// How much of a picture's features comes from each of its patches, by attention rollout (Abnar and Zuidema 2020): each
    /// picture's shares sum to at most one, what is left comes from tokens that are no patches. `None` for a network
    /// without attention.
    ///
    /// # Shapes
    /// - `x`: `[n, 3, h, w]`, normalised
    /// - output: `[n, rows, columns]` of patches
    ///
    /// # Errors
    /// Those of [`Model::forward`].
    pub fn attention_rollout(&self, x: &Tensor) -> Result<Option<Tensor>> {
        if !self.attends() {
            return Ok(None);
        }
        self.check_input(x)?;
        // One at a time: the shares of a picture are as many as the square of its tokens.
        let one = |i: usize| -> Result<Option<Tensor>> {
            let mut context = Context::rolling();
            self.network.forward(&x.narrow(0, i, 1)?, &mut context)?;
            Ok(context.rollout.and_then(Rollout::into_map))
        };
        let maps = rayon::scope(|_| (0..x.dim(0)?).map(one).collect::<Result<Option<Vec<Tensor>>>>())?;
        Ok(maps.map(|maps| Tensor::cat(&maps, 0)).transpose()?)
    }
}

/// Shares of the input's tokens, from one block to the next, in a pass that asks for them.
#[derive(Default)]
pub(crate) struct Rollout {
    /// Mean over the heads of the attention that was computed last, `[n, queries, keys]`.
    attention: Option<Tensor>,
    /// Of each token how much comes from each token of the input, `[n, tokens, inputs]`; each row sums to one.
    shares: Option<Tensor>,
    /// How much of the picture's features comes from each patch, `[n, rows, columns]`.
    map: Option<Tensor>,
}

impl Rollout {
    /// Keeps what an attention has computed.
    ///
    /// # Shapes
    /// - `attention`: `[n, heads, queries, keys]`, each row of which sums to one
    pub(crate) fn attend(&mut self, attention: &Tensor) -> Result<()> {
        self.attention = Some(attention.detach().mean(1)?);
        Ok(())
    }

    /// A block whose tokens all attend to each other.
    pub(crate) fn block(&mut self) -> Result<()> {
        let Some(attention) = self.attention.take() else { return Ok(()) };
        let (n, tokens, _) = attention.dims3()?;
        let shares = self.shares_of(n, tokens, &attention)?;
        self.shares = Some(((&shares + attention.matmul(&shares)?)? * 0.5)?);
        Ok(())
    }

    /// A block whose tokens, in `rows` and `columns`, attend to each other inside windows.
    ///
    /// # Shapes
    /// - `cut`: from `[n, rows, columns, width]` to `[n · windows, area, width]`; `joined` back
    pub(crate) fn windows(
        &mut self,
        [rows, columns]: [usize; 2],
        windows: usize,
        cut: &dyn Fn(&Tensor) -> Result<Tensor>,
        joined: &dyn Fn(&Tensor) -> Result<Tensor>,
    ) -> Result<()> {
        let Some(attention) = self.attention.take() else { return Ok(()) };
        let n = attention.dim(0)? / windows;
        let shares = self.shares_of(n, rows * columns, &attention)?;
        let (_, tokens, inputs) = shares.dims3()?;
        let placed = shares.reshape((n, rows, columns, inputs))?;
        let attended = joined(&attention.matmul(&cut(&placed)?)?)?.reshape((n, tokens, inputs))?;
        self.shares = Some(((&shares + summing_to_one(&attended)?)? * 0.5)?);
        Ok(())
    }

    /// Each token now stands for a square of two by two, in `rows` and `columns` that may be odd.
    pub(crate) fn merge(&mut self, [rows, columns]: [usize; 2]) -> Result<()> {
        let Some(shares) = self.shares.take() else { return Ok(()) };
        let (n, _, inputs) = shares.dims3()?;
        let placed = shares.reshape((n, rows, columns, inputs))?;
        let placed = placed.pad_with_zeros(1, 0, rows % 2)?.pad_with_zeros(2, 0, columns % 2)?;
        let (rows, columns) = (rows.div_ceil(2), columns.div_ceil(2));
        let merged = placed.reshape(&[n, rows, 2, columns, 2, inputs])?.sum(4)?.sum(2)?;
        self.shares = Some(summing_to_one(&merged.reshape((n, rows * columns, inputs))?)?);
        Ok(())
    }

    /// The network's features are those of the first token.
    pub(crate) fn read_first(&mut self, grid: [usize; 2]) -> Result<()> {
        match &self.shares {
            Some(shares) => self.place(&shares.narrow(1, 0, 1)?, grid),
            None => Ok(()),
        }
    }

    /// The network's features are the mean of its tokens.
    pub(crate) fn read_mean(&mut self, grid: [usize; 2]) -> Result<()> {
        match &self.shares {
            Some(shares) => self.place(&shares.mean_keepdim(1)?, grid),
            None => Ok(()),
        }
    }

    /// The network's features are what the one query of the attention computed last attends to.
    pub(crate) fn read_query(&mut self, grid: [usize; 2]) -> Result<()> {
        match (self.attention.take(), &self.shares) {
            (Some(attention), Some(shares)) => self.place(&attention.matmul(shares)?, grid),
            _ => Ok(()),
        }
    }

    /// How much of the features comes from each patch, `[n, rows, columns]`, each picture's at most one in all: what is left
    /// comes from tokens that are no patches. `None` for a network without attention.
    pub(crate) fn into_map(self) -> Option<Tensor> {
        self.map
    }

    /// The shares of a token, `[n, 1, inputs]`, of which the last are the patches'.
    fn place(&mut self, token: &Tensor, [rows, columns]: [usize; 2]) -> Result<()> {
        let (n, _, inputs) = token.dims3()?;
        let patches = token.narrow(2, inputs - rows * columns, rows * columns)?;
        self.map = Some(patches.reshape((n, rows, columns))?);
        Ok(())
    }

    /// The shares of `n` pictures as they are; at first every token is its own.
    fn shares_of(&self, n: usize, tokens: usize, like: &Tensor) -> Result<Tensor> {
        match &self.shares {
            Some(shares) => Ok(shares.clone()),
            None => {
                let own = Tensor::eye(tokens, like.dtype(), like.device())?;
                Ok(own.unsqueeze(0)?.broadcast_as((n, tokens, tokens))?.contiguous()?)
            }
        }
    }
}

/// Each row divided by its sum.
fn summing_to_one(shares: &Tensor) -> Result<Tensor> {
    Ok(shares.broadcast_div(&shares.sum_keepdim(D::Minus1)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};
    use proptest::prelude::*;

    /// Attention `[n, heads, tokens, tokens]` of these values, each row divided by its sum.
    fn attention(values: &[f32], shape: (usize, usize, usize, usize)) -> Tensor {
        let count = shape.0 * shape.1 * shape.2 * shape.3;
        let values: Vec<f32> = values.iter().cycle().take(count).copied().collect();
        summing_to_one(&Tensor::from_vec(values, shape, &Device::Cpu).unwrap()).unwrap()
    }

    fn rows(shares: &Tensor) -> Vec<Vec<f32>> {
        shares.flatten_to(1).unwrap().to_vec2().unwrap()
    }

    #[test]
    fn tokens_that_attend_to_themselves_stay_their_own() {
        let mut rollout = Rollout::default();
        let own =
            Tensor::eye(5, DType::F32, &Device::Cpu).unwrap().unsqueeze(0).unwrap().unsqueeze(0).unwrap();
        for _ in 0..4 {
            rollout.attend(&own).unwrap();
            rollout.block().unwrap();
        }
        let shares = rows(rollout.shares.as_ref().unwrap());
        assert!(
            shares.iter().enumerate().all(|(i, row)| (0..5).all(|j| row[j] == f32::from(u8::from(i == j))))
        );
        // The first of them is no patch, and draws on none.
        rollout.read_first([2, 2]).unwrap();
        assert_eq!(rollout.into_map().unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap(), [0.0; 4]);
    }

    #[test]
    fn two_blocks_are_multiplied_as_in_the_paper() {
        let mut rollout = Rollout::default();
        let (a, b) = ([0.2f32, 0.8, 0.6, 0.4], [0.5f32, 0.5, 0.1, 0.9]);
        for values in [a, b] {
            rollout.attend(&attention(&values, (1, 1, 2, 2))).unwrap();
            rollout.block().unwrap();
        }
        // (B + I) / 2 times (A + I) / 2.
        let (a, b) = ([[0.6, 0.4], [0.3, 0.7]], [[0.75, 0.25], [0.05, 0.95]]);
        let found = rows(rollout.shares.as_ref().unwrap());
        for i in 0..2 {
            for j in 0..2 {
                let expected: f32 = (0..2).map(|k| b[i][k] * a[k][j]).sum();
                assert!((found[i][j] - expected).abs() < 1e-6, "{i} {j}");
            }
        }
    }

    proptest! {
        /// Whatever is attended to, of each token all comes from somewhere: in blocks, in windows, and where tokens merge.
        #[test]
        fn shares_sum_to_one(values in prop::collection::vec(0.01f32..1.0, 40..90), blocks in 1usize..4) {
            let mut rollout = Rollout::default();
            // Three by four tokens in windows of two by two, which is six.
            let cut = |x: &Tensor| -> Result<Tensor> {
                let x = x.pad_with_zeros(1, 0, 1)?;
                let (n, rows, columns, width) = x.dims4()?;
                let x = x.reshape(&[n, rows / 2, 2, columns / 2, 2, width])?.permute([0, 1, 3, 2, 4, 5])?;
                Ok(x.contiguous()?.reshape((n * rows * columns / 4, 4, width))?)
            };
            let joined = |x: &Tensor| -> Result<Tensor> {
                let width = x.dim(2)?;
                let x = x.reshape(&[2, 2, 2, 2, 2, width])?.permute([0, 1, 3, 2, 4, 5])?.contiguous()?;
                Ok(x.reshape((2, 4, 4, width))?.narrow(1, 0, 3)?.contiguous()?)
            };
            for _ in 0..blocks {
                rollout.attend(&attention(&values, (2 * 4, 2, 4, 4))).unwrap();
                rollout.windows([3, 4], 4, &cut, &joined).unwrap();
            }
            rollout.merge([3, 4]).unwrap();
            for _ in 0..blocks {
                rollout.attend(&attention(&values[3..], (2, 3, 4, 4))).unwrap();
                rollout.block().unwrap();
            }
            let shares = rollout.shares.as_ref().unwrap();
            prop_assert_eq!(shares.dims(), &[2, 4, 12]);
            for row in rows(shares) {
                prop_assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                prop_assert!(row.iter().all(|share| *share >= 0.0));
            }
            rollout.read_mean([3, 4]).unwrap();
            let map = rollout.into_map().unwrap();
            prop_assert_eq!(map.dims(), &[2, 3, 4]);
            for sum in map.sum((1, 2)).unwrap().to_vec1::<f32>().unwrap() {
                prop_assert!((sum - 1.0).abs() < 1e-5);
            }
        }
    }
}
