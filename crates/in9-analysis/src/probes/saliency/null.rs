//! What a map would show that knows nothing of its photograph.
//!
//! Objects stand near the middle, so a map that is bright in the middle of every photograph lies on objects more than their
//! area alone would give it. What a map knows of *its* photograph is what it has on the photograph's object beyond what it
//! has on the objects of the others.

use super::map::Map;
use super::measures::measure;
use crate::probes::scenes::Scenes;

/// The mean mask of some photographs.
#[derive(Debug, Clone)]
pub struct Elsewhere {
    /// How often each pixel is foreground.
    counts: Vec<f64>,
    photographs: usize,
}

impl Elsewhere {
    /// The masks of `images`.
    pub fn of(scenes: &dyn Scenes, images: &[u32]) -> Self {
        let mut counts = vec![0.0; scenes.size() * scenes.size()];
        for &image in images {
            for (count, inside) in counts.iter_mut().zip(scenes.mask(image as usize)) {
                *count += f64::from(u8::from(inside));
            }
        }
        Self { counts, photographs: images.len() }
    }

    /// Mean share of `map` on the masks of all other photographs; NaN for an all-zero map, or if there is no other.
    /// `own` is the mask of the map's own photograph, which is one of those counted.
    pub fn mass(&self, map: &Map, own: &[bool]) -> f64 {
        let others = self.photographs.saturating_sub(1) as f64;
        let (mut inside, mut total) = (0.0, 0.0);
        for ((value, count), own) in map.values.iter().zip(&self.counts).zip(own) {
            let value = f64::from(*value);
            inside += value * (count - f64::from(u8::from(*own)));
            total += value;
        }
        if total > 0.0 && others > 0.0 { inside / total / others } else { f64::NAN }
    }
}

/// A bright middle: a Gaussian with a standard deviation of a quarter of the side.
pub fn centred(size: usize) -> Map {
    let (middle, spread) = ((size as f32 - 1.0) / 2.0, size as f32 / 4.0);
    let along = |x: usize| (-((x as f32 - middle) / spread).powi(2) / 2.0).exp();
    let values = (0..size * size).map(|i| along(i % size) * along(i / size)).collect();
    Map { values, size }
}

/// A map's share on the foreground, beyond the foreground's area and beyond other photographs' foregrounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beyond {
    /// Share on the foreground minus the foreground's share of the area.
    pub area: f64,
    /// Share on the foreground minus the mean share on the foregrounds of the others.
    pub others: f64,
    /// Whether the middle is foreground, as in the pointing game.
    pub pointing: f64,
}

/// The centred map on each of `images`.
pub fn centre_prior(scenes: &dyn Scenes, images: &[u32], elsewhere: &Elsewhere) -> Vec<Beyond> {
    let map = centred(scenes.size());
    let one = |image: &u32| {
        let mask = scenes.mask(*image as usize);
        let m = measure(&map, &mask);
        Beyond { area: m.mass - m.area, others: m.mass - elsewhere.mass(&map, &mask), pointing: m.pointing }
    };
    images.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Bootstrap;
    use in9_data::MaskBits;

    /// Photographs whose object stands near the middle, as a square of its own place and size.
    struct Centred(Vec<Vec<bool>>);

    impl Scenes for Centred {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn size(&self) -> usize {
            32
        }
        fn id(&self, _: usize) -> &str {
            "x"
        }
        fn class(&self, _: usize) -> u16 {
            0
        }
        fn compose(&self, _: in9_data::View, _: usize, _: usize, _: &mut [u8]) {}
        fn mask(&self, i: usize) -> Vec<bool> {
            self.0[i].clone()
        }
        fn stored_mask(&self, _: usize) -> (usize, Vec<u8>) {
            unreachable!("nothing is composed here")
        }
        fn compose_with(&self, _: MaskBits<'_>, _: in9_data::View, _: usize, _: usize, _: &mut [u8]) {}
        fn paste(&self, _: &in9_data::Paste, _: usize, _: usize, _: &mut [u8]) {}
    }

    fn world() -> (Centred, Vec<u32>) {
        let mut random = in9_base::rng::stream(1, "null", 0, 0);
        let mut draw =
            |low: usize, high: usize| low + in9_base::rng::below(&mut random, (high - low) as u32) as usize;
        let masks = (0..120).map(|_| {
            let (side, x, y) = (draw(8, 18), draw(3, 12), draw(3, 12));
            (0..32 * 32)
                .map(|i| (x..x + side).contains(&(i % 32)) && (y..y + side).contains(&(i / 32)))
                .collect()
        });
        (Centred(masks.collect()), (0..120).collect())
    }

    #[test]
    fn a_centred_gaussian_knows_nothing_and_a_map_of_the_object_does() {
        let (scenes, images) = world();
        let elsewhere = Elsewhere::of(&scenes, &images);
        let prior = centre_prior(&scenes, &images, &elsewhere);
        let mean = |values: &[f64]| Bootstrap::default().mean("null", values);
        let by_area = mean(&prior.iter().map(|b| b.area).collect::<Vec<_>>());
        let by_others = mean(&prior.iter().map(|b| b.others).collect::<Vec<_>>());
        // By area alone the middle of every photograph seems to know where the object is.
        assert!(by_area.low > 0.1, "{by_area:?}");
        assert!(by_others.contains(0.0) && by_others.value.abs() < 1e-9, "{by_others:?}");
        let knows: Vec<f64> = images
            .iter()
            .map(|&i| {
                let mask = scenes.mask(i as usize);
                let map = Map { values: mask.iter().map(|m| f32::from(u8::from(*m))).collect(), size: 32 };
                measure(&map, &mask).mass - elsewhere.mass(&map, &mask)
            })
            .collect();
        assert!(mean(&knows).low > 0.3);
        let empty = Map { values: vec![0.0; 32 * 32], size: 32 };
        assert!(elsewhere.mass(&empty, &scenes.mask(0)).is_nan());
    }
}
