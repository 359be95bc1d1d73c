//! The page's sections, one a file, in the order in which they are read.

pub mod accuracy;
pub mod adversarial;
pub mod categories;
pub mod claims;
pub mod classes;
pub mod counterfactual;
pub mod curves;
pub mod datasets;
pub mod dial;
pub mod examples;
pub mod figures;
pub mod gallery;
pub mod gaps;
pub mod header;
pub mod matrix;
pub mod methods;
pub mod progress;
pub mod published;
pub mod saliency;
pub mod training;

use crate::error::Result;
use crate::report::block::Section;
use crate::report::claims::Claim;
use crate::report::context::Context;

/// Every section that the inputs can fill.
///
/// # Errors
/// If a template fails or an input that was readable no longer is.
pub fn all(context: &Context, found: &[Claim]) -> Result<Vec<Section>> {
    let sections = [
        examples::section(context)?,
        claims::section(context, found)?,
        matrix::section(context),
        gaps::section(context),
        figures::section(context),
        categories::section(context),
        dial::section(context),
        counterfactual::section(context)?,
        adversarial::section(context)?,
        saliency::section(context)?,
        progress::section(context),
        curves::section(context),
        classes::section(context),
        accuracy::section(context),
        datasets::section(context),
        training::section(context)?,
        published::section(context),
        methods::section(context),
    ];
    Ok(sections.into_iter().flatten().collect())
}
