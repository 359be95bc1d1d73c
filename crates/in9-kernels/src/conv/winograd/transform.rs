//! The transforms of inputs, filters and outputs, sixteen channels at a time.

use crate::simd::Arithmetic;

/// Side of the largest tile.
pub(crate) const SIDE: usize = 6;

const A: f32 = 0.75;
const B: f32 = 1.5;
const A2: f32 = A * A;
const B2: f32 = B * B;
/// Scales of the filter at the points 0, ±A, ±B: the reciprocal product of the distances to the other points.
const AT_0: f32 = 1.0 / (A2 * B2);
const AT_A: f32 = 1.0 / (2.0 * A2 * (A2 - B2));
const AT_B: f32 = 1.0 / (2.0 * B2 * (B2 - A2));

/// The transforms along one axis of a tile of `OUT`×`OUT` outputs.
///
/// For `OUT` 4 the interpolation points are 0, A, -A, B, -B, ∞; for 2 they are 0, 1, -1, ∞. Arrays are longer
/// than needed for 2; only their first elements have a meaning then.
pub(crate) struct Axis<const OUT: usize>;

impl<const OUT: usize> Axis<OUT> {
    /// From inputs to factors of the products.
    #[inline(always)]
    pub(crate) fn input<V: Arithmetic>(d: [V; SIDE]) -> [V; SIDE] {
        if OUT == 2 {
            return [d[0].sub(d[2]), d[2].add(d[1]), d[2].sub(d[1]), d[3].sub(d[1]), d[0], d[0]];
        }
        let (a2, b2) = (V::splat(-A2), V::splat(-B2));
        let (both, product) = (V::splat(-A2 - B2), V::splat(A2 * B2));
        let even_a = d[2].mul_add(b2, d[4]);
        let odd_a = d[1].mul_add(b2, d[3]).mul(V::splat(A));
        let even_b = d[2].mul_add(a2, d[4]);
        let odd_b = d[1].mul_add(a2, d[3]).mul(V::splat(B));
        [
            d[0].mul_add(product, d[2].mul_add(both, d[4])),
            even_a.add(odd_a),
            even_a.sub(odd_a),
            even_b.add(odd_b),
            even_b.sub(odd_b),
            d[1].mul_add(product, d[3].mul_add(both, d[5])),
        ]
    }

    /// From products to outputs.
    #[inline(always)]
    pub(crate) fn output<V: Arithmetic>(m: [V; SIDE]) -> [V; 4] {
        let (sum_a, diff_a) = (m[1].add(m[2]), m[1].sub(m[2]));
        if OUT == 2 {
            return [m[0].add(sum_a), diff_a.add(m[3]), m[0], m[0]];
        }
        let (sum_b, diff_b) = (m[3].add(m[4]), m[3].sub(m[4]));
        [
            m[0].add(sum_a).add(sum_b),
            diff_b.mul_add(V::splat(B), diff_a.mul(V::splat(A))),
            sum_b.mul_add(V::splat(B2), sum_a.mul(V::splat(A2))),
            diff_b.mul_add(V::splat(B2 * B), diff_a.mul_add(V::splat(A2 * A), m[5])),
        ]
    }

    /// The transpose of [`Self::output`]: from gradients of outputs to gradients of products.
    #[inline(always)]
    pub(crate) fn output_transposed<V: Arithmetic>(y: [V; 4]) -> [V; SIDE] {
        if OUT == 2 {
            return [y[0], y[0].add(y[1]), y[0].sub(y[1]), y[1], y[0], y[0]];
        }
        let even_a = y[2].mul_add(V::splat(A2), y[0]);
        let odd_a = y[3].mul_add(V::splat(A2), y[1]).mul(V::splat(A));
        let even_b = y[2].mul_add(V::splat(B2), y[0]);
        let odd_b = y[3].mul_add(V::splat(B2), y[1]).mul(V::splat(B));
        [y[0], even_a.add(odd_a), even_a.sub(odd_a), even_b.add(odd_b), even_b.sub(odd_b), y[3]]
    }

    /// From filter taps to factors of the products.
    #[inline(always)]
    pub(crate) fn filter<V: Arithmetic>(w: [V; 3]) -> [V; SIDE] {
        if OUT == 2 {
            let even = w[0].add(w[2]).mul(V::splat(0.5));
            let odd = w[1].mul(V::splat(0.5));
            return [w[0], even.add(odd), even.sub(odd), w[2], w[0], w[0]];
        }
        let even_a = w[2].mul_add(V::splat(A2), w[0]).mul(V::splat(AT_A));
        let odd_a = w[1].mul(V::splat(A * AT_A));
        let even_b = w[2].mul_add(V::splat(B2), w[0]).mul(V::splat(AT_B));
        let odd_b = w[1].mul(V::splat(B * AT_B));
        [
            w[0].mul(V::splat(AT_0)),
            even_a.add(odd_a),
            even_a.sub(odd_a),
            even_b.add(odd_b),
            even_b.sub(odd_b),
            w[2],
        ]
    }

