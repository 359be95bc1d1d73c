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
    text.push_str(&controls(context));
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

/// What is to be said of controls and surfaces, where there are any.
fn controls(context: &Context) -> String {
    let mut text = String::new();
    if context.summaries.iter().any(|summary| summary.ladder.is_some()) {
        text.push_str(
            "The drop from photographs to mixed-rand was divided by control views that paste each object on backgrounds made \
             of its own photograph: the photograph with the object and a margin around it filled in by push and pull \
             [@gortler1996lumigraph] with diffusion, its tiled background, its mean colour, and random-phase noise with the \
             power spectrum of its tiled background [@galerne2011random]. Pasting is the accuracy on photographs minus that \
             on own tiled backgrounds; the background's part is the rest, down to mixed-rand. Differences are paired by \
             photograph.\n\n",
        );
    }
    if let Some((_, probe)) = context.probes.surface.first() {
        let _ = write!(
            text,
            "For bias surfaces each object was pasted in {} ways (position, size, soft edge, colours of the background moved \
             towards its own [@reinhard2001color]), each on a background of its class and on a random one. Bands hold for all \
             cells of a surface together: the bootstrap of the largest standardised deviation over photographs \
             [@romano2005exact].\n\n",
            probe.all.cells.len()
        );
    }
    text
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

@inproceedings{gortler1996lumigraph,
  author = {Gortler, Steven J. and Grzeszczuk, Radek and Szeliski, Richard and Cohen, Michael F.},
  title = {The Lumigraph},
  booktitle = {Proceedings of SIGGRAPH},
  pages = {43--54},
  year = {1996}
}

@article{galerne2011random,
  author = {Galerne, Bruno and Gousseau, Yann and Morel, Jean-Michel},
  title = {Random Phase Textures: Theory and Synthesis},
  journal = {IEEE Transactions on Image Processing},
  volume = {20},
  number = {1},
  pages = {257--267},
  year = {2011}
}

@article{reinhard2001color,
  author = {Reinhard, Erik and Adhikhmin, Michael and Gooch, Bruce and Shirley, Peter},
  title = {Color Transfer between Images},
  journal = {IEEE Computer Graphics and Applications},
  volume = {21},
  number = {5},
  pages = {34--41},
  year = {2001}
}

@article{romano2005exact,
  author = {Romano, Joseph P. and Wolf, Michael},
  title = {Exact and Approximate Stepdown Methods for Multiple Hypothesis Testing},
  journal = {Journal of the American Statistical Association},
  volume = {100},
  number = {469},
  pages = {94--108},
  year = {2005}
}
"#;
