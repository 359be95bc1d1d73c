//! What a GPU does with pictures, done on a processor.

use in9_analysis::probes::{Pictures, Scenes as _};
use in9_data::{Normalization, SoundSplit, Split, View};
use in9_models::mapping::Answer;
use in9_models::{Ask, Classifier, NetworkRecord};

/// A network that composes its pictures itself, as on a GPU; but not all views, as there.
pub(crate) struct Composing<'a> {
    pub(crate) network: &'a Classifier,
    pub(crate) split: &'a SoundSplit,
}

impl Ask for Composing<'_> {
    fn record(&self) -> NetworkRecord {
        self.network.record()
    }

    fn classes(&self) -> usize {
        Ask::classes(self.network)
    }

    fn normalization(&self) -> Normalization {
        self.network.normalization()
    }

    fn ask(&self, planes: &[f32], n: usize, size: usize) -> in9_models::Result<Vec<Answer>> {
        self.network.ask(planes, n, size)
    }

    fn composes(&self, _split: &Split, view: View) -> bool {
        view != View::BgNoise
    }

    fn ask_on(
        &self,
        view: View,
        pictures: &[(u32, Option<u32>)],
        _batch: usize,
    ) -> in9_models::Result<Option<Vec<Answer>>> {
        assert!(self.composes(self.split, view));
        let size = self.split.size();
        let (mut all, mut rgb) = (Pictures::empty(size), vec![0; 3 * size * size]);
        for &(sample, background) in pictures {
            self.split.compose(view, sample as usize, background.unwrap_or(sample) as usize, &mut rgb);
            all.push_rgb(&rgb);
        }
        self.normalization().values(&mut all.pixels, size * size);
        Ok(Some(self.network.ask(&all.pixels, all.count, size)?))
    }
}
