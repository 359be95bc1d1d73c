//! The drawn photograph of the examples: a ripe pear before a meadow, of any size.

use grabcut::Rect;
use image::RgbImage;

/// The scene at `width × ¾ width` pixels and the box around the pear. The noise is that of a sensor:
/// it has the size of a pixel at every size of the picture.
pub(crate) fn scene(width: u32) -> (RgbImage, Rect) {
    let height = width * 3 / 4;
    let scale = 160.0 / f64::from(width);
    let photo = RgbImage::from_fn(width, height, |x, y| {
        let noise = 8.0 * f64::from(hash(x, y) >> 30) - 12.0;
        let colour = colour((f64::from(x) + 0.5) * scale, (f64::from(y) + 0.5) * scale);
        image::Rgb(colour.map(|c| (c + noise).clamp(0.0, 255.0) as u8))
    });
    let at = |v: f64| (v / scale).round() as u32;
    (photo, Rect { x0: at(36.0), y0: at(14.0), x1: at(128.0), y1: at(106.0) })
}

/// The scene without noise, in a frame of 160 × 120.
fn colour(u: f64, v: f64) -> [f64; 3] {
    let ellipse = |x: f64, y: f64, a: f64, b: f64| ((u - x) / a).powi(2) + ((v - y) / b).powi(2) < 1.0;
    let stalk = (u - 84.0 - 0.02 * (v - 34.0).powi(2)).abs() < 1.6 && (18.0..34.0).contains(&v);
    if ellipse(82.0, 72.0, 36.0, 28.0) || ellipse(82.0, 48.0, 18.0, 22.0) {
        // Light from the upper left; the far side in shade.
        let light = 1.12 - 0.006 * ((u - 66.0).abs() + (v - 58.0).abs());
        [240.0 * light, 188.0 * light, 52.0 * light]
    } else if stalk {
        [92.0, 60.0, 34.0]
    } else if v < 46.0 + 7.0 * (u / 25.0).sin() {
        [140.0 + v, 182.0 + 0.6 * v, 236.0]
    } else {
        let blades = (u / 3.0 + 4.0 * (v / 9.0).sin()).sin() * (v / 5.0 + u / 17.0).cos();
        [74.0 + 22.0 * blades, 128.0 + 30.0 * blades, 52.0 + 10.0 * blades]
    }
}

/// Well-mixed bits of a position.
fn hash(x: u32, y: u32) -> u32 {
    let mut h = x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77);
    h = (h ^ h >> 15).wrapping_mul(0x2C1B_3C6D);
    (h ^ h >> 12).wrapping_mul(0x297A_2D39)
}
