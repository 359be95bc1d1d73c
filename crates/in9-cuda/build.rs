//! With the feature `cuda`: compiles the kernels by nvcc, to machine code for sm_80 and sm_90 and to PTX for what
//! comes after them, into one file that the library includes. Without it there is nothing to do.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=kernels");
    for name in ["NVCC", "CUDA_HOME", "CUDA_PATH"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    if std::env::var_os("CARGO_FEATURE_CUDA").is_some() {
        compile();
    }
}

fn nvcc() -> PathBuf {
    if let Some(nvcc) = std::env::var_os("NVCC") {
        return nvcc.into();
    }
    let home = std::env::var_os("CUDA_HOME").or_else(|| std::env::var_os("CUDA_PATH"));
    home.map_or_else(|| "nvcc".into(), |home| Path::new(&home).join("bin/nvcc"))
}

fn compile() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    // One translation unit: shared memory and helpers are each file's own, names of kernels are unlike.
    let mut kernels: Vec<PathBuf> = std::fs::read_dir("kernels")
        .map(|files| files.filter_map(|file| Some(file.ok()?.path())).collect())
        .unwrap_or_default();
    kernels.retain(|path| path.extension().is_some_and(|end| end == "cu"));
    kernels.sort();
    let here = std::env::current_dir().unwrap_or_default();
    let text: String =
        kernels.iter().map(|path| format!("#include \"{}\"\n", here.join(path).display())).collect();
    let (all, fatbin) = (out.join("all.cu"), out.join("in9.fatbin"));
    if let Err(error) = std::fs::write(&all, text) {
        panic!("{}: {error}", all.display());
    }
    let nvcc = nvcc();
    let status = Command::new(&nvcc)
        .args(["-fatbin", "-std=c++17", "-O3", "-lineinfo"])
        .args(["-gencode=arch=compute_80,code=sm_80", "-gencode=arch=compute_90,code=sm_90"])
        .args(["-gencode=arch=compute_90,code=compute_90", "-o"])
        .arg(&fatbin)
        .arg(&all)
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("nvcc cannot compile the kernels ({status})"),
        Err(error) => {
            panic!(
                "{}: {error}; CUDA_HOME must name a toolkit (`cargo xtask check-cuda` installs one)",
                nvcc.display()
            )
        }
    }
}
