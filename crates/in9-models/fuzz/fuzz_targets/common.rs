//! What every target about weights does with its input.

use in9_models::weights::{self, Limits};

/// Reads the file and all its tensors.
pub fn weigh(bytes: Vec<u8>) {
    if let Ok(file) = weights::read_bytes(bytes, &Limits::default()) {
        for (_, tensor) in file.tensors.iter() {
            let _ = tensor.to_f32();
        }
    }
}
