//! Many images on all threads.

use rayon::prelude::*;

use crate::{Error, Init, Params, RgbView, Workspace, segment};

/// Segments images in parallel on the current rayon pool. The results are in the order of `jobs`; each is a
/// mask as of [`Segmentation::mask`](crate::Segmentation::mask), one byte a pixel.
///
/// An image is segmented by one thread, because its cut takes nearly all of the time and is sequential. Masks
/// do not depend on the number of threads.
///
/// # Errors
///
/// Each image has its own result; see [`segment`]. An error does not affect the other images.
///
/// ```
/// use grabcut::{Init, Params, Rect, RgbView, segment_batch};
///
/// let pixels: Vec<u8> = (0..64).flat_map(|i| if (27..29).contains(&i) { [250; 3] } else { [9; 3] }).collect();
/// let image = RgbView::new(&pixels, 8, 8)?;
/// let init = Init::Box(Rect { x0: 1, y0: 1, x1: 7, y1: 7 });
/// let masks = segment_batch(&[(image, init), (image, init)], &Params::default());
/// assert_eq!(masks[0], masks[1]);
/// # Ok::<(), grabcut::Error>(())
/// ```
pub fn segment_batch(jobs: &[(RgbView, Init)], params: &Params) -> Vec<Result<Vec<u8>, Error>> {
    jobs.par_iter()
        .with_max_len(1)
        .map_init(Workspace::new, |workspace, &(image, init)| {
            segment(image, init, params, workspace).map(|result| result.mask().to_vec())
        })
        .collect()
}
