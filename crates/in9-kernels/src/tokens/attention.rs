//! Attention with several heads.

use candle_core::{Layout, Storage, Tensor};
use rayon::prelude::*;

use super::pack::{Matrix, pack_columns_as_outputs, pack_rows_as_outputs};
use super::softmax::softmax;
use crate::blocked::lanes::BLOCK;
use crate::blocked::product::{Finish, Inputs, Output, Run, Target, multiply};
use crate::simd::Level;
use crate::{Error, Result, cpu, scratch};

/// Most queries whose shares are held at a time.
const QUERIES: usize = 48;

/// What an attention knows beside queries, keys and values.
#[derive(Clone, Copy, Debug)]
pub struct Heads<'a> {
    /// Heads, whose channels lie together.
    pub heads: usize,
    /// Added to the products of queries (rows) and keys (columns): `[queries, keys]`, `[heads, queries, keys]`, or
    /// `[windows, heads, queries, keys]`, where the windows of a picture follow each other along the batch.
    pub mask: Option<&'a Tensor>,
    /// Cosines and sines, `[turned, channels of a head]`, by which the last so many queries and keys are turned: channel `c` of
    /// the first half together with channel `c` of the second.
    pub rotation: Option<(&'a Tensor, &'a Tensor)>,
}

impl Heads<'_> {
    /// Whether heads of so many channels fill vectors.
    pub fn suits(width: usize, heads: usize) -> bool {
        heads > 0 && width > 0 && width.is_multiple_of(heads * BLOCK)
    }
}

/// `softmax(q kᵀ / √channels + mask) v` of every head.
///
/// # Shapes
/// - `q`, result: `[n, queries, width]`
/// - `k`, `v`: `[n, keys, width]`; all three may be parts of one tensor
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit or the channels of a head are no multiple of eight; [`Error::Candle`] for tensors
/// that are not f32 on the CPU.
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, heads: &Heads<'_>) -> Result<Tensor> {
    const OP: &str = "attention";
    let &[n, queries, width] = q.dims() else {
        return Err(Error::shape(OP, "q", "[n, queries, width]", q.dims()));
    };
    let keys = k.dims().get(1).copied().unwrap_or(0);
    if !Heads::suits(width, heads.heads) {
        let expected = format!("[n, queries, a multiple of 8 · {}]", heads.heads);
        return Err(Error::shape(OP, "q", expected, q.dims()));
    }
    for (name, tensor) in [("k", k), ("v", v)] {
        if keys == 0 || tensor.dims() != [n, keys, width] {
            return Err(Error::shape(OP, name, format!("[{n}, keys, {width}]"), tensor.dims()));
        }
    }
    let channels = width / heads.heads;
    let windows = check_mask(heads, n, queries, keys)?;
    if let Some((cos, sin)) = heads.rotation {
        let turned = cos.dims().first().copied().unwrap_or(0);
        for (name, tensor) in [("cosines", cos), ("sines", sin)] {
            if tensor.dims() != [turned, channels] || turned > queries.min(keys) {
                let expected = format!("[at most {}, {channels}]", queries.min(keys));
                return Err(Error::shape(OP, name, expected, tensor.dims()));
            }
        }
    }
    let sizes = Sizes { n, queries, keys, heads: heads.heads, channels, windows };
    let (cos, sin) = heads.rotation.unzip();
    let y = cpu::with_slices([heads.mask, cos, sin], |[mask, cos, sin]| {
        with_rows([q, k, v], |[q, k, v]| Call { sizes, q, k, v, mask, turn: cos.zip(sin) }.run())
    })??;
    Ok(cpu::tensor(y, (n, queries, width))?)
}

/// Windows of a picture.
fn check_mask(heads: &Heads<'_>, n: usize, queries: usize, keys: usize) -> Result<Option<[usize; 2]>> {
    let Some(mask) = heads.mask else { return Ok(None) };
    let sizes = match *mask.dims() {
        [q, k] if [q, k] == [queries, keys] => [1, 1],
        [h, q, k] if [h, q, k] == [heads.heads, queries, keys] => [1, h],
        [w, h, q, k] if [h, q, k] == [heads.heads, queries, keys] && w > 0 && n.is_multiple_of(w) => [w, h],
        _ => {
            let expected = format!("[…, {queries}, {keys}] for {} heads", heads.heads);
            return Err(Error::shape("attention", "mask", expected, mask.dims()));
        }
    };
    Ok(Some(sizes))
}

