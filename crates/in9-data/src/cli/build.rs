//! `in9-data build`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use in9_base::Piece;
use in9_base::shell::{Outcome, Shell, complain};
use in9_base::table::Table;

use super::masks::Masks;
use super::options;
use crate::{
    BuildConfig, BuildReport, Error, Excluded, Limits, Profile, SourceKind, Stage, build, describe_folder,
    guess_source,
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    in9-data build --source tiny-imagenet --root tiny-imagenet-200 --out tiny --size 64 --holdout 0.1\n  \
    in9-data build --source ilsvrc --root imagenet --out in9 --profile paper --selection in-9\n  \
    in9-data build --source folder --root my-photos --out mine --masks exact\n  \
    in9-data build --source waterbirds --root waterbird_complete95_forest2water2 --out birds --photos-only\n  \
    in9-data build --source ilsvrc --root imagenet --out salient --masks onnx:saliency.toml\n  \
    in9 build --source ilsvrc --root imagenet --out sam --masks sam:sam_vit_b_01ec64.pth\n\n\
    Photographs of one's own (--source folder), and what may lie beside them:\n  \
    ROOT/[SPLIT/]CLASS/NAME.jpg          one class a folder; SPLIT is test, train, …\n  \
    ROOT/masks/[SPLIT/]CLASS/NAME.png    the object's mask: white on black, 0 and 1, or a cut-out\n  \
    ROOT/[SPLIT/]CLASS/NAME_mask.png     the same, beside its photograph; both may be .npy, too\n  \
    ROOT/boxes.csv                       image,x0,y0,x1,y1 for GrabCut, where there is no mask\n  \
    ROOT/annotations.json                COCO: polygons, run lengths, boxes\n\n\
    Waterbirds and other sets in its layout (--source waterbirds):\n  \
    ROOT/metadata.csv                    img_filename,y,split; place is for `score --groups ROOT/metadata.csv`\n  \
    ROOT/masks/…/NAME.png                masks, at the photographs' paths; without them give --photos-only\n\n\
    A killed build continues where it stopped when the same command is given again.")]
pub(super) struct Build {
    /// ilsvrc, tiny-imagenet, folder, waterbirds or toy; by default what the root looks like, which is told.
    #[arg(long)]
    source: Option<SourceKind>,
    /// Folder of the photographs.
    #[arg(long)]
    root: PathBuf,
    /// Dataset to make (with --shard: the piece).
    #[arg(long)]
    out: PathBuf,
    /// Pixels of a side.
    #[arg(long, default_value_t = 224)]
    size: u32,
    /// Pixels of a side of the stored training pictures, where random crops of --size are to be taken from larger ones.
    #[arg(long, value_name = "PIXELS")]
    train_size: Option<u32>,
    /// Shorter side that photographs are brought to before the central square is taken; by default
    /// size*256/224 for paper, the size itself for clean.
    #[arg(long)]
    short_side: Option<u32>,
    /// paper (literal) or clean.
    #[arg(long, default_value = "clean")]
    profile: Profile,
    /// imagenet-9, toy, or a TOML file; by default imagenet-9 (source toy: toy; source folder: one
    /// class a sub-folder; source waterbirds: landbird and waterbird).
    #[arg(long)]
    taxonomy: Option<String>,
    /// Share of the training photographs moved to split `val`.
    #[arg(long, default_value_t = 0.0)]
    holdout: f64,
    /// Most training photographs of a class, after the filters.
    #[arg(long)]
    per_class: Option<u32>,
    /// Most test photographs of a class, after the filters.
    #[arg(long)]
    test_per_class: Option<u32>,
    /// Bring every split down to its smallest class.
    #[arg(long)]
    balance: bool,
    /// The paper's sizes: in-9 (5045 and 450 a class, balanced), in-9l (photographs only, balanced,
    /// 800 test photographs a class), in-9lb (photographs only, 16 fine labels a class).
    #[arg(long, value_enum)]
    selection: Option<Selection>,
    /// Fine labels kept of each class (the first in sorted order).
    #[arg(long)]
    fine_per_class: Option<u32>,
    /// Store photographs only: no box, mask or background, view original only.
    #[arg(long)]
    photos_only: bool,
    /// grabcut; exact: mask files beside the source; onnx:FILE.toml: a network, as FILE.toml describes it; or sam:WEIGHTS: a
    /// Segment Anything Model (ViT-B, L, H) or MobileSAM, told the box (program `in9` only).
    #[arg(long, default_value = "grabcut")]
    masks: Masks,
    /// Text file of ids to leave out of split `test`, one a line; under the header id,reason,note the reason is
    /// background-kept, object-missed or object-left (paper, appendix A).
    #[arg(long)]
    exclude: Option<PathBuf>,
    /// Folder bg_challenge of the official release, whose photographs are left out of split `test`.
    #[arg(long)]
    exclude_release: Option<PathBuf>,
    /// Folder bg_challenge of the official release: split `test` holds its photographs and no others.
    #[arg(long, conflicts_with = "exclude_release")]
    match_release: Option<PathBuf>,
    /// Which classes the backgrounds of the frozen mixed-rand may be of: any, or other than the foreground's.
    #[arg(long, value_enum, default_value_t = RandomClass::Any)]
    mixed_rand: RandomClass,
    /// A rehearsal: look at this share of the photographs of each class, and lower the numbers a class alike.
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    scale: f64,
    /// Seed of every random choice.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Make only piece i of n, for `in9-data merge`: i/n with i from 1, or auto or auto/n where Slurm, HyperQueue or
    /// SkyPilot says which piece it is.
    #[arg(long, value_name = "I/N", value_parser = in9_base::shell::piece)]
    shard: Option<Piece>,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Selection {
    #[value(name = "in-9")]
    In9,
    #[value(name = "in-9l")]
    In9l,
    #[value(name = "in-9lb")]
    In9lb,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum RandomClass {
    Any,
    Other,
}

impl Build {
    pub(super) fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        let limits = Limits::default();
        let mut excluded = Excluded::default();
        if let Some(list) = &self.exclude {
            excluded.add_list(list, &limits)?;
        }
        if let Some(release) = &self.exclude_release {
            excluded.add_release(release)?;
        }
        if let Some(release) = &self.match_release {
            excluded.keep_release(release)?;
        }
        let source = self.source.unwrap_or_else(|| guess_source(&self.root));
        if self.source.is_none() {
            shell.say(format_args!("{}: taken for source {}", self.root.display(), source.name()));
        }
        if source == SourceKind::Folder && self.taxonomy.is_none() {
            // Faults are told when the photographs are listed to be built.
            if let Ok(said) = describe_folder(&self.root) {
                shell.say(format_args!("{}: {said}", self.root.display()));
            }
        }
        let (masks, mask_network) = self.masks.open(&limits)?;
        let mut config = BuildConfig {
            taxonomy: self.taxonomy.as_deref().map(options::taxonomy).transpose()?,
            profile: self.profile,
            size: self.size,
            short_side: self.short_side,
            train_size: self.train_size,
            scale: self.scale,
            own_class: self.mixed_rand == RandomClass::Any,
            masks,
            mask_network,
            photos_only: self.photos_only,
            seed: self.seed,
            holdout: self.holdout,
            per_class: self.per_class,
            test_per_class: self.test_per_class,
            balance: self.balance,
            fine_per_class: self.fine_per_class,
            excluded,
            piece: self.shard,
            limits,
            ..BuildConfig::new(source, &self.root, &self.out)
        };
        match self.selection {
            None => {}
            Some(Selection::In9) => {
                config.per_class = config.per_class.or(Some(5045));
                config.test_per_class = config.test_per_class.or(Some(450));
                config.balance = true;
            }
            Some(Selection::In9l) => {
                config.test_per_class = config.test_per_class.or(Some(800));
                (config.photos_only, config.balance) = (true, true);
            }
            Some(Selection::In9lb) => {
                config.fine_per_class = config.fine_per_class.or(Some(16));
                config.photos_only = true;
            }
        }
        for most in [&mut config.per_class, &mut config.test_per_class].into_iter().flatten() {
            *most = (f64::from(*most) * self.scale.clamp(0.0, 1.0)).round().max(1.0) as u32;
        }
        let bar = shell.progress("listing photographs", "photographs", 0);
        let report = with_faults(build(&config, &|p| bar.tell(stage(p.stage), p.done, p.total)))?;
        bar.finish();
        tell(shell, &self.out, &report)
    }
}

/// Tells what may be why nothing could be kept.
pub(super) fn with_faults(report: crate::Result<BuildReport>) -> crate::Result<BuildReport> {
    if let Err(Error::NothingKept { faults, .. }) = &report {
        for fault in faults {
            complain(&anyhow::anyhow!("{fault}"));
        }
    }
    report
}

/// Photographs that are named of each split and rule.
const EXAMPLES: usize = 3;

/// The first photographs of each (split, rule) in a dataset's `rejected.csv`; a piece has none.
fn examples(out: &Path) -> in9_base::Result<HashMap<(String, String), Vec<String>>> {
    let mut table = Table::open(&out.join("rejected.csv"), Default::default())?;
    let columns = ["split", "rule", "source"].map(|name| table.column(name));
    let mut examples: HashMap<_, Vec<String>> = HashMap::new();
    while let Some((_, row)) = table.next_row()? {
        let [split, rule, source] = columns.map(|at| at.map_or("", |at| &row[at]).to_owned());
        let names = examples.entry((split, rule)).or_default();
        if names.len() < EXAMPLES {
            names.push(source);
        }
    }
    Ok(examples)
}

/// What a stage is called while it runs.
pub(super) fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Photographs => "photographs",
        Stage::Shards => "shards",
    }
}

/// Prints what came of a build: counts on standard output, faults on standard error.
pub(super) fn tell(shell: &Shell, out: &Path, report: &BuildReport) -> anyhow::Result<Outcome> {
    if report.already_complete {
        shell.say(format_args!("{}: already complete", out.display()));
    }
    for fault in &report.faults {
        complain(&anyhow::anyhow!("{fault}"));
    }
    for (split, samples) in &report.samples {
        shell.print(format_args!("{split}: {samples} samples"))?;
    }
    let examples = examples(out).unwrap_or_default();
    for (split, rule, count) in &report.rejected {
        let some = examples.get(&(split.clone(), rule.clone()));
        let some = some.map_or_else(String::new, |names| format!(", such as {}", names.join(", ")));
        shell.print(format_args!("{split}: {count} rejected by {rule}{some}"))?;
    }
    match report.faults.is_empty() {
        true => Ok(Outcome::Done),
        false => {
            let (faults, kept) = (report.faults.len(), report.samples.iter().map(|(_, n)| n).sum::<u64>());
            shell.say(format_args!("{faults} inputs were skipped; {kept} photographs are kept"));
            Ok(Outcome::Skips)
        }
    }
}
