//! A training set in memory, for tests of the loop.
#![allow(dead_code)]

use std::cell::Cell;

use candle_core::{Device, Tensor};
use in9_models::error::{Error, Result};
use in9_models::train::{Batch, BatchStream, Batches, DataSection, ModelSection, RunFile, Settings};
use in9_models::{Model, Params, build};

/// Pictures of three classes: noise with one channel raised.
pub(crate) struct Noise {
    pub(crate) batches: u64,
    pub(crate) batch_size: usize,
    /// The batch, counted over the run, at which reading fails.
    pub(crate) fails_at: Cell<Option<u64>>,
    /// The batch, counted over the run, whose pictures are not numbers.
    pub(crate) nan_at: Cell<Option<u64>>,
    pub(crate) value: f32,
    /// Whether pictures are of groups: of the class, whether it is odd.
    pub(crate) grouped: bool,
    /// Whether all of them are of one.
    pub(crate) one_group: bool,
}

impl Noise {
    pub(crate) fn new(batches: u64, batch_size: usize) -> Self {
        let (fails_at, nan_at) = (Cell::new(None), Cell::new(None));
        Self { batches, batch_size, fails_at, nan_at, value: 1.0, grouped: false, one_group: false }
    }

    fn batch(&self, epoch: u64, batch: u64) -> Result<Batch> {
        if self.fails_at.get() == Some(epoch * self.batches + batch) {
            let reason = std::io::Error::other("pulled the plug");
            return Err(Error::Io { path: "noise".into(), source: reason });
        }
        let (n, side) = (self.batch_size, 16);
        let mut state = epoch * 1000 + batch + 1;
        let mut noise = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
        };
        let spoilt = self.nan_at.get() == Some(epoch * self.batches + batch);
        let value = if spoilt { f32::NAN } else { self.value };
        let labels: Vec<u32> = (0..n as u32).map(|i| (i + epoch as u32) % 3).collect();
        let mut images = Vec::new();
        for label in &labels {
            for channel in 0..3 {
                let raised = if channel == *label { value } else { 0.0 };
                images.extend((0..side * side).map(|_| noise() + raised));
            }
        }
        Ok(Batch {
            images: Tensor::from_vec(images, (n, 3, side, side), &Device::Cpu)?,
            groups: self
                .grouped
                .then(|| labels.iter().map(|label| if self.one_group { 0 } else { label % 2 }).collect()),
            labels: Tensor::from_vec(labels, n, &Device::Cpu)?,
        })
    }
}

impl Batches for Noise {
    fn per_epoch(&self) -> u64 {
        self.batches
    }

    fn epoch(&self, epoch: u64, first: u64) -> Result<BatchStream<'_>> {
        Ok(Box::new((first..self.batches).map(move |b| self.batch(epoch, b))))
    }
}

pub(crate) fn model() -> Model {
    let params = Params::random(5, candle_core::DType::F32, &Device::Cpu);
    build("resnet-tiny", 3, &params).unwrap()
}

pub(crate) fn run_file(training: Settings) -> RunFile {
    RunFile {
        name: "test".into(),
        version: "0".into(),
        seed: 5,
        device: "cpu".into(),
        model: ModelSection {
            arch: "resnet-tiny".into(),
            parameters: 1,
            classes: ["a", "b", "c"].map(str::to_owned).to_vec(),
            initial_weights: String::new(),
        },
        data: DataSection {
            dataset: "noise".into(),
            digest: "0".into(),
            split: "train".into(),
            view: "original".into(),
            samples: 1,
            fraction: 1.0,
            group: 0,
            size: 16,
            eval_split: String::new(),
            mean: [0.0; 3],
            std: [1.0; 3],
        },
        training,
    }
}

pub(crate) fn settings() -> Settings {
    Settings { epochs: 2, batch_size: 6, lr: 0.02, ..Settings::small() }
}
