//! Figures over several trainings, pairings and photographs, with the uncertainty of each level.
//!
//! A figure such as the BG-gap would come out otherwise with other photographs, with other backgrounds behind them, and
//! with another training of the same network. Intervals that know of photographs only are about one network. Here a figure
//! is a function of column means (the share of right answers of a configuration on a view, averaged over its trainings),
//! taken apart into what each training's answer on each photograph adds to it. From these parts a model of variance
//! components gives the variance of each level, as in a two-way analysis of variance of trainings × photographs:
//!
//! | level | variance of the figure |
//! | --- | --- |
//! | photographs | of the sums over a photograph: its own difficulty, and the backgrounds drawn for it |
//! | of these, pairings | within photographs that were tested on several backgrounds |
//! | shared backgrounds | covariance of different photographs before the same background |
//! | trainings | between trainings, less what their interaction with photographs makes of it (may be below zero) |
//!
//! Trainings and photographs are crossed, not nested: every network sees every photograph. Drawing both with replacement
//! at once counts their interaction two or three times, which is why the interval comes from the components, with
//! Student's t and Satterthwaite's degrees of freedom; [`Study::resampled`] resamples one level at a time, as a check of
//! each component. Coverage is tested by simulation (`tests/levels.rs`).
//!
//! Source: S. R. Searle, G. Casella, C. E. McCulloch, "Variance Components", 1992, chapter 4; F. E. Satterthwaite, "An
//! approximate distribution of estimates of variance components", 1946; for clusters that cross, A. C. Cameron, J. B.
//! Gelbach, D. L. Miller, "Robust inference with multiway clustering", 2011; for the bootstrap of crossed samples, A. B.
//! Owen, "The pigeonhole bootstrap", 2007.

mod between;
mod column;
mod estimate;
mod resample;
mod study;

pub use column::{Column, Shown, Trainings, study};
pub use estimate::{Components, Estimate, p_value, power, smallest_shown};
pub use resample::Level;
pub use study::{Study, Weighing};
