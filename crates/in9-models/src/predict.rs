//! Prediction: a network over the views of a split, as rows of a prediction table.

use std::ops::Range;

use in9_base::Piece;
use in9_data::predictions::{Row, Table};
use in9_data::{
    Augment, BatchOf, ByteBatch, Dataset, Loader, LoaderConfig, PairingMode, PairingPolicy,
    PublishedPictures, Split, View,
};
use rayon::prelude::*;

use crate::ask::Ask;
use crate::classifier::NetworkRecord;
use crate::error::Result;
use crate::mapping::Answer;
use crate::preprocess::{Crop, Interpolation, Preprocessing, Rgb};

/// Batches that a classifier which composes its own pictures gets at a time.
const AT_ONCE: usize = 16;

/// A classifier that is ready to predict.
pub struct Predictor<'a> {
    /// The classifier; its name and what it was trained on go into the table.
    pub classifier: &'a dyn Ask,
    /// Pictures a batch; changes no prediction on the CPU.
    pub batch_size: usize,
    /// Side that pictures are resized to (Pillow's bicubic filter) before the network sees them;
    /// `None` leaves them as the dataset has them, as the official evaluator does.
    pub size: Option<usize>,
    /// The samples of each split that are predicted: [`Piece::WHOLE`], or a part that stays together.
    pub piece: Piece,
}

impl Predictor<'_> {
    /// An empty table with the classes of `dataset`.
    pub fn table(dataset: &Dataset) -> Table {
        let classes = dataset.taxonomy().classes.iter().map(|class| class.name.clone());
        Table { classes: classes.collect(), rows: Vec::new() }
    }

    /// Predicts every sample of the piece of `split` on `view`, in the split's order, with the dataset's frozen
    /// pairings; tells `progress` the number of pictures after each batch.
    ///
    /// # Errors
    /// When a shard cannot be read, or the model refuses the pictures.
    pub fn predict(
        &self,
        dataset: &Dataset,
        dataset_name: &str,
        split: &Split,
        view: View,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Vec<Row>> {
        self.predict_drawn(dataset, dataset_name, split, view, 0, progress)
    }

    /// As [`Predictor::predict`], but of a mixed view with the dataset's pairing number `draw`: 0 is the frozen one, and
    /// each further one is drawn from the dataset's own seed, so that it is the same for everybody too. Views that need
    /// no second photograph are the same whatever the draw.
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    pub fn predict_drawn(
        &self,
        dataset: &Dataset,
        dataset_name: &str,
        split: &Split,
        view: View,
        draw: u32,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Vec<Row>> {
        let (record, mut rows) = (self.classifier.record(), Vec::new());
        let places = self.piece.range(split.len());
        self.answer(dataset, split, view, draw, places, &mut |answers| {
            progress(answers.len());
            rows.extend(answers.into_iter().map(|answer| answer.row(&record, dataset_name, split, view)));
            Ok(())
        })?;
        Ok(rows)
    }

    /// Predicts the samples at `places` of `split` on `view`, in their order, with pairing number `draw`
    /// ([`Predictor::predict_drawn`]), and hands the answers to `each`, batch by batch: whoever keeps them can go on from
    /// there.
    ///
    /// # Errors
    /// As [`Predictor::predict`], or what `each` returns.
    pub fn answer(
        &self,
        dataset: &Dataset,
        split: &Split,
        view: View,
        draw: u32,
        places: Range<usize>,
        each: &mut dyn FnMut(Vec<Answered>) -> Result<()>,
    ) -> Result<()> {
        let settings = &dataset.manifest().settings;
        let config = LoaderConfig {
            view,
            batch_size: self.batch_size,
            shuffle: false,
            drop_last: false,
            augment: Augment::None,
            pairing: match draw {
                0 => PairingMode::Frozen,
                _ => PairingMode::Fresh(PairingPolicy::of(settings.profile)),
            },
            seed: settings.seed,
            normalization: self.classifier.normalization(),
            ..LoaderConfig::default()
        };
        let loader = Loader::new(dataset, split, config)?.only(places);
        // A loader's epoch e takes the draw e + 1: draw 0 is the frozen one.
        let epoch = u64::from(draw.saturating_sub(1));
        match self.size.filter(|size| *size != split.size()) {
            None if self.classifier.composes(split, view) => {
                let mut batches = loader.placed(epoch, 0)?;
                loop {
                    // Several batches at a time, so that a GPU is not waited for after each.
                    let (mut indices, mut backgrounds) = (Vec::new(), Vec::new());
                    for batch in batches.by_ref().take(AT_ONCE) {
                        indices.extend(batch.indices);
                        backgrounds.extend(batch.backgrounds);
                    }
                    if indices.is_empty() {
                        break;
                    }
                    each(self.ask_on(view, &indices, &backgrounds)?)?;
                }
            }
            None => {
                for batch in loader.epoch(epoch)? {
                    let batch = batch?;
                    each(self.ask(&Pictures::of(&batch, &batch.images, split.size()))?)?;
                }
            }
            Some(size) => {
                for batch in loader.epoch_bytes(epoch)? {
                    let batch = batch?;
                    let planes = self.resized(&batch, split.size(), size)?;
                    each(self.ask(&Pictures::of(&batch, &planes, size))?)?;
                }
            }
        }
        Ok(())
    }

    /// Predicts the release's own picture of the samples at `places` of `split` in `view`, in their order, as
    /// [`Predictor::answer`] does with recomposed ones.
    ///
    /// # Errors
    /// When a picture cannot be read, the model refuses the pictures, or what `each` returns.
    pub fn answer_published(
        &self,
        pictures: &PublishedPictures,
        split: &Split,
        view: View,
        places: Range<usize>,
        each: &mut dyn FnMut(Vec<Answered>) -> Result<()>,
    ) -> Result<()> {
        let all: Vec<u32> = (places.start as u32..places.end as u32).collect();
        let (stored, size) = (split.size(), self.size.unwrap_or(split.size()));
        let preprocessing = self.preprocessing(size);
        for indices in all.chunks(self.batch_size.max(1)) {
            let one = |index: &u32| -> Result<Vec<f32>> {
                let picture = Rgb::new(stored, stored, pictures.picture(view, *index as usize)?)?;
                let square = if size == stored { picture } else { preprocessing.square(&picture) };
                Ok(preprocessing.normalise(&square))
            };
            let planes: Result<Vec<Vec<f32>>> = indices.par_iter().map(one).collect();
            let backgrounds: Vec<Option<u32>> =
                indices.iter().map(|index| pictures.background(view, *index as usize)).collect();
            each(self.ask(&Pictures {
                planes: &planes?.concat(),
                size,
                indices,
                backgrounds: &backgrounds,
            })?)?;
        }
        Ok(())
    }

    /// The answers on a batch.
    fn ask(&self, batch: &Pictures<'_>) -> Result<Vec<Answered>> {
        let answers = self.classifier.ask(batch.planes, batch.indices.len(), batch.size)?;
        Ok(answered(batch.indices, batch.backgrounds, answers))
    }

    /// The answers on pictures that the classifier composes.
    fn ask_on(&self, view: View, indices: &[u32], backgrounds: &[Option<u32>]) -> Result<Vec<Answered>> {
        let pictures: Vec<_> = indices.iter().copied().zip(backgrounds.iter().copied()).collect();
        let answers = self.classifier.ask_on(view, &pictures, self.batch_size)?.unwrap_or_default();
        Ok(answered(indices, backgrounds, answers))
    }

    /// The pictures of a batch at another size, normalised, `[n, 3, size, size]`.
    fn resized(&self, batch: &ByteBatch, from: usize, size: usize) -> Result<Vec<f32>> {
        let preprocessing = self.preprocessing(size);
        let one = |bytes: &[u8]| -> Result<Vec<f32>> {
            let square = preprocessing.square(&Rgb::new(from, from, bytes.to_vec())?);
            Ok(preprocessing.normalise(&square))
        };
        let pictures: Result<Vec<Vec<f32>>> = batch.images.par_chunks(3 * from * from).map(one).collect();
        Ok(pictures?.concat())
    }
}

impl Predictor<'_> {
    /// What makes a square of `size` pixels a side out of a stored one.
    fn preprocessing(&self, size: usize) -> Preprocessing {
        Preprocessing {
            size,
            crop: Crop::ResizeThenCrop { resize: size },
            interpolation: Interpolation::Bicubic,
            normalization: self.classifier.normalization(),
        }
    }
}

