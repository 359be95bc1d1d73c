//! Prediction: a network over the views of a split, as rows of a prediction table.

use std::ops::Range;

use in9_base::Piece;
use in9_data::predictions::{Row, Table};
use in9_data::{Dataset, PublishedPictures, Split, View};
use rayon::prelude::*;

use crate::ask::Ask;
use crate::classifier::NetworkRecord;
use crate::error::Result;
use crate::mapping::Answer;
use crate::pictures::{Pictures, Reading, Wanted};
use crate::preprocess::Rgb;

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
        let (reading, wanted) = (self.reading(), Wanted { dataset, split, view, draw, places });
        let as_stored = self.size.is_none_or(|size| size == split.size());
        if as_stored && self.classifier.composes(split, view) {
            return reading.each_placed(&wanted, &mut |pictures| each(self.ask_on(view, pictures)?));
        }
        reading.each(&wanted, &mut |pictures| each(self.ask(&pictures)?))
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
        let preprocessing = self.reading().preprocessing(size);
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
        let pictures = batch.indices.iter().copied().zip(batch.backgrounds.iter().copied());
        Ok(answered(pictures, answers))
    }

    /// The answers on pictures that the classifier composes.
    fn ask_on(&self, view: View, pictures: &[(u32, Option<u32>)]) -> Result<Vec<Answered>> {
        let answers = self.classifier.ask_on(view, pictures, self.batch_size)?.unwrap_or_default();
        Ok(answered(pictures.iter().copied(), answers))
    }

    /// How pictures reach the classifier.
    fn reading(&self) -> Reading {
        let normalization = self.classifier.normalization();
        Reading { batch_size: self.batch_size, size: self.size, normalization }
    }
}

/// Answers with whose they are.
fn answered(pictures: impl Iterator<Item = (u32, Option<u32>)>, answers: Vec<Answer>) -> Vec<Answered> {
    let answered = pictures.zip(answers).map(|((place, background), answer)| Answered {
        place,
        background,
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
