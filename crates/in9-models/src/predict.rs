//! Prediction: a frozen model over the views of a split, as rows of a prediction table.

use candle_core::{DType, Tensor};
use in9_data::predictions::{Row, Table};
use in9_data::{Augment, Batch, Dataset, Loader, LoaderConfig, Normalization, PairingMode, Split, View};

use crate::error::{Error, Result};
use crate::mapping::{Answer, ClassMap};
use crate::model::{Mode, Model};

/// A model that is ready to predict.
pub struct Predictor<'a> {
    /// The model; a frozen one is several times faster.
    pub model: &'a Model,
    /// Its name in the table.
    pub name: String,
    /// What it was trained on, in the table: a view, free text, or nothing.
    pub trained_on: String,
    /// How its inputs are normalised.
    pub normalization: Normalization,
    /// How its outputs become classes.
    pub classes: &'a ClassMap,
    /// Pictures a batch; changes no prediction on the CPU.
    pub batch_size: usize,
}

impl Predictor<'_> {
    /// An empty table with the classes of `dataset`.
    pub fn table(dataset: &Dataset) -> Table {
        let classes = dataset.taxonomy().classes.iter().map(|class| class.name.clone());
        Table { classes: classes.collect(), rows: Vec::new() }
    }

    /// Predicts every sample of `split` on `view`, in the split's order, with the dataset's frozen
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
        let config = LoaderConfig {
            view,
            batch_size: self.batch_size,
            shuffle: false,
            drop_last: false,
            augment: Augment::None,
            pairing: PairingMode::Frozen,
            normalization: self.normalization,
            ..LoaderConfig::default()
        };
        let loader = Loader::new(dataset, split, config)?;
        let mut rows = Vec::with_capacity(split.len());
        for batch in loader.epoch(0)? {
            let batch = batch?;
            let classified = self.classify(&batch, split.size())?;
            let pictures = batch.indices.iter().zip(&batch.backgrounds);
            for ((index, background), answer) in pictures.zip(classified) {
                let foreground = split.sample(*index as usize);
                let background = background.map(|index| split.sample(index as usize));
                rows.push(Row {
                    model: self.name.clone(),
                    arch: self.model.architecture().name.to_owned(),
                    trained_on: self.trained_on.clone(),
                    dataset: dataset_name.to_owned(),
                    split: split.name().to_owned(),
                    view,
                    image: foreground.id.clone(),
                    foreground: foreground.id.clone(),
                    background: background.map_or_else(String::new, |sample| sample.id.clone()),
                    class: foreground.class,
                    background_class: background.map(|sample| sample.class),
                    predicted: answer.class.map(|class| class as u16),
                    scores: answer.scores,
                });
            }
            progress(batch.indices.len());
        }
        Ok(rows)
    }

    fn classify(&self, batch: &Batch, size: usize) -> Result<Vec<Answer>> {
        let shape = (batch.labels.len(), 3, size, size);
        let device = self.model.device();
        let x = Tensor::from_slice(&batch.images, shape, device)?.to_dtype(self.model.dtype())?;
        let logits = self.model.forward(&x, Mode::Eval)?.to_dtype(DType::F32)?.to_vec2::<f32>()?;
        if logits.iter().flatten().any(|logit| !logit.is_finite()) {
            let found = format!("others from {}: its weights are damaged", self.name);
            return Err(Error::setting("--weights", "finite scores", found));
        }
        logits.iter().map(|logits| self.classes.answer(logits)).collect()
    }
}
