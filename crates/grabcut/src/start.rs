//! Where the rounds start: from the result on a picture of half the size, or from clusters.
//!
//! Clusters of all colours inside the box explain foreground and background alike, so a cut with
//! such models moves much flow a long way. On a small picture that is cheap; the cuts on the large
//! one then start from models and labels that are nearly right.

use crate::colour::kmeans::KMeans;
use crate::colour::palette::Palette;
use crate::init::{FOREGROUND, OPEN, bounds, halve};
use crate::random::Random;
use crate::rounds::Rounds;
use crate::simd::Backend;
use crate::stage::Stage;
use crate::{Mixture, Params, Rect};

/// A picture whose open pixels lie in a box of fewer pixels is not halved.
const LEAST_NODES: usize = 64 * 64;

/// The colour models and what they are learnt with.
#[derive(Debug)]
pub(crate) struct Models {
    backend: Backend,
    palettes: [Palette; 2],
    kmeans: KMeans,
    /// Background, foreground.
    pub(crate) mixtures: [Mixture; 2],
}

impl Models {
    /// Models of nothing.
    pub(crate) fn new() -> Self {
        Self {
            backend: Backend::detect(),
            palettes: Default::default(),
            kmeans: KMeans::default(),
            mixtures: [Mixture::fit(&[]), Mixture::fit(&[])],
        }
    }

    /// Runs the rounds of the first stage, whose planes and states are set, using the others for
    /// smaller pictures. `open` is the smallest box around the open pixels, γ that of this size.
    /// `false` if a side has no pixels, at the start or at the end.
    pub(crate) fn refine(
        &mut self,
        stages: &mut [Stage],
        open: Option<Rect>,
        gamma: f64,
        params: &Params,
    ) -> bool {
        let Some((stage, smaller)) = stages.split_first_mut() else { return false };
        let large = open.is_some_and(|open| open.width() as usize * open.height() as usize >= LEAST_NODES);
        let started = large && self.start_small(stage, smaller, gamma, params);
        if !started && !self.learn(stage, params) {
            return false;
        }
        Rounds::new(stage, open, gamma, self.backend).run(params.iterations, &mut self.mixtures);
        [0, FOREGROUND].iter().all(|&side| stage.states.iter().any(|s| s & FOREGROUND == side))
    }

    /// Takes labels and models over from the picture of half the size. `false`, with nothing
    /// changed but the models, if it leaves a side without pixels.
    fn start_small(&mut self, stage: &mut Stage, smaller: &mut [Stage], gamma: f64, params: &Params) -> bool {
        let Some(half) = smaller.first_mut() else { return false };
        stage.planes.halve(&mut half.planes);
        halve(&stage.states, stage.planes.width(), &mut half.states);
        let open = bounds(&half.states, half.planes.width());
        // A pixel stands for four, but a contour has half the length.
        if !self.refine(smaller, open, gamma / 2.0, params) {
            return false;
        }
        let half = &smaller[0];
        let labels = half.states.chunks_exact(half.planes.width());
        for (rows, labels) in stage.states.chunks_mut(2 * stage.planes.width()).zip(labels) {
            for row in rows.chunks_exact_mut(stage.planes.width()) {
                for (states, label) in row.chunks_mut(2).zip(labels) {
                    for state in states.iter_mut().filter(|s| **s & OPEN != 0) {
                        *state = OPEN | (label & FOREGROUND);
                    }
                }
            }
        }
        true
    }

    /// Starts both mixtures from k-means clusters of the colours. `false` if a side has no pixels.
    fn learn(&mut self, stage: &Stage, params: &Params) -> bool {
        let Self { palettes, kmeans, mixtures, .. } = self;
        palettes.iter_mut().for_each(Palette::clear);
        for (&state, colour) in stage.states.iter().zip(stage.planes.colours(0, stage.states.len())) {
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
