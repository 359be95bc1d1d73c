//! cuDNN's algorithms by shape, and the workspace that they share.

use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::from_ref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cudarc::cudnn::{result, sys};
use cudarc::driver::{CudaSlice, CudaStream, DevicePtr};

use super::super::{Error, Result, Settings};
use super::Conv2d;
use super::descriptors::{Descriptors, Handle, asked};
use crate::launch::Element;

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Work {
    Forward,
    /// Forward with bias, residual and activation.
    Fused,
    /// The gradient with respect to the image.
    Data,
    /// The gradient with respect to the filters.
    Filter,
}

/// How images lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// `[n, h, w, channels]`: what tensor cores work on.
    Last,
    /// `[n, channels, h, w]`: where cuDNN has nothing for the other.
    First,
}

/// What an algorithm depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) conv: Conv2d,
    pub(super) element: Element,
    pub(super) work: Work,
}

#[derive(Clone, Copy)]
enum Algorithm {
    Forward(sys::cudnnConvolutionFwdAlgo_t),
    Data(sys::cudnnConvolutionBwdDataAlgo_t),
    Filter(sys::cudnnConvolutionBwdFilterAlgo_t),
}

/// A convolution that is ready to be run.
pub(super) struct Entry {
    pub(super) layout: Layout,
    descriptors: Descriptors,
    algorithm: Algorithm,
    /// Bytes of workspace.
    workspace: usize,
}

/// All of a device.
pub(crate) struct Convolutions {
    handle: Handle,
    stream: Arc<CudaStream>,
    settings: Settings,
    /// None: cuDNN has no algorithm.
    entries: HashMap<Key, Option<Arc<Entry>>>,
    /// Grown to what the largest needs; everything runs on one stream, so one does for all.
    workspace: Option<CudaSlice<u8>>,
    /// Smaller ones, whose addresses are in graphs.
    outgrown: Vec<CudaSlice<u8>>,
    in_graphs: bool,
    /// While launches are captured, what lasts longer than the graph may not be made.
    capturing: Arc<AtomicBool>,
}

// SAFETY: the handle and the descriptors are pointers that cuDNN allows to be used by one thread at a time; there is
// one `Convolutions` a device, behind a lock, and its entries are used through it only.
unsafe impl Send for Convolutions {}
// SAFETY: as above; an entry by itself only tells its layout.
unsafe impl Send for Entry {}
// SAFETY: as above.
unsafe impl Sync for Entry {}

/// The largest workspace that an algorithm may take.
const MOST_WORKSPACE: usize = 2 << 30;

/// Algorithms that are asked for.
const CANDIDATES: usize = 10;

/// The first algorithm of cuDNN's list, which is in the order of their speed, that is allowed.
macro_rules! choose {
    ($self:ident, $query:path, $($argument:expr),*) => {{
        // SAFETY: the structure holds numbers only, for which zero is a value.
        let mut found: [_; CANDIDATES] = unsafe { std::mem::zeroed() };
        let mut count = 0;
        // SAFETY: handle and descriptors live as long as `self` and the entry, and there is room for as many
        // answers as are asked for.
        let answer = unsafe {
            $query($self.handle.0, $($argument,)* CANDIDATES as i32, &mut count, found.as_mut_ptr())
        };
        match answer {
            Ok(()) => found[..count.max(0) as usize]
                .iter()
                .find(|c| allowed(c.status, c.determinism, c.memory, $self.settings.fast))
                .map(|c| (c.algo, c.memory)),
            Err(_) => None,
        }
    }};
}

fn allowed(
    status: sys::cudnnStatus_t,
    determinism: sys::cudnnDeterminism_t,
    memory: usize,
    fast: bool,
) -> bool {
    let deterministic = determinism == sys::cudnnDeterminism_t::CUDNN_DETERMINISTIC;
    status == sys::cudnnStatus_t::CUDNN_STATUS_SUCCESS && (fast || deterministic) && memory <= MOST_WORKSPACE
}

impl Convolutions {
    pub(crate) fn new(
        stream: Arc<CudaStream>,
        settings: Settings,
        capturing: Arc<AtomicBool>,
    ) -> Result<Self> {
        stream.context().bind_to_thread()?;
        let handle = Handle(result::create_handle().map_err(asked("starting"))?);
        // SAFETY: the stream lives as long as this, which keeps it.
        unsafe { result::set_stream(handle.0, stream.cu_stream().cast()) }.map_err(asked("its stream"))?;
        Ok(Self {
            handle,
            stream,
            settings,
            entries: HashMap::new(),
            workspace: None,
            outgrown: Vec::new(),
            in_graphs: false,
            capturing,
        })
    }

