//! Photographs and masks to the stored square.

use fast_image_resize::Resizer;
use fast_image_resize::pixels::{U8, U8x3};

use crate::resample;

use super::filters::Rejection;
use super::frame::Frame;

/// Buffers of one thread.
#[derive(Default)]
pub(crate) struct Resampler {
    resizer: Resizer,
    grey: Vec<u8>,
}

impl Resampler {
    /// An RGB photograph (width·height·3 bytes) as the stored square (size·size·3 bytes).
    pub(crate) fn rgb(
        &mut self,
        rgb: &[u8],
        width: u32,
        height: u32,
        frame: &Frame,
    ) -> Result<Vec<u8>, Rejection> {
        if frame.is_copy() {
            return Ok(pick::<3>(rgb, width as usize, frame));
        }
        let mut out = vec![0; frame.size * frame.size * 3];
        let (window, size) = (window(frame), frame.size as u32);
        resample::square::<U8x3>(&mut self.resizer, rgb, (width, height), window, size, &mut out)
            .map_err(failed)?;
        Ok(out)
    }

    /// A mask (one byte a pixel, 0 is background) as the stored square, 0 or 1 a pixel.
    pub(crate) fn mask(
        &mut self,
        mask: &[u8],
        width: u32,
        height: u32,
        frame: &Frame,
    ) -> Result<Vec<u8>, Rejection> {
        if frame.is_copy() {
            return Ok(pick::<1>(mask, width as usize, frame)
                .into_iter()
                .map(|m| u8::from(m != 0))
                .collect());
        }
        let mut grey = std::mem::take(&mut self.grey);
        grey.clear();
        grey.extend(mask.iter().map(|&m| if m == 0 { 0 } else { 255 }));
        let mut out = vec![0; frame.size * frame.size];
        let (window, size) = (window(frame), frame.size as u32);
        let done = resample::square::<U8>(&mut self.resizer, &grey, (width, height), window, size, &mut out);
        self.grey = grey;
        done.map_err(failed)?;
        out.iter_mut().for_each(|m| *m = u8::from(*m >= 128));
        Ok(out)
    }
}

/// The frame's window in the photograph: left, top, width, height.
fn window(frame: &Frame) -> [f64; 4] {
    let (left, top, side) = frame.window;
    [left, top, side, side]
}

fn failed(error: String) -> Rejection {
    Rejection::fault("not-resizable", error)
}

/// Nearest neighbour by the frame's tables, `N` bytes a pixel.
fn pick<const N: usize>(pixels: &[u8], width: usize, frame: &Frame) -> Vec<u8> {
    let mut out = Vec::with_capacity(frame.size * frame.size * N);
    for &row in &frame.rows {
        let start = row as usize * width;
        for &column in &frame.columns {
            let at = (start + column as usize) * N;
            out.extend_from_slice(&pixels[at..at + N]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::Geometry;
    use super::*;
    use crate::profile::Profile;

    #[test]
    fn antialiasing_averages_and_nearest_picks() {
        // 4×4 in 2×2 blocks of 0 and 200 alternating pixel by pixel.
        let rgb: Vec<u8> = (0..16).flat_map(|i| [if (i + i / 4) % 2 == 0 { 0 } else { 200 }; 3]).collect();
        let frame = |profile| Frame::new(4, 4, Geometry { profile, size: 2, short_side: 2 });
        let mut resampler = Resampler::default();
        let clean = resampler.rgb(&rgb, 4, 4, &frame(Profile::Clean)).unwrap();
        assert!(clean.iter().all(|&v| v.abs_diff(100) <= 2), "{clean:?}");
        let paper = resampler.rgb(&rgb, 4, 4, &frame(Profile::Paper)).unwrap();
        assert!(paper.iter().all(|&v| v == 0 || v == 200));
    }

    #[test]
    fn masks_take_the_majority() {
        let mask: Vec<u8> = (0..16).map(|i| u8::from(i % 4 < 2)).collect();
        let frame = Frame::new(4, 4, Geometry { profile: Profile::Clean, size: 2, short_side: 2 });
        assert_eq!(Resampler::default().mask(&mask, 4, 4, &frame).unwrap(), [1, 0, 1, 0]);
    }
}
