//! Plans run on the host: what a device does with buffers and launches.

use std::ffi::{CStr, CString, c_char, c_void};
use std::path::Path;

use half::bf16;
use in9_cuda::launch::{Argument, Element, Plan};
use libloading::{Library, Symbol};

use crate::compiler;

/// A library of kernels.
pub(crate) struct Emulator {
    library: Library,
    /// The order in which the threads of a block run between barriers.
    backwards: bool,
}

/// The content of a buffer.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    F32(Vec<f32>),
    Bf16(Vec<bf16>),
    U8(Vec<u8>),
    U32(Vec<u32>),
    I32(Vec<i32>),
}

/// A buffer of a plan's caller: what is read, or room for what is written.
pub(crate) enum Buffer {
    Input(Values),
    /// Read and written.
    Changed(Values),
    Output(Element, usize),
    /// Not there.
    None,
}

impl Values {
    fn room(element: Element, len: usize) -> Self {
        // A pattern that shows if it is read all the same.
        match element {
            Element::F32 => Self::F32(vec![f32::NAN; len]),
            Element::Bf16 => Self::Bf16(vec![bf16::NAN; len]),
            Element::U8 => Self::U8(vec![0xaa; len]),
            Element::U32 => Self::U32(vec![0xaaaa_aaaa; len]),
            Element::I32 => Self::I32(vec![0x2aaa_aaaa; len]),
        }
    }

    pub(crate) fn f32s(element: Element, values: &[f32]) -> Self {
        match element {
            Element::Bf16 => Self::Bf16(values.iter().map(|&v| bf16::from_f32(v)).collect()),
            _ => Self::F32(values.to_vec()),
        }
    }

    /// As f32, whatever the precision.
    pub(crate) fn floats(&self) -> Vec<f32> {
        match self {
            Self::F32(values) => values.clone(),
            Self::Bf16(values) => values.iter().map(|v| v.to_f32()).collect(),
            Self::U8(values) => values.iter().map(|&v| f32::from(v)).collect(),
            Self::U32(_) | Self::I32(_) => panic!("integers are no activations"),
        }
    }

    fn parts(&mut self) -> (*mut c_void, usize, u32, char) {
        match self {
            Self::F32(v) => (v.as_mut_ptr().cast(), v.len(), 4, 'f'),
            Self::Bf16(v) => (v.as_mut_ptr().cast(), v.len(), 2, 'h'),
            Self::U8(v) => (v.as_mut_ptr().cast(), v.len(), 1, 'b'),
            Self::U32(v) => (v.as_mut_ptr().cast(), v.len(), 4, 'u'),
            Self::I32(v) => (v.as_mut_ptr().cast(), v.len(), 4, 'i'),
        }
    }
}

fn code(element: Element) -> char {
    match element {
        Element::F32 => 'f',
        Element::Bf16 => 'h',
        Element::U8 => 'b',
        Element::U32 => 'u',
        Element::I32 => 'i',
    }
}

type Launch = unsafe extern "C" fn(
    *const c_char,
    *const u32,
    *const u32,
    *mut *mut c_void,
    *const c_char,
    i32,
) -> *const c_char;

impl Emulator {
    /// All kernels as they are; none without a compiler. Threads run forwards and backwards.
    pub(crate) fn both_orders() -> Vec<Self> {
        let open = |library| [false, true].map(|backwards| Self::open(library, backwards)).into();
        compiler::library().map_or_else(Vec::new, open)
    }

    pub(crate) fn open(library: &Path, backwards: bool) -> Self {
        // SAFETY: the library was just compiled from this crate's sources; its initialisers only fill a table.
        let library = unsafe { Library::new(library) }.unwrap();
        Self { library, backwards }
    }

