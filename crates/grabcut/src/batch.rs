//! Many photographs on all threads.

use rayon::prelude::*;

use crate::{Error, Init, Params, RgbView, Workspace, segment};

/// Segments photographs in parallel on the current rayon pool; results in the order of `jobs`,
/// each a mask as [`Segmentation::mask`](crate::Segmentation::mask) gives it.
///
/// One photograph is never divided between threads: its cut takes nearly all of the time and is
/// sequential. Masks do not depend on the number of threads. A photograph that fails leaves the
/// others alone.
pub fn segment_batch(jobs: &[(RgbView, Init)], params: &Params) -> Vec<Result<Vec<u8>, Error>> {
    jobs.par_iter()
        .with_max_len(1)
        .map_init(Workspace::new, |workspace, &(image, init)| {
            segment(image, init, params, workspace).map(|result| result.mask().to_vec())
        })
        .collect()
}
