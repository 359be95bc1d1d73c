//! Work that is captured once and then launched as a whole.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;

use cudarc::driver::{CudaGraph, CudaStream, DriverError, sys};

use super::{Error, Gpu};

type Result<T, E = Error> = std::result::Result<T, E>;

/// Launches of one stream as a graph of the driver's.
pub(super) struct Graph(CudaGraph);

// SAFETY: the handles of a graph may be used by any thread, one at a time; `Graph` is neither shared nor cloned, and
// each of its calls binds the context to the calling thread first.
unsafe impl Send for Graph {}

/// Work on tensors that stay where they are: run as it is the first time, captured the second time, and from then on
/// launched as a whole, which gives the same bits without a call of the driver for each kernel.
///
/// Where it cannot be captured it goes on as it is; [`Replay::refusal`] says why.
pub struct Replay {
    gpu: Arc<Gpu>,
    state: State,
}

enum State {
    /// What is made at first use (functions, algorithms, workspaces) is not there yet.
    New,
    Warm,
    Captured(Graph),
    Refused(String),
}

impl Replay {
    /// For work on this device.
    pub fn new(gpu: Arc<Gpu>) -> Self {
        Self { gpu, state: State::New }
    }

    /// For work of which everything that is made once is there: it is captured the first time.
    pub fn warm(gpu: Arc<Gpu>) -> Self {
        let mut replay = Self::new(gpu);
        replay.warmed();
        replay
    }

    fn warmed(&mut self) {
        self.state = match self.gpu.settings().graphs {
            true => State::Warm,
            false => State::Refused("graphs are switched off".to_owned()),
        };
    }

    /// Whether the next [`Replay::run`] captures.
    pub fn captures_next(&self) -> bool {
        matches!(self.state, State::Warm)
    }

    /// Whether it is launched as a whole.
    pub fn is_captured(&self) -> bool {
        matches!(self.state, State::Captured(_))
    }

    /// Why it cannot be captured; none if that was not tried or succeeded.
    pub fn refusal(&self) -> Option<&str> {
        match &self.state {
            State::Refused(why) => Some(why),
            _ => None,
        }
    }

    /// Runs `work`, which must do the same each time: the same launches on the same addresses, on this device and this
    /// thread only. It reads nothing back, and no tensor that it makes outlives it: results are copied to tensors that
    /// were there before.
    ///
    /// # Errors
    /// Those of `work`, and what a captured launch reports.
    pub fn run<E: From<Error> + std::fmt::Display>(
        &mut self,
        work: &mut dyn FnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        if self.captures_next() {
            self.state = match self.gpu.capture(work) {
                Ok(graph) => State::Captured(graph),
                Err(why) => State::Refused(why),
            };
        }
        match &self.state {
            State::Captured(graph) => match self.gpu.launch_graph(graph) {
                Ok(()) => Ok(()),
                // Nothing of it ran: its memory could not be had.
                Err(Error::OutOfMemory) => {
                    self.refuse("its memory cannot be had beside what is in use".to_owned());
                    work()
                }
                Err(error) => Err(error.into()),
            },
            State::New => {
                work()?;
                self.warmed();
                Ok(())
            }
            State::Warm | State::Refused(_) => work(),
        }
    }

    fn refuse(&mut self, why: String) {
        self.state = State::Refused(why);
        self.gpu.trim_graphs();
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        // The graph first: its memory can be given back then.
        let captured = self.is_captured();
        self.state = State::New;
        if captured {
            self.gpu.trim_graphs();
        }
    }
}

/// A capture that ends whatever happens in it.
struct Capture<'a> {
    stream: &'a Arc<CudaStream>,
    open: bool,
}

impl<'a> Capture<'a> {
    /// Other threads may go on; what this thread must not do in a capture is refused by the driver.
    fn begin(stream: &'a Arc<CudaStream>) -> Result<Self, DriverError> {
        stream.begin_capture(sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)?;
        Ok(Self { stream, open: true })
    }

    fn end(mut self) -> Result<Option<CudaGraph>, DriverError> {
        self.open = false;
        self.stream.end_capture(sys::CUgraphInstantiate_flags(0))
    }
}

impl Drop for Capture<'_> {
    fn drop(&mut self) {
        if self.open {
            let _ = self.stream.end_capture(sys::CUgraphInstantiate_flags(0));
        }
    }
}

impl Gpu {
    /// Captures what `work` launches, without running it; or says why that cannot be.
    fn capture<E: std::fmt::Display>(
        &self,
        work: &mut dyn FnMut() -> Result<(), E>,
    ) -> Result<Graph, String> {
        let driver = |error: DriverError| format!("the driver does not capture it ({error:?})");
        // Earlier errors are earlier work's.
        self.synchronize().map_err(|error| error.to_string())?;
        let capture = Capture::begin(self.stream()).map_err(driver)?;
        self.set_capturing(true);
        let done = work();
        self.set_capturing(false);
        let ended = capture.end();
        // Memory that a broken capture asked for never was; what the driver says to its release means nothing.
        let kept = self.stream().context().check_err();
        if let Err(error) = done {
            return Err(format!("it cannot be captured: {error}"));
        }
        let graph = ended.map_err(driver)?.ok_or("nothing was launched")?;
        kept.map_err(driver)?;
        check_nodes(&graph)?;
        // What the pool holds for plain launches is the graph's now.
        self.trim_pool();
        Ok(Graph(graph))
    }

