//! For papers: a paragraph of methods with the numbers of this report, and references.

use crate::claims::{Claim, tally};
use crate::context::Context;
use crate::error::Result;
use in9_data::View;
use std::fmt::Write as _;

/// `methods.md`: how the numbers were made, with versions, digests and counts.
pub(super) fn methods(context: &Context, claims: &[Claim]) -> Result<Vec<u8>> {
    let sets = context.test_sets();
    let mut text = String::from("# Methods\n\n");
    for set in &sets {
        let draws =
            set.models.iter().map(|(m, s)| m.view(View::MixedRand).len().div_ceil(s.foregrounds.max(1)));
        let _ = write!(
            text,
            "We tested {} networks on the {} photographs of the split `{}` of {} ({} classes), each in the views of \
             ImageNet-9 [@xiao2021noise]",
            set.models.len(),
            set.foregrounds(),
            set.split,
            set.dataset,
            context.classes()
        );
        match draws.max().unwrap_or(1) {
            0 | 1 => text.push_str(", with one frozen pairing of foregrounds and backgrounds. "),
            several => {
                let _ = write!(text, ", with {several} pairings of foregrounds and backgrounds. ");
            }
        }
        for view in ["original", "mixed-rand"] {
            let repeats = set.repeats(view);
            if let Some((first, _)) = repeats.first() {
                let run = context.run_of(&first.key);
                let epochs = run.and_then(|run| run.settings.get("training.epochs"));
                let epochs = epochs.map_or_else(String::new, |e| format!(" for {e} epochs"));
                let seeds = match repeats.len() {
                    1 => "with one seed".to_owned(),
                    n => format!("with {n} seeds"),
                };
                let _ = write!(text, "A {} was trained on {view}{epochs} {seeds}. ", first.key.arch);
            }
        }
    }
    let t = tally(claims);
    let _ = write!(
        text,
        "\n\nAccuracies, BG-gaps and their differences are means over trainings and photographs. Their standard errors come \
         from variance components for photographs, shared backgrounds and trainings [@searle1992variance; \
         @cameron2011multiway], with Student's intervals and Satterthwaite's degrees of freedom; shares have Wilson's \
         interval with the number of photographs that would be as certain. Other intervals are percentile bootstraps with \
         {} resamples (seed {}). Each of {} claims was tested against the hypothesis that it is false and against the \
         hypothesis that it is true with an effect worth its name; the p-values of all claims were adjusted together by \
         Holm's method [@holm1979simple], so that the probability of any wrong verdict is at most 5 %. Of the paper's \
         claims {}.\n\n",
        context.bootstrap.replicates,
        context.bootstrap.seed,
        claims.len(),
        t
    );
    let _ = writeln!(text, "Software: in9-report {}.", env!("CARGO_PKG_VERSION"));
    for loaded in &context.datasets {
        let _ = writeln!(
            text,
            "Data set {}: BLAKE3 {}, made by {}.",
            loaded.entry.name,
            loaded.dataset.digest(),
            loaded.dataset.manifest().program
        );
    }
    let mut trainings: Vec<String> = Vec::new();
    for run in &context.runs {
        let line =
            format!("{} on {} of {}: training {}", run.arch, run.view, run.dataset, run.training.digest);
        if !trainings.contains(&line) {
            trainings.push(line);
        }
    }
    for line in trainings {
        let _ = writeln!(text, "{line}.");
    }
    Ok(text.into_bytes())
}

/// `references.bib`: what `methods.md` cites.
pub(super) const REFERENCES: &str = r#"@inproceedings{xiao2021noise,
  author = {Xiao, Kai and Engstrom, Logan and Ilyas, Andrew and Madry, Aleksander},
  title = {Noise or Signal: The Role of Image Backgrounds in Object Recognition},
  booktitle = {International Conference on Learning Representations},
  year = {2021},
  eprint = {2006.09994},
  archiveprefix = {arXiv}
}

@book{searle1992variance,
  author = {Searle, Shayle R. and Casella, George and McCulloch, Charles E.},
  title = {Variance Components},
  publisher = {Wiley},
  year = {1992}
}

@article{cameron2011multiway,
  author = {Cameron, A. Colin and Gelbach, Jonah B. and Miller, Douglas L.},
  title = {Robust Inference With Multiway Clustering},
  journal = {Journal of Business \& Economic Statistics},
  volume = {29},
  number = {2},
  pages = {238--249},
  year = {2011}
}

@article{holm1979simple,
  author = {Holm, Sture},
  title = {A Simple Sequentially Rejective Multiple Test Procedure},
  journal = {Scandinavian Journal of Statistics},
  volume = {6},
  number = {2},
  pages = {65--70},
  year = {1979}
}
"#;
