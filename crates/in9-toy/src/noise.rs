//! Value noise: smooth random fields from an integer hash, without tables or state.

use super::maths::floor_i32;

/// A well-mixed 32-bit hash of a lattice point.
pub(crate) fn hash(x: i32, y: i32, seed: u32) -> u32 {
    let mut h = seed
        .wrapping_add((x as u32).wrapping_mul(0x9e37_79b1))
        .wrapping_add((y as u32).wrapping_mul(0x85eb_ca77));
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    h ^ (h >> 15)
}

/// The hash as a number in [0, 1).
pub(crate) fn hash_unit(x: i32, y: i32, seed: u32) -> f32 {
    (hash(x, y, seed) >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// Smooth noise in [0, 1) with one random value per unit square.
pub(crate) fn value(x: f32, y: f32, seed: u32) -> f32 {
    let (ix, iy) = (floor_i32(x), floor_i32(y));
    let (fx, fy) = (ix as f32, iy as f32);
    let (tx, ty) = (x - fx, y - fy);
    let (sx, sy) = (tx * tx * (3.0 - 2.0 * tx), ty * ty * (3.0 - 2.0 * ty));
    let a = hash_unit(ix, iy, seed);
    let b = hash_unit(ix.wrapping_add(1), iy, seed);
    let c = hash_unit(ix, iy.wrapping_add(1), seed);
    let d = hash_unit(ix.wrapping_add(1), iy.wrapping_add(1), seed);
    let top = a + (b - a) * sx;
    let bottom = c + (d - c) * sx;
    top + (bottom - top) * sy
}

/// Fractal noise in [0, 1): `octaves` layers, each twice as fine and half as strong.
pub(crate) fn fractal(x: f32, y: f32, seed: u32, octaves: u32) -> f32 {
    let (mut sum, mut weight, mut total, mut frequency) = (0.0, 1.0, 0.0, 1.0);
    for octave in 0..octaves {
        sum += weight * value(x * frequency, y * frequency, seed.wrapping_add(octave * 0x51ed));
        total += weight;
        weight *= 0.5;
        frequency *= 2.0;
    }
    sum / total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_bounded_continuous_and_interpolates_the_lattice() {
        assert_eq!(value(3.0, -2.0, 9), hash_unit(3, -2, 9));
        for i in 0..2000 {
            let x = i as f32 * 0.037 - 30.0;
            let n = fractal(x, x * 0.7, 5, 4);
            assert!((0.0..1.0).contains(&n));
            assert!((value(x, 1.5, 2) - value(x + 1e-3, 1.5, 2)).abs() < 0.01);
        }
    }
}
