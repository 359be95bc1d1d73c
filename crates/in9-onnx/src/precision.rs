//! What a network computes in.

use tract_onnx::prelude::{Datum as _, InferenceModel, InferenceModelExt as _, TractResult, TypedModel, f16};
use tract_onnx::tract_core::floats::FloatPrecisionTranslator;
use tract_onnx::tract_core::transform::ModelTransform as _;

/// The network that is run for `model`: optimised, and computing in single precision whatever the file has in half.
///
/// Published networks often keep weights and activations in half precision for their size. Processors have few
/// instructions for it, so that convolutions would take a hundred times as long, and every sum would be rounded to three
/// digits; runtimes on processors compute such parts in `f32` for the same reason.
///
/// # Errors
/// When its shapes or types do not fit together.
pub fn optimized(model: InferenceModel) -> TractResult<TypedModel> {
    let mut network = model.into_typed()?;
    let is_half = |node: &usize| {
        let facts = network.node_output_facts(*node);
        facts.is_ok_and(|facts| facts.iter().any(|fact| fact.datum_type == f16::datum_type()))
    };
    if (0..network.nodes().len()).any(|node| is_half(&node)) {
        FloatPrecisionTranslator::new(f16::datum_type(), f32::datum_type()).transform(&mut network)?;
    }
    network.into_optimized()
}
