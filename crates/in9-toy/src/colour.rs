//! Colours: sRGB components in 0…1, mixed as they are stored (the world is a drawing, not a renderer).

use super::dice::Dice;

/// Red, green, blue in 0…1 (values outside are clamped when the photograph is developed).
pub(crate) type Rgb = [f32; 3];

/// `a` at t = 0, `b` at t = 1.
pub(crate) fn mix(a: Rgb, b: Rgb, t: f32) -> Rgb {
    [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t]
}

/// Brighter (k > 1) or darker.
pub(crate) fn scale(a: Rgb, k: f32) -> Rgb {
    [a[0] * k, a[1] * k, a[2] * k]
}

/// Component-wise product: a surface under coloured light.
pub(crate) fn tint(a: Rgb, by: Rgb) -> Rgb {
    [a[0] * by[0], a[1] * by[1], a[2] * by[2]]
}

/// Perceived brightness in 0…1 (Rec. 601 weights).
pub(crate) fn luma(a: Rgb) -> f32 {
    0.299 * a[0] + 0.587 * a[1] + 0.114 * a[2]
}

/// `0xRRGGBB`.
pub(crate) fn hex(code: u32) -> Rgb {
    let part = |shift: u32| ((code >> shift) & 255) as f32 / 255.0;
    [part(16), part(8), part(0)]
}

/// Hue in turns (0 red, 1/3 green, 2/3 blue), saturation and value in 0…1.
pub(crate) fn hsv(hue: f32, saturation: f32, value: f32) -> Rgb {
    let component = |offset: f32| {
        let t = (hue + offset) - (hue + offset).floor();
        let ramp = ((t * 6.0 - 3.0).abs() - 1.0).clamp(0.0, 1.0);
        value * (1.0 - saturation + saturation * ramp)
    };
    [component(0.0), component(2.0 / 3.0), component(1.0 / 3.0)]
}

/// Moves each component by up to `amount`, and all together by up to `amount`.
pub(crate) fn jitter(colour: Rgb, amount: f32, dice: &mut Dice) -> Rgb {
    let common = dice.range(-amount, amount);
    colour.map(|c| (c + common + dice.range(-amount, amount) * 0.6).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primaries() {
        assert_eq!(hsv(0.0, 1.0, 1.0), [1.0, 0.0, 0.0]);
        assert_eq!(hsv(0.5, 0.0, 0.25), [0.25; 3]);
        assert_eq!(hex(0xff0080), [1.0, 0.0, 128.0 / 255.0]);
    }
}
