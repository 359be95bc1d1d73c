//! The smoothness term: the cost of separating two adjacent pixels.

use super::{Backend, ROUND, dispatch, round};

/// Largest capacity of a link in units, which horizontal neighbours of equal colour have. Twice this, the largest
/// residual capacity, fits 16 bits.
pub(crate) const MAX_LINK: u16 = 32_767;

/// Capacity of links as a function of squared colour distance: `strength · exp(−β d²)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkCapacity {
    /// β · log₂ e.
    rate: f32,
    /// Units at distance zero, for neighbours one pixel apart.
    strength: f32,
}

impl LinkCapacity {
    /// `beta` in 1 / squared level; `strength` in units, at most [`MAX_LINK`].
    pub(crate) fn new(beta: f64, strength: f64) -> Self {
        Self {
            rate: (beta * std::f64::consts::LOG2_E) as f32,
            strength: strength.min(f64::from(MAX_LINK)) as f32,
        }
    }

    /// Capacities between pixels `a[i]` and `b[i]`, given by their three channels. Those of `diagonal` neighbours,
    /// which are √2 pixels apart, are divided by √2. All slices must have the length of `capacity`.
    pub(crate) fn evaluate(
        self,
        backend: Backend,
        a: [&[u8]; 3],
        b: [&[u8]; 3],
        diagonal: bool,
        capacity: &mut [u16],
    ) {
        let length = if diagonal { std::f32::consts::FRAC_1_SQRT_2 } else { 1.0 };
        links(backend, a, b, self.rate, self.strength * length, capacity);
    }
}

dispatch! {
    fn links = links_body(
        a: [&[u8]; 3], b: [&[u8]; 3], rate: f32, strength: f32, capacity: &mut [u16],
    )
}

#[inline(always)]
fn links_body<const LANES: usize>(
    a: [&[u8]; 3],
    b: [&[u8]; 3],
    rate: f32,
    strength: f32,
    capacity: &mut [u16],
) {
    let n = capacity.len();
    let (a, b) = (a.map(|p| &p[..n]), b.map(|p| &p[..n]));
    let whole = n - n % LANES;
    for at in (0..whole).step_by(LANES) {
        let end = at + LANES;
        let out = block::<LANES>(a.map(|p| &p[at..end]), b.map(|p| &p[at..end]), rate, strength);
        capacity[at..end].copy_from_slice(&out);
    }
    if whole < n {
        let pad = |channels: [&[u8]; 3]| {
            channels.map(|channel| {
                let mut pad = [0_u8; LANES];
                pad[..n - whole].copy_from_slice(&channel[whole..]);
                pad
            })
        };
        let (a, b) = (pad(a), pad(b));
        let out = block::<LANES>([&a[0], &a[1], &a[2]], [&b[0], &b[1], &b[2]], rate, strength);
        capacity[whole..].copy_from_slice(&out[..n - whole]);
    }
}

#[inline(always)]
fn block<const LANES: usize>(a: [&[u8]; 3], b: [&[u8]; 3], rate: f32, strength: f32) -> [u16; LANES] {
    let mut distance = [0_i32; LANES];
    for (a, b) in a.into_iter().zip(b) {
        let (a, b) = (&a[..LANES], &b[..LANES]);
        for i in 0..LANES {
            let d = i32::from(a[i]) - i32::from(b[i]);
            distance[i] += d * d;
        }
    }
    // exp₂ by splitting off the integer part and a Taylor polynomial of degree 6 on ±½, whose
    // relative error is under 2⁻²²; below 2⁻³⁰ the capacity is zero anyway.
    // A plain loop, because the closure of `array::from_fn` would not be compiled for the instruction set.
    let mut capacity = [0; LANES];
    for i in 0..LANES {
        let x = (-rate * distance[i] as f32).max(-30.0);
        let shifted = x + ROUND;
        let whole = shifted - ROUND;
        let f = (x - whole) * std::f32::consts::LN_2;
        let p = 1.0
            + f * (1.0
                + f * (0.5 + f * (1.0 / 6.0 + f * (1.0 / 24.0 + f * (1.0 / 120.0 + f * (1.0 / 720.0))))));
        let exponent = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
        let power = f32::from_bits(((exponent + 127) << 23) as u32);
        capacity[i] = round(strength * (p * power)) as u16;
    }
    capacity
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn every_backend_gives_the_same_bits_and_the_right_capacity() {
        let mut random = Random::new(5, 0);
        for (n, beta, strength) in [(0, 0.1, 1.0), (1, 0.0, 9.0), (37, 0.002, 32_767.0), (64, 5.0, 1e9)] {
            let mut channels = || -> [Vec<u8>; 3] {
                std::array::from_fn(|_| (0..n).map(|_| (random.unit() * 60.0) as u8).collect())
            };
            let (a, b) = (channels(), channels());
            for diagonal in [false, true] {
                let run = |backend| {
                    let mut out = vec![0; n];
                    LinkCapacity::new(beta, strength).evaluate(
                        backend,
                        [&a[0], &a[1], &a[2]],
                        [&b[0], &b[1], &b[2]],
                        diagonal,
                        &mut out,
                    );
                    out
                };
                let portable = run(Backend::Portable);
                for &backend in Backend::available() {
                    assert_eq!(run(backend), portable, "{backend:?}");
                }
                for i in 0..n {
                    let d2: f64 = (0..3).map(|c| (f64::from(a[c][i]) - f64::from(b[c][i])).powi(2)).sum();
                    let length = if diagonal { 0.5_f64.sqrt() } else { 1.0 };
                    let expected = strength.min(32_767.0) * length * (-beta * d2).exp();
                    assert!((f64::from(portable[i]) - expected).abs() < 0.53, "{} {expected}", portable[i]);
                }
            }
        }
    }
}
