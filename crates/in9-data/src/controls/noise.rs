//! Noise with a picture's power spectrum: its textures and colours, and nothing of what it shows.

use in9_base::rng;

use super::fourier::{Complex, Fourier};

/// Writes random-phase noise of `picture` into `out`; both are size·size·3 bytes, RGB.
///
/// Each frequency keeps its amplitude and gets another phase, the same for all channels, so that means, power spectra
/// and correlations between channels stay (but for rounding and clipping to bytes). Phases are those of white noise. The
/// spectrum is that of the picture's periodic component: otherwise the jump between opposite edges, which the transform
/// takes for neighbours, would draw a cross through the noise.
///
/// The white noise is keyed by the picture's own bytes, so that a picture has one noise, in whatever order, batch, thread or
/// subset it is read.
///
/// Sources: B. Galerne, Y. Gousseau, J.-M. Morel, "Random phase textures: theory and synthesis", IEEE Transactions on Image
/// Processing 2011; L. Moisan, "Periodic plus smooth image decomposition", Journal of Mathematical Imaging and Vision
/// 2011.
pub(crate) fn noise(picture: &[u8], size: usize, out: &mut [u8]) {
    let fourier = Fourier::new(size);
    let phases = phases(picture, size, &fourier);
    // A phase is the same as filtering with a real kernel, which acts on real and imaginary parts apart: two channels are
    // one complex picture.
    for channels in [[0, 1], [2, 2]] {
        let value = |index: usize, channel: usize| f64::from(picture[index * 3 + channels[channel]]);
        let mut values: Vec<Complex> =
            (0..size * size).map(|i| Complex::new(value(i, 0), value(i, 1))).collect();
        let mut smooth = jumps(&values, size);
        fourier.forward(&mut values);
        fourier.forward(&mut smooth);
        for (index, value) in values.iter_mut().enumerate().skip(1) {
            let (down, across) = (fourier.cosine(index / size), fourier.cosine(index % size));
            let smooth = smooth[index].scaled(1.0 / (2.0 * down + 2.0 * across - 4.0));
            *value = (*value - smooth) * phases[index];
        }
        fourier.inverse(&mut values);
        for (index, value) in values.iter().enumerate() {
            let byte = |value: f64| (value + 0.5).clamp(0.0, 255.0) as u8;
            out[index * 3 + channels[1]] = byte(value.im);
            out[index * 3 + channels[0]] = byte(value.re);
        }
    }
}

/// A factor of amplitude 1 for each frequency but the first, which is the mean and stays.
fn phases(picture: &[u8], size: usize, fourier: &Fourier) -> Vec<Complex> {
    let mut key = [0; 8];
    key.copy_from_slice(&blake3::hash(picture).as_bytes()[..8]);
    let mut random = rng::stream(0, "bg-noise", u64::from_le_bytes(key), 0);
    let mut white = || Complex::new(f64::from(rng::unit(&mut random)) - 0.5, 0.0);
    let mut phases: Vec<Complex> = (0..size * size).map(|_| white()).collect();
    fourier.forward(&mut phases);
    for phase in &mut phases {
        let amplitude = phase.square().sqrt();
        *phase = if amplitude > 0.0 { phase.scaled(1.0 / amplitude) } else { Complex::new(1.0, 0.0) };
    }
    phases
}

/// What a picture jumps by between opposite edges, at these edges; 0 elsewhere.
fn jumps(values: &[Complex], size: usize) -> Vec<Complex> {
    let mut jumps = vec![Complex::default(); values.len()];
    for i in 0..size {
        for (near, far) in [(i, (size - 1) * size + i), (i * size, i * size + size - 1)] {
            let jump = values[far] - values[near];
            jumps[near] = jumps[near] + jump;
            jumps[far] = jumps[far] - jump;
        }
    }
    jumps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A smooth random texture, away from black and white so that nothing is clipped.
    fn texture(size: usize) -> Vec<u8> {
        let tau = std::f64::consts::TAU / size as f64;
        let wave = |x: usize, y: usize, k: f64, l: f64| (tau * (k * x as f64 + l * y as f64)).sin();
        let pixel = |i: usize| {
            let (x, y) = (i % size, i / size);
            let value = 20.0 * wave(x, y, 2.0, 1.0) + 12.0 * wave(x, y, 5.0, -3.0);
            [120.0 + value, 110.0 - value, 90.0].map(|v: f64| v.round() as u8)
        };
        (0..size * size).flat_map(pixel).collect()
    }

    fn spectrum(picture: &[u8], size: usize, channel: usize) -> Vec<f64> {
        let mut values: Vec<Complex> =
            (0..size * size).map(|i| Complex::new(f64::from(picture[i * 3 + channel]), 0.0)).collect();
        Fourier::new(size).forward(&mut values);
        values.iter().map(|value| value.square().sqrt() / (size * size) as f64).collect()
    }

    #[test]
    fn noise_keeps_mean_spectrum_and_the_relation_of_channels() {
        let size = 28;
        let picture = texture(size);
        let mut out = vec![0; picture.len()];
        noise(&picture, size, &mut out);
        assert_ne!(out, picture);
        for channel in 0..3 {
            let (before, after) = (spectrum(&picture, size, channel), spectrum(&out, size, channel));
            let worst = before.iter().zip(&after).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(worst < 0.6, "channel {channel}: {worst}");
        }
        // Where red rises green falls: so it is in the noise.
        assert!(out.as_chunks::<3>().0.iter().all(|p| (i32::from(p[0]) + i32::from(p[1]) - 230).abs() <= 2));
    }

    #[test]
    fn a_picture_has_one_noise_and_another_has_another() {
        let size = 14;
        let of = |picture: &[u8]| {
            let mut out = vec![0; picture.len()];
            noise(picture, size, &mut out);
            out
        };
        let picture = texture(size);
        assert_eq!(of(&picture), of(&picture));
        let mut other = picture.clone();
        other[0] ^= 1;
        assert!(of(&picture).iter().zip(of(&other)).filter(|(a, b)| *a != b).count() > size * size);
        assert_eq!(of(&vec![77; size * size * 3]), vec![77; size * size * 3]);
    }

    #[test]
    fn a_step_between_opposite_edges_draws_no_cross() {
        // A ramp from left to right is no texture at all: its periodic component is flat.
        let size = 32;
        let picture: Vec<u8> = (0..size * size).flat_map(|i| [(i % size * 4 + 40) as u8; 3]).collect();
        let mut out = vec![0; picture.len()];
        noise(&picture, size, &mut out);
        let (low, high) = out.iter().fold((255, 0), |(low, high), &v| (v.min(low), v.max(high)));
        assert!(high - low < 40, "{low} to {high}");
    }
}
