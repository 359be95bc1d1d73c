//! The data term: the cost of a pixel under a mixture, and the component that attains it.

use super::{Backend, dispatch, round};
use crate::colour::mixture::Mixture;
use crate::params::MAX_COMPONENTS;

/// Largest cost in units, so that sums over the links of a node cannot overflow.
const MAX_COST: f32 = 4_194_304.0;

/// A mixture prepared for evaluation, in units of energy.
#[derive(Debug, Clone)]
pub(crate) struct CostTable {
    rows: [Row; MAX_COMPONENTS],
    len: usize,
    /// The first component with a weight over 0.
    first: u8,
}

/// One component. If its weight is 0, its offset is infinite, and so is its cost.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Row {
    mean: [f32; 3],
    /// Lower triangle that maps (colour − mean) to a vector whose squared length is the cost.
    whitening: [f32; 6],
    offset: f32,
}

impl CostTable {
    /// Prepares `mixture`; `units` is the number of units of energy in a nat.
    pub(crate) fn new(mixture: &Mixture, units: f64) -> Self {
        let components = mixture.components();
        let first = components.iter().position(|c| c.weight > 0.0).unwrap_or(0) as u8;
        let mut rows = [Row::default(); MAX_COMPONENTS];
        for (row, c) in rows.iter_mut().zip(components) {
            let scale = (0.5 * units).sqrt();
            *row = Row {
                mean: c.mean.map(|v| v as f32),
                whitening: c.whitening().0.map(|v| (v * scale) as f32),
                offset: (c.offset() * units) as f32,
            };
        }
        Self { rows, len: components.len(), first }
    }

    /// Evaluates a run of pixels, given by their three channels. `cost[i]` becomes the least cost over the
    /// components in units, at most [`MAX_COST`], and `component[i]` the first component that attains it. All
    /// slices must have the same length.
    pub(crate) fn evaluate(
        &self,
        backend: Backend,
        channels: [&[u8]; 3],
        cost: &mut [i32],
        component: &mut [u8],
    ) {
        evaluate(backend, &self.rows[..self.len], self.first, channels, cost, component);
    }
}

dispatch! {
    fn evaluate = evaluate_body(
        rows: &[Row], first: u8, channels: [&[u8]; 3], cost: &mut [i32], component: &mut [u8],
    )
}

#[inline(always)]
fn evaluate_body<const LANES: usize>(
    rows: &[Row],
    first: u8,
    channels: [&[u8]; 3],
    cost: &mut [i32],
    component: &mut [u8],
) {
    let n = cost.len();
    let [r, g, b] = channels.map(|p| &p[..n]);
    let component = &mut component[..n];
    let whole = n - n % LANES;
    for at in (0..whole).step_by(LANES) {
        let end = at + LANES;
        let (c, k) = block::<LANES>(rows, first, [load(&r[at..end]), load(&g[at..end]), load(&b[at..end])]);
        cost[at..end].copy_from_slice(&c);
        component[at..end].copy_from_slice(&k);
    }
    if whole < n {
        let mut pad = [[0_u8; LANES]; 3];
        for (pad, channel) in pad.iter_mut().zip([r, g, b]) {
            pad[..n - whole].copy_from_slice(&channel[whole..]);
        }
        let (c, k) = block::<LANES>(rows, first, [load(&pad[0]), load(&pad[1]), load(&pad[2])]);
        cost[whole..].copy_from_slice(&c[..n - whole]);
        component[whole..].copy_from_slice(&k[..n - whole]);
    }
}

// Plain loops, because the closures of `array::from_fn` would not be compiled for the instruction set.

#[inline(always)]
fn load<const LANES: usize>(channel: &[u8]) -> [f32; LANES] {
    let channel = &channel[..LANES];
    let mut values = [0.0; LANES];
    for i in 0..LANES {
        values[i] = f32::from(channel[i]);
    }
    values
}

#[inline(always)]
fn block<const LANES: usize>(
    rows: &[Row],
    first: u8,
    [r, g, b]: [[f32; LANES]; 3],
) -> ([i32; LANES], [u8; LANES]) {
    let mut least = [MAX_COST; LANES];
    let mut best = [u32::from(first); LANES];
    for (k, &Row { mean, whitening, offset }) in (0_u32..).zip(rows) {
        let [a00, a10, a11, a20, a21, a22] = whitening;
        for i in 0..LANES {
            let dr = r[i] - mean[0];
            let dg = g[i] - mean[1];
            let db = b[i] - mean[2];
            let y0 = a00 * dr;
            let y1 = a10 * dr + a11 * dg;
            let y2 = a20 * dr + a21 * dg + a22 * db;
            let cost = offset + y0 * y0 + y1 * y1 + y2 * y2;
            let better = cost < least[i];
            least[i] = if better { cost } else { least[i] };
            best[i] = if better { k } else { best[i] };
        }
    }
    let (mut cost, mut component) = ([0; LANES], [0; LANES]);
    for i in 0..LANES {
        cost[i] = round(least[i]);
        component[i] = best[i] as u8;
    }
    (cost, component)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::moments::Moments;
    use crate::random::Random;

    fn mixture(random: &mut Random, components: usize) -> Mixture {
        let mut moments = vec![Moments::default(); components];
        for (k, m) in moments.iter_mut().enumerate() {
            let spread = random.unit() * 40.0;
            let middle = [random.unit() * 255.0, random.unit() * 255.0, random.unit() * 255.0];
            // The third component stays empty, to check that it is never chosen.
            for _ in 0..if k == 2 { 0 } else { 5 + k * 20 } {
                m.push(middle.map(|v| (v + spread * (random.unit() - 0.5)) as u8));
            }
        }
        Mixture::fit(&moments)
    }

    fn direct(mixture: &Mixture, units: f64, colour: [u8; 3]) -> f64 {
        (units * mixture.cost(colour.map(f64::from))).min(f64::from(MAX_COST))
    }

    #[test]
    fn every_backend_gives_the_same_bits_and_the_right_cost() {
        let mut random = Random::new(3, 0);
        for n in [0, 1, 15, 16, 17, 100] {
            let mixture = mixture(&mut random, 5);
            let table = CostTable::new(&mixture, 655.34);
            let channels: [Vec<u8>; 3] =
                std::array::from_fn(|_| (0..n).map(|_| (random.unit() * 256.0) as u8).collect());
            let run = |backend| {
                let (mut cost, mut component) = (vec![0; n], vec![0; n]);
                let channels = [&channels[0][..], &channels[1], &channels[2]];
                table.evaluate(backend, channels, &mut cost, &mut component);
                (cost, component)
            };
            let portable = run(Backend::Portable);
            for &backend in Backend::available() {
                assert_eq!(run(backend), portable, "{backend:?}");
            }
            for (i, (&cost, &component)) in portable.0.iter().zip(&portable.1).enumerate() {
                let expected = direct(&mixture, 655.34, [channels[0][i], channels[1][i], channels[2][i]]);
                let found = f64::from(cost);
                assert!((found - expected).abs() <= 0.51 + 1e-5 * expected.abs(), "{found} {expected}");
                assert_ne!(component, 2);
            }
        }
    }
}
