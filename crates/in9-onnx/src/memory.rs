//! What running a network takes of memory.

use in9_base::guard::guarded;
use tract_onnx::prelude::{TractResult, TypedModel};
use tract_onnx::tract_core::ops::konst::Const;

/// Bytes of the weights, and of what is computed at the worst moment of a run; or why that cannot be told.
pub(crate) fn peak(network: &TypedModel) -> Result<u64, String> {
    guarded(|| -> TractResult<u64> {
        let is_weight = |node: usize| network.node(node).op_is::<Const>();
        let order = network.eval_order()?;
        let mut weights = 0u64;
        for &node in order.iter().filter(|node| is_weight(**node)) {
            for fact in network.node_output_facts(node)? {
                weights = weights.saturating_add(size(fact.mem_size().to_i64()?));
            }
        }
        let mut most = 0;
        for (_, bytes) in network.eval_tmp_memory_usage(&order, |node| !node.op_is::<Const>())? {
            most = most.max(size(bytes.to_i64()?));
        }
        Ok(weights.saturating_add(most))
    })
}

/// A number of bytes; one that is none is beyond every limit.
fn size(bytes: i64) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
