//! `in9-models forward`: one pass over an array, for parity checks against any framework.

use std::path::PathBuf;

use candle_core::{Device, Tensor, Var};
use in9_base::shell::Shell;

use super::network::with_progress;
use crate::error::Error;
use crate::open::{Identified, Source};
use crate::weights::Head;
use crate::{Mode, npy};

/// Run a network on an array of normalised pictures
///
/// The input is float32 [n, 3, height, width]; the output its logits [n, classes]; the gradient
/// that of sum(logits) with respect to the input.
#[derive(clap::Args)]
#[command(
    after_help = "Example: in9-models forward --arch resnet50 --weights w.pth --input x.npy --output y.npy"
)]
pub struct Args {
    /// Architecture, for weights that do not name theirs; `list` shows all
    #[arg(long)]
    arch: Option<String>,
    /// A run's folder, a weight file, or the name of published weights
    #[arg(long, value_name = "RUN|FILE|TAG")]
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
    /// Write what goes into the classifier, [n, width], in the place of the logits; the weights may be without one
    #[arg(long)]
    features: bool,
    /// Pictures in one pass
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    batch_size: u32,
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<()> {
    let (shape, values) = npy::read(&args.input)?;
    let &[n, 3, height, width] = shape.as_slice() else {
        let what = args.input.display().to_string();
        return Err(Error::Shape { what, expected: "[n, 3, height, width]".into(), found: shape }.into());
    };
    let source = Source::find(&args.weights, args.arch.as_deref())?;
    let weights =
        with_progress(&source, shell, |progress| Identified::read(&source, args.arch.as_deref(), progress))?;
    for note in &weights.file.notes {
        shell.say(format_args!("{}: {note}", args.weights));
    }
    let head = if args.features { Head::Removed } else { Head::FromFile };
    let model = weights.model(head, false, &Device::Cpu)?;
    let picture = 3 * height * width;
    if n * picture == 0 {
        let what = args.input.display().to_string();
        return Err(Error::Shape {
            what,
            expected: "at least one picture of at least one pixel".into(),
            found: shape,
        }
        .into());
    }
    let mut logits = Vec::with_capacity(n * model.classes());
    let mut gradient = Vec::new();
    for batch in values.chunks(picture * args.batch_size as usize) {
        let x = Tensor::from_slice(batch, (batch.len() / picture, 3, height, width), &Device::Cpu)?;
        let y = if args.input_grad.is_some() {
            let x = Var::from_tensor(&x)?;
            let y = model.forward(&x, Mode::Eval)?;
            let grads = y.sum_all()?.backward()?;
            let name = model.architecture().name;
            let grad = grads.get(&x).ok_or_else(|| anyhow::anyhow!("{name}: no gradient"))?;
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
    Ok(())
}
