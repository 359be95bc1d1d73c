//! `in9-models check-gpu`: a GPU's results beside the processor's, layer by layer and network by network, and its
//! speed beside what the card can do.

mod bench;
mod graphs;
mod layers;
mod networks;
mod report;
mod training;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use candle_core::{Device, Tensor};
use in9_base::shell::Shell;
use in9_cuda::device::{Settings, open};

use report::Report;

/// Compare a GPU's results with the processor's, and time it
#[derive(clap::Args)]
#[command(after_help = "Example: in9-models check-gpu --device 0 --out cuda.json")]
pub struct Args {
    /// Number of the GPU
    #[arg(long, default_value_t = 0)]
    device: usize,
    /// What to do, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Part::Layers, Part::Networks, Part::Training, Part::Graphs, Part::Bench])]
    only: Vec<Part>,
    /// Where to write everything that is printed, as JSON
    #[arg(long, value_name = "JSON")]
    out: Option<PathBuf>,
    /// Folder for inputs and outputs of layers, .npy, for another framework to compare
    #[arg(long, value_name = "FOLDER")]
    dump: Option<PathBuf>,
    /// Seconds after which no more networks are timed
    #[arg(long, default_value_t = 240)]
    seconds: u64,
}

/// A part of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Every layer, forward and backward, in f32, TF32 and bf16
    Layers,
    /// Every network's answers, and one's gradients
    Networks,
    /// A short training: its curve, and the same bits twice
    Training,
    /// Steps and passes as captured graphs: the same bits as plain launches
    Graphs,
    /// Speed, beside the card's own limits
    Bench,
}

/// The ways of computing that are compared, by name, with how far a layer may be off (of the largest value).
fn ways() -> [(&'static str, Settings, f64); 3] {
    let f32 = Settings { tf32: false, ..Settings::default() };
    [("f32", f32, 2e-4), ("tf32", Settings::default(), 4e-3), ("bf16", Settings { bf16: true, ..f32 }, 3e-2)]
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(args.seconds);
    let mut report = Report::new(args.out.clone());
    report.begin("opening the GPU")?;
    let (_, gpu) = open(args.device, Settings::default()).context("the GPU cannot be opened")?;
    report.device(gpu.info());
    shell.print(gpu.info())?;
    if let Some(folder) = &args.dump {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    for (way, settings, tolerance) in ways() {
        candle_core::cuda::set_gemm_reduced_precision_f32(settings.tf32);
        let (device, _) = open(args.device, settings)?;
        if args.only.contains(&Part::Layers) {
            let dump = args.dump.as_deref().filter(|_| way == "f32");
            layers::check(&device, way, tolerance, dump, &mut report)?;
        }
        if args.only.contains(&Part::Networks) {
            networks::check(&device, way, &mut report)?;
        }
        if args.only.contains(&Part::Training) {
            training::check(&device, way, &mut report)?;
        }
        if args.only.contains(&Part::Graphs) {
            graphs::check(&device, way, &mut report)?;
        }
    }
    if args.only.contains(&Part::Bench) {
        bench::run(args.device, deadline, &mut report)?;
    }
    report.begin("")?;
    shell.print(&report)?;
    anyhow::ensure!(report.passed(), "{} comparisons failed; see the lines marked ✗", report.failures());
    Ok(())
}

/// Values in -1..1 that depend on (seed, index) only.
fn random(shape: &[usize], seed: u64) -> candle_core::Result<Tensor> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| draw()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu)
}

/// Values in row-major order, on the processor.
fn values(t: &Tensor) -> candle_core::Result<Vec<f32>> {
    t.to_dtype(candle_core::DType::F32)?.to_device(&Device::Cpu)?.flatten_all()?.to_vec1()
}

/// The largest difference, relative to the largest value of `expected`.
fn difference(found: &Tensor, expected: &Tensor) -> candle_core::Result<f64> {
    let (found, expected) = (values(found)?, values(expected)?);
    if found.len() != expected.len() {
        return Ok(f64::INFINITY);
    }
    let scale = expected.iter().fold(1e-3f64, |most, v| most.max(f64::from(v.abs())));
    let off = found.iter().zip(&expected).fold(0f64, |most, (a, b)| {
        let d = f64::from((a - b).abs());
        if d.is_nan() { f64::INFINITY } else { most.max(d) }
    });
    Ok(off / scale)
}
