//! Memory for results, without clearing it first on one thread.
//!
//! A zeroed vector is cleared by the thread that asks for it, through memory, before the work
//! begins. Here each task clears its own part when it starts, while that part is in its cache.

use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Numbers that a thread takes on at least: handing out less costs more than it saves.
const LEAST: usize = 8192;

/// Zeros in memory that may hold anything.
fn zeroed(part: &mut [MaybeUninit<f32>]) -> &mut [f32] {
    part.fill(MaybeUninit::new(0.0));
    // SAFETY: every element was just written, and `MaybeUninit<f32>` has the layout of `f32`. The
    // slice that is returned borrows `part`, so nobody can put an uninitialised element back.
    unsafe { &mut *(std::ptr::from_mut(part) as *mut [f32]) }
}

/// `len` numbers, computed in chunks of `chunk` (the last may be shorter), in parallel.
///
/// `f` gets the number of a chunk and its numbers, zero at first.
pub(crate) fn chunks(len: usize, chunk: usize, f: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let mut numbers = Vec::with_capacity(len);
    if len > 0 {
        let parts = numbers.spare_capacity_mut()[..len].par_chunks_mut(chunk);
        parts.enumerate().for_each(|(i, part)| f(i, zeroed(part)));
    }
    // SAFETY: the capacity is at least `len`, and the loop above, which ended without a panic, wrote
    // every element of the chunks that `len` elements were cut into.
    unsafe { numbers.set_len(len) };
    numbers
}

/// The first image of a task, the number of its block, and that block of each image.
type Task<'a> = (usize, usize, Vec<&'a mut [MaybeUninit<f32>]>);

/// `n` images of `image` numbers, each cut into blocks of `block` (the last may be shorter); a task
/// computes the same block of up to `images` images, tasks run in parallel.
///
/// `f` gets the task's first image, the number of its block and that block of each image, zero at
/// first. Its results come back block after block, for each group of images in turn.
pub(crate) fn blocks<R: Send>(
    sizes: [usize; 2],
    images: usize,
    block: usize,
    f: impl Fn(usize, usize, Vec<&mut [f32]>) -> R + Sync,
) -> (Vec<f32>, Vec<R>) {
    let clear =
        |first, b, parts: Vec<&mut [MaybeUninit<f32>]>| f(first, b, parts.into_iter().map(zeroed).collect());
    // SAFETY: every number of every block is written before `f` sees it.
    unsafe { unset_blocks(sizes, images, block, clear) }
}

/// Like [`blocks`], but memory is handed out as it is, so that nothing is written twice.
///
/// # Safety
/// `f` must write every number of the blocks that it gets.
pub(crate) unsafe fn unset_blocks<R: Send>(
    [n, image]: [usize; 2],
    images: usize,
    block: usize,
    f: impl Fn(usize, usize, Vec<&mut [MaybeUninit<f32>]>) -> R + Sync,
) -> (Vec<f32>, Vec<R>) {
    let len = n * image;
    let mut numbers = Vec::with_capacity(len);
    let mut tasks: Vec<Task<'_>> = Vec::new();
    if len > 0 {
        let numbers = &mut numbers.spare_capacity_mut()[..len];
        // Where programs are tested, a number that is left out shows.
        #[cfg(debug_assertions)]
        numbers.fill(MaybeUninit::new(f32::NAN));
        let group = images * image;
        for (i, group) in numbers.chunks_mut(group).enumerate() {
            let first = tasks.len();
            let of_task = group.len() / image;
            let empty = |b| (i * images, b, Vec::with_capacity(of_task));
            tasks.extend((0..image.div_ceil(block)).map(empty));
            for image in group.chunks_exact_mut(image) {
                for (b, part) in image.chunks_mut(block).enumerate() {
                    tasks[first + b].2.push(part);
                }
            }
        }
    }
    let run = |(first, b, parts): Task<'_>| f(first, b, parts);
    let least = LEAST / (images * block).max(1);
    let results = tasks.into_par_iter().with_min_len(least.max(1)).map(run).collect();
    // SAFETY: the capacity is at least `len`; the `len` elements were cut into groups of whole
    // images, those into images and those into blocks without a remainder, and the loop above, which
    // ended without a panic, called `f` for every block; `f` wrote all of it by the contract.
    unsafe { numbers.set_len(len) };
    (numbers, results)
}

/// `[n, channels, plane]` numbers, computed channel by channel, in parallel.
///
/// `f` gets the number of a channel and its `n` planes, zero at first; its results come back in the
/// order of the channels, of which there are none if there are no numbers.
pub(crate) fn by_channel<R: Send>(
    [n, channels, plane]: [usize; 3],
    f: impl Fn(usize, Vec<&mut [f32]>) -> R + Sync,
) -> (Vec<f32>, Vec<R>) {
    let together = (LEAST / (n * plane).max(1)).max(1);
    let (numbers, results) = blocks([n, channels * plane], n, together * plane, |_, b, mut blocks| {
        let count = blocks.first().map_or(0, |block| block.len() / plane);
        let channel = |i: usize| {
            let planes = blocks.iter_mut().map(|block| &mut block[i * plane..(i + 1) * plane]);
            f(b * together + i, planes.collect())
        };
        (0..count).map(channel).collect::<Vec<R>>()
    });
    (numbers, results.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_start_at_zero_and_end_as_left() {
        for (len, chunk) in [(0, 3), (1, 3), (6, 3), (7, 3), (2, 5)] {
            // Memory that was used before is likely to come back.
            drop(vec![7f32; len]);
            let found = chunks(len, chunk, |i, part| {
                assert!(part.iter().all(|&v| v == 0.0));
                if let Some(first) = part.first_mut() {
                    *first = i as f32 + 1.0;
                }
            });
            let expected: Vec<f32> =
                (0..len).map(|i| if i % chunk == 0 { (i / chunk) as f32 + 1.0 } else { 0.0 }).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn channels_get_their_own_planes() {
        let (numbers, results) = by_channel([2, 3, 2], |c, planes| {
            for (image, plane) in planes.into_iter().enumerate() {
                assert_eq!(plane, [0.0, 0.0]);
                plane[1] = (10 * image + c) as f32;
            }
            c
        });
        assert_eq!(numbers, [0., 0., 0., 1., 0., 2., 0., 10., 0., 11., 0., 12.]);
        assert_eq!(results, [0, 1, 2]);
        assert_eq!(by_channel([0, 2, 3], |c, planes| planes.len() + c), (vec![], vec![]));
    }

    #[test]
    fn blocks_of_several_images_are_handed_out_together() {
        // Five images of five numbers, two images a task, blocks of two, two and one.
        let (numbers, results) = blocks([5, 5], 2, 2, |first, b, parts| {
            let lens: Vec<usize> = parts.iter().map(|part| part.len()).collect();
            for (i, part) in parts.into_iter().enumerate() {
                part.fill((10 * (first + i) + b) as f32);
            }
            (first, b, lens)
        });
        let expected: Vec<f32> = (0..5).flat_map(|i| [0, 0, 1, 1, 2].map(|b| (10 * i + b) as f32)).collect();
        assert_eq!(numbers, expected);
        assert_eq!(results.len(), 9);
        assert_eq!(results[2], (0, 2, vec![1, 1]));
        assert_eq!(results[7], (4, 1, vec![2]));
    }
}
