//! Our own kernels to PTX and to machine code, and what each takes of a processor.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use super::toolkit;

/// The architectures that the programs carry machine code for.
const ARCHITECTURES: [&str; 2] = ["80", "90"];

/// What a kernel takes on an architecture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Use {
    registers: u32,
    /// Bytes.
    shared: u32,
    /// Bytes that do not fit into registers, stored and loaded.
    spilled: u32,
    /// Bytes.
    stack: u32,
}

/// Compiles every kernel file to PTX and to machine code, and prints a line a kernel.
pub(super) fn compile(toolkit: &Path, folder: &Path) -> Result<()> {
    let sources = PathBuf::from("crates/in9-cuda/kernels");
    let mut files: Vec<PathBuf> =
        fs::read_dir(&sources)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|end| end == "cu"));
    files.sort();
    let out = folder.join("kernels");
    fs::create_dir_all(&out)?;
    let mut uses: BTreeMap<String, BTreeMap<&str, Use>> = BTreeMap::new();
    for file in &files {
        for architecture in ARCHITECTURES {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let to = |end: &str| out.join(format!("{stem}.sm_{architecture}.{end}"));
            nvcc(toolkit, file, &to("ptx"), &["-ptx", &format!("-arch=compute_{architecture}")])?;
            let arguments = ["-cubin", &format!("-arch=sm_{architecture}"), "-Xptxas", "-v"];
            let said = nvcc(toolkit, file, &to("cubin"), &arguments)?;
            for (kernel, used) in parse(&said) {
                uses.entry(kernel).or_default().insert(architecture, used);
            }
        }
    }
    print(&uses);
    fs::write(folder.join("kernels.json"), serde_json::to_string_pretty(&uses)?)?;
    let spilling = uses.values().flat_map(BTreeMap::values).filter(|used| used.spilled > 0).count();
    println!(
        "{} kernels compile to PTX and to machine code for sm_80 and sm_90; {spilling} spill registers",
        uses.len()
    );
    Ok(())
}

fn nvcc(toolkit: &Path, file: &Path, to: &Path, arguments: &[&str]) -> Result<String> {
    let mut nvcc = Command::new(toolkit::nvcc(toolkit)?);
    toolkit::environment(&mut nvcc, toolkit)?;
    nvcc.args(["-std=c++17", "-O3"]).args(arguments).arg("-o").arg(to).arg(file);
    let output = nvcc.output().context("starting nvcc")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{} does not compile:\n{said}", file.display());
    Ok(said)
}

/// What `ptxas -v` says of each kernel.
fn parse(said: &str) -> Vec<(String, Use)> {
    let before = |line: &str, unit: &str| -> u32 {
        let number = line.split(unit).next().unwrap_or_default().trim_end();
        number.rsplit(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    let mut found: Vec<(String, Use)> = Vec::new();
    for line in said.lines() {
        if let Some((_, rest)) = line.split_once("Compiling entry function '") {
            let name = rest.split('\'').next().unwrap_or_default();
            found.push((name.to_owned(), Use::default()));
        }
        let Some((_, used)) = found.last_mut() else { continue };
        if line.contains("bytes stack frame") {
            used.stack = before(line, " bytes stack frame");
            used.spilled = before(line, " bytes spill stores") + before(line, " bytes spill loads");
        }
        if line.contains("registers") {
            used.registers = before(line, " registers");
            used.shared = if line.contains(" bytes smem") { before(line, " bytes smem") } else { 0 };
        }
    }
    found
}

fn print(uses: &BTreeMap<String, BTreeMap<&str, Use>>) {
    println!(
        "{:<28} {:>9} {:>14} {:>14} {:>16}",
        "kernel", "", "registers", "shared, bytes", "spilled, bytes"
    );
    for (kernel, uses) in uses {
        for (i, (architecture, used)) in uses.iter().enumerate() {
            let name = if i == 0 { kernel.as_str() } else { "" };
            let Use { registers, shared, spilled, .. } = used;
            println!(
                "{name:<28} {:>9} {registers:>14} {shared:>14} {spilled:>16}",
                format!("sm_{architecture}")
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ptxas_says_is_read() {
        let said = "\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'sgd' for 'sm_90'
ptxas info    : Function properties for sgd
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 14 registers, used 0 barriers
ptxas info    : Compiling entry function 'norm_sums_bf16x8' for 'sm_90'
    16 bytes stack frame, 12 bytes spill stores, 8 bytes spill loads
ptxas info    : Used 72 registers, used 1 barriers, 16 bytes cumulative stack size, 1024 bytes smem
";
        let none = Use { registers: 14, ..Use::default() };
        let some = Use { registers: 72, shared: 1024, spilled: 20, stack: 16 };
        assert_eq!(parse(said), [("sgd".to_owned(), none), ("norm_sums_bf16x8".to_owned(), some)]);
    }
}
