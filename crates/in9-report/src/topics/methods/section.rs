//! How the numbers were made, well enough to make them again.

use crate::context::Context;
use crate::page::share;
use crate::page::{Block, Section};
use in9_analysis::output::Grid;

/// The section.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let b = &context.bootstrap;
    let mut settings = Grid::new("Settings", &["setting", "value"]);
    for (name, value) in [
        ("recipe", context.spec.recipe.clone()),
        ("in9-report", env!("CARGO_PKG_VERSION").to_owned()),
        ("seed of resamples and examples", b.seed.to_string()),
        ("bootstrap resamples", b.replicates.to_string()),
        ("confidence level", b.level.to_string()),
        ("classes", context.frame.classes.join(", ")),
    ] {
        settings.push(vec![name.into(), value]);
    }
    if let Some(scale) = context.spec.scale {
        settings.push(vec!["scale of the rehearsal".into(), scale.to_string()]);
    }
    for change in &context.spec.changed {
        settings.push(vec!["changed from outside".into(), change.clone()]);
    }
    let mut digests = Grid::new("Data sets by digest", &["data set", "BLAKE3 of its contents", "made by"]);
    for loaded in &context.datasets {
        digests.push(vec![
            loaded.entry.name.clone(),
            loaded.dataset.digest(),
            loaded.dataset.manifest().program.clone(),
        ]);
    }
    let mut models = Grid::new(
        "Networks and their tests",
        &["network", "architecture", "trained on", "tested on", "split", "foregrounds"],
    );
    for s in &context.summaries {
        let k = &s.key;
        models.push(vec![
            k.model.clone(),
            k.arch.clone(),
            k.trained_on.clone(),
            k.dataset.clone(),
            k.split.clone(),
            s.foregrounds.to_string(),
        ]);
    }
    let prose = [
        "Accuracy on one view: Wilson's score interval. Balanced accuracy, the mean of the classes' recalls: a normal \
         interval, with each class's variance taken at the mean of Jeffreys' posterior.",
        "Claims, and the tables over all trainings: means over trainings and photographs, with variance components for \
         photographs (with the backgrounds drawn for each), shared backgrounds and trainings; Student's intervals with \
         Satterthwaite's degrees of freedom; shares by Wilson's interval of as many photographs as would be as certain.",
        "One network's BG-gap and other differences between views or networks: percentile bootstrap over foregrounds, each resampled \
         with all its views, which keeps the pairing. Paired accuracies of two models also have McNemar's exact \
         test. Several training seeds: Student's t interval over the seeds. Differences between data sets of \
         different ρ are unpaired: their intervals are combined by the method of variance estimates recovery (MOVER).",
        "The ladder from original to mixed-rand is taken over the photographs that were tested on every rung, so that its \
         costs add up; pasting is accuracy on original minus accuracy on bg-tiled, the background's part is accuracy on \
         bg-tiled minus accuracy on mixed-rand. bg-inpainted fills the object and a margin of a thirty-second of the side \
         by a pyramid with diffusion; bg-noise is random-phase noise, one for each photograph.",
        "The paper's training and test sets hold equally many photographs of each class. Where the largest class of a \
         test set is more than a tenth larger than its smallest, claims about the train-and-test matrix are judged \
         twice: by plain accuracy and by balanced accuracy. All other claims are judged by plain accuracy.",
        "Intervals of single networks do not cover the variation between training runs. methods.md and references.bib beside \
         this page are a paragraph for a paper with the numbers of this report, and what it cites.",
        "A prediction outside the taxonomy counts as wrong. The chance level of balanced accuracy is one over the \
         number of classes, whatever their frequencies.",
        "Published numbers are from arXiv 2006.09994 v1 unless another source is named; the paper reports \
         single trainings without intervals.",
    ];
    let mut blocks: Vec<Block> = prose.iter().map(|p| Block::Prose((*p).into())).collect();
    blocks.push(Block::Table(settings));
    if !digests.rows.is_empty() {
        blocks.push(Block::Table(digests));
    }
    if context.spec.scale.is_some() || !context.spec.changed.is_empty() {
        blocks.push(Block::Table(parts(context)));
    }
    blocks.push(Block::Details("Networks and their tests".into(), vec![Block::Table(models)]));
    if !context.skipped.is_empty() {
        // Only the names: the reasons name folders of the machine that made the page.
        let names: Vec<&str> =
            context.skipped.iter().map(|s| s.split_once(": ").map_or(s.as_str(), |(name, _)| name)).collect();
        blocks.push(Block::Prose(format!("Listed but not usable: {}.", names.join(", "))));
    }
    Some(Section { id: "methods", title: "Methods".into(), lead: String::new(), blocks })
}

/// What each part of an adjusted run was made of.
fn parts(context: &Context) -> Grid {
    let mut grid = Grid::new("Parts of this run", &["part", "photographs", "epochs", "scale"]);
    let scale = |scale: f64| format!("{} %", share(scale));
    for loaded in &context.datasets {
        let manifest = loaded.dataset.manifest();
        let splits = manifest.splits.iter().map(|split| format!("{} {}", split.samples, split.name));
        grid.push(vec![
            format!("data set {}", loaded.entry.name),
            splits.collect::<Vec<_>>().join(", "),
            String::new(),
            scale(manifest.settings.scale),
        ]);
    }
    for run in &context.runs {
        let epochs = run.settings.get("training.epochs").cloned().unwrap_or_default();
        grid.push(vec![
            format!("training {} on {}", run.model, run.dataset),
            format!("{} train", run.samples),
            epochs,
            scale(context.spec.scale.unwrap_or(1.0)),
        ]);
    }
    grid
}