    /// The entry of a key.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where cuDNN has no algorithm.
    pub(super) fn entry(&mut self, key: Key) -> Result<Arc<Entry>> {
        let known = self.entries.get(&key).cloned();
        let entry = match known {
            Some(entry) => entry,
            None => {
                let entry = match self.find(&key, Layout::Last)? {
                    Some(entry) => Some(entry),
                    None => self.find(&key, Layout::First)?,
                };
                let entry = entry.map(Arc::new);
                self.entries.insert(key, entry.clone());
                entry
            }
        };
        entry.ok_or_else(|| {
            let how = if self.settings.fast { "" } else { " that gives the same bits each time" };
            Error::Unsupported(format!("cuDNN has no algorithm{how} for {key:?}"))
        })
    }

    /// The entry of a fused convolution, channels last; none where it was refused before.
    pub(super) fn fused_entry(&mut self, key: Key) -> Result<Option<Arc<Entry>>> {
        if let Some(entry) = self.entries.get(&key) {
            return Ok(entry.clone());
        }
        let entry = self.find(&key, Layout::Last)?.map(Arc::new);
        self.entries.insert(key, entry.clone());
        Ok(entry)
    }

    fn find(&self, key: &Key, layout: Layout) -> Result<Option<Entry>> {
        self.stream.context().bind_to_thread()?;
        let d = Descriptors::new(key, layout, self.settings.tf32)?;
        let found = match key.work {
            Work::Forward => {
                choose!(self, result::get_convolution_forward_algorithm, d.x.0, d.w.0, d.conv.0, d.y.0)
                    .map(|(algo, memory)| (Algorithm::Forward(algo), memory))
            }
            // The only algorithm that takes no activation, too.
            Work::Fused => {
                use sys::cudnnConvolutionFwdAlgo_t::CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM as ALGO;
                // SAFETY: as in `choose`.
                let bytes = unsafe {
                    result::get_convolution_forward_workspace_size(
                        self.handle.0,
                        d.x.0,
                        d.w.0,
                        d.conv.0,
                        d.y.0,
                        ALGO,
                    )
                };
                bytes
                    .ok()
                    .filter(|bytes| *bytes <= MOST_WORKSPACE)
                    .map(|bytes| (Algorithm::Forward(ALGO), bytes))
            }
            Work::Data => {
                choose!(self, result::get_convolution_backward_data_algorithm, d.w.0, d.y.0, d.conv.0, d.x.0)
                    .map(|(algo, memory)| (Algorithm::Data(algo), memory))
            }
            Work::Filter => choose!(
                self,
                result::get_convolution_backward_filter_algorithm,
                d.x.0,
                d.y.0,
                d.conv.0,
                d.w.0
            )
            .map(|(algo, memory)| (Algorithm::Filter(algo), memory)),
        };
        Ok(found.map(|(algorithm, workspace)| Entry { layout, descriptors: d, algorithm, workspace }))
    }

    /// A workspace of at least this many bytes.
    fn workspace(&mut self, bytes: usize) -> Result<*mut c_void> {
        if bytes == 0 {
            return Ok(std::ptr::null_mut());
        }
        let capturing = self.capturing.load(Ordering::Relaxed);
        if self.workspace.as_ref().is_none_or(|have| have.len() < bytes) {
            if capturing {
                return Err(Error::lasting("a larger workspace of cuDNN"));
            }
            // The old one is freed in the stream's order: after what still uses it. A graph may use it again.
            let old = self.workspace.take();
            self.outgrown.extend(old.filter(|_| self.in_graphs));
            // SAFETY: cuDNN asks nothing of a workspace's content.
            self.workspace = Some(unsafe { self.stream.alloc::<u8>(bytes) }?);
        }
        self.in_graphs |= capturing;
        let address = self.workspace.as_ref().map_or(0, |have| have.device_ptr(&self.stream).0);
        Ok(address as *mut c_void)
    }

