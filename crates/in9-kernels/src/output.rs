//! Output buffers, cleared in parallel or not at all.
//!
//! `vec![0.0; len]` clears the whole buffer on one thread before the work begins. Here each parallel
//! task clears its own part when it starts, and then finds that part in its cache.

use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Fewest elements worth a parallel task: scheduling a smaller one costs more than it saves.
const MIN_TASK: usize = 8192;

/// Fills uninitialised memory with zeros.
fn zeroed(part: &mut [MaybeUninit<f32>]) -> &mut [f32] {
    part.fill(MaybeUninit::new(0.0));
    // SAFETY: every element was just written, and `MaybeUninit<f32>` has the layout of `f32`. The
    // returned slice borrows `part` mutably, so no uninitialised element can be put back through `part`
    // while it lives.
    unsafe { &mut *(std::ptr::from_mut(part) as *mut [f32]) }
}

/// A buffer of `len` elements, computed in parallel in chunks of `chunk` (the last may be shorter).
///
/// `f` gets the index of a chunk and its elements, initially zero.
pub(crate) fn chunks(len: usize, chunk: usize, f: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let mut buffer = Vec::with_capacity(len);
    if len > 0 {
        let parts = buffer.spare_capacity_mut()[..len].par_chunks_mut(chunk);
        parts.enumerate().for_each(|(i, part)| f(i, zeroed(part)));
    }
    // SAFETY: the capacity is at least `len`. The chunks above cover the first `len` elements, and
    // `zeroed` wrote each of them; a panic in `f` would have left this function before this line.
    unsafe { buffer.set_len(len) };
    buffer
}

/// [`chunks`] without clearing, for tasks that write all of their output anyway.
///
/// # Safety
/// `f` must write every element of the chunk that it gets.
pub(crate) unsafe fn uninit_chunks(
    len: usize,
    chunk: usize,
    f: impl Fn(usize, &mut [MaybeUninit<f32>]) + Sync,
) -> Vec<f32> {
    let mut buffer = Vec::with_capacity(len);
    if len > 0 {
        let buffer = &mut buffer.spare_capacity_mut()[..len];
        // In tests, an element that `f` forgot shows as NaN.
        #[cfg(debug_assertions)]
        buffer.fill(MaybeUninit::new(f32::NAN));
        buffer.par_chunks_mut(chunk).enumerate().for_each(|(i, part)| f(i, part));
    }
    // SAFETY: the capacity is at least `len`. The chunks cover the first `len` elements, and by this function's contract
    // `f` wrote each of them; a panic in `f` would have left this function before this line.
    unsafe { buffer.set_len(len) };
    buffer
}

/// A parallel task: its first image, the index of its block, and that block of each of its images.
type Task<'a> = (usize, usize, Vec<&'a mut [MaybeUninit<f32>]>);

/// A buffer of `n` images of `image` elements, computed in parallel.
///
/// Each image is cut into blocks of `block` elements (the last may be shorter). A task computes the same
/// block of up to `images` consecutive images: `f` gets the task's first image, the index of its block,
/// and that block of each of its images, initially zero. The results of `f` are returned in the order of
/// the groups of images and, within a group, of the blocks.
pub(crate) fn blocks<R: Send>(
    sizes: [usize; 2],
    images: usize,
    block: usize,
    f: impl Fn(usize, usize, Vec<&mut [f32]>) -> R + Sync,
) -> (Vec<f32>, Vec<R>) {
    let clear =
        |first, b, parts: Vec<&mut [MaybeUninit<f32>]>| f(first, b, parts.into_iter().map(zeroed).collect());
    // SAFETY: `zeroed` writes every element of every block.
    unsafe { uninit_blocks(sizes, images, block, clear) }
}

