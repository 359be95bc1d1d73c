//! What can be said of a device on any machine: one line where there is none, and a layer where there is one.
#![cfg(feature = "cuda")]

use candle_core::{DType, Tensor};
use in9_cuda::Activation;
use in9_cuda::device::{Conv2d, Error, Filters, Settings, open};

#[test]
fn a_gpu_that_is_not_there_is_one_line() {
    let error = open(4096, Settings::default()).map(|_| ()).unwrap_err();
    let line = error.to_string();
    assert!(matches!(error, Error::Device(_)), "{line}");
    assert!(line.contains("GPU") && !line.contains('\n'), "{line}");
    eprintln!("{line}");
}

#[test]
fn a_convolution_of_ones_counts_its_taps() {
    let (device, gpu) = match open(0, Settings { tf32: false, ..Settings::default() }) {
        Ok(opened) => opened,
        Err(error) => return eprintln!("skipped: {error}"),
    };
    let x = Tensor::ones((1, 4, 8, 8), DType::F32, &device).unwrap();
    let w = Tensor::ones((8, 4, 3, 3), DType::F32, &device).unwrap();
    let conv = Conv2d {
        n: 1,
        channels: [4, 8],
        input: [8, 8],
        output: [8, 8],
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1; 4],
        dilation: [1, 1],
        groups: 1,
    };
    let filters = Filters { master: &w, prepared: None };
    let y = conv.forward(&gpu, &x, filters, None, None, Activation::Relu).unwrap();
    let y = y.contiguous().unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!((y[0], y[9]), (16.0, 36.0));
    let dx =
        conv.backward_data(&gpu, filters, &x.ones_like().unwrap().repeat((1, 2, 1, 1)).unwrap()).unwrap();
    assert_eq!(dx.dims(), [1, 4, 8, 8]);
}
