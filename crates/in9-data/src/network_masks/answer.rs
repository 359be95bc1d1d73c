//! What a network answers, as a mask of the photograph.

use fast_image_resize::Resizer;
use fast_image_resize::pixels::I32;

use crate::photo::Photo;
use crate::resample;

use super::description::{Activation, Layout, NetworkDescription, OutputDescription};
use super::region::Region;

/// Most pixels of a map.
const LARGEST: usize = 1 << 24;

/// What the largest share of a map is while it is resized. In whole numbers it is exact to a part in 2³⁰ and alike on every
/// processor; for f32 the resizer has code that the compiler does not turn into the same bytes each time.
const WHOLE: f64 = (1 << 30) as f64;

/// How a map of pixels lies in a network's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    channels: usize,
    height: usize,
    width: usize,
    /// Values from one channel of a pixel to the next, and from one pixel to the next.
    steps: (usize, usize),
}

impl Grid {
    /// Finds out how an output of this shape is to be read; else what was expected and what was found.
    pub(super) fn of(shape: &[usize], description: &NetworkDescription) -> Result<Self, (String, String)> {
        let fault = |expected: &str| Err((expected.to_owned(), format!("{shape:?}")));
        let (channels, height, width, side_by_side) = match (shape, description.input.layout) {
            (&[height, width] | &[1, height, width], _) => (1, height, width, false),
            (&[1, channels, height, width], Layout::Nchw) => (channels, height, width, false),
            (&[1, height, width, channels], Layout::Nhwc) => (channels, height, width, true),
            (_, Layout::Nchw) => return fault("[1, channels, height, width]"),
            (_, Layout::Nhwc) => return fault("[1, height, width, channels]"),
        };
        let pixels = height.saturating_mul(width);
        if pixels == 0 || pixels > LARGEST {
            return fault("1 to 16,777,216 pixels");
        }
        let output = &description.output;
        let least = if output.activation == Activation::Softmax { 2 } else { 1 };
        if channels < least.max(output.channel.saturating_add(1)) {
            return fault("a channel for the object, and for softmax another");
        }
        let steps = if side_by_side { (1, channels) } else { (pixels, 1) };
        Ok(Self { channels, height, width, steps })
    }

    /// For each pixel of the map the share of it that is object.
    pub(super) fn map(&self, answer: &[f32], output: &OutputDescription) -> Result<Vec<f32>, String> {
        let pixels = self.height * self.width;
        if answer.len() != pixels * self.channels {
            return Err(format!("{} values", answer.len()));
        }
        if let Some(value) = answer.iter().find(|value| !value.is_finite()) {
            return Err(value.to_string());
        }
        let value = |pixel: usize, channel: usize| answer[channel * self.steps.0 + pixel * self.steps.1];
        let mut map: Vec<f32> = (0..pixels)
            .map(|pixel| {
                let own = value(pixel, output.channel);
                match output.activation {
                    Activation::None => own,
                    Activation::Sigmoid => 1.0 / (1.0 + (-own).exp()),
                    // What the others have over it, so that nothing overflows but to a share of 0.
                    Activation::Softmax => {
                        1.0 / (0..self.channels)
                            .map(|channel| (value(pixel, channel) - own).exp())
                            .sum::<f32>()
                    }
                }
            })
            .collect();
        if output.stretch {
            let (least, most) =
                map.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, m), v| (l.min(*v), m.max(*v)));
            let range = most - least;
            map.iter_mut().for_each(|v| *v = if range > 0.0 { (*v - least) / range } else { 0.0 });
        }
        Ok(map)
    }
}