/// [`blocks`] without clearing, for tasks that write all of their output anyway.
///
/// # Safety
/// `f` must write every element of the blocks that it gets.
pub(crate) unsafe fn uninit_blocks<R: Send>(
    [n, image]: [usize; 2],
    images: usize,
    block: usize,
    f: impl Fn(usize, usize, Vec<&mut [MaybeUninit<f32>]>) -> R + Sync,
) -> (Vec<f32>, Vec<R>) {
    let len = n * image;
    let mut buffer = Vec::with_capacity(len);
    let mut tasks: Vec<Task<'_>> = Vec::new();
    if len > 0 {
        let buffer = &mut buffer.spare_capacity_mut()[..len];
        // In tests, an element that `f` forgot shows as NaN.
        #[cfg(debug_assertions)]
        buffer.fill(MaybeUninit::new(f32::NAN));
        let group = images * image;
        for (i, group) in buffer.chunks_mut(group).enumerate() {
            let first = tasks.len();
            let task_images = group.len() / image;
            let empty = |b| (i * images, b, Vec::with_capacity(task_images));
            tasks.extend((0..image.div_ceil(block)).map(empty));
            for image in group.chunks_exact_mut(image) {
                for (b, part) in image.chunks_mut(block).enumerate() {
                    tasks[first + b].2.push(part);
                }
            }
        }
    }
    let run = |(first, b, parts): Task<'_>| f(first, b, parts);
    let min_tasks = MIN_TASK / (images * block).max(1);
    let results = tasks.into_par_iter().with_min_len(min_tasks.max(1)).map(run).collect();
    // SAFETY: the capacity is at least `len`. `len` is a multiple of `image`, so the groups, their images
    // and the blocks of these cover the first `len` elements without a remainder. `f` was called for every
    // block, and by this function's contract wrote all of it; a panic in `f` would have left this function
    // before this line.
    unsafe { buffer.set_len(len) };
    (buffer, results)
}

/// A buffer of `[n, channels, plane]`, computed in parallel, channel by channel.
///
/// `f` gets the index of a channel and the `n` planes of it, initially zero. The results of `f` are
/// returned in the order of the channels; there are none if the buffer is empty.
pub(crate) fn by_channel<R: Send>(
    [n, channels, plane]: [usize; 3],
    f: impl Fn(usize, Vec<&mut [f32]>) -> R + Sync,
) -> (Vec<f32>, Vec<R>) {
    let channels_per_task = (MIN_TASK / (n * plane).max(1)).max(1);
    let (buffer, results) =
        blocks([n, channels * plane], n, channels_per_task * plane, |_, b, mut blocks| {
            let count = blocks.first().map_or(0, |block| block.len() / plane);
            let channel = |i: usize| {
                let planes = blocks.iter_mut().map(|block| &mut block[i * plane..(i + 1) * plane]);
                f(b * channels_per_task + i, planes.collect())
            };
            (0..count).map(channel).collect::<Vec<R>>()
        });
    (buffer, results.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_zero_before_and_as_written_after() {
        for (len, chunk) in [(0, 3), (1, 3), (6, 3), (7, 3), (2, 5)] {
            // The allocator is likely to hand this memory out again.
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
        let (buffer, results) = by_channel([2, 3, 2], |c, planes| {
            for (image, plane) in planes.into_iter().enumerate() {
                assert_eq!(plane, [0.0, 0.0]);
                plane[1] = (10 * image + c) as f32;
            }
            c
        });
        assert_eq!(buffer, [0., 0., 0., 1., 0., 2., 0., 10., 0., 11., 0., 12.]);
        assert_eq!(results, [0, 1, 2]);
        assert_eq!(by_channel([0, 2, 3], |c, planes| planes.len() + c), (vec![], vec![]));
    }

    #[test]
    fn a_task_gets_the_same_block_of_several_images() {
        // Five images of five elements, two images a task, blocks of two, two and one.
        let (buffer, results) = blocks([5, 5], 2, 2, |first, b, parts| {
            let lens: Vec<usize> = parts.iter().map(|part| part.len()).collect();
            for (i, part) in parts.into_iter().enumerate() {
                part.fill((10 * (first + i) + b) as f32);
            }
            (first, b, lens)
        });
        let expected: Vec<f32> = (0..5).flat_map(|i| [0, 0, 1, 1, 2].map(|b| (10 * i + b) as f32)).collect();
        assert_eq!(buffer, expected);
        assert_eq!(results.len(), 9);
        assert_eq!(results[2], (0, 2, vec![1, 1]));
        assert_eq!(results[7], (4, 1, vec![2]));
    }
}