    pub(super) fn forward(&mut self, entry: &Entry, x: u64, w: u64, y: u64) -> Result<()> {
        let (space, d) = (self.workspace(entry.workspace)?, &entry.descriptors);
        let Algorithm::Forward(algorithm) = entry.algorithm else { return Err(mismatch()) };
        self.stream.context().bind_to_thread()?;
        // SAFETY: handle and descriptors are alive; the addresses are those of tensors of the descriptors' sizes,
        // which the caller holds until the work is queued, and memory is freed in the stream's order.
        unsafe {
            result::convolution_forward(
                self.handle.0,
                from_ref(&1f32).cast(),
                d.x.0,
                x as *const c_void,
                d.w.0,
                w as *const c_void,
                d.conv.0,
                algorithm,
                space,
                entry.workspace,
                from_ref(&0f32).cast(),
                d.y.0,
                y as *mut c_void,
            )
        }
        .map_err(asked("convolving"))
    }

    /// With bias, residual and activation; false, once and for all, where cuDNN cannot.
    pub(super) fn fused(
        &mut self,
        key: Key,
        entry: &Entry,
        [x, w, bias, y]: [u64; 4],
        residual: Option<u64>,
        relu: bool,
    ) -> Result<bool> {
        let (space, d) = (self.workspace(entry.workspace)?, &entry.descriptors);
        let Algorithm::Forward(algorithm) = entry.algorithm else { return Err(mismatch()) };
        self.stream.context().bind_to_thread()?;
        let what = "describing an activation";
        let mode = match relu {
            true => sys::cudnnActivationMode_t::CUDNN_ACTIVATION_RELU,
            false => sys::cudnnActivationMode_t::CUDNN_ACTIVATION_IDENTITY,
        };
        let activation = result::create_activation_descriptor().map_err(asked(what))?;
        let nan = sys::cudnnNanPropagation_t::CUDNN_PROPAGATE_NAN;
        // SAFETY: as for `forward`; the activation's descriptor is alive until it is destroyed below.
        let (set, done) = unsafe {
            let set = result::set_activation_descriptor(activation, mode, nan, 0.0);
            let done = result::convolution_bias_activation_forward(
                self.handle.0,
                from_ref(&1f32).cast(),
                d.x.0,
                x as *const c_void,
                d.w.0,
                w as *const c_void,
                d.conv.0,
                algorithm,
                space,
                entry.workspace,
                from_ref(if residual.is_some() { &1f32 } else { &0f32 }).cast(),
                d.y.0,
                residual.unwrap_or(y) as *const c_void,
                d.bias.0,
                bias as *const c_void,
                activation,
                d.y.0,
                y as *mut c_void,
            );
            let _ = sys::cudnnDestroyActivationDescriptor(activation);
            (set, done)
        };
        set.map_err(asked(what))?;
        if done.is_err() {
            // A plain convolution and an epilogue do the same.
            self.entries.insert(key, None);
            return Ok(false);
        }
        Ok(true)
    }

    pub(super) fn backward_data(&mut self, entry: &Entry, w: u64, dy: u64, dx: u64) -> Result<()> {
        let (space, d) = (self.workspace(entry.workspace)?, &entry.descriptors);
        let Algorithm::Data(algorithm) = entry.algorithm else { return Err(mismatch()) };
        self.stream.context().bind_to_thread()?;
        // SAFETY: as for `forward`.
        unsafe {
            result::convolution_backward_data(
                self.handle.0,
                from_ref(&1f32).cast(),
                d.w.0,
                w as *const c_void,
                d.y.0,
                dy as *const c_void,
                d.conv.0,
                algorithm,
                space,
                entry.workspace,
                from_ref(&0f32).cast(),
                d.x.0,
                dx as *mut c_void,
            )
        }
        .map_err(asked("an image's gradient"))
    }

    pub(super) fn backward_filter(&mut self, entry: &Entry, x: u64, dy: u64, dw: u64) -> Result<()> {
        let (space, d) = (self.workspace(entry.workspace)?, &entry.descriptors);
        let Algorithm::Filter(algorithm) = entry.algorithm else { return Err(mismatch()) };
        self.stream.context().bind_to_thread()?;
        // SAFETY: as for `forward`.
        unsafe {
            result::convolution_backward_filter(
                self.handle.0,
                from_ref(&1f32).cast(),
                d.x.0,
                x as *const c_void,
                d.y.0,
                dy as *const c_void,
                d.conv.0,
                algorithm,
                space,
                entry.workspace,
                from_ref(&0f32).cast(),
                d.w.0,
                dw as *mut c_void,
            )
        }
        .map_err(asked("a filter's gradient"))
    }
}

fn mismatch() -> Error {
    Error::Unsupported("a convolution was asked for another work than it was prepared for".to_owned())
}
