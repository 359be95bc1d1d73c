//! Shapes drawn into masks, within a budget of steps: a few bytes may describe a polygon of any size.

use super::segmentation::{Counts, Runs, Segmentation, Shaped};

/// Longest text of one object; the greatest of COCO's have some ten kilobytes.
const LONGEST: usize = 16 << 20;

/// Steps that the shapes of one photograph may take together; COCO's take a few million.
const MOST_STEPS: u64 = 1 << 28;

/// Pixels that are cleared and searched in the time of one step.
const PIXELS_A_STEP: u64 = 4;

/// What is left of the steps of one photograph.
pub(super) struct Steps(u64);

impl Steps {
    pub(super) fn of_a_photograph() -> Self {
        Self(MOST_STEPS)
    }

    /// Counts steps before they are made.
    fn take(&mut self, steps: u64) -> Result<(), String> {
        self.0 = self.0.checked_sub(steps).ok_or_else(|| {
            format!("expected shapes that are drawn in at most {MOST_STEPS} steps, found more")
        })?;
        Ok(())
    }

    /// Counts what clearing and searching so many pixels takes.
    pub(super) fn take_pixels(&mut self, pixels: u64) -> Result<(), String> {
        self.take(pixels / PIXELS_A_STEP + 1)
    }
}

/// Sets the pixels of an object's shape. `object` is the object's JSON text.
pub(super) fn draw(
    object: &str,
    (width, height): (u32, u32),
    mask: &mut [u8],
    steps: &mut Steps,
) -> Result<(), String> {
    if object.len() > LONGEST {
        return Err(format!("expected a shape of at most {LONGEST} bytes, found {}", object.len()));
    }
    let shaped: Shaped = serde_json::from_str(object)
        .map_err(|e| format!("expected an object with polygons or run lengths, found: {e}"))?;
    let Runs { size, counts } = match shaped.segmentation {
        Segmentation::Runs(runs) => runs,
        Segmentation::Polygons(rings) => {
            return rings.iter().try_for_each(|ring| fill_polygon(ring, width, height, mask, steps));
        }
    };
    if size != [height, width] {
        return Err(format!("expected run lengths of {width}x{height}, found {}x{}", size[1], size[0]));
    }
    let counts = match counts {
        Counts::Plain(counts) => counts,
        Counts::Compressed(text) => decompress(&text)?,
    };
    steps.take(counts.len() as u64 + mask.len() as u64)?;
    fill_runs(&counts, width, height, mask)
}

/// Runs go down the columns, background first.
fn fill_runs(counts: &[u32], width: u32, height: u32, mask: &mut [u8]) -> Result<(), String> {
    let (pixels, height) = (mask.len(), height as usize);
    let mut at = 0usize;
    for (run, &count) in counts.iter().enumerate() {
        let end = at + count as usize;
        if end > pixels {
            return Err(format!("expected run lengths of {pixels} pixels, found more"));
        }
        if run % 2 == 1 {
            (at..end).for_each(|i| mask[i % height * width as usize + i / height] = 1);
        }
        at = end;
    }
    match at == pixels {
        true => Ok(()),
        false => Err(format!("expected run lengths of {pixels} pixels, found {at}")),
    }
}

/// COCO's text form: each number in groups of five bits from the low end, bit 5 says that more
/// follow, bit 4 of the last group is the sign; from the fourth number on, differences to the
/// number two before.
fn decompress(text: &str) -> Result<Vec<u32>, String> {
    let bad = || "expected run lengths in COCO's compressed text, found something else".to_string();
    let mut counts: Vec<i64> = Vec::new();
    let mut bytes = text.bytes();
    while let Some(mut byte) = bytes.next() {
        let (mut value, mut shift) = (0i64, 0);
        loop {
            let group = i64::from(byte.checked_sub(48).filter(|&g| g < 64).ok_or_else(bad)?);
            if shift > 40 {
                return Err(bad());
            }
            value |= (group & 31) << shift;
            shift += 5;
            if group & 32 == 0 {
                if group & 16 != 0 {
                    value |= -1 << shift;
                }
                break;
            }
            byte = bytes.next().ok_or_else(bad)?;
        }
        if counts.len() > 2 {
            value += counts[counts.len() - 2];
        }
        counts.push(value);
    }
    counts.into_iter().map(|count| u32::try_from(count).map_err(|_| bad())).collect()
}

/// Fills the pixels whose centres are inside a ring `x0 y0 x1 y1 …` (even-odd rule).
fn fill_polygon(
    ring: &[f64],
    width: u32,
    height: u32,
    mask: &mut [u8],
    steps: &mut Steps,
) -> Result<(), String> {
    if ring.len() < 6 || ring.len() % 2 == 1 {
        return Err(format!("expected a polygon of three corners or more, found {} numbers", ring.len()));
    }
    // Far outside any photograph; also keeps the crossings below finite.
    if let Some(far) = ring.iter().find(|v| v.is_nan() || v.abs() > 1e9) {
        return Err(format!("expected corners within 1e9 pixels, found {far}"));
    }
    let corners: Vec<[f64; 2]> = ring.chunks_exact(2).map(|c| [c[0], c[1]]).collect();
    let low =
        corners.iter().map(|c| c[1]).fold(f64::MAX, f64::min).floor().clamp(0.0, f64::from(height)) as u32;
    let high =
        corners.iter().map(|c| c[1]).fold(f64::MIN, f64::max).ceil().clamp(0.0, f64::from(height)) as u32;
    // Every row looks at every edge, and fills at most its own pixels.
    let rows = u64::from(high.saturating_sub(low));
    steps.take(corners.len() as u64 + rows * corners.len() as u64)?;
    steps.take_pixels(rows * u64::from(width))?;
    let mut crossings = Vec::new();
    for y in low..high {
        let centre = f64::from(y) + 0.5;
        crossings.clear();
        for (at, &[x1, y1]) in corners.iter().enumerate() {
            let [x0, y0] = corners[(at + corners.len() - 1) % corners.len()];
            if (y0 <= centre) != (y1 <= centre) {
                crossings.push(x0 + (centre - y0) / (y1 - y0) * (x1 - x0));
            }
        }
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let edge = |x: f64| (x - 0.5).ceil().clamp(0.0, f64::from(width)) as usize;
            mask[y as usize * width as usize..][..width as usize][edge(pair[0])..edge(pair[1])].fill(1);
        }
    }
    Ok(())
}
