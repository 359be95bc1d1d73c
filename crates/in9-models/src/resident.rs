//! A split whose layers are on a GPU, where its pictures are composed.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use in9_cuda::device::{Gpu, compose};
use in9_cuda::plan::compose::{Picture, View as Shown};
use in9_data::{Normalization, Placement, Split, View};

use crate::error::{Error, Result};

/// Samples that are uploaded at a time.
const SAMPLES: usize = 256;

/// Share of the free memory that layers may take; the rest is the network's.
const SHARE: f64 = 0.6;

/// Photographs, tiled backgrounds, masks and boxes of a split, as bytes on a GPU.
pub struct Resident {
    gpu: Arc<Gpu>,
    /// Name and length of the split.
    split: (String, usize),
    photos: Tensor,
    tiled: Tensor,
    masks: Tensor,
    boxes: Tensor,
    size: usize,
    channels: [(f32, f32); 3],
}

/// What the kernel makes of a view; none of one that it cannot make.
fn shown(view: View) -> Option<Shown> {
    match view {
        View::Original => Some(Shown::Original),
        View::OnlyBgB => Some(Shown::OnlyBgB),
        View::OnlyBgT => Some(Shown::OnlyBgT),
        View::NoFg => Some(Shown::NoFg),
        View::OnlyFg => Some(Shown::OnlyFg),
        // Its own background is lent to it.
        View::MixedSame | View::MixedRand | View::MixedNext | View::BgTiled => Some(Shown::Mixed),
        View::OnlyMask => Some(Shown::OnlyMask),
        View::OnlyBox => Some(Shown::OnlyBox),
        View::BgBlurred | View::BgInpainted | View::BgFlat | View::BgNoise => None,
    }
}

impl Resident {
    /// Uploads the layers of `split`; none if the device is no open GPU, if its free memory does not hold them beside
    /// a network, if `view` is one that only the processor composes, or if the split has no layers.
    ///
    /// # Errors
    /// When a layer is damaged, or the device refuses.
    pub fn upload(
        split: &Split,
        view: View,
        normalization: Normalization,
        device: &Device,
    ) -> Result<Option<Self>> {
        let probe = Tensor::zeros(1, DType::F32, device)?;
        let Some(gpu) = Gpu::of(&probe) else { return Ok(None) };
        if shown(view).is_none() || !split.has_layers() || split.is_empty() {
            return Ok(None);
        }
        let (n, size) = (split.len(), split.size());
        let (layer, mask) = (size * size * 3, (size * size).div_ceil(8));
        let (free, _) = gpu.free_memory()?;
        if (n * (2 * layer + mask)) as f64 > SHARE * free as f64 {
            return Ok(None);
        }
        let room = |bytes: usize| Tensor::zeros((n, bytes), DType::U8, device);
        let (photos, tiled, masks) = (room(layer)?, room(layer)?, room(mask)?);
        let mut boxes = Vec::with_capacity(n * 4);
        for first in (0..n).step_by(SAMPLES) {
            let chunk = first..n.min(first + SAMPLES);
            let count = chunk.len();
            let [mut photo, mut background, mut bits] =
                [layer, layer, mask].map(|b| Vec::with_capacity(b * count));
            for index in chunk {
                let layers = split.layers(index)?;
                photo.extend_from_slice(layers.photo);
                background.extend_from_slice(layers.tiled);
                bits.extend_from_slice(layers.mask.bytes());
                boxes.extend(split.sample(index).crop_box.map(i32::from));
            }
            for (all, part, bytes) in
                [(&photos, photo, layer), (&tiled, background, layer), (&masks, bits, mask)]
            {
                all.slice_set(&Tensor::from_vec(part, (count, bytes), device)?, 0, first)?;
            }
        }
        let boxes = Tensor::from_vec(boxes, (n, 4), device)?;
        let split = (split.name().to_owned(), n);
        Ok(Some(Self { gpu, split, photos, tiled, masks, boxes, size, channels: normalization.linear() }))
    }

    /// Whether these are the layers of `split`, and `view` is one that is composed of them.
    pub fn composes(&self, split: &Split, view: View) -> bool {
        shown(view).is_some() && (self.split.0.as_str(), self.split.1) == (split.name(), split.len())
    }

    /// Pictures of `view`: of each sample, on the background of another where the view takes one, in its place.
    ///
    /// # Shapes
    /// The result: `[n, 3, size, size]`, normalised, channels last, in the precision of the device.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn pictures(&self, view: View, of: &[(u32, Option<u32>, Placement)]) -> Result<Tensor> {
        let Some(view) = shown(view) else {
            return Err(Error::setting("view", "one that a GPU composes", view));
        };
        let picture = |&(sample, background, placed): &(u32, Option<u32>, Placement)| Picture {
            sample: sample as i32,
            background: background.unwrap_or(sample) as i32,
            view,
            mirrored: placed.mirrored,
            dx: placed.dx,
            dy: placed.dy,
        };
        let pictures: Vec<Picture> = of.iter().map(picture).collect();
        let layers = [&self.photos, &self.tiled, &self.masks, &self.boxes];
        Ok(compose(&self.gpu, layers, &pictures, self.size, self.channels)?)
    }
}
