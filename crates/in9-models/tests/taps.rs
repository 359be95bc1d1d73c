//! The named taps of every architecture that can be trained here.

use candle_core::{DType, Device, Tensor};
use in9_models::registry::ARCHITECTURES;
use in9_models::{Params, build};

#[test]
fn every_tap_is_reached_in_order_and_the_last_one_gets_a_gradient() {
    // AlexNet's smallest picture is 63 pixels wide.
    let x = Tensor::ones((1, 3, 64, 64), DType::F32, &Device::Cpu).unwrap();
    for entry in ARCHITECTURES.iter().filter(|entry| !entry.evaluation_only) {
        let arch = entry.name;
        // What the weights are does not matter here.
        let model = build(arch, 2, &Params::zeros(DType::F32, &Device::Cpu)).unwrap();
        let names = model.tap_names();
        let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(wanted.len() >= 5, "{arch}: {wanted:?}");
        // Asked for in another order than they are reached in.
        let asked: Vec<&str> = wanted.iter().rev().copied().collect();
        let (logits, taps) = model.forward_with_variables(&x, &asked).unwrap();
        assert_eq!(logits.dims(), [1, 2], "{arch}");
        assert_eq!(taps.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), wanted, "{arch}");
        // The graph is cut at every tap, so only the last one gets a gradient.
        let (last, activation) = taps.last().unwrap();
        let grads = logits.sum_all().unwrap().backward().unwrap();
        let gradient = grads.get(activation).unwrap_or_else(|| panic!("{arch}: no gradient of {last}"));
        assert_eq!(gradient.dims(), activation.dims(), "{arch}");
    }
}
