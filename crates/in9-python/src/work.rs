//! Work that takes long: on threads of its own, with the interpreter's lock free, heard of, and stopped by Ctrl-C.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

/// How often Python is asked whether somebody wants to stop, and is told how far the work is.
const TICK: Duration = Duration::from_millis(50);

/// How far the work is: what is counted, done so far, of how many.
type Step = (&'static str, u64, u64);

/// What the work tells while it runs.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    last: Mutex<Option<Step>>,
    stop: AtomicBool,
}

/// What unwinds the work when it is to stop. Outputs are whole or absent at any moment, as after a kill.
struct Stopped;

impl Meter {
    /// Notes how far the work is; does not return if it is to stop.
    pub(crate) fn tell(&self, what: &'static str, done: u64, total: u64) {
        if self.stop.load(Ordering::Relaxed) {
            // Without the message that a panic prints: nothing is wrong.
            resume_unwind(Box::new(Stopped));
        }
        if let Ok(mut last) = self.last.lock() {
            *last = Some((what, done, total));
        }
    }

    fn take(&self) -> Option<Step> {
        self.last.lock().ok().and_then(|mut last| last.take())
    }
}

/// Does `work` on a pool of threads that lives no longer than it does, so that no process inherits a pool whose threads
/// it does not have. There are as many as cores that this process may use. `progress`, if there is one, is called with
/// what is counted, how many are done and how many there are; an exception there stops the work, as Ctrl-C does.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&Meter) -> T + Send,
) -> PyResult<T> {
    let meter = Meter::default();
    let done = py.detach(|| {
        std::thread::scope(|scope| {
            let (sender, receiver) = channel();
            let (meter, progress) = (&meter, progress.as_ref());
            let worker = scope.spawn(move || {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(in9_base::shell::available()).build();
                let result = pool.map(|pool| catch_unwind(AssertUnwindSafe(|| pool.install(|| work(meter)))));
                // Nobody listens if the other side has gone, which it does only after this.
                let _ = sender.send(());
                result
            });
            let mut failed = None;
            while let Err(RecvTimeoutError::Timeout) = receiver.recv_timeout(TICK) {
                if failed.is_none() {
                    failed = Python::attach(|py| tick(py, meter, progress)).err();
                    meter.stop.store(failed.is_some(), Ordering::Relaxed);
                }
            }
            (worker.join(), failed)
        })
    });
    match done {
        // Whatever it came to: somebody wanted it to stop.
        (_, Some(error)) => Err(error),
        (Ok(Ok(Ok(value))), None) => {
            tick(py, &meter, progress.as_ref())?;
            Ok(value)
        }
        (Ok(Err(error)), None) => Err(PyOSError::new_err(format!("cannot start threads ({error})"))),
        // A fault of ours: shown as a panic of this thread.
        (Ok(Ok(Err(panic))) | Err(panic), None) => resume_unwind(panic),
    }
}

fn tick(py: Python<'_>, meter: &Meter, progress: Option<&Py<PyAny>>) -> PyResult<()> {
    py.check_signals()?;
    if let (Some(progress), Some(step)) = (progress, meter.take()) {
        progress.call1(py, step)?;
    }
    Ok(())
}
