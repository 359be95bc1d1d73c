//! A map laid over its picture.

use super::map::Map;

/// The picture dimmed to grey where the map is low and tinted from blue to red where it is high.
///
/// `rgb` and the answer are `size · size · 3` bytes; the map is normalised first.
pub fn overlay(rgb: &[u8], map: &Map) -> Vec<u8> {
    let map = map.clone().normalised();
    let mut out = Vec::with_capacity(rgb.len());
    for (pixel, &heat) in rgb.chunks_exact(3).zip(&map.values) {
        let grey = 0.299 * f32::from(pixel[0]) + 0.587 * f32::from(pixel[1]) + 0.114 * f32::from(pixel[2]);
        // Half of the colour is the picture's own grey, so that shapes stay visible under the heat.
        for (channel, tint) in tint(heat).into_iter().enumerate() {
            let kept = 0.6 * grey + 0.4 * f32::from(pixel[channel]);
            let share = 0.15 + 0.5 * heat;
            out.push((kept * (1.0 - share) + 255.0 * tint * share).round().clamp(0.0, 255.0) as u8);
        }
    }
    out
}

/// Blue, cyan, yellow, red: the colours that such maps are usually shown in.
fn tint(heat: f32) -> [f32; 3] {
    const STOPS: [[f32; 3]; 4] = [[0.1, 0.2, 0.7], [0.1, 0.75, 0.8], [0.98, 0.85, 0.2], [0.9, 0.15, 0.1]];
    let at = heat.clamp(0.0, 1.0) * 3.0;
    let low = (at as usize).min(2);
    let share = at - low as f32;
    let mut mixed = [0.0; 3];
    for (m, (a, b)) in mixed.iter_mut().zip(STOPS[low].iter().zip(&STOPS[low + 1])) {
        *m = a + share * (b - a);
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_is_red_and_cold_is_blue() {
        let map = Map { values: vec![0.0, 2.0, 0.0, 0.0], size: 2 };
        let out = overlay(&[100; 12], &map);
        assert!(out[2] > out[0], "cold {:?}", &out[..3]);
        assert!(out[3] > out[5], "hot {:?}", &out[3..6]);
    }
}
