//! `cargo xtask bench zoo`: every trainable architecture, and transformers, beside all peers that can be imported.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::machine::{Level, processor};
use super::peer::{build_release, median, python_with, release_dir, stdout_of};

/// Names that our registry and the peers share, with their input sizes.
const ARCHITECTURES: [(&str, usize); 24] = [
    ("alexnet", 224),
    ("vgg16_bn", 224),
    ("resnet18", 224),
    ("resnet34", 224),
    ("resnet50", 224),
    ("resnet101", 224),
    ("resnet152", 224),
    ("wide_resnet50_2", 224),
    ("shufflenet_v2_x0_5", 224),
    ("shufflenet_v2_x1_0", 224),
    ("mobilenet_v2", 224),
    ("mobilenet_v3_small", 224),
    ("mobilenet_v3_large", 224),
    ("mobilenetv3_small_100", 224),
    ("mobilenetv3_large_100", 224),
    ("tf_mobilenetv3_small_100", 224),
    ("tf_mobilenetv3_large_100", 224),
    ("efficientnet_b0", 224),
    ("tf_efficientnet_b0", 224),
    ("efficientnet_lite0", 224),
    ("tf_efficientnet_lite0", 224),
    ("tf_efficientnet_lite1", 240),
    ("tf_efficientnet_lite2", 260),
    ("dpn92", 224),
];

/// The same of networks that are evaluated only, of one size of each family.
const EVALUATION_ONLY: [(&str, usize); 8] = [
    ("vit_base_patch16_224", 224),
    ("deit_tiny_patch16_224", 224),
    ("deit_small_patch16_224", 224),
    ("convnext_tiny", 288),
    ("swin_tiny_patch4_window7_224", 224),
    ("swin_base_patch4_window7_224", 224),
    ("vit_small_patch14_dinov2", 518),
    ("vit_small_patch16_dinov3", 256),
];

const SCRIPT: &str = "tests/oracles/zoo_peer.py";

/// Time and memory of the networks beside PyTorch's, ONNX Runtime's and OpenVINO's
#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask bench zoo 'resnet*' mobilenet_v2 --work infer
  cargo xtask bench zoo --level avx2 --threads 1 --csv crates/in9-models/benches/zoo.csv")]
