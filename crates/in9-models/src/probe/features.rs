//! The features of a split's photographs in one view.

use in9_data::{Dataset, Split, View};

use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::pictures::{Pictures, Reading, Wanted};

/// Features of pictures, row by row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Features {
    values: Vec<f32>,
    width: usize,
}

impl Features {
    /// Of `n · width` values, picture by picture.
    ///
    /// # Errors
    /// [`Error::Shape`] when they are no whole number of pictures.
    pub fn new(values: Vec<f32>, width: usize) -> Result<Self> {
        if width == 0 || !values.len().is_multiple_of(width) {
            let (what, expected) = ("features".to_owned(), format!("[n, {width}]"));
            return Err(Error::Shape { what, expected, found: vec![values.len()] });
        }
        Ok(Self { values, width })
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// Whether there is no picture.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Features of a picture.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The features of picture `index`.
    ///
    /// # Panics
    /// If there are not as many.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.width..(index + 1) * self.width]
    }

    /// All rows, in their order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.width.max(1))
    }

    /// The rows at these places, in their order.
    pub(super) fn at(&self, places: &[usize]) -> Self {
        let values = places.iter().flat_map(|place| self.row(*place)).copied().collect();
        Self { values, width: self.width }
    }

    /// The rows that are `kept`.
    pub(super) fn only(&self, kept: impl Fn(usize) -> bool) -> Self {
        let rows = self.rows().enumerate().filter(|(index, _)| kept(*index));
        Self { values: rows.flat_map(|(_, row)| row).copied().collect(), width: self.width }
    }
}

/// Features of a batch, and whose they are.
pub struct FeaturesOf<'a> {
    /// The features.
    pub features: Features,
    /// Places of the samples in the split.
    pub indices: &'a [u32],
    /// Places of those that gave the backgrounds.
    pub backgrounds: &'a [Option<u32>],
}

impl Encoder {
    /// Hands the features of every sample of `split` in `view` to `each`, in the split's order, batch by batch, with the
    /// dataset's frozen pairings; `size` is the side that pictures are resized to, if they are.
    ///
    /// # Errors
    /// When a shard cannot be read, the network refuses the pictures, or what `each` returns.
    pub fn features_of(
        &self,
        dataset: &Dataset,
        split: &Split,
        view: View,
        batch_size: usize,
        size: Option<usize>,
        each: &mut dyn FnMut(FeaturesOf<'_>) -> Result<()>,
    ) -> Result<()> {
        let reading = Reading { batch_size, size, normalization: self.normalization() };
        let wanted = Wanted { dataset, split, view, draw: 0, places: 0..split.len() };
        reading.each(&wanted, &mut |pictures| {
            let Pictures { planes, size, indices, backgrounds } = pictures;
            let features = Features::new(self.features(planes, indices.len(), size)?, self.width())?;
            each(FeaturesOf { features, indices, backgrounds })
        })
    }
}
