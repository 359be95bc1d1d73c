//! `in9-models probe`: classifiers learnt on a frozen network's features, as a prediction table.

mod learn;

use std::path::{Path, PathBuf};

use anyhow::bail;
use in9_base::files;
use in9_base::shell::{Progress, Shell};
use in9_data::groups::Grouping;
use in9_data::predictions::{CardPictures, CardTest, check_form, write_rows};
use in9_data::{Dataset, Split, View};
use serde::{Deserialize, Serialize};

use super::card;
use super::encoder::EncoderArgs;
use super::pictures::{PicturesArgs, right};
use crate::classifier::NetworkRecord;
use crate::encoder::Encoder;
use crate::predict::{Answered, Predictor};
use crate::probe::{RETRAININGS, Settings, Strength};
use learn::{Learnt, learn};

/// Learn classifiers on a frozen network's features of one view, and predict every view with them
///
/// The network's own classifier is taken off; weights without one will do. What goes into it are the features of a picture.
/// Two classifiers are learnt on those of a split: a logistic regression on standardised features, and the votes of the
/// nearest neighbours by cosine. The table has both, as models of their own. Beside it stands its card, TABLE.card.toml, which
/// says what was measured with what, and a file that ends in .probe.toml, with everything that decides the answers.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  in9-models probe --weights dinov2_vits14_pretrain.pth --arch vit_small_patch14_dinov2 --normalization imagenet --size 224 \
--data out/in9 --out p.csv
  in9-models probe --weights resnet50.imagenet1k-v2 --data out/in9 --views paper --methods linear --l2 1e-3 --out p.csv
  in9-models probe --image-tower clip-vit-base-patch32 --data out/in9 --view mixed-rand --out p.csv
  in9-models probe --weights out/run --data out/in9 --methods knn --k 5 --out p.csv
  in9-models probe --weights out/run --data birds --train val --methods dfr --groups waterbirds/metadata.csv --out p.csv")]
pub struct Args {
    #[command(flatten)]
    network: EncoderArgs,
    #[command(flatten)]
    pictures: PicturesArgs,
    /// Split whose photographs the probes learn from
    #[arg(long, value_name = "SPLIT", default_value = "train")]
    train: String,
    /// View of them
    #[arg(long, value_name = "VIEW", default_value = "original")]
    view: View,
    /// The probes, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_value = "linear,knn")]
    methods: Vec<Method>,
    /// Strength of the penalty of linear and dfr, l2 / 2 times the squared weights beside the mean cross-entropy [default: the
    /// best of 10, 1, … 1e-6 on a fifth of the training photographs, which are held out for that; dfr takes the best for the
    /// worst group of a half]
    #[arg(long, value_name = "NUMBER")]
    l2: Option<f64>,
    /// Seed of the draws of what is held out, and of dfr's balanced sets
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// For dfr: metadata with the group of each photograph, as `in9-analysis score --groups` takes them; or `backgrounds`: the
    /// class of the background of a mixed --view
    #[arg(long, value_name = "METADATA.csv|backgrounds")]
    groups: Option<PathBuf>,
    /// Balanced sets that dfr draws and learns from; the weights are averaged
    #[arg(long, value_name = "N", default_value_t = RETRAININGS, value_parser = clap::value_parser!(u32).range(1..=1000))]
    retrainings: u32,
    /// Neighbours that vote
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    k: u32,
    /// Of their votes, exp(cosine / temperature)
    #[arg(long, value_name = "NUMBER", default_value_t = 0.07)]
    temperature: f64,
    /// The table to write, CSV, or Parquet if its name ends in .parquet (feature `parquet`)
    #[arg(long, value_name = "TABLE")]
    out: PathBuf,
    #[command(flatten)]
    device: super::DeviceArgs,
}

/// A probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Method {
    /// Logistic regression
    Linear,
    /// Votes of the nearest neighbours
    Knn,
    /// Deep feature reweighting: logistic regressions on as many photographs of each group, averaged; --train should name
    /// photographs that the network was not trained on
    Dfr,
}

/// The file beside the table.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    /// The probes, as tables name them.
    network: Vec<NetworkRecord>,
}

/// Whose a card is.
const MADE_BY: &str = "in9-models probe";

