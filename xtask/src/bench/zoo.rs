//! `cargo xtask bench zoo`: every trainable architecture beside torchvision or timm.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

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

/// Time and memory of the networks beside PyTorch's
#[derive(clap::Args)]
#[command(after_help = "Example: cargo xtask bench zoo 'resnet*' mobilenet_v2 --work infer")]
pub(crate) struct Args {
    /// Only architectures whose name matches one of these; * is any text [default: all]
    patterns: Vec<String>,
    /// Only this work: infer or train [default: both]
    #[arg(long)]
    work: Option<String>,
    /// Pictures in a batch
    #[arg(long, default_value_t = 16)]
    batch: usize,
    /// Processes of each side, in turns
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Timed runs in a process
    #[arg(long, default_value_t = 3)]
    iterations: usize,
    /// Threads of each side
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    variant: String,
    ms: f64,
    peak_mb: f64,
}

/// Times and peaks of one side's variant over the rounds.
#[derive(Default)]
struct Samples {
    ms: Vec<f64>,
    peak_mb: f64,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let wanted = |name: &str| args.patterns.iter().any(|pattern| matches(pattern, name));
    for pattern in &args.patterns {
        if !ARCHITECTURES.iter().any(|(name, _)| matches(pattern, name)) {
            bail!("{pattern}: no such architecture in this benchmark");
        }
    }
    build_release(&["-p", "in9-models", "--example", "bench_zoo"])?;
    let ours = release_dir().join("examples").join("bench_zoo");
    let python = python_with(&["torch", "torchvision", "timm"]);
    println!("arch | work | ours ms | nchw ms | channels_last ms | ours / faster peer | ours MB | peer MB");
    println!("--- | --- | --- | --- | --- | --- | --- | ---");
    for (arch, size) in ARCHITECTURES {
        if !args.patterns.is_empty() && !wanted(arch) {
            continue;
        }
        for work in ["infer", "train"] {
            if args.work.as_deref().is_none_or(|only| only == work) {
                println!("{}", row(&args, &ours, python.as_deref(), arch, size, work)?);
            }
        }
    }
    Ok(())
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

fn row(
    args: &Args,
    ours: &Path,
    python: Option<&Path>,
    arch: &str,
    size: usize,
    work: &str,
) -> Result<String> {
    let mut samples: HashMap<String, Samples> = HashMap::new();
    for _ in 0..args.rounds {
        let numbers = [args.batch, args.iterations, args.threads].map(|n| n.to_string());
        collect(Command::new(ours).args([arch, work]).args(numbers), &mut samples)?;
        if let Some(python) = python {
            let mut peer = Command::new(python);
            peer.arg("tests/oracles/zoo_peer.py").args(["--arch", arch, "--work", work]);
            for (name, value) in [
                ("--batch", args.batch),
                ("--size", size),
                ("--iterations", args.iterations),
                ("--threads", args.threads),
            ] {
                peer.arg(name).arg(value.to_string());
            }
            collect(&mut peer, &mut samples)?;
        }
    }
    let mut of = |variant: &str| match samples.get_mut(variant) {
        Some(samples) => (median(&mut samples.ms), samples.peak_mb),
        None => (f64::NAN, f64::NAN),
    };
    let ((ours, ours_mb), (nchw, nchw_mb), (last, _)) = (of(""), of("nchw"), of("channels_last"));
    let ratio = ours / nchw.min(last);
    Ok(format!(
        "{arch} | {work} | {ours:.1} | {nchw:.1} | {last:.1} | {ratio:.2} | {ours_mb:.0} | {nchw_mb:.0}"
    ))
}

fn collect(command: &mut Command, samples: &mut HashMap<String, Samples>) -> Result<()> {
    for text in stdout_of(command)?.lines() {
        let line: Line =
            serde_json::from_str(text).with_context(|| format!("{command:?} printed {text:?}"))?;
        let entry = samples.entry(line.variant).or_default();
        entry.ms.push(line.ms);
        entry.peak_mb = entry.peak_mb.max(line.peak_mb);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stand_for_any_text() {
        assert!(matches("resnet50", "resnet50") && !matches("resnet5", "resnet50"));
        assert!(matches("resnet*", "resnet50") && !matches("resnet*", "wide_resnet50_2"));
        assert!(matches("*lite*", "tf_efficientnet_lite0") && matches("*_v2*_0", "shufflenet_v2_x1_0"));
        assert!(!matches("ab*b", "ab"));
    }
}
