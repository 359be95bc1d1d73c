//! What a SAM takes of memory, told before it is run: no less than it does take, and not several times as much.
#![cfg(feature = "transformers")]
#![allow(clippy::print_stdout, reason = "a test tells what it found")]

#[path = "parity/formula.rs"]
#[allow(dead_code, reason = "the formula of whole architectures is for tests/parity.rs")]
mod formula;
#[path = "common/sam.rs"]
mod weights;

use candle_core::{Device, Tensor};
use in9_base::counting::{Counting, alone, peak};
use in9_models::sam::{Sam, SamConfig};
use in9_models::weights::{Limits, read_bytes};
use serde::Deserialize;

#[global_allocator]
static COUNTING: Counting = Counting;

#[derive(Deserialize)]
struct Reference {
    tensors: Vec<(String, Vec<usize>)>,
}

/// The sizes of the fixture's network with an input of `side` pixels, where attention outweighs everything.
fn enlarged(name: &str, side: usize) -> Vec<(String, Vec<usize>)> {
    let Reference { mut tensors } = serde_json::from_str(&weights::text(name)).unwrap();
    let grid = side / 16;
    for (name, shape) in &mut tensors {
        if name == "image_encoder.pos_embed" {
            (shape[1], shape[2]) = (grid, grid);
        } else if name.starts_with("image_encoder.blocks.1.attn.rel_pos") {
            shape[0] = 2 * grid - 1;
        }
    }
    tensors
}

#[test]
fn a_run_takes_no_more_than_is_told() {
    let side = 512;
    for name in ["vit", "tiny"] {
        let read = read_bytes(weights::file(&enlarged(name, side)), &Limits::default()).unwrap().tensors;
        let mut config = SamConfig::of(&read).unwrap();
        config.image = side;
        let told = config.bytes(&read);
        let taken = alone(|| {
            peak(|| {
                let values = vec![0.5f32; 3 * side * side];
                let network = Sam::new(name.as_ref(), &config, &read).unwrap();
                let pixels = Tensor::from_slice(&values, (1, 3, side, side), &Device::Cpu).unwrap();
                network.forward(&pixels, [40.0, 40.0, 300.0, 400.0]).unwrap();
            })
        });
        println!("{name} at {side}: {told} bytes told, {taken} taken");
        assert!(taken <= told && told <= 3 * taken, "{name}: {told} told, {taken} taken");
    }
}
