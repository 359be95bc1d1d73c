//! Initialisation of the iterations: from the result at half the size, or from clusters of the colours.
//!
//! The clusters inside the box belong to foreground and background alike. A cut with such colour models has to
//! push much flow over long distances, which is cheap only on a small image. The cuts at larger sizes then
//! start from models and labels that are nearly final.

use crate::colour::kmeans::KMeans;
use crate::colour::palette::Palette;
use crate::init::{FOREGROUND, UNKNOWN, bounds, halve};
use crate::iterations::Iterations;
use crate::level::Level;
use crate::random::Random;
use crate::simd::Backend;
use crate::{Mixture, Params, Rect};

/// An image whose unknown pixels are in a box of fewer pixels is not halved.
const MIN_NODES: usize = 64 * 64;

/// The colour models, and the buffers for fitting them.
#[derive(Debug)]
pub(crate) struct Models {
    backend: Backend,
    palettes: [Palette; 2],
    kmeans: KMeans,
    /// Of the background and of the foreground.
    pub(crate) mixtures: [Mixture; 2],
}

impl Models {
    /// Models without components.
    pub(crate) fn new() -> Self {
        Self {
            backend: Backend::detect(),
            palettes: Default::default(),
            kmeans: KMeans::default(),
            mixtures: [Mixture::fit(&[]), Mixture::fit(&[])],
        }
    }

    /// Runs the iterations on the first level, whose image and states are set; the other levels are for the
    /// smaller sizes. `unknown` is the smallest box around the unknown pixels, `gamma` the γ of this size.
    ///
    /// Returns `false` if foreground or background has no pixels, at the start or at the end.
    pub(crate) fn refine(
        &mut self,
        levels: &mut [Level],
        unknown: Option<Rect>,
        gamma: f64,
        params: &Params,
    ) -> bool {
        let Some((level, smaller)) = levels.split_first_mut() else { return false };
        let large =
            unknown.is_some_and(|unknown| unknown.width() as usize * unknown.height() as usize >= MIN_NODES);
        let started = large && self.start_from_half_size(level, smaller, gamma, params);
        if !started && !self.start_from_clusters(level, params) {
            return false;
        }
        Iterations::new(level, unknown, gamma, self.backend).run(
            params.iterations,
            &mut self.mixtures,
            started,
        );
        [0, FOREGROUND].iter().all(|&side| level.states.iter().any(|s| s & FOREGROUND == side))
    }

    /// Takes labels and models from the image of half the size. Returns `false`, with only the models changed,
    /// if foreground or background has no pixels there.
    fn start_from_half_size(
        &mut self,
        level: &mut Level,
        smaller: &mut [Level],
        gamma: f64,
        params: &Params,
    ) -> bool {
        let Some(half) = smaller.first_mut() else { return false };
        level.image.halve(&mut half.image);
        halve(&level.states, level.image.width(), &mut half.states);
        let unknown = bounds(&half.states, half.image.width());
        // A pixel stands for four, but a contour has half the length.
        if !self.refine(smaller, unknown, gamma / 2.0, params) {
            return false;
        }
        let half = &smaller[0];
        let labels = half.states.chunks_exact(half.image.width());
        for (rows, labels) in level.states.chunks_mut(2 * level.image.width()).zip(labels) {
            for row in rows.chunks_exact_mut(level.image.width()) {
                for (states, label) in row.chunks_mut(2).zip(labels) {
                    for state in states.iter_mut().filter(|s| **s & UNKNOWN != 0) {
                        *state = UNKNOWN | (label & FOREGROUND);
                    }
                }
            }
        }
        true
    }

    /// Initialises both mixtures by k-means clusters of the colours. Returns `false` if foreground or background
    /// has no pixels.
    fn start_from_clusters(&mut self, level: &Level, params: &Params) -> bool {
        let Self { palettes, kmeans, mixtures, .. } = self;
        palettes.iter_mut().for_each(Palette::clear);
        for (&state, colour) in level.states.iter().zip(level.image.colours(0, level.states.len())) {
            palettes[usize::from(state & FOREGROUND)].push(colour);
        }
        if palettes.iter().any(|p| p.cells().is_empty()) {
            return false;
        }
        let k = params.components;
        for (side, (palette, mixture)) in (0..).zip(palettes.iter().zip(mixtures)) {
            let clusters = kmeans.cluster(palette.cells(), k, &mut Random::new(params.seed, side));
            *mixture = Mixture::fit(&clusters[..k]);
        }
        true
    }
}
