//! A batch and the pool its buffers return to.

use std::sync::{Arc, Mutex};

/// Buffers of batches that were dropped, for the batches to come.
#[derive(Debug)]
pub(super) struct Pool<P>(Mutex<Vec<Buffers<P>>>);

impl<P> Default for Pool<P> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

#[derive(Debug)]
struct Buffers<P> {
    images: Vec<P>,
    labels: Vec<u32>,
    indices: Vec<u32>,
    backgrounds: Vec<Option<u32>>,
}

/// Samples of one batch. Its buffers go back to the loader when it is dropped.
#[derive(Debug)]
pub struct BatchOf<P> {
    /// Pictures: f32 `[n, 3, size, size]`, normalised; or u8 `[n, size, size, 3]`, RGB.
    pub images: Vec<P>,
    /// Class of each sample, `[n]`.
    pub labels: Vec<u32>,
    /// Index of each sample in its split, `[n]`.
    pub indices: Vec<u32>,
    /// Index of each sample's background in the same split, where the view has one, `[n]`.
    pub backgrounds: Vec<Option<u32>>,
    pool: Arc<Pool<P>>,
}

/// Normalised f32 pictures, `[n, 3, size, size]`.
pub type Batch = BatchOf<f32>;
/// Pictures as bytes, `[n, size, size, 3]`.
pub type ByteBatch = BatchOf<u8>;

impl<P: Copy + Default> BatchOf<P> {
    /// An empty batch with room for `values` picture values, from the pool if it has one.
    pub(super) fn take(pool: &Arc<Pool<P>>, values: usize) -> Self {
        let reused = pool.0.lock().ok().and_then(|mut free| free.pop());
        let mut buffers = reused.unwrap_or_else(|| Buffers {
            images: Vec::new(),
            labels: Vec::new(),
            indices: Vec::new(),
            backgrounds: Vec::new(),
        });
        // Every value is overwritten; only growth costs a fill.
        buffers.images.resize(values, P::default());
        buffers.labels.clear();
        buffers.indices.clear();
        buffers.backgrounds.clear();
        Self {
            images: buffers.images,
            labels: buffers.labels,
            indices: buffers.indices,
            backgrounds: buffers.backgrounds,
            pool: pool.clone(),
        }
    }
}

impl<P> BatchOf<P> {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

impl<P> Drop for BatchOf<P> {
    fn drop(&mut self) {
        if let Ok(mut free) = self.pool.0.lock() {
            free.push(Buffers {
                images: std::mem::take(&mut self.images),
                labels: std::mem::take(&mut self.labels),
                indices: std::mem::take(&mut self.indices),
                backgrounds: std::mem::take(&mut self.backgrounds),
            });
        }
    }
}
