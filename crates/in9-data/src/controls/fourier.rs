//! The discrete Fourier transform of square pictures of any side.

use std::ops::{Add, Mul, Sub};

/// A complex number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Complex {
    pub(super) re: f64,
    pub(super) im: f64,
}

impl Complex {
    pub(super) fn new(re: f64, im: f64) -> Self {
        Self { re, im }
    }

    /// The square of its distance from 0.
    pub(super) fn square(self) -> f64 {
        self.re * self.re + self.im * self.im
    }

    pub(super) fn scaled(self, by: f64) -> Self {
        Self::new(self.re * by, self.im * by)
    }

    fn conjugate(self) -> Self {
        Self::new(self.re, -self.im)
    }
}

impl Add for Complex {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::new(self.re + other.re, self.im + other.im)
    }
}

impl Sub for Complex {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::new(self.re - other.re, self.im - other.im)
    }
}

impl Mul for Complex {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self::new(self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re)
    }
}

/// The transform of pictures of one side.
pub(super) struct Fourier {
    size: usize,
    /// exp(−2πi·k/size).
    roots: Vec<Complex>,
}

impl Fourier {
    pub(super) fn new(size: usize) -> Self {
        let angle = |k: usize| -std::f64::consts::TAU * k as f64 / size as f64;
        Self { size, roots: (0..size).map(|k| Complex::new(angle(k).cos(), angle(k).sin())).collect() }
    }

    /// Real part of the k-th root of one: the cosine of 2πk/size.
    pub(super) fn cosine(&self, k: usize) -> f64 {
        self.roots[k].re
    }

    /// Transforms `picture` (size·size, row-major) in place: Σ p(x, y)·exp(−2πi·(kx + ly)/size).
    pub(super) fn forward(&self, picture: &mut [Complex]) {
        let size = self.size;
        let (mut line, mut out, mut terms) =
            (vec![Complex::default(); size], vec![Complex::default(); size], Vec::new());
        for row in picture.chunks_exact_mut(size) {
            self.line(row, 1, &mut out, &mut terms);
            row.copy_from_slice(&out);
        }
        for x in 0..size {
            line.iter_mut().enumerate().for_each(|(y, to)| *to = picture[y * size + x]);
            self.line(&line, 1, &mut out, &mut terms);
            out.iter().enumerate().for_each(|(y, from)| picture[y * size + x] = *from);
        }
    }

    /// The inverse of [`Fourier::forward`].
    pub(super) fn inverse(&self, picture: &mut [Complex]) {
        picture.iter_mut().for_each(|value| *value = value.conjugate());
        self.forward(picture);
        let scale = 1.0 / picture.len() as f64;
        picture.iter_mut().for_each(|value| *value = value.conjugate().scaled(scale));
    }

    /// Transforms every `stride`-th value of `values` into `out`, divided by the smallest factor of its length again and
    /// again.
    ///
    /// Source: J. W. Cooley, J. W. Tukey, "An algorithm for the machine calculation of complex Fourier series",
    /// Mathematics of Computation 1965.
    fn line(&self, values: &[Complex], stride: usize, out: &mut [Complex], terms: &mut Vec<Complex>) {
        let length = out.len();
        if length == 1 {
            out[0] = values[0];
            return;
        }
        let radix = (2..).find(|factor| length.is_multiple_of(*factor)).unwrap_or(length);
        let part = length / radix;
        for (first, out) in out.chunks_exact_mut(part).enumerate() {
            self.line(&values[first * stride..], stride * radix, out, terms);
        }
        let (turn, step) = (self.size / length, self.size / radix);
        // Most sides are divided by two again and again; a sum and a difference need one product only.
        if radix == 2 {
            let (first, second) = out.split_at_mut(part);
            for (k, (first, second)) in first.iter_mut().zip(second).enumerate() {
                let turned = *second * self.roots[k * turn];
                (*first, *second) = (*first + turned, *first - turned);
            }
            return;
        }
        for k in 0..part {
            terms.clear();
            terms.extend((0..radix).map(|j| out[j * part + k] * self.roots[j * k * turn]));
            for q in 0..radix {
                let sum = |sum, (j, term): (usize, &Complex)| sum + *term * self.roots[j * q % radix * step];
                out[q * part + k] = terms.iter().enumerate().fold(Complex::default(), sum);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transforms_are_the_sum_written_out_at_any_side_and_undo_each_other() {
        for size in [1, 2, 3, 6, 7, 8, 12, 13] {
            let picture: Vec<Complex> =
                (0..size * size).map(|i| Complex::new((i * 37 % 101) as f64, (i * 53 % 89) as f64)).collect();
            let mut found = picture.clone();
            let fourier = Fourier::new(size);
            fourier.forward(&mut found);
            for (at, value) in found.iter().enumerate() {
                let mut sum = Complex::default();
                for (from, p) in picture.iter().enumerate() {
                    let turns = (at % size) * (from % size) + (at / size) * (from / size);
                    let angle = -std::f64::consts::TAU * turns as f64 / size as f64;
                    sum = sum + *p * Complex::new(angle.cos(), angle.sin());
                }
                assert!((*value - sum).square() < 1e-12 * (1.0 + sum.square()), "{size}: {value:?}, {sum:?}");
            }
            fourier.inverse(&mut found);
            assert!(found.iter().zip(&picture).all(|(a, b)| (*a - *b).square() < 1e-18), "{size}");
        }
    }
}
