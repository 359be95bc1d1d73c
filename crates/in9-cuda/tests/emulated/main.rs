//! Every kernel of this crate on the host, with the threads of a block emulated and every access to memory checked,
//! beside the CPU's kernels; and faults planted into the kernels, which these tests must find.
//!
//! They need a C++ compiler (`CXX`, or `c++`, or `g++`) and are skipped with a line where there is none.
#![cfg(unix)]

mod composition;
mod compiler;
mod depthwise;
mod emulator;
mod faults;
mod layers;
mod loss_and_step;
mod normalization;
mod pooling;
mod tensors;