/// Answers with whose they are.
fn answered(indices: &[u32], backgrounds: &[Option<u32>], answers: Vec<Answer>) -> Vec<Answered> {
    let pictures = indices.iter().zip(backgrounds);
    let answered = pictures.zip(answers).map(|((place, background), answer)| Answered {
        place: *place,
        background: *background,
        predicted: answer.class.map(|class| class as u16),
        scores: answer.scores,
    });
    answered.collect()
}

/// An answer on one picture of a split, without the words that a row of a table says again for every picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The sample's place in the split.
    pub place: u32,
    /// The place of the sample that gave the background, if another did.
    pub background: Option<u32>,
    /// The class; `None` is outside the taxonomy.
    pub predicted: Option<u16>,
    /// Score of each class, in the classes' order; empty if unknown.
    pub scores: Vec<f32>,
}

impl Answered {
    /// The row of a prediction table that says it of `split` and `view`, and of the classifier of `record`.
    ///
    /// # Panics
    /// If the split has no such samples.
    pub fn row(self, record: &NetworkRecord, dataset_name: &str, split: &Split, view: View) -> Row {
        Row {
            model: record.model.clone(),
            arch: record.arch.clone(),
            trained_on: record.trained_on.clone(),
            dataset: dataset_name.to_owned(),
            training: record.training.clone(),
            predicted: self.predicted,
            scores: self.scores,
            ..Row::of_picture(split, view, self.place as usize, self.background.map(|place| place as usize))
        }
    }
}

/// Pictures as the network sees them, and whose they are.
struct Pictures<'a> {
    /// `[n, 3, size, size]`, normalised.
    planes: &'a [f32],
    size: usize,
    indices: &'a [u32],
    backgrounds: &'a [Option<u32>],
}

impl<'a> Pictures<'a> {
    fn of<P>(batch: &'a BatchOf<P>, planes: &'a [f32], size: usize) -> Self {
        Self { planes, size, indices: &batch.indices, backgrounds: &batch.backgrounds }
    }
}