/// The object's mask in the photograph, one byte a pixel: the map brought to the region's size by the triangle filter, and
/// what then lies above the threshold inside the box.
pub(super) fn mask(
    map: &[f32],
    grid: Grid,
    photo: &Photo,
    [x0, y0, x1, y1]: [u32; 4],
    region: &Region,
    description: &NetworkDescription,
    resizer: &mut Resizer,
) -> Result<Vec<u8>, String> {
    let [left, top, across, down] = region.part;
    let [input_width, input_height] = description.input.size;
    // The part of the map that is no padding.
    let shown = |within: u32, input: u32, side: usize| f64::from(within) / f64::from(input) * side as f64;
    let window = [
        0.0,
        0.0,
        shown(region.within[0], input_width, grid.width),
        shown(region.within[1], input_height, grid.height),
    ];
    let mut large = vec![I32::new(0); across as usize * down as usize];
    let size = (grid.width as u32, grid.height as u32);
    let largest = map.iter().fold(f32::MIN_POSITIVE, |largest, share| largest.max(share.abs()));
    let unit = WHOLE / f64::from(largest);
    let map: Vec<I32> = map.iter().map(|share| I32::new((f64::from(*share) * unit).round() as i32)).collect();
    resample::window_of(resizer, &map, size, window, (across, down), &mut large)?;
    let threshold = f64::from(description.output.threshold) * unit;
    let width = photo.width as usize;
    let mut mask = vec![0; width * photo.height as usize];
    for (y, row) in (top..).zip(large.chunks_exact(across as usize)) {
        if !(y0..=y1).contains(&y) {
            continue;
        }
        for (x, share) in (left..).zip(row) {
            let object = (x0..=x1).contains(&x) && f64::from(share.0) > threshold;
            mask[y as usize * width + x as usize] = u8::from(object);
        }
    }
    Ok(mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(layout: &str, output: &str) -> NetworkDescription {
        let text = format!(
            "file = \"n\"\nshown = \"photograph\"\n[input]\nsize = [2, 2]\nlayout = \"{layout}\"\n[output]\n{output}"
        );
        NetworkDescription::parse(&text, "n".as_ref()).unwrap()
    }

    fn shares(shape: &[usize], description: &NetworkDescription, answer: &[f32]) -> Vec<f32> {
        let grid = Grid::of(shape, description).unwrap();
        grid.map(answer, &description.output).unwrap()
    }

    #[test]
    fn channels_are_found_in_either_layout_and_softmax_is_over_them() {
        let softmax = "activation = \"softmax\"\nchannel = 1";
        let planes = shares(&[1, 2, 1, 2], &described("nchw", softmax), &[0.0, 200.0, 0.0, -200.0]);
        assert_eq!(planes, [0.5, 0.0]);
        let beside = shares(&[1, 1, 2, 2], &described("nhwc", softmax), &[0.0, 0.0, 200.0, -200.0]);
        assert_eq!(beside, planes);
        let far = shares(&[1, 2, 1, 1], &described("nchw", softmax), &[-3e38, 3e38]);
        assert_eq!(far, [1.0]);
    }

    #[test]
    fn values_are_stretched_where_that_is_asked_for() {
        let stretch = described("nchw", "activation = \"none\"\nstretch = true");
        assert_eq!(shares(&[1, 1, 1, 3], &stretch, &[2.0, 4.0, 3.0]), [0.0, 1.0, 0.5]);
        assert_eq!(shares(&[1, 3], &stretch, &[7.0; 3]), [0.0; 3]);
        let sigmoid = described("nchw", "activation = \"sigmoid\"");
        assert_eq!(shares(&[1, 1, 3], &sigmoid, &[0.0, -1e30, 1e30]), [0.5, 0.0, 1.0]);
    }

    #[test]
    fn outputs_that_are_no_map_are_refused() {
        let one = described("nchw", "activation = \"none\"");
        for shape in
            [&[][..], &[9], &[2, 1, 4, 4], &[1, 0, 4, 4], &[1, 1, 0, 4], &[1, 1, 1, 4, 4], &[4096, 4097]]
        {
            assert!(Grid::of(shape, &one).is_err(), "{shape:?}");
        }
        assert!(Grid::of(&[1, 1, 4, 4], &described("nchw", "activation = \"softmax\"")).is_err());
        assert!(Grid::of(&[1, 3, 4, 4], &described("nchw", "activation = \"none\"\nchannel = 3")).is_err());
        assert!(Grid::of(&[1, 3, 4, 4], &described("nhwc", "activation = \"none\"\nchannel = 3")).is_ok());
        let grid = Grid::of(&[1, 1, 2, 2], &one).unwrap();
        assert_eq!(grid.map(&[0.0; 3], &one.output).unwrap_err(), "3 values");
        assert_eq!(grid.map(&[0.0, f32::NEG_INFINITY, 0.0, 0.0], &one.output).unwrap_err(), "-inf");
    }
}
