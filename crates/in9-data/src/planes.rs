//! RGB bytes to normalised planes: the innermost loop of the loader.

/// Writes each channel c of `rgb` as byte · channels[c].0 + channels[c].1 into its plane, rounded after
/// the product and after the sum, on any processor.
///
/// # Panics
/// If a plane does not hold a third of `rgb`.
pub(crate) fn normalize(rgb: &[u8], channels: &[(f32, f32); 3], planes: [&mut [f32]; 3]) {
    assert!(planes.iter().all(|plane| plane.len() * 3 == rgb.len()), "a third of the bytes a plane");
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as was just asked; nothing else is asked of the caller.
        return unsafe { avx2(rgb, channels, planes) };
    }
    portable(rgb, channels, planes);
}

fn portable(rgb: &[u8], channels: &[(f32, f32); 3], [r, g, b]: [&mut [f32]; 3]) {
    let [(fr, or), (fg, og), (fb, ob)] = *channels;
    for (((pixel, r), g), b) in rgb.chunks_exact(3).zip(r).zip(g).zip(b) {
        *r = f32::from(pixel[0]) * fr + or;
        *g = f32::from(pixel[1]) * fg + og;
        *b = f32::from(pixel[2]) * fb + ob;
    }
}

/// For each channel, where its eight values stand in bytes 0 to 15 of eight pixels, and in bytes 8 to 23;
/// 0x80 gives zero.
#[cfg(target_arch = "x86_64")]
const GATHER: [[[u8; 16]; 2]; 3] = {
    let mut gather = [[[0x80; 16]; 2]; 3];
    let mut value = 0;
    while value < 24 {
        let (pixel, channel) = (value / 3, value % 3);
        if value < 16 {
            gather[channel][0][pixel] = value as u8;
        } else {
            gather[channel][1][pixel] = value as u8 - 8;
        }
        value += 1;
    }
    gather
};

/// [`portable`], eight pixels at a time.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2(rgb: &[u8], channels: &[(f32, f32); 3], [r, g, b]: [&mut [f32]; 3]) {
    use std::arch::x86_64::{
        _mm_loadu_si128, _mm_or_si128, _mm_shuffle_epi8, _mm256_add_ps, _mm256_cvtepi32_ps,
        _mm256_cvtepu8_epi32, _mm256_mul_ps, _mm256_set1_ps, _mm256_storeu_ps,
    };
    let (blocks, tail) = rgb.as_chunks::<24>();
    let (r, r_tail) = r.as_chunks_mut::<8>();
    let (g, g_tail) = g.as_chunks_mut::<8>();
    let (b, b_tail) = b.as_chunks_mut::<8>();
    // SAFETY: each table has the 16 bytes that are loaded.
    let gather = GATHER.map(|halves| halves.map(|half| unsafe { _mm_loadu_si128(half.as_ptr().cast()) }));
    let scale = channels.map(|(factor, offset)| (_mm256_set1_ps(factor), _mm256_set1_ps(offset)));
    for (((block, r), g), b) in blocks.iter().zip(r).zip(g).zip(b) {
        // SAFETY: a block has 24 bytes: 16 from its first, and 16 from its ninth.
        let (low, high) = unsafe {
            (_mm_loadu_si128(block.as_ptr().cast()), _mm_loadu_si128(block.as_ptr().add(8).cast()))
        };
        for ((target, [first, second]), (factor, offset)) in [r, g, b].into_iter().zip(gather).zip(scale) {
            let bytes = _mm_or_si128(_mm_shuffle_epi8(low, first), _mm_shuffle_epi8(high, second));
            let values = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
            // No fused multiply-add: it would round once, and other processors twice.
            let values = _mm256_add_ps(_mm256_mul_ps(values, factor), offset);
            // SAFETY: the target has the eight values that are stored.
            unsafe { _mm256_storeu_ps(target.as_mut_ptr(), values) };
        }
    }
    portable(tail, channels, [r_tail, g_tail, b_tail]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Kernel = fn(&[u8], &[(f32, f32); 3], [&mut [f32]; 3]);

    fn noise(seed: u64, length: usize) -> Vec<u8> {
        use rand_chacha::rand_core::Rng;
        let mut bytes = vec![0; length];
        in9_base::rng::stream(seed, "test", 0, 0).fill_bytes(&mut bytes);
        bytes
    }

    #[test]
    fn bytes_become_standardised_planes() {
        let channels = crate::Normalization::IMAGENET_9.linear();
        let (mut r, mut g, mut b) = ([0.0; 2], [0.0; 2], [0.0; 2]);
        normalize(&[0, 128, 255, 255, 0, 64], &channels, [&mut r, &mut g, &mut b]);
        let expected = |v: f32, mean: f32, std: f32| (v / 255.0 - mean) / std;
        let close = |a: f32, b: f32| assert!((a - b).abs() < 1e-5, "{a} {b}");
        close(r[1], expected(255.0, 0.4717, 0.2600));
        close(g[0], expected(128.0, 0.4499, 0.2516));
        close(b[1], expected(64.0, 0.3837, 0.2575));
    }

    proptest! {
        #[test]
        fn every_processor_rounds_alike(pixels in 0usize..70, seed: u64) {
            let rgb = noise(seed, pixels * 3);
            let channels = crate::Normalization::IMAGENET.linear();
            let planes = |with: Kernel| {
                let (mut r, mut g, mut b) = (vec![9.0; pixels], vec![9.0; pixels], vec![9.0; pixels]);
                with(&rgb, &channels, [&mut r, &mut g, &mut b]);
                [r, g, b].concat().into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            prop_assert_eq!(planes(normalize), planes(portable));
        }
    }
}
