//! The toy world: photographs that the program draws itself.
//!
//! The real photographs of the paper cannot be shipped, and their truth is not known exactly. So
//! the default run paints its own: nine kinds of object, nine kinds of scene, exact masks and
//! boxes, and a number ρ for how strongly the two go together. They are stored as ILSVRC-2012 stores
//! its photographs, so everything that reads them treats them as it treats ImageNet.
//!
//! | class | own scene | sub-kinds (fine labels) |
//! | --- | --- | --- |
//! | butterfly | meadow | monarch, swallowtail, moth |
//! | fish | sea | trout, reef fish, angelfish |
//! | cactus | desert | saguaro, barrel cactus, prickly pear |
//! | mushroom | forest | toadstool, chanterelle, ink cap |
//! | car | city | saloon car, bus, lorry |
//! | penguin | snow | emperor penguin, penguin chick, rockhopper |
//! | vessel | room | teapot, mug, jug |
//! | rocket | night | slim rocket, stout rocket, booster rocket |
//! | balloon | mountain | hot-air balloon, airship, party balloon |
//!
//! # What carries the class, and what does not
//!
//! With probability ρ an object stands in its own kind of scene, otherwise in one of all nine
//! drawn uniformly (its own included). At ρ = 0 the scene says nothing of the class; at ρ = 1 it
//! says everything that can be seen of it. Besides the scene, **shape alone** carries the class:
//! colours, patterns, light, dapple, pose, stretch, size and place of the box, shadow, blur and
//! noise come from the same distributions for all kinds. The box's proportions are nearly the same
//! for all kinds, because figures are stretched (by at most 1.5 to 1) towards a common one.
//!
//! Two dials change that on purpose: [`WorldConfig::size_leak`] and [`WorldConfig::place_leak`] say how often the box has
//! the size, and stands at the place, of its class. They stand at zero unless asked for.
//!
//! # The same world at another ρ
//!
//! Every choice is drawn from a stream keyed by (seed, purpose, photograph). ρ enters only the
//! choice of the scene, so worlds of one seed show the same objects in the same poses under the
//! same camera at every ρ: differences between them are paired. A larger world begins with the
//! photographs of a smaller one. Thread count changes no byte, and the drawing uses only
//! arithmetic that every platform rounds alike (see `maths.rs`).
//!
//! # Flaws
//!
//! A few percent of the photographs fail one of the protocol's filters on purpose (two objects, a
//! close-up over 90 %, a box cut off by the central square, an annotation of another size, no
//! annotation at all); `toy-scenes.csv` says which.
//!
//! # Example
//!
//! ```
//! use in9_toy::{WorldConfig, render};
//!
//! # fn main() -> in9_toy::Result<()> {
//! let folder = tempfile::tempdir().expect("a temporary folder");
//! let config = WorldConfig { seed: 7, rho: 0.5, train_per_class: 2, test_per_class: 1, ..WorldConfig::default() };
//! let made = render(&config, &folder.path().join("world"), &|_, _| ())?;
//! assert_eq!((made.train, made.test), (18, 9));
//! assert!(folder.path().join("world/ILSVRC/Data/CLS-LOC/val/ILSVRC2012_val_00000001.JPEG").exists());
//! # Ok(())
//! # }
//! ```
#![deny(missing_docs)]

#[cfg(feature = "cli")]
pub mod cli;

mod colour;
mod config;
mod dice;
mod error;
mod figure;
mod ilsvrc;
mod layout;
mod maths;
mod noise;
mod objects;
mod outline;
mod paint;
mod photograph;
mod raster;
mod scenes;
mod stand_in;
mod world;

pub use config::{MAX_PER_CLASS, WorldConfig};
pub use error::{Error, Result};
pub use stand_in::{BoxForm, Form, StandIn, StandInReport, render_stand_in};
pub use world::{WorldReport, render};

/// What this build of the crate was made from: it changes with everything that its results may depend on.
pub const IDENTITY: &str = env!("IN9_IDENTITY");

/// Compiles the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