    fn symbol<T>(&self, name: &str) -> Symbol<'_, T> {
        // SAFETY: the signatures below are those of emulation/emulator.cpp.
        unsafe { self.library.get(name.as_bytes()) }.unwrap()
    }

    /// Runs a plan; what is in each of the caller's buffers then.
    pub(crate) fn run(&self, plan: &Plan, buffers: Vec<Buffer>) -> Result<Vec<Values>, String> {
        // The emulator holds the state of one launch at a time.
        static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        assert_eq!(buffers.len(), plan.buffers, "the plan's own number of buffers");
        let register: Symbol<'_, unsafe extern "C" fn(*mut c_void, usize, u32, c_char, i32)> =
            self.symbol("in9_register");
        let unregister: Symbol<'_, unsafe extern "C" fn(*mut c_void)> = self.symbol("in9_unregister");
        let unwritten: Symbol<'_, unsafe extern "C" fn(*mut c_void) -> usize> = self.symbol("in9_unwritten");
        let launch: Symbol<'_, Launch> = self.symbol("in9_launch");
        let mut all: Vec<Option<(Values, bool)>> = buffers
            .into_iter()
            .map(|buffer| match buffer {
                Buffer::Input(values) | Buffer::Changed(values) => Some((values, true)),
                Buffer::Output(element, len) => Some((Values::room(element, len), false)),
                Buffer::None => None,
            })
            .collect();
        let room = |&(element, len): &(Element, usize)| Some((Values::room(element, len), false));
        all.extend(plan.temporaries.iter().map(room));
        let parts: Vec<_> = all.iter_mut().map(|b| b.as_mut().map(|(values, _)| values.parts())).collect();
        for (part, buffer) in parts.iter().zip(&all) {
            if let (Some((pointer, len, size, code)), Some((_, written))) = (part, buffer) {
                // SAFETY: the pointer is that of a vector in `all`, which is not touched before it is unregistered.
                unsafe { register(*pointer, *len, *size, *code as c_char, i32::from(*written)) };
            }
        }
        let mut result = Ok(());
        for step in &plan.launches {
            let (mut codes, mut words) = (String::new(), Vec::<[u8; 8]>::new());
            let word = |bytes: &[u8]| std::array::from_fn(|i| bytes.get(i).copied().unwrap_or(0));
            for argument in &step.arguments {
                match *argument {
                    Argument::Buffer(number) => {
                        let (pointer, _, _, code) = parts[number].expect("a buffer that is there");
                        codes.extend(['p', code]);
                        words.push((pointer as usize as u64).to_ne_bytes());
                    }
                    Argument::Absent(element) => {
                        codes.extend(['p', code(element)]);
                        words.push([0; 8]);
                    }
                    Argument::I32(v) => (codes.push('I'), words.push(word(&v.to_ne_bytes()))).1,
                    Argument::U32(v) => (codes.push('U'), words.push(word(&v.to_ne_bytes()))).1,
                    Argument::I64(v) => (codes.push('L'), words.push(v.to_ne_bytes())).1,
                    Argument::F32(v) => (codes.push('F'), words.push(word(&v.to_ne_bytes()))).1,
                }
            }
            let mut pointers: Vec<*mut c_void> = words.iter_mut().map(|w| w.as_mut_ptr().cast()).collect();
            let (name, codes) = (CString::new(step.kernel.as_str()).unwrap(), CString::new(codes).unwrap());
            let (grid, block) = (step.grid.as_ptr(), step.block.as_ptr());
            // SAFETY: grid and block have three elements, and there is a pointer for each code; the emulator compares
            // the codes with the kernel's parameters before it reads them, and checks every access.
            let fault = unsafe {
                launch(
                    name.as_ptr(),
                    grid,
                    block,
                    pointers.as_mut_ptr(),
                    codes.as_ptr(),
                    i32::from(self.backwards),
                )
            };
            if !fault.is_null() {
                // SAFETY: a string of the emulator that lives until the next launch.
                result = Err(unsafe { CStr::from_ptr(fault) }.to_string_lossy().into_owned());
                break;
            }
        }
        for (number, part) in parts.iter().enumerate() {
            let Some((pointer, len, ..)) = part else { continue };
            // SAFETY: it was registered above.
            let missing = unsafe { unwritten(*pointer) };
            if result.is_ok() && missing > 0 {
                result = Err(format!("unwritten: {missing} of {len} elements of buffer {number}"));
            }
            // SAFETY: as above.
            unsafe { unregister(*pointer) };
        }
        result?;
        let none = || Values::F32(Vec::new());
        Ok(all.into_iter().take(plan.buffers).map(|b| b.map_or_else(none, |(values, _)| values)).collect())
    }

    /// The kernels that no launch was of.
    pub(crate) fn never_launched(&self) -> Vec<String> {
        let names: Symbol<'_, unsafe extern "C" fn() -> *const c_char> = self.symbol("in9_never_launched");
        // SAFETY: a string of the emulator that lives until the next call.
        let names = unsafe { CStr::from_ptr(names()) }.to_string_lossy();
        names.lines().map(str::to_owned).collect()
    }
}
