//! The batches of one epoch, in order, made ahead by threads.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use crate::error::{Error, Result};

use super::batch::{BatchOf, Pool};
use super::item::{Composer, Scratch};
use super::pixels::Pixel;

/// What is to be made.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) composer: Arc<Composer>,
    pub(super) order: Vec<u32>,
    pub(super) pairing: Option<Arc<Vec<u32>>>,
    pub(super) epoch: u64,
    pub(super) batch_size: usize,
    pub(super) batches: usize,
}

impl Plan {
    /// Makes batch number `at`.
    fn make<P: Pixel>(&self, at: usize, pool: &Arc<Pool<P>>, scratch: &mut Scratch) -> Result<BatchOf<P>> {
        let end = self.order.len().min((at + 1) * self.batch_size);
        let items = &self.order[at * self.batch_size..end];
        let values = self.composer.values();
        let mut batch = BatchOf::take(pool, items.len() * values);
        for (&item, out) in items.iter().zip(batch.images.chunks_exact_mut(values)) {
            let background = self.pairing.as_ref().map(|pairs| pairs[item as usize]);
            self.composer.fill(item, background, self.epoch, scratch, out)?;
            batch.labels.push(u32::from(self.composer.split().sample(item as usize).class));
            batch.indices.push(item);
            batch.backgrounds.push(background);
        }
        Ok(batch)
    }
}

/// Which batches of an epoch are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Number of the first one.
    pub first: usize,
    /// Every how many-th one from there on, at least 1: of `n` readers that share an epoch, reader `i` takes
    /// `Share { first: i, every: n }`.
    pub every: usize,
}

impl Share {
    /// Every batch from number `first` on.
    pub fn from(first: usize) -> Self {
        Self { first, every: 1 }
    }
}

/// An iterator over the batches of one epoch, or of a share of it.
///
/// Thread t of n makes the share's batches t, t + n, … into a queue of its own, and the queues are read in
/// turn: the order is fixed, and no two threads share anything while they work. Dropping the
/// iterator stops the threads.
#[derive(Debug)]
pub struct Epoch<P: Pixel> {
    plan: Arc<Plan>,
    /// Of the share's batches, those that were given.
    given: usize,
    /// Batches of the share.
    total: usize,
    share: Share,
    work: Work<P>,
}

#[derive(Debug)]
enum Work<P: Pixel> {
    Here { pool: Arc<Pool<P>>, scratch: Box<Scratch> },
    Threads { queues: Vec<Receiver<Result<BatchOf<P>>>>, handles: Vec<JoinHandle<()>> },
}

impl<P: Pixel> Epoch<P> {
    pub(super) fn start(plan: Plan, share: Share, prefetch: usize, threads: usize) -> Result<Self> {
        if share.every == 0 {
            return Err(Error::Setting {
                setting: "share of an epoch",
                expected: "at least 1",
                found: "0".into(),
            });
        }
        let total = plan.batches.saturating_sub(share.first).div_ceil(share.every);
        let plan = Arc::new(plan);
        let pool = P::pool(&plan.composer);
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if threads == 0 { cores() } else { threads }.min(prefetch);
        if threads == 0 {
            let work = Work::Here { pool, scratch: Box::default() };
            return Ok(Self { plan, given: 0, total, share, work });
        }
        let (mut queues, mut handles) = (Vec::new(), Vec::new());
        for thread in 0..threads {
            // A thread holds one finished batch beside its queue while it waits for room.
            let (sender, receiver) = sync_channel((prefetch / threads).saturating_sub(1));
            let (plan, pool) = (plan.clone(), pool.clone());
            let work = move || {
                let mut scratch = Scratch::default();
                for of_share in (thread..total).step_by(threads) {
                    let at = share.first + of_share * share.every;
                    if sender.send(plan.make(at, &pool, &mut scratch)).is_err() {
                        return;
                    }
                }
            };
            let handle = std::thread::Builder::new().name(format!("in9-loader-{thread}")).spawn(work);
            handles.push(handle.map_err(|source| Error::Thread { source })?);
            queues.push(receiver);
        }
        Ok(Self { plan, given: 0, total, share, work: Work::Threads { queues, handles } })
    }
}

impl<P: Pixel> Iterator for Epoch<P> {
    type Item = Result<BatchOf<P>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.given >= self.total {
            return None;
        }
        let of_share = self.given;
        self.given += 1;
        match &mut self.work {
            Work::Here { pool, scratch } => {
                Some(self.plan.make(self.share.first + of_share * self.share.every, pool, scratch))
            }
            Work::Threads { queues, handles } => {
                let thread = of_share % queues.len();
                match queues[thread].recv() {
                    Ok(batch) => Some(batch),
                    Err(_) => {
                        // The thread ended early, which only a panic can make it do: pass it on.
                        if let Err(panic) = handles.swap_remove(thread).join() {
                            std::panic::resume_unwind(panic);
                        }
                        None
                    }
                }
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.total - self.given;
        (left, Some(left))
    }
}

impl<P: Pixel> ExactSizeIterator for Epoch<P> {}

impl<P: Pixel> Drop for Epoch<P> {
    fn drop(&mut self) {
        if let Work::Threads { queues, handles } = &mut self.work {
            // Closing the queues makes every thread's next send fail.
            queues.clear();
            for handle in handles.drain(..) {
                // A panic was already passed on, or nobody asked for that batch.
                let _ = handle.join();
            }
        }
    }
}