pub(super) fn run(args: &Args, shell: &Shell) -> anyhow::Result<()> {
    let views = args.pictures.views()?;
    check_form(&args.out)?;
    let settings = args.settings()?;
    let beside = beside(&args.out)?;
    card::check_place(&args.out, MADE_BY)?;
    let (device, kind) = args.device.open(shell)?;
    let dataset = Dataset::open(&args.pictures.data)?;
    let train = dataset.split(&args.train)?;
    train.check_view(args.view)?;
    let grouping = args.grouping()?;
    let splits = args.pictures.splits(&dataset)?;
    let of_split = |split| {
        let (views, _) = args.pictures.wanted(&views, |view| Split::check_view(split, *view).is_ok());
        (split, views)
    };
    let wanted: Vec<(&Split, Vec<View>)> = splits.iter().map(of_split).collect();
    let asked: Vec<(&Split, View)> =
        wanted.iter().flat_map(|(split, views)| views.iter().map(move |view| (*split, *view))).collect();
    let encoder = args.network.open(device, shell)?;
    let pictures = train.len() + asked.iter().map(|(split, _)| split.len()).sum::<usize>();
    let progress = shell.progress("features", "images", pictures as u64);
    let learnt = learn(args, &dataset, &train, &encoder, &settings, grouping.as_ref(), &progress)?;
    let answers = predict(args, &dataset, &asked, &encoder, &learnt, &progress)?;
    progress.finish();

    let name = args.pictures.name(&dataset);
    files::remove_leftovers(files::parent(&args.out))?;
    let rows = learnt.iter().zip(answers).flat_map(|(learnt, answers)| {
        let name = &name;
        asked.iter().zip(answers).flat_map(move |(&(split, view), answers)| {
            answers.into_iter().map(move |answer| Ok(answer.row(&learnt.record, name, split, view)))
        })
    });
    write_rows(&args.out, &Predictor::table(&dataset).classes, true, rows)?;
    let network = learnt.iter().map(|learnt| learnt.record.clone()).collect();
    files::write_bytes(&beside, toml::to_string(&Written { network })?)?;
    let size = args.pictures.size;
    let test = CardTest {
        dataset: name,
        digest: dataset.digest(),
        pictures: CardPictures::Recomposed,
        pairings: 1,
        split: wanted.iter().map(|(split, views)| card::split(split, size, views)).collect(),
    };
    card::write(&args.out, MADE_BY, &kind, learnt.iter().map(|learnt| &learnt.record), test)?;
    shell.print(args.out.display())
}

impl Args {
    /// The probes that are asked for, each once.
    fn settings(&self) -> anyhow::Result<Vec<Settings>> {
        let mut methods = Vec::new();
        for method in &self.methods {
            if !methods.contains(method) {
                methods.push(*method);
            }
        }
        let of = |method: &Method| {
            let settings = match method {
                Method::Linear => Settings::Linear(match self.l2 {
                    Some(l2) => Strength::Given(l2),
                    None => Strength::Chosen { seed: self.seed },
                }),
                Method::Knn => Settings::Nearest { k: self.k as usize, temperature: self.temperature },
                Method::Dfr => {
                    Settings::Reweighted { l2: self.l2, seed: self.seed, retrainings: self.retrainings }
                }
            };
            settings.check()?;
            Ok(settings)
        };
        methods.iter().map(of).collect()
    }
}

impl Args {
    /// What tells groups apart, if it is asked for; told before any work.
    fn grouping(&self) -> anyhow::Result<Option<Grouping>> {
        match (&self.groups, self.methods.contains(&Method::Dfr)) {
            (None, false) => Ok(None),
            (Some(_), false) => bail!("--groups: is for --methods dfr"),
            (None, true) => bail!(
                "--groups: missing (expected metadata with the group of each photograph, or backgrounds for a mixed --view, as \
                 dfr learns from groups)"
            ),
            (Some(path), true) => {
                let grouping = Grouping::read(path)?;
                if !grouping.tells(self.view) {
                    bail!(
                        "--groups: backgrounds needs a --view on another photograph's background, found {}",
                        self.view
                    );
                }
                Ok(Some(grouping))
            }
        }
    }
}

/// The answers of each probe on each split and view.
fn predict(
    args: &Args,
    dataset: &Dataset,
    asked: &[(&Split, View)],
    encoder: &Encoder,
    learnt: &[Learnt],
    progress: &Progress,
) -> anyhow::Result<Vec<Vec<Vec<Answered>>>> {
    let mut answers: Vec<Vec<Vec<Answered>>> = learnt.iter().map(|_| Vec::new()).collect();
    for (split, view) in asked {
        progress.rename(&format!("predicting {} {view}", split.name()));
        let mut of_view: Vec<Vec<Answered>> = learnt.iter().map(|_| Vec::new()).collect();
        let (batch, size) = (args.pictures.batch_size(), args.pictures.side());
        encoder.features_of(dataset, split, *view, batch, size, &mut |batch| {
            for (learnt, answers) in learnt.iter().zip(&mut of_view) {
                let found = learnt.probe.answers(&batch.features)?;
                let pictures = batch.indices.iter().zip(batch.backgrounds).zip(found);
                answers.extend(pictures.map(|((place, background), answer)| Answered {
                    place: *place,
                    background: *background,
                    predicted: answer.class.map(|class| class as u16),
                    scores: answer.scores,
                }));
            }
            progress.add(batch.indices.len() as u64);
            Ok(())
        })?;
        for ((learnt, of_view), answers) in learnt.iter().zip(of_view).zip(&mut answers) {
            progress.note(&format!("{}: {}", learnt.record.model, right(split, *view, &of_view)));
            answers.push(of_view);
        }
    }
    Ok(answers)
}

/// No such file is longer than this, in bytes.
const LONGEST: u64 = 1 << 20;

/// The file beside the table, which must not be somebody else's: `p.csv` has `p.probe.toml`.
fn beside(out: &Path) -> anyhow::Result<PathBuf> {
    let path = out.with_extension("probe.toml");
    if path.exists() {
        let text = files::read_text(&path, LONGEST)?;
        if toml::from_str::<Written>(&text).is_err() {
            bail!(
                "{}: is not of a probe (expected settings that a run before wrote, found something else); choose another --out",
                path.display()
            );
        }
    }
    Ok(path)
}
