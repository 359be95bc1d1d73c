//! RGB bytes to normalised planes: the innermost loop of the loader.

/// Writes each channel c of `rgb` as byte · channels[c].0 + channels[c].1 into its plane.
///
/// # Panics
/// If a plane does not hold a third of `rgb`.
pub(crate) fn normalize(rgb: &[u8], channels: &[(f32, f32); 3], planes: [&mut [f32]; 3]) {
    let [r, g, b] = planes;
    assert!(
        r.len() * 3 == rgb.len() && g.len() == r.len() && b.len() == r.len(),
        "a third of the bytes a plane"
    );
    portable(rgb, channels, [r, g, b]);
}

fn portable(rgb: &[u8], channels: &[(f32, f32); 3], [r, g, b]: [&mut [f32]; 3]) {
    let [(fr, or), (fg, og), (fb, ob)] = *channels;
    for (((pixel, r), g), b) in rgb.chunks_exact(3).zip(r).zip(g).zip(b) {
        *r = f32::from(pixel[0]) * fr + or;
        *g = f32::from(pixel[1]) * fg + og;
        *b = f32::from(pixel[2]) * fb + ob;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_standardised_planes() {
        let channels = crate::Normalization::IMAGENET_9.linear();
        let (mut r, mut g, mut b) = ([0.0; 2], [0.0; 2], [0.0; 2]);
        normalize(&[0, 128, 255, 255, 0, 64], &channels, [&mut r, &mut g, &mut b]);
        let expected = |v: f32, mean: f32, std: f32| (v / 255.0 - mean) / std;
        let close = |a: f32, b: f32| assert!((a - b).abs() < 1e-5, "{a} {b}");
        close(r[1], expected(255.0, 0.4717, 0.2600));
        close(g[0], expected(128.0, 0.4499, 0.2516));
        close(b[1], expected(64.0, 0.3837, 0.2575));
    }
}
