//! Class activation maps from gradients at a tap.

use super::map::Map;
use crate::probes::classifier::TapGradient;

/// Grad-CAM of each picture, at the size of the tap: ReLU(Σₖ αₖ Aₖ), αₖ the mean gradient of channel k.
///
/// Source: R. R. Selvaraju et al., "Grad-CAM: visual explanations from deep networks via
/// gradient-based localization", ICCV 2017, equations 1 and 2.
pub fn grad_cam(tap: &TapGradient, size: usize) -> Vec<Map> {
    per_picture(tap, size, |activation, gradient, out| {
        let weight = gradient.iter().sum::<f32>() / gradient.len() as f32;
        out.iter_mut().zip(activation).for_each(|(o, a)| *o += weight * a);
    })
}

/// HiResCAM of each picture: ReLU(Σₖ Gₖ ⊙ Aₖ), gradient and activation multiplied place by place.
///
/// Source: R. L. Draelos and L. Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations
/// of convolutional neural networks", 2020.
pub fn hires_cam(tap: &TapGradient, size: usize) -> Vec<Map> {
    per_picture(tap, size, |activation, gradient, out| {
        for ((o, a), g) in out.iter_mut().zip(activation).zip(gradient) {
            *o += g * a;
        }
    })
}

fn per_picture(tap: &TapGradient, size: usize, add: impl Fn(&[f32], &[f32], &mut [f32])) -> Vec<Map> {
    let plane = tap.height * tap.width;
    let picture = plane * tap.channels;
    tap.activation
        .chunks_exact(picture)
        .zip(tap.gradient.chunks_exact(picture))
        .map(|(activation, gradient)| {
            let mut sum = vec![0.0; plane];
            for (a, g) in activation.chunks_exact(plane).zip(gradient.chunks_exact(plane)) {
                add(a, g, &mut sum);
            }
            sum.iter_mut().for_each(|v| *v = v.max(0.0));
            Map::enlarged(&sum, tap.height, tap.width, size)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_channels_by_hand() {
        let tap = TapGradient {
            activation: vec![1.0, 2.0, 3.0, 4.0],
            gradient: vec![1.0, 0.0, -1.0, -1.0],
            count: 1,
            channels: 2,
            height: 1,
            width: 2,
        };
        // α = (0.5, −1): 0.5·(1, 2) − (3, 4) is negative everywhere.
        assert_eq!(grad_cam(&tap, 2)[0].values, [0.0; 4]);
        // (1·1 − 3, 0·2 − 4) is negative too; with the signs turned both keep their sums.
        let turned = TapGradient { gradient: vec![-1.0, 0.0, 1.0, 1.0], ..tap };
        assert_eq!(grad_cam(&turned, 2)[0].values, [2.5, 3.0, 2.5, 3.0]);
        assert_eq!(hires_cam(&turned, 2)[0].values, [2.0, 4.0, 2.0, 4.0]);
    }
}
