//! GrabCut: a colour image and a box or trimap in, an exact minimum-energy foreground mask out.
//!
//! [`segment`] takes pixels ([`RgbView`]), what is known beforehand ([`Init`]) and settings ([`Params`]), and
//! returns a mask ([`Segmentation`]). Keep one [`Workspace`] for each thread; [`segment_batch`] does so for you.
//!
//! ```
//! use grabcut::{Init, Params, Rect, RgbView, Workspace, segment};
//!
//! // A bright 2 × 2 square on a dark ground of 6 × 6 pixels.
//! let bright = |i: usize| matches!(i % 6, 2 | 3) && matches!(i / 6, 2 | 3);
//! let pixels: Vec<u8> = (0..36).flat_map(|i| if bright(i) { [250, 240, 20] } else { [9, 9, 9] }).collect();
//!
//! let image = RgbView::new(&pixels, 6, 6)?;
//! let around = Init::Box(Rect { x0: 1, y0: 1, x1: 5, y1: 5 });
//! let mut workspace = Workspace::new();
//! let result = segment(image, around, &Params::default(), &mut workspace)?;
//! assert_eq!(result.mask(), [
//!     0, 0, 0, 0, 0, 0,
//!     0, 0, 0, 0, 0, 0,
//!     0, 0, 1, 1, 0, 0,
//!     0, 0, 1, 1, 0, 0,
//!     0, 0, 0, 0, 0, 0,
//!     0, 0, 0, 0, 0, 0,
//! ]);
//! # Ok::<(), grabcut::Error>(())
//! ```
//!
#![doc = concat!(
    "![A drawn pear with its box; the mask; the pear cut out](data:image/png;base64,",
    include_str!("../docs/segmentation.base64"),
    ")"
)]
//!
//! Drawn by the example `pictures`: an image with its box, the mask, the cut-out.
//!
//! # What is minimised
//!
//! Each pixel p has a label αₚ (1 foreground, 0 background) and, on either side, a component kₚ of
//! that side's Gaussian mixture. The energy is that of Rother, Kolmogorov and Blake ("GrabCut",
//! SIGGRAPH 2004), in nats:
//!
//! ```text
//! E = Σₚ min over k of D(zₚ, αₚ, k)  +  γ Σ over adjacent p, q with αₚ ≠ α_q of exp(−β |zₚ − z_q|²) / |p − q|
//! D = −ln π + ½ ln det Σ + ½ (z − μ)ᵀ Σ⁻¹ (z − μ) + ε/2 tr Σ⁻¹
//! β = 1 / (2 · mean of |zₚ − z_q|² over all adjacent pairs)
//! ```
//!
//! Adjacent are the eight neighbours. ε = 1/12 is the variance of rounding a channel to whole
//! levels. It keeps the covariances of flat regions from being singular. With it, the exact minimiser is the
//! covariance of the sample plus ε, so that every step of an iteration can only lower the energy.
//!
//! The cut is exact for energies rounded to units of max(γ / 32767, 1/1024) nat. The cost of a pixel is at
//! most 2²² units (6,400 nats for the default γ).
//!
//! # From coarse to fine
//!
//! An image whose box (or the box around a trimap's undecided pixels) has 4,096 pixels or more is first
//! segmented at half its size, and that image likewise. γ is halved each time, because a pixel then stands for
//! four and a contour has half the length. The iterations start from the labels and colour models found there.
//! At the smallest size, and at any size whose half has no foreground or no background left, they start from
//! the labels of the box or trimap, and k-means clusters of the colours. The iterations at the full size are
//! those of the paper, and every cut is exact.
#![deny(missing_docs)]

mod batch;
mod coarse_to_fine;
mod colour;
mod error;
mod image;
mod init;
mod iterations;
mod level;
mod margin;
mod maxflow;
mod params;
mod planar;
mod random;
mod segment;
mod segmentation;
mod simd;
mod workspace;

pub use batch::segment_batch;
pub use colour::mixture::{Component, Mixture};
pub use error::Error;
pub use image::{Rect, RgbView};
pub use init::{Init, Label};
pub use margin::outline_margin;
pub use params::{MAX_COMPONENTS, MAX_PIXELS, Params};
pub use segment::segment;
pub use segmentation::Segmentation;
pub use workspace::Workspace;

/// Compiles and runs the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