    fn launch_graph(&self, graph: &Graph) -> Result<()> {
        Ok(graph.0.launch()?)
    }
}

/// Refuses a graph that would read the host's memory again at each launch, or that leaves memory behind: kernels, fills
/// and copies on the device are what may be in it.
fn check_nodes(graph: &CudaGraph) -> Result<(), String> {
    const KERNEL: u32 = sys::CUgraphNodeType::CU_GRAPH_NODE_TYPE_KERNEL as u32;
    const COPY: u32 = sys::CUgraphNodeType::CU_GRAPH_NODE_TYPE_MEMCPY as u32;
    const FILL: u32 = sys::CUgraphNodeType::CU_GRAPH_NODE_TYPE_MEMSET as u32;
    const NOTHING: u32 = sys::CUgraphNodeType::CU_GRAPH_NODE_TYPE_EMPTY as u32;
    const TAKE: u32 = sys::CUgraphNodeType::CU_GRAPH_NODE_TYPE_MEM_ALLOC as u32;
    const GIVE_BACK: u32 = sys::CUgraphNodeType::CU_GRAPH_NODE_TYPE_MEM_FREE as u32;
    let driver = |error: DriverError| format!("its nodes cannot be read ({error:?})");
    let (mut own, mut freed, mut copies) = (Vec::new(), 0, Vec::new());
    for node in nodes(graph).map_err(driver)? {
        // As a number: a newer driver may know kinds that the enumeration lacks.
        let mut kind = NOTHING;
        // SAFETY: the node is one of a graph that is alive; one value of 32 bits is written.
        unsafe { sys::cuGraphNodeGetType(node, std::ptr::from_mut(&mut kind).cast()) }
            .result()
            .map_err(driver)?;
        match kind {
            KERNEL | FILL | NOTHING => {}
            TAKE => own.push(memory(node).map_err(driver)?),
            GIVE_BACK => freed += 1,
            COPY => copies.push(copy(node).map_err(driver)?),
            other => return Err(format!("it has a node of kind {other}")),
        }
    }
    if own.len() != freed {
        return Err(format!("{} pieces of memory are taken and {freed} given back", own.len()));
    }
    let on_device = |kind, address| match kind {
        sys::CUmemorytype::CU_MEMORYTYPE_DEVICE => true,
        // The driver does not say which: the graph's own memory, or any of the device.
        sys::CUmemorytype::CU_MEMORYTYPE_UNIFIED => {
            own.iter().any(|memory| memory.contains(&address)) || is_device_address(address)
        }
        _ => false,
    };
    for copy in copies {
        if !on_device(copy.srcMemoryType, copy.srcDevice) || !on_device(copy.dstMemoryType, copy.dstDevice) {
            return Err("it copies from or to the host".to_owned());
        }
    }
    Ok(())
}

fn nodes(graph: &CudaGraph) -> Result<Vec<sys::CUgraphNode>, DriverError> {
    let mut count = 0;
    // SAFETY: without room for nodes, only their number is written.
    unsafe { sys::cuGraphGetNodes(graph.cu_graph(), std::ptr::null_mut(), &mut count) }.result()?;
    let mut nodes = vec![std::ptr::null_mut(); count];
    // SAFETY: there is room for as many nodes as are asked for.
    unsafe { sys::cuGraphGetNodes(graph.cu_graph(), nodes.as_mut_ptr(), &mut count) }.result()?;
    nodes.truncate(count);
    Ok(nodes)
}

/// The addresses that a node takes.
fn memory(node: sys::CUgraphNode) -> Result<Range<sys::CUdeviceptr>, DriverError> {
    let mut memory = MaybeUninit::<sys::CUDA_MEM_ALLOC_NODE_PARAMS>::zeroed();
    // SAFETY: the node takes memory, of a graph that is alive, and the whole structure is written.
    let memory = unsafe {
        sys::cuGraphMemAllocNodeGetParams(node, memory.as_mut_ptr()).result()?;
        memory.assume_init()
    };
    Ok(memory.dptr..memory.dptr + memory.bytesize as u64)
}

/// From where to where a node copies.
fn copy(node: sys::CUgraphNode) -> Result<sys::CUDA_MEMCPY3D, DriverError> {
    let mut copy = MaybeUninit::<sys::CUDA_MEMCPY3D>::zeroed();
    // SAFETY: the node is a copy, of a graph that is alive, and the whole structure is written.
    unsafe {
        sys::cuGraphMemcpyNodeGetParams(node, copy.as_mut_ptr()).result()?;
        Ok(copy.assume_init())
    }
}

fn is_device_address(address: sys::CUdeviceptr) -> bool {
    let mut kind = 0u32;
    let attribute = sys::CUpointer_attribute::CU_POINTER_ATTRIBUTE_MEMORY_TYPE;
    // SAFETY: the attribute is documented to be one 32-bit value; of an unknown address the driver says so.
    let asked =
        unsafe { sys::cuPointerGetAttribute(std::ptr::from_mut(&mut kind).cast(), attribute, address) };
    asked.result().is_ok() && kind == sys::CUmemorytype::CU_MEMORYTYPE_DEVICE as u32
}