/// Rows of channels in a tensor `[n, tokens, width]`.
#[derive(Clone, Copy)]
struct Rows<'a> {
    data: &'a [f32],
    image: usize,
    token: usize,
}

impl<'a> Rows<'a> {
    /// So many columns of so many rows, the first of which begins at `start`.
    fn from(&self, start: usize, rows: usize, columns: usize) -> Matrix<'a> {
        Matrix { data: &self.data[start..], stride: self.token, rows, columns }
    }
}

/// Runs `f` on the rows of the tensors; one whose channels do not lie together is copied.
fn with_rows<const N: usize, R>(
    tensors: [&Tensor; N],
    f: impl FnOnce([Rows<'_>; N]) -> R,
) -> candle_core::Result<R> {
    let mut together: [Option<Tensor>; N] = [const { None }; N];
    for (to, tensor) in together.iter_mut().zip(tensors) {
        let lies = tensor.stride().last() == Some(&1);
        *to = Some(if lies { tensor.clone() } else { tensor.contiguous()? });
    }
    let held = together.each_ref().map(|tensor| tensor.as_ref().map(Tensor::storage_and_layout));
    let mut rows = [Rows { data: &[], image: 0, token: 0 }; N];
    for (to, held) in rows.iter_mut().zip(&held) {
        let Some((storage, layout)) = held else { continue };
        match &**storage {
            Storage::Cpu(storage) => *to = rows_of(storage.as_slice::<f32>()?, layout),
            _ => candle_core::bail!("kernel called with a tensor that is not on the CPU"),
        }
    }
    Ok(f(rows))
}

fn rows_of<'a>(data: &'a [f32], layout: &Layout) -> Rows<'a> {
    let stride = |axis: usize| layout.stride().get(axis).copied().unwrap_or(0);
    Rows { data: &data[layout.start_offset()..], image: stride(0), token: stride(1) }
}

#[derive(Clone, Copy)]
struct Sizes {
    n: usize,
    queries: usize,
    keys: usize,
    heads: usize,
    channels: usize,
    /// Windows and heads of the mask.
    windows: Option<[usize; 2]>,
}

struct Call<'a> {
    sizes: Sizes,
    q: Rows<'a>,
    k: Rows<'a>,
    v: Rows<'a>,
    mask: Option<&'a [f32]>,
    /// Cosines and sines.
    turn: Option<(&'a [f32], &'a [f32])>,
}

impl Call<'_> {
    fn run(&self) -> Vec<f32> {
        let Sizes { n, queries, heads, channels, .. } = self.sizes;
        let len = n * queries * heads * channels;
        let mut y = Vec::with_capacity(len);
        let out = Output::new(&mut y.spare_capacity_mut()[..len]);
        let level = Level::current();
        (0..n * heads).into_par_iter().for_each(|i| self.head(level, i / heads, i % heads, out));
        // SAFETY: the capacity is at least `len`, and every head of every image wrote its channels of all queries; a panic in
        // one would have left this function.
        unsafe { y.set_len(len) };
        y
    }

    /// One head of one image.
    fn head(&self, level: Level, image: usize, head: usize, y: Output) {
        let Sizes { queries, keys, heads, channels, .. } = self.sizes;
        let wide = keys.next_multiple_of(BLOCK);
        let scale = (channels as f32).powf(-0.5);
        let turned = if self.turn.is_some() { (queries + keys) * channels } else { 0 };
        scratch::with(wide * channels + keys * channels + QUERIES * wide + turned, |all| {
            let (packed_k, rest) = all.split_at_mut(wide * channels);
            let (packed_v, rest) = rest.split_at_mut(keys * channels);
            let (shares, turned) = rest.split_at_mut(QUERIES * wide);
            let (turned_q, turned_k) = turned.split_at_mut(turned.len() / (queries + keys) * queries);
            let start = |rows: &Rows<'_>| image * rows.image + head * channels;
            let mut q = self.q.from(start(&self.q), queries, channels);
            let mut k = self.k.from(start(&self.k), keys, channels);
            let v = self.v.from(start(&self.v), keys, channels);
            if let Some(turn) = self.turn {
                (q, k) = (rotated(q, turn, turned_q), rotated(k, turn, turned_k));
            }
            // SAFETY: the functions need no promise.
            unsafe {
                pack_rows_as_outputs(level, k, wide, scale, packed_k);
                pack_columns_as_outputs(level, v, packed_v);
            }
            for first in (0..queries).step_by(QUERIES) {
                let count = QUERIES.min(queries - first);
                let shares = &mut shares[..count * wide];
                let run = Run { x: first * q.stride, y: 0, pixels: count };
                let products = Target { y: Output::over(shares), block: BLOCK, pixel: wide };
                let from = Inputs { groups: &[0], depth: channels, pixel: q.stride };
                // SAFETY: nobody else knows of the scratch memory.
                unsafe {
                    multiply(level, q.data, from, packed_k, 0..wide, &[run], products, Finish::default())
                };
                softmax(level, shares, wide, keys, self.mask(image, head, first));
                let start = (image * queries + first) * heads * channels + head * channels;
                let run = Run { x: 0, y: start, pixels: count };
                let to = Target { y, block: BLOCK, pixel: heads * channels };
                let from = Inputs { groups: &[0], depth: keys, pixel: wide };
                // SAFETY: these channels of these queries are this call's alone.
                unsafe {
                    multiply(level, shares, from, packed_v, 0..channels, &[run], to, Finish::default())
                };
            }
        });
    }

    /// The mask's rows from query `first` on.
    fn mask(&self, image: usize, head: usize, first: usize) -> Option<&[f32]> {
        let Sizes { queries, keys, .. } = self.sizes;
        let [windows, heads] = self.sizes.windows?;
        let matrix = image % windows * heads + head % heads;
        self.mask.map(|mask| &mask[(matrix * queries + first) * keys..])
    }
}

