//! Plans on a device.

use std::ffi::c_void;

use candle_core::Tensor;
use cudarc::driver::{DevicePtr, result};

use super::{Gpu, Result, tensors};
use crate::launch::{Argument, Launch, Plan};

impl Gpu {
    /// Runs a plan on these buffers, in its order; none where one is optional and absent.
    ///
    /// It returns when the plan is queued, not when it is done. What is read after it on the same stream sees its
    /// results.
    pub(super) fn run(&self, plan: &Plan, buffers: &[Option<&Tensor>]) -> Result<()> {
        debug_assert_eq!(buffers.len(), plan.buffers, "the plan's own number of buffers");
        let address = |tensor: &Option<&Tensor>| tensor.map_or(Ok(0), tensors::pointer);
        let mut addresses = buffers.iter().map(address).collect::<Result<Vec<u64>>>()?;
        let mut temporaries = Vec::with_capacity(plan.temporaries.len());
        for (element, len) in &plan.temporaries {
            // SAFETY: a plan writes its temporaries before it reads them, as the emulator's tests check.
            let slice = unsafe { self.stream().alloc::<u8>((element.size() * len).max(1)) }?;
            addresses.push(slice.device_ptr(self.stream()).0);
            temporaries.push(slice);
        }
        for launch in &plan.launches {
            self.launch(launch, &addresses)?;
        }
        // The temporaries are freed in the stream's order: after the launches.
        Ok(())
    }

    fn launch(&self, launch: &Launch, addresses: &[u64]) -> Result<()> {
        let function = self.function(&launch.kernel)?;
        let word = |bytes: &[u8]| {
            let mut word = [0u8; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            word
        };
        let mut words: Vec<[u8; 8]> = Vec::with_capacity(launch.arguments.len());
        for argument in &launch.arguments {
            words.push(match *argument {
                Argument::Buffer(number) => addresses[number].to_ne_bytes(),
                Argument::Absent(_) => [0; 8],
                Argument::I32(v) => word(&v.to_ne_bytes()),
                Argument::U32(v) => word(&v.to_ne_bytes()),
                Argument::I64(v) => v.to_ne_bytes(),
                Argument::F32(v) => word(&v.to_ne_bytes()),
            });
        }
        let mut pointers: Vec<*mut c_void> = words.iter_mut().map(|word| word.as_mut_ptr().cast()).collect();
        let ([gx, gy, gz], [bx, by, bz]) = (launch.grid, launch.block);
        self.stream().context().bind_to_thread()?;
        // SAFETY: the plan's arguments are those of the kernel in number and type, as the emulator checks for every
        // plan; each pointer leads to a value that the driver copies before this call returns. The memory behind the
        // addresses is held by the caller's tensors and the plan's temporaries, which are freed on the same stream,
        // so after this launch.
        unsafe {
            result::launch_kernel(
                function.cu_function(),
                (gx, gy, gz),
                (bx, by, bz),
                0,
                self.stream().cu_stream(),
                &mut pointers,
            )
        }?;
        Ok(())
    }
}
