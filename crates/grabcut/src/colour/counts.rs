//! The moments of the pixels of each component, kept up to date.

use super::moments::{MAX_RUN, Moments, RunMoments};
use crate::init::FOREGROUND;
use crate::params::MAX_COMPONENTS;
use crate::planar::PlanarImage;

/// Sets of pixels: the components of the background's mixture, then those of the foreground's.
const SETS: usize = 2 * MAX_COMPONENTS;
/// Sets that a run tells apart: twice as many to add to, so that a new pixel has one, and as many to remove from.
const CHANGES: usize = 4 * SETS;
/// Pixels whose sets are compared at a time.
const CHUNK: usize = 64;

/// In which set every pixel is counted, and the moments of the sets.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    sets: Vec<u8>,
    moments: [Moments; SETS],
}

impl Counts {
    /// Starts over with an image of so many pixels, none of which is counted.
    pub(crate) fn reset(&mut self, pixels: usize) {
        self.sets.clear();
        self.sets.resize(pixels, SETS as u8);
        self.moments = Default::default();
    }

    /// Counts every pixel in the component of its side. It costs time only if that is not where it was counted.
    pub(crate) fn update(&mut self, image: &PlanarImage, states: &[u8], [bg, fg]: [&[u8]; 2]) {
        let mut run = RunMoments::<CHANGES>::new();
        let mut changes = [Moments::default(); CHANGES];
        let mut end = 0;
        for counted in self.sets.chunks_mut(CHUNK) {
            let start = end;
            end += counted.len();
            let mut sets = [0; CHUNK];
            let pixels = states[start..end].iter().zip(&bg[start..end]).zip(&fg[start..end]);
            for (set, ((&state, &bg), &fg)) in sets.iter_mut().zip(pixels) {
                *set = if state & FOREGROUND == 0 { bg } else { MAX_COMPONENTS as u8 + fg };
            }
            let sets = &sets[..counted.len()];
            if sets != counted {
                for ((before, &now), colour) in counted.iter_mut().zip(sets).zip(image.colours(start, end)) {
                    if *before != now {
                        run.push(2 * SETS + usize::from(*before), colour);
                        run.push(usize::from(now), colour);
                        *before = now;
                    }
                }
            }
            if end % MAX_RUN == 0 || end == states.len() {
                run.drain(&mut changes);
            }
        }
        let (added, removed) = changes.split_at(2 * SETS);
        for ((moments, &added), &removed) in self.moments.iter_mut().zip(added).zip(removed) {
            *moments += added;
            *moments -= removed;
        }
    }

    /// Moments of the first `components` components of the background and of the foreground.
    pub(crate) fn sides(&self, components: usize) -> [&[Moments]; 2] {
        let (bg, fg) = self.moments.split_at(MAX_COMPONENTS);
        [&bg[..components], &fg[..components]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RgbView;
    use crate::random::Random;

    #[test]
    fn an_update_gives_what_counting_anew_gives() {
        let (width, height) = (300, 250);
        let mut random = Random::new(11, 0);
        let mut below = |n: f64| (random.unit() * n) as u8;
        let data: Vec<u8> = (0..3 * width * height).map(|_| below(256.0)).collect();
        let mut image = PlanarImage::default();
        image.load(RgbView::new(&data, width, height).expect("sizes match"));
        let mut labels = [2.0, 8.0, 8.0].map(|n| (0..width * height).map(|_| below(n)).collect::<Vec<u8>>());
        let mut kept = Counts::default();
        kept.reset(width * height);
        for _ in 0..3 {
            let [states, bg, fg] = &labels;
            kept.update(&image, states, [bg, fg]);
            let mut expected = [[Moments::default(); MAX_COMPONENTS]; 2];
            for (i, colour) in image.colours(0, states.len()).enumerate() {
                let component = if states[i] == 0 { bg[i] } else { fg[i] };
                expected[usize::from(states[i])][usize::from(component)].push(colour);
            }
            assert_eq!(kept.sides(MAX_COMPONENTS), [&expected[0][..], &expected[1]]);
            for (labels, n) in labels.iter_mut().zip([2.0, 8.0, 8.0]) {
                labels.iter_mut().step_by(7).for_each(|label| *label = below(n));
            }
        }
    }
}
