//! `in9-models forward`: one pass over an array, for parity checks against any framework.

use std::path::PathBuf;
use std::process::ExitCode;

use candle_core::{Device, Tensor, Var};
use in9_models::weights::{self, Head};
use in9_models::{Mode, npy};

/// Run a network on an array of normalised pictures
///
/// The input is float32 [n, 3, height, width]; the output its logits [n, classes]; the gradient
/// that of sum(logits) with respect to the input.
#[derive(clap::Args)]
#[command(
    after_help = "Example: in9-models forward --arch resnet50 --weights w.pth --input x.npy --output y.npy"
)]
pub(crate) struct Args {
    /// Name of the architecture; `list` shows them
    #[arg(long)]
    arch: String,
    /// Weights: a file, or the tag of published ones
    #[arg(long)]
    weights: String,
    /// Pictures, .npy
    #[arg(long)]
    input: PathBuf,
    /// Where to write the logits, .npy
    #[arg(long)]
    output: PathBuf,
    /// Where to write the gradient of sum(logits) with respect to the input, .npy
    #[arg(long)]
    input_grad: Option<PathBuf>,
    /// Pictures in one pass
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    batch_size: u32,
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let path = super::weights::resolve(&args.arch, &args.weights)?;
    let (shape, values) = npy::read(&args.input)?;
    let (n, height, width) = match shape.as_slice() {
        &[n, 3, height, width] if n * height * width > 0 => (n, height, width),
        _ => anyhow::bail!(
            "{}: wrong shape (expected [n, 3, height, width] with at least one pixel, found {shape:?})",
            args.input.display()
        ),
    };
    let (model, notes) = weights::load(&args.arch, &path, Head::FromFile, false, &Device::Cpu)?;
    for note in notes {
        eprintln!("{}: {note}", path.display());
    }
    let picture = 3 * height * width;
    let mut logits = Vec::with_capacity(n * model.classes());
    let mut gradient = Vec::new();
    for batch in values.chunks(picture * args.batch_size as usize) {
        let x = Tensor::from_slice(batch, (batch.len() / picture, 3, height, width), &Device::Cpu)?;
        let y = if args.input_grad.is_some() {
            let x = Var::from_tensor(&x)?;
            let y = model.forward(&x, Mode::Eval)?;
            let grads = y.sum_all()?.backward()?;
            let grad = grads.get(&x).ok_or_else(|| anyhow::anyhow!("{}: no gradient", args.arch))?;
            gradient.extend(grad.flatten_all()?.to_vec1::<f32>()?);
            y
        } else {
            model.forward(&x, Mode::Eval)?
        };
        logits.extend(y.flatten_all()?.to_vec1::<f32>()?);
    }
    npy::write(&args.output, &[n, model.classes()], &logits)?;
    if let Some(path) = &args.input_grad {
        npy::write(path, &shape, &gradient)?;
    }
    Ok(ExitCode::SUCCESS)
}