/// `from` with its last rows turned, in `to`.
fn rotated<'a>(from: Matrix<'_>, (cos, sin): (&[f32], &[f32]), to: &'a mut [f32]) -> Matrix<'a> {
    let (columns, half) = (from.columns, from.columns / 2);
    let front = from.rows - cos.len() / columns;
    for (row, to) in to.chunks_exact_mut(columns).enumerate() {
        let from = &from.data[row * from.stride..][..columns];
        if row < front {
            to.copy_from_slice(from);
            continue;
        }
        let at = (row - front) * columns;
        let (cos, sin) = (&cos[at..][..columns], &sin[at..][..columns]);
        for i in 0..half {
            to[i] = from[i] * cos[i] - from[half + i] * sin[i];
            to[half + i] = from[half + i] * cos[half + i] + from[i] * sin[half + i];
        }
    }
    Matrix { data: to, stride: columns, ..Matrix { data: &[], ..from } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    fn tensor(shape: &[usize], step: usize) -> Tensor {
        let len = shape.iter().product();
        let values: Vec<f32> = (0..len).map(|i| ((i * step) % 23) as f32 / 8.0 - 1.3).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    /// By Candle's operations in f64.
    fn expected([q, k, v]: [&Tensor; 3], heads: usize, mask: Option<&Tensor>) -> Tensor {
        let (n, queries, width) = q.dims3().unwrap();
        let split = |x: &Tensor| {
            let x = x.to_dtype(DType::F64).unwrap();
            let x = x.reshape((n, x.dim(1).unwrap(), heads, width / heads)).unwrap();
            x.transpose(1, 2).unwrap().contiguous().unwrap()
        };
        let scale = ((width / heads) as f64).powf(-0.5);
        let mut products = (split(q).matmul(&split(k).t().unwrap()).unwrap() * scale).unwrap();
        if let Some(mask) = mask {
            let mask = mask.to_dtype(DType::F64).unwrap();
            let windows = if mask.rank() == 4 { mask.dim(0).unwrap() } else { 1 };
            let shape = products.dims().to_vec();
            let by_window = products.reshape((n / windows, windows, heads, shape[2], shape[3])).unwrap();
            products = by_window.broadcast_add(&mask).unwrap().reshape(shape).unwrap();
        }
        let exp = products.exp().unwrap();
        let shares = exp.broadcast_div(&exp.sum_keepdim(3).unwrap()).unwrap();
        let y = shares.matmul(&split(v)).unwrap().transpose(1, 2).unwrap();
        y.reshape((n, queries, width)).unwrap().to_dtype(DType::F32).unwrap()
    }

    fn apart(a: &Tensor, b: &Tensor) -> f32 {
        (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap()
    }

    #[test]
    fn equals_the_definition_with_every_mask() {
        for (n, queries, keys, heads, width) in
            [(1, 1, 1, 1, 8), (2, 5, 9, 2, 16), (4, 49, 49, 3, 96), (1, 1, 130, 2, 32), (2, 101, 101, 2, 48)]
        {
            let (q, k, v) = (
                tensor(&[n, queries, width], 7),
                tensor(&[n, keys, width], 11),
                tensor(&[n, keys, width], 13),
            );
            let masks = [
                None,
                Some(tensor(&[queries, keys], 5)),
                Some(tensor(&[heads, queries, keys], 5)),
                Some(tensor(&[n, heads, queries, keys], 5)),
            ];
            for mask in &masks {
                let mask = mask.as_ref();
                let found = attention(&q, &k, &v, &Heads { heads, mask, rotation: None }).unwrap();
                let apart = apart(&found, &expected([&q, &k, &v], heads, mask));
                assert!(apart < 2e-6, "{n} {queries} {keys} {:?}: {apart}", mask.map(Tensor::dims));
            }
        }
    }

    #[test]
    fn parts_of_one_tensor_need_no_copies_and_no_other_picture_or_thread() {
        let qkv = tensor(&[3, 60, 3 * 32], 17);
        let heads = Heads { heads: 4, mask: None, rotation: None };
        let part = |x: &Tensor, i: usize| x.narrow(2, 32 * i, 32).unwrap();
        let run = |x: &Tensor, threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let parts = [0, 1, 2].map(|i| part(x, i));
            let y = pool.install(|| attention(&parts[0], &parts[1], &parts[2], &heads)).unwrap();
            y.to_vec3::<f32>().unwrap()
        };
        let all = run(&qkv, 1);
        assert_eq!(all, run(&qkv, 3));
        assert_eq!(all[1..2], run(&qkv.narrow(0, 1, 1).unwrap(), 2));
        let copies = [0, 1, 2].map(|i| part(&qkv, i).contiguous().unwrap());
        let apart_from_copies = attention(&copies[0], &copies[1], &copies[2], &heads).unwrap();
        assert_eq!(all, apart_from_copies.to_vec3::<f32>().unwrap());
    }

    /// A turn by a right angle swaps the halves of a head's channels, with one sign.
    #[test]
    fn the_last_tokens_are_turned() {
        let [q, k, v] = [3, 5, 7].map(|step| tensor(&[1, 6, 16], step));
        let (cos, sin) = (
            Tensor::zeros((4, 16), DType::F32, &Device::Cpu).unwrap(),
            Tensor::ones((4, 16), DType::F32, &Device::Cpu).unwrap(),
        );
        let turned = |x: &Tensor| {
            let last = x.narrow(1, 2, 4).unwrap();
            let (first, second) = (last.narrow(2, 0, 8).unwrap(), last.narrow(2, 8, 8).unwrap());
            let last = Tensor::cat(&[&second.neg().unwrap(), &first], 2).unwrap();
            Tensor::cat(&[&x.narrow(1, 0, 2).unwrap(), &last], 1).unwrap()
        };
        let heads = Heads { heads: 1, mask: None, rotation: Some((&cos, &sin)) };
        let found = attention(&q, &k, &v, &heads).unwrap();
        let expected = expected([&turned(&q), &turned(&k), &v], 1, None);
        assert!(apart(&found, &expected) < 2e-6);
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let x = |shape: &[usize]| tensor(shape, 3);
        let run = |q: &[usize], k: &[usize], v: &[usize], heads: usize, mask: Option<&[usize]>| {
            let mask = mask.map(x);
            attention(&x(q), &x(k), &x(v), &Heads { heads, mask: mask.as_ref(), rotation: None })
                .err()
                .map(|error| error.to_string())
        };
        let fits: &[usize] = &[2, 4, 16];
        assert_eq!(run(fits, fits, fits, 2, Some(&[4, 4])), None);
        assert!(run(fits, fits, fits, 4, None).unwrap().contains("multiple of 8"));
        assert!(run(fits, fits, fits, 0, None).is_some());
        assert!(run(fits, &[2, 4, 8], fits, 2, None).unwrap().contains("k has shape"));
        assert!(run(fits, &[2, 0, 16], &[2, 0, 16], 2, None).is_some());
        assert!(run(fits, fits, &[1, 4, 16], 2, None).unwrap().contains("v has shape"));
        assert!(run(fits, fits, fits, 2, Some(&[4, 5])).unwrap().contains("mask"));
        assert!(run(fits, fits, fits, 2, Some(&[3, 2, 4, 4])).unwrap().contains("mask"));
        let turn = x(&[5, 8]);
        let heads = Heads { heads: 2, mask: None, rotation: Some((&turn, &turn)) };
        assert!(attention(&x(fits), &x(fits), &x(fits), &heads).is_err());
    }
}
