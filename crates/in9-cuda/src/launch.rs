//! What a device is asked to do: kernels with their grids, blocks and arguments, as data.
//!
//! The same plans run on a GPU and, in the tests, on the host's emulator.

/// The type of the elements of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// 32-bit floating point.
    F32,
    /// bfloat16, the upper half of an f32.
    Bf16,
    /// A byte.
    U8,
    /// A 32-bit unsigned integer.
    U32,
    /// A 32-bit signed integer.
    I32,
}

impl Element {
    /// Bytes of an element.
    pub fn size(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::Bf16 => 2,
            Self::F32 | Self::U32 | Self::I32 => 4,
        }
    }

    /// Elements of one access of 16 bytes, if rows of `count` elements divide into such; else 1.
    pub(crate) fn vector(self, count: usize) -> usize {
        let most = 16 / self.size();
        if count.is_multiple_of(most) { most } else { 1 }
    }

    /// The end of the name of a kernel for vectors of this many elements.
    pub(crate) fn suffix(self, vector: usize) -> &'static str {
        match (self, vector) {
            (Self::Bf16, 1) => "bf16",
            (Self::Bf16, _) => "bf16x8",
            (_, 1) => "f32",
            _ => "f32x4",
        }
    }
}

/// An argument of a kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Argument {
    /// The buffer with this number: those of the caller come first, then the plan's own.
    Buffer(usize),
    /// No buffer, where one of this type is optional.
    Absent(Element),
    /// A number.
    I32(i32),
    /// A number.
    U32(u32),
    /// A number.
    I64(i64),
    /// A number.
    F32(f32),
}

/// One launch of a kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// The kernel's name.
    pub kernel: String,
    /// Blocks along x, y and z, each at least 1.
    pub grid: [u32; 3],
    /// Threads of a block along x, y and z, 256 at most in all.
    pub block: [u32; 3],
    /// In the order of the kernel's parameters.
    pub arguments: Vec<Argument>,
}

/// Launches in order, and the buffers that they need beside the caller's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Number of the caller's buffers.
    pub buffers: usize,
    /// Type and length of each buffer that exists while the plan runs. Their content is undefined at first.
    pub temporaries: Vec<(Element, usize)>,
    /// In order; each sees what those before it wrote.
    pub launches: Vec<Launch>,
}

/// Threads of a block where nothing asks for another number.
pub(crate) const THREADS: usize = 256;

impl Plan {
    pub(crate) fn new(buffers: usize) -> Self {
        Self { buffers, ..Self::default() }
    }

    /// A buffer of the plan's own.
    pub(crate) fn temporary(&mut self, element: Element, len: usize) -> Argument {
        self.temporaries.push((element, len));
        Argument::Buffer(self.buffers + self.temporaries.len() - 1)
    }

    pub(crate) fn launch(
        &mut self,
        kernel: impl Into<String>,
        grid: [usize; 3],
        block: [usize; 3],
        arguments: Vec<Argument>,
    ) {
        // An empty grid is an error on a device; nothing is to be done then.
        if grid.contains(&0) {
            return;
        }
        let [grid, block] = [grid, block].map(|sizes| sizes.map(|size| size as u32));
        self.launches.push(Launch { kernel: kernel.into(), grid, block, arguments });
    }

    /// A launch with a thread for each of `count` things.
    pub(crate) fn each(&mut self, kernel: impl Into<String>, count: usize, arguments: Vec<Argument>) {
        self.launch(kernel, [count.div_ceil(THREADS), 1, 1], [THREADS, 1, 1], arguments);
    }
}

/// Shorthands for arguments.
pub(crate) mod arguments {
    use super::{Argument, Element};

    pub(crate) fn buffer(number: usize) -> Argument {
        Argument::Buffer(number)
    }

    /// The buffer if it is there.
    pub(crate) fn optional(there: bool, number: usize, element: Element) -> Argument {
        if there { Argument::Buffer(number) } else { Argument::Absent(element) }
    }

    pub(crate) fn int(value: usize) -> Argument {
        Argument::I32(value as i32)
    }

    pub(crate) fn long(value: usize) -> Argument {
        Argument::I64(value as i64)
    }

    pub(crate) fn float(value: f64) -> Argument {
        Argument::F32(value as f32)
    }
}
