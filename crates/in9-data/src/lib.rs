//! ImageNet-9 datasets: photographs with boxes or masks to layered shards, composed into the eight variants when read.
//!
//! A photograph passes the filters of the protocol, is cut into three layers (photo, tiled
//! background, mask) at one square size, and is stored once. Every variant of the paper is then a
//! [`View`], computed from the layers when it is read by [`compose`]; the variants that need a
//! second photograph take it from a [`Pairing`].
//!
//! ```no_run
//! use in9_data::{Dataset, Loader, LoaderConfig, View};
//!
//! # fn main() -> in9_data::Result<()> {
//! let dataset = Dataset::open("out/toy".as_ref())?;
//! let split = dataset.split("train")?;
//! let config = LoaderConfig { view: View::MixedRand, batch_size: 64, ..LoaderConfig::default() };
//! for batch in Loader::new(&dataset, &split, config)?.epoch(0)? {
//!     let batch = batch?;
//!     println!("{} pictures, first label {}", batch.labels.len(), batch.labels[0]);
//! }
//! # Ok(())
//! # }
//! ```
#![deny(missing_docs)]

#[cfg(feature = "cli")]
pub mod cli;
pub mod error;
pub mod facts;
pub mod groups;
pub mod predictions;

#[doc(no_inline)]
pub use grabcut::Workspace;
#[doc(no_inline)]
pub use in9_base::rng;

#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;

mod blur;
mod build;
mod canvas;
mod compose;
mod controls;
mod cut_margin;
mod dataset;
mod export;
mod hashing;
mod limits;
mod loader;
mod mask;
mod mask_change;
mod mask_noise;
mod memory;
mod network_masks;
mod normalization;
mod outline;
mod pairing;
mod paste;
mod photo;
mod planes;
mod prepare;
mod profile;
mod published;
mod release;
mod resample;
mod shard;
mod sheet;
mod show;
mod sources;
mod taxonomy;
mod verify;
mod view;

pub use build::{BuildConfig, BuildReport, Excluded, Progress, Stage, build, merge};
pub use compose::{Layers, compose};
pub use cut_margin::{CutMargin, cut_margin};
pub use dataset::{
    ClassCount, Dataset, Manifest, RuleCount, Settings, ShardInfo, SoundSplit, Split, SplitInfo,
};
pub use error::{Damage, Error, Result};
pub use export::{ExportFormat, Pairs, PictureCode, export, export_hub, export_pairs};
pub use limits::Limits;
pub use loader::{
    Augment, Batch, BatchOf, ByteBatch, Epoch, Jitter, Loader, LoaderConfig, PairingMode, Pixel, PlacedBatch,
    Placement, Share,
};
pub use mask::MaskBits;
pub use mask_change::MaskChange;
pub use mask_noise::{MaskNoise, outline_distance};
pub use network_masks::{
    Activation, Fit, InputDescription, Layout, MaskNetwork, MaskNetworkRecord, NetworkDescription,
    NetworkMasks, Order, OutputDescription, PromptDescription, PromptForm, Shown,
};
pub use normalization::Normalization;
pub use outline::{Differing, Outlined, Rebuild, Rebuilt, rebuild, write_outline};
pub use pairing::{Pairing, PairingPolicy};
pub use paste::{Paste, Place, paste};
pub use profile::{MaskSource, Profile};
pub use published::PublishedPictures;
pub use release::Difference;
pub use shard::{Sample, Shard};
pub use show::{RejectedSheet, contact_sheet, rejected_sheet};
pub use sources::SourceKind;
pub use sources::look::{describe_folder, guess_source};
pub use taxonomy::{Class, Taxonomy};
pub use verify::{Verified, verify};
pub use view::View;

/// What this build of the crate was made from: it changes with everything that its results may depend on.
pub const IDENTITY: &str = env!("IN9_IDENTITY");

/// Compiles the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
