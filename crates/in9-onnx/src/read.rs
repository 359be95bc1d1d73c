//! An ONNX file and its weights, read within limits.

use std::path::Path;

use in9_base::guard::guarded;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::Framework as _;

use crate::error::{Error, Result};
use crate::external_data;

/// An ONNX file is a protocol buffer, which has less than 2 GiB.
const LARGEST: u64 = (1 << 31) - 1;

/// A file's network with all its weights. Its graph has nodes.
pub struct Contents {
    /// The network.
    pub model: ModelProto,
    /// BLAKE3 (hex) of the file, and of those beside it that hold its weights.
    pub digest: String,
}

impl Contents {
    /// Reads the file at `path`; weights that it leaves in files beside it may take `weight_bytes` together.
    ///
    /// # Errors
    /// [`Error::Base`] for a file that cannot be read or is too large, [`Error::File`] for one that holds no network.
    pub fn read(path: &Path, weight_bytes: u64) -> Result<Self> {
        let bytes = in9_base::files::read(path, LARGEST)?;
        let mut digest = blake3::Hasher::new();
        digest.update(&bytes);
        let no_network = |found: String| Error::file(path, "not an ONNX file", "a model with a graph", found);
        let parsed = guarded(|| tract_onnx::onnx().proto_model_for_read(&mut &bytes[..]));
        let mut model = parsed.map_err(no_network)?;
        drop(bytes);
        let graph = match &mut model.graph {
            Some(graph) if !graph.node.is_empty() => graph,
            _ => return Err(no_network("none".to_owned())),
        };
        external_data::load(path, graph, weight_bytes, &mut digest)?;
        Ok(Self { model, digest: digest.finalize().to_hex().to_string() })
    }
}