pub(crate) struct Args {
    /// Only architectures whose name matches one of these; * is any text [default: all]
    patterns: Vec<String>,
    /// Only this work: infer or train [default: both]
    #[arg(long)]
    work: Option<String>,
    /// Only peers whose variant is one of these: nchw, channels_last, frozen, compiled, onnxruntime, openvino [default: all
    /// but compiled, which takes a minute for each network]
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,
    /// The instruction set of both sides: portable, avx2 or avx512. Peers that cannot be limited (ONNX Runtime) are left
    /// out below the processor's own [default: the processor's]
    #[arg(long)]
    level: Option<Level>,
    /// Pictures in a batch
    #[arg(long, default_value_t = 8)]
    batch: usize,
    /// Processes of each side, in turns
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Timed runs in a process
    #[arg(long, default_value_t = 3)]
    iterations: usize,
    /// Threads of each side, pinned to the first so many processors
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Adds the rows to this CSV file, too
    #[arg(long)]
    csv: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Line {
    ms: f64,
    peak_mb: f64,
}

/// Times and peak of one side over the rounds.
#[derive(Default)]
struct Samples {
    ms: Vec<f64>,
    peak_mb: f64,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let wanted = |name: &str| args.patterns.iter().any(|pattern| matches(pattern, name));
    for pattern in &args.patterns {
        if !ARCHITECTURES.iter().chain(&EVALUATION_ONLY).any(|(name, _)| matches(pattern, name)) {
            bail!("{pattern}: no such architecture in this benchmark");
        }
    }
    build_release(&["-p", "in9-models", "--example", "bench_zoo"])?;
    let python = python_with(&["torch", "torchvision", "timm"]);
    let own = Level::of_this_processor();
    let level = args.level.unwrap_or(own);
    let peers = match &python {
        Some(python) => peers(python, &args, level < own)?,
        None => Vec::new(),
    };
    println!("{}, {level}, {} threads, batch {}", processor(), args.threads, args.batch);
    println!("arch | work | ours ms | {} | ours / best | ours MB | leanest peer MB", peers.join(" | "));
    println!("--- | --- | --- | {}--- | --- | ---", "--- | ".repeat(peers.len()));
    let bench =
        Bench { args: &args, ours: release_dir().join("examples").join("bench_zoo"), python, peers, level };
    let all = ARCHITECTURES.map(|row| (row, &["infer", "train"][..]));
    let evaluated = EVALUATION_ONLY.map(|row| (row, &["infer"][..]));
    for ((arch, size), works) in all.into_iter().chain(evaluated) {
        if !args.patterns.is_empty() && !wanted(arch) {
            continue;
        }
        for work in works {
            if args.work.as_deref().is_none_or(|only| only == *work) {
                bench.row(arch, size, work)?;
            }
        }
    }
    Ok(())
}

/// The variants to run: those wanted that can be imported and, if both sides are limited, that can be limited.
fn peers(python: &Path, args: &Args, limited: bool) -> Result<Vec<String>> {
    let known = stdout_of(Command::new(python).args([SCRIPT, "--list"]))?;
    if let Some(unknown) = args.peers.iter().find(|peer| !known.lines().any(|known| known == *peer)) {
        bail!("{unknown}: no such peer here (there are {})", known.lines().collect::<Vec<_>>().join(", "));
    }
    if limited && known.contains("onnxruntime") {
        println!("left out: ONNX Runtime, which has no switch for its instruction set");
    }
    let chosen = |peer: &&str| match args.peers.as_slice() {
        [] => *peer != "compiled",
        some => some.iter().any(|wanted| wanted == peer),
    };
    let possible = |peer: &&str| !(limited && *peer == "onnxruntime");
    Ok(known.lines().filter(chosen).filter(possible).map(str::to_owned).collect())
}

struct Bench<'a> {
    args: &'a Args,
    ours: PathBuf,
    python: Option<PathBuf>,
    peers: Vec<String>,
    level: Level,
}

