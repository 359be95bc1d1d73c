//! The same bits for any number of threads and any batch.

mod common;

use candle_core::{DType, Tensor};
use common::random;
use in9_kernels::{
    Activation, Conv2dConfig, adaptive_avg_pool2d, batch_norm_train, conv2d, conv2d_act, cross_entropy,
    dropout, global_avg_pool, linear, max_pool2d, scale_channels,
};

/// Convolutions for every method and its special cases.
fn convolutions() -> Vec<([usize; 3], [usize; 4], Conv2dConfig)> {
    vec![
        ([3, 34, 34], [16, 3, 7, 7], Conv2dConfig::new(2, 3)),
        ([16, 30, 30], [20, 16, 3, 3], Conv2dConfig::new(1, 1)),
        ([32, 8, 8], [40, 32, 3, 3], Conv2dConfig::new(1, 1)),
        ([32, 2, 2], [32, 32, 3, 3], Conv2dConfig::new(1, 1)),
        ([16, 14, 14], [32, 16, 3, 3], Conv2dConfig::new(2, 1)),
        ([16, 20, 20], [24, 16, 1, 1], Conv2dConfig::new(1, 0)),
        ([64, 7, 7], [48, 64, 1, 1], Conv2dConfig::new(1, 0)),
        ([130, 3, 3], [100, 130, 1, 1], Conv2dConfig::new(1, 0)),
        ([64, 9, 9], [48, 64, 3, 3], Conv2dConfig::new(2, 1)),
        ([16, 20, 21], [24, 16, 1, 1], Conv2dConfig::new(2, 0)),
        ([16, 15, 15], [16, 1, 3, 3], Conv2dConfig::new(1, 1).with_groups(16)),
        ([16, 12, 12], [32, 4, 3, 3], Conv2dConfig::new(1, 1).with_groups(4)),
    ]
}

fn f32s(t: &Tensor) -> Tensor {
    t.to_dtype(DType::F32).unwrap()
}

fn bits(t: &Tensor) -> Vec<u32> {
    let values = t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    values.into_iter().map(f32::to_bits).collect()
}

/// Outputs and gradients of every layer, computed by this many threads.
fn everything(threads: usize) -> Vec<Vec<u32>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut all = Vec::new();
        let mut keep = |inputs: &[Tensor], f: &dyn Fn(&[Tensor]) -> candle_core::Result<Tensor>| {
            let (y, gradients) = common::run(inputs, DType::F32, f);
            all.push(bits(&y));
            all.extend(gradients.iter().map(bits));
        };
        for ([c, h, w], filters, config) in convolutions() {
            let inputs = [random(&[9, c, h, w], 1), random(&filters, 2), random(&[filters[0]], 3)];
            keep(&inputs, &|t| Ok(conv2d(&t[0], &t[1], Some(&t[2]), &config)?));
        }
        let x = random(&[6, 5, 9, 9], 1);
        let norm = [x.clone(), random(&[5], 2), random(&[5], 3)];
        keep(&norm, &|t| Ok(batch_norm_train(&t[0], &t[1], &t[2], 1e-5, Activation::Silu)?.y));
        keep(std::slice::from_ref(&x), &|t| Ok(max_pool2d(&t[0], [3, 3], [2, 2], [1; 4])?));
        keep(std::slice::from_ref(&x), &|t| Ok(adaptive_avg_pool2d(&t[0], [4, 3])?));
        keep(&[random(&[300, 700], 4)], &|t| Ok(dropout(&t[0], 0.4, 11)?));
        let targets = Tensor::from_vec(vec![1u32; 40], 40, &candle_core::Device::Cpu)?;
        keep(&[random(&[40, 9], 5)], &|t| Ok(cross_entropy(&t[0], &targets, 0.1)?));
        keep(&[random(&[40, 33], 5), random(&[130, 33], 6)], &|t| Ok(linear(&t[0], &t[1], None)?));
        keep(&[x.clone(), random(&[6, 5], 7)], &|t| Ok(scale_channels(&t[0], &t[1])?));
        Ok::<_, candle_core::Error>(all)
    })
    .unwrap()
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let one = everything(1);
    for threads in [2, 3] {
        for (i, (a, b)) in one.iter().zip(&everything(threads)).enumerate() {
            assert!(a == b, "result {i} differs between 1 and {threads} threads");
        }
    }
}

#[test]
fn an_image_does_not_depend_on_its_batch() {
    for ([c, h, w], filters, config) in convolutions() {
        let x = f32s(&random(&[11, c, h, w], 1));
        let (weights, bias) = (f32s(&random(&filters, 2)), f32s(&random(&[filters[0]], 3)));
        let head = f32s(&random(&[9, filters[0]], 4));
        let network = |x: &Tensor| {
            let y = conv2d_act(x, &weights, Some(&bias), &config, Activation::Relu).unwrap();
            linear(&global_avg_pool(&y).unwrap(), &head, None).unwrap()
        };
        let together = network(&x);
        for (first, count) in [(0, 1), (4, 3), (10, 1)] {
            let alone = network(&x.narrow(0, first, count).unwrap());
            let expected = together.narrow(0, first, count).unwrap();
            assert_eq!(bits(&alone), bits(&expected), "{filters:?} {first} {count}");
        }
    }
}