    /// The transpose of [`Self::filter`]: from gradients of the factors to gradients of the taps.
    #[inline(always)]
    pub(crate) fn filter_transposed<V: Arithmetic>(u: [V; SIDE]) -> [V; 3] {
        let (sum_a, diff_a) = (u[1].add(u[2]), u[1].sub(u[2]));
        if OUT == 2 {
            let half = V::splat(0.5);
            return [sum_a.mul_add(half, u[0]), diff_a.mul(half), sum_a.mul_add(half, u[3])];
        }
        let (sum_a, diff_a) = (sum_a.mul(V::splat(AT_A)), diff_a.mul(V::splat(A * AT_A)));
        let sum_b = u[3].add(u[4]).mul(V::splat(AT_B));
        let diff_b = u[3].sub(u[4]).mul(V::splat(B * AT_B));
        [
            u[0].mul_add(V::splat(AT_0), sum_a.add(sum_b)),
            diff_a.add(diff_b),
            sum_a.mul_add(V::splat(A2), sum_b.mul_add(V::splat(B2), u[5])),
        ]
    }
}

/// Transforms a square along both axes by `$axis`.
///
/// The first expression reads the element at (row, column), the second stores the result's. `$inputs` and
/// `$outputs` are the sides of the square before and after, `$length` is the length of the array that
/// `$axis` takes.
///
/// A macro, because a closure would not be compiled for the instruction set of the function that contains
/// it, and every vector operation in it would become a call.
macro_rules! both_axes {
    (
        $vector:ty, $length:expr, $inputs:expr => $outputs:expr, $axis:path,
        |$from_row:ident, $from_column:ident| $from:expr,
        |$to_row:ident, $to_column:ident, $value:ident| $to:expr $(,)?
    ) => {{
        let zero = <$vector>::splat(0.0);
        let mut columns = [[zero; SIDE]; SIDE];
        let mut $from_column = 0;
        while $from_column < $inputs {
            let mut column = [zero; $length];
            let mut $from_row = 0;
            while $from_row < $inputs {
                column[$from_row] = $from;
                $from_row += 1;
            }
            let transformed = $axis(column);
            let mut row = 0;
            while row < $outputs {
                columns[row][$from_column] = transformed[row];
                row += 1;
            }
            $from_column += 1;
        }
        let mut $to_row = 0;
        while $to_row < $outputs {
            let mut line = [zero; $length];
            let mut column = 0;
            while column < $inputs {
                line[column] = columns[$to_row][column];
                column += 1;
            }
            let transformed = $axis(line);
            let mut $to_column = 0;
            while $to_column < $outputs {
                let $value = transformed[$to_column];
                $to;
                $to_column += 1;
            }
            $to_row += 1;
        }
    }};
}
pub(crate) use both_axes;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Vector;
    use crate::simd::vector::LANES;
    use crate::simd::vector::Portable;

    fn v(x: f32) -> Portable {
        Portable::splat(x)
    }

    fn first(v: Portable) -> f32 {
        let mut out = [0f32; LANES];
        v.store(&mut out);
        out[0]
    }

    fn filters_one_axis<const OUT: usize>() {
        let (d, w) = ([1.0f32, -2.0, 3.0, 0.5, 4.0, -1.0], [0.25f32, -1.5, 2.0]);
        let products = Axis::<OUT>::input(d.map(v));
        let filter = Axis::<OUT>::filter(w.map(v));
        let mut m = products;
        for (m, f) in m.iter_mut().zip(filter) {
            *m = m.mul(f);
        }
        for (i, y) in Axis::<OUT>::output(m).into_iter().take(OUT).enumerate() {
            let direct: f32 = (0..3).map(|t| d[i + t] * w[t]).sum();
            assert!((first(y) - direct).abs() < 1e-5, "{OUT} {i}: {} {direct}", first(y));
        }
    }

    #[test]
    fn one_axis_filters() {
        filters_one_axis::<2>();
        filters_one_axis::<4>();
    }

    /// `<output(m), y> = <m, output_transposed(y)>`, and the same for the filter.
    fn transposes_are_transposes<const OUT: usize>() {
        let n = OUT + 2;
        let m = [0.5f32, -1.0, 2.0, 3.0, -0.25, 1.5].map(v);
        let y = [1.0f32, 2.0, -3.0, 0.75].map(v);
        let dot = |a: &[Portable], b: &[Portable], n: usize| -> f32 {
            a.iter().zip(b).take(n).map(|(a, b)| first(a.mul(*b))).sum()
        };
        let left = dot(&Axis::<OUT>::output(m), &y, OUT);
        let right = dot(&m, &Axis::<OUT>::output_transposed(y), n);
        assert!((left - right).abs() < 1e-4, "{OUT}: {left} {right}");
        let w = [1.0f32, -0.5, 2.0].map(v);
        let left = dot(&Axis::<OUT>::filter(w), &m, n);
        let right = dot(&w, &Axis::<OUT>::filter_transposed(m), 3);
        assert!((left - right).abs() < 1e-4, "{OUT}: {left} {right}");
    }

    #[test]
    fn gradients_use_the_transposes() {
        transposes_are_transposes::<2>();
        transposes_are_transposes::<4>();
    }
}