impl Bench<'_> {
    fn row(&self, arch: &str, size: usize, work: &str) -> Result<()> {
        let args = self.args;
        let mut samples: BTreeMap<&str, Samples> = BTreeMap::new();
        let peers: Vec<&str> =
            self.peers.iter().map(String::as_str).filter(|peer| runs(peer, work)).collect();
        let model = release_dir().join("bench_zoo.onnx");
        if let Some(python) = &self.python
            && peers.iter().any(|peer| is_runtime(peer))
        {
            let mut export = self.peer(python, arch, size);
            export.arg("--export").arg(&model).stderr(Stdio::null());
            let status = export.status().with_context(|| format!("starting {export:?}"))?;
            if !status.success() {
                bail!("{export:?} ended with {status}");
            }
        }
        for _ in 0..args.rounds {
            let numbers = [args.batch, args.iterations, args.threads].map(|n| n.to_string());
            let mut ours = self.pinned(&self.ours);
            ours.args([arch, work]).args(numbers).env("IN9_KERNELS_SIMD", self.level.to_string());
            collect(&mut ours, samples.entry("ours").or_default())?;
            for peer in &peers {
                let Some(python) = &self.python else { continue };
                let mut command = self.peer(python, arch, size);
                command.args(["--work", work, "--variant", peer]).arg("--model").arg(&model);
                command.args(["--iterations", &args.iterations.to_string()]);
                collect(&mut command, samples.entry(peer).or_default())?;
            }
        }
        let mut of = |side: &str| match samples.get_mut(side) {
            Some(samples) => (median(&mut samples.ms), samples.peak_mb),
            None => (f64::NAN, f64::NAN),
        };
        let (ours, ours_mb) = of("ours");
        let theirs: Vec<(f64, f64)> = self.peers.iter().map(|peer| of(peer)).collect();
        let best = theirs.iter().map(|(ms, _)| *ms).fold(f64::NAN, f64::min);
        let leanest = theirs.iter().map(|(_, mb)| *mb).fold(f64::NAN, f64::min);
        let times: Vec<String> = theirs.iter().map(|(ms, _)| number(*ms)).collect();
        let ratio = ours / best;
        println!(
            "{arch} | {work} | {ours:.1} | {} | {ratio:.2} | {ours_mb:.0} | {leanest:.0}",
            times.join(" | ")
        );
        match &args.csv {
            Some(path) => self.save(path, [arch, work], (ours, ours_mb), &theirs),
            None => Ok(()),
        }
    }

    /// Adds a line for each side to the file, below its header.
    fn save(&self, path: &Path, of: [&str; 2], ours: (f64, f64), theirs: &[(f64, f64)]) -> Result<()> {
        use std::io::Write as _;
        let fresh = !path.exists();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        let mut file = file.with_context(|| path.display().to_string())?;
        if fresh {
            writeln!(file, "processor,level,threads,batch,arch,work,side,ms,peak_mb")?;
        }
        let names = std::iter::once("ours").chain(self.peers.iter().map(String::as_str));
        for (name, (ms, mb)) in
            names.zip(std::iter::once(&ours).chain(theirs)).filter(|(_, (ms, _))| ms.is_finite())
        {
            let ([arch, work], args) = (of, self.args);
            let processor = processor().replace(',', " ");
            writeln!(
                file,
                "{processor},{},{},{},{arch},{work},{name},{ms:.1},{mb:.0}",
                self.level, args.threads, args.batch
            )?;
        }
        Ok(())
    }

    /// The peers' script on this network, limited to the level as far as they can be.
    fn peer(&self, python: &Path, arch: &str, size: usize) -> Command {
        let mut command = self.pinned(python);
        command.args([SCRIPT, "--arch", arch]);
        for (name, value) in
            [("--batch", self.args.batch), ("--size", size), ("--threads", self.args.threads)]
        {
            command.arg(name).arg(value.to_string());
        }
        let switches = match self.level {
            Level::Avx512 => None,
            Level::Avx2 => Some(["AVX2", "avx2", "AVX2"]),
            Level::Portable => Some(["SSE41", "default", "SSE4_2"]),
        };
        if let Some([onednn, aten, mkl]) = switches {
            command.env("ONEDNN_MAX_CPU_ISA", onednn).env("ATEN_CPU_CAPABILITY", aten);
            command.env("MKL_ENABLE_INSTRUCTIONS", mkl);
        }
        command
    }

    /// A program on the first processors, as many as there are threads, where there is `taskset`.
    fn pinned(&self, program: &Path) -> Command {
        let there =
            Command::new("taskset").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !there.is_ok_and(|status| status.success()) {
            return Command::new(program);
        }
        let mut command = Command::new("taskset");
        command.arg("-c").arg(format!("0-{}", self.args.threads.max(1) - 1)).arg(program);
        command
    }
}

/// Whether a peer does this work.
fn runs(peer: &str, work: &str) -> bool {
    work == "infer" || !(is_runtime(peer) || peer == "frozen")
}

/// Whether a peer reads an exported network.
fn is_runtime(peer: &str) -> bool {
    matches!(peer, "onnxruntime" | "openvino")
}

fn number(ms: f64) -> String {
    if ms.is_finite() { format!("{ms:.1}") } else { "–".into() }
}

/// Whether `name` is `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn collect(command: &mut Command, samples: &mut Samples) -> Result<()> {
    // What a peer says beside its line is of no interest unless it fails.
    let text = stdout_of(command)?;
    let line: Line = serde_json::from_str(text.lines().last().unwrap_or_default())
        .with_context(|| format!("{command:?} printed {text:?}"))?;
    samples.ms.push(line.ms);
    samples.peak_mb = samples.peak_mb.max(line.peak_mb);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        assert!(matches("resnet50", "resnet50") && !matches("resnet5", "resnet50"));
        assert!(matches("resnet*", "resnet50") && !matches("resnet*", "wide_resnet50_2"));
        assert!(matches("*lite*", "tf_efficientnet_lite0") && matches("*_v2*_0", "shufflenet_v2_x1_0"));
        assert!(!matches("ab*b", "ab"));
    }

    #[test]
    fn runtimes_do_not_train() {
        assert!(runs("openvino", "infer") && runs("channels_last", "train"));
        assert!(!runs("openvino", "train") && !runs("frozen", "train"));
    }
}
