//! `in9-models imagenet`: how accurate published networks are on ImageNet, as a table for the report.

use std::path::PathBuf;

use anyhow::bail;
use in9_base::shell::Shell;

use crate::registry::{PRETRAINED, Pretrained, find_pretrained, pretrained_of};

/// Write published networks' accuracies on ImageNet as a table (model,imagenet), for the report's progress plot
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  in9-models imagenet --model resnet50=resnet50.gluon --model mine=71.3 --out imagenet.csv")]
pub struct Args {
    /// A model's name in prediction tables, and its weights (a tag, ARCH.TAG, or a file of one) or its accuracy in per
    /// cent. May be given several times
    #[arg(long = "model", value_name = "NAME=TAG|PERCENT", required = true)]
    models: Vec<String>,
    /// Architectures of the models, in their order, where tags do not name theirs
    #[arg(long = "arch", value_name = "ARCH")]
    archs: Vec<String>,
    /// The table to write
    #[arg(long, value_name = "CSV")]
    out: PathBuf,
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<()> {
    if !args.archs.is_empty() && args.archs.len() != args.models.len() {
        bail!("--arch: expected one for each of {} models, found {}", args.models.len(), args.archs.len());
    }
    let mut rows = vec![["model".to_owned(), "imagenet".to_owned()]];
    for (at, model) in args.models.iter().enumerate() {
        let Some((name, about)) = model.split_once('=') else {
            bail!("--model {model}: expected NAME=TAG or NAME=PERCENT");
        };
        match accuracy(about, args.archs.get(at).map(String::as_str)) {
            Some(top1) if (0.0..=100.0).contains(&top1) => rows.push([name.to_owned(), top1.to_string()]),
            Some(top1) => bail!("--model {model}: expected a percentage, found {top1}"),
            None => shell.say(format_args!("{name}: left out, nobody tells the accuracy of {about}")),
        }
    }
    in9_base::files::write(&args.out, |file| {
        let mut writer = csv::Writer::from_writer(file);
        for row in &rows {
            writer.write_record(row)?;
        }
        writer.flush()
    })?;
    shell.print(args.out.display())
}

/// Accuracy in per cent of weights or as a number.
fn accuracy(about: &str, arch: Option<&str>) -> Option<f64> {
    if let Ok(percent) = about.parse() {
        return Some(percent);
    }
    let named = |published: &&Pretrained| published.file == about;
    let of_arch = || pretrained_of(arch?).find(|published| published.tag == about);
    let found = PRETRAINED.iter().find(named).or_else(of_arch).or_else(|| find_pretrained(about).ok());
    found.map(|published| published.top1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_known_by_tag_file_and_name() {
        assert_eq!(accuracy("resnet50.gluon", None), Some(77.58));
        assert_eq!(accuracy("gluon", Some("resnet50")), Some(77.58));
        assert_eq!(accuracy("alexnet-owt-7be5be79.pth", Some("alexnet")), Some(56.522));
        assert_eq!(accuracy("71.3", None), Some(71.3));
        assert_eq!(accuracy("mine.pth", Some("resnet50")), None);
    }
}
