//! The board: networks grouped by protocol and ranked inside each group.

use super::pictures::asked_of;
use super::protocol::{Across, Difference, Protocol};
use crate::cards::own_card;
use crate::error::Result;
use crate::frame::{Frame, ModelFrame};
use crate::metrics::{ModelSummary, summarise_model};
use crate::stats::{Bootstrap, Interval, Rank, ranks};
use in9_data::View;
use in9_data::predictions::Card;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What networks are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Accuracy on a view, the highest first.
    Accuracy(View),
    /// The BG-gap, the smallest first.
    Gap,
}

/// How a board is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// What networks are ranked by.
    pub by: Measure,
    /// Fields of cards across which they are ranked all the same.
    pub across: Vec<Across>,
    /// Whether tables without a card are taken to be measured as others with the same rows.
    pub trust: bool,
    /// Settings of every interval.
    pub bootstrap: Bootstrap,
}

/// Any number of networks, those that were measured alike together.
#[derive(Debug, Clone)]
pub struct Board {
    /// How it was made.
    pub rules: Rules,
    /// Known protocols first, those of more networks before others.
    pub groups: Vec<Group>,
    /// What is to be said of cards that cannot be used, a line each.
    pub notes: Vec<String>,
}

/// Networks that were measured alike.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    /// How.
    pub protocol: Protocol,
    /// Whether cards say how; else the group is one network, and its protocol what its rows tell.
    pub known: bool,
    /// In what the protocol differs from the first group's.
    pub differs: Vec<Difference>,
    /// The networks, the first before others; in the order of their names where they are not ranked.
    pub networks: Vec<Standing>,
}

/// One network on one test set.
#[derive(Debug, Clone, Serialize)]
pub struct Standing {
    /// Name of the table's file.
    pub table: String,
    /// Whether the table has no card and is ranked because it was trusted.
    pub trusted: bool,
    /// What it is ranked by, with the interval of this network alone; none if it was not tested on it.
    pub value: Option<Interval>,
    /// Its place; none if it is not ranked.
    pub rank: Option<Rank>,
    /// Everything measured on it.
    pub summary: ModelSummary,
    /// What it was measured with: its card, without other networks.
    pub card: Option<Card>,
    #[serde(skip)]
    frame: ModelFrame,
    #[serde(skip)]
    protocol: Protocol,
}

impl Measure {
    /// The measure in words, with its unit and its better end.
    pub fn name(self) -> String {
        match self {
            Self::Accuracy(view) => format!("accuracy on {view} (%)"),
            Self::Gap => "BG-gap (points, the smallest first)".to_owned(),
        }
    }

    fn of(self, model: &ModelSummary) -> Option<Interval> {
        match self {
            Self::Accuracy(view) => model.accuracy(view).map(|a| a.accuracy),
            Self::Gap => model.gap.as_ref().map(|gap| gap.gap),
        }
    }

    /// What each photograph adds to the measure, the larger the better, so that the mean over photographs is the measure.
    fn column(self, model: &ModelFrame) -> Vec<f64> {
        match self {
            Self::Accuracy(view) => parts(model, view).into_iter().flatten().collect(),
            Self::Gap => {
                let (same, rand) = (parts(model, View::MixedSame), parts(model, View::MixedRand));
                same.into_iter().zip(rand).filter_map(|(same, rand)| Some(rand? - same?)).collect()
            }
        }
    }

    /// The largest difference of two photographs' parts, by which bands stay in their range.
    fn most(self) -> f64 {
        match self {
            Self::Accuracy(_) => 1.0,
            Self::Gap => 2.0,
        }
    }
}

/// Right answers on each photograph of a view over the mean number of its pictures: their mean is the accuracy.
fn parts(model: &ModelFrame, view: View) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0, 0.0); model.foregrounds.len()];
    for outcome in model.view(view) {
        let sum = &mut sums[outcome.foreground as usize];
        *sum = (sum.0 + f64::from(u8::from(outcome.correct())), sum.1 + 1.0);
    }
    let tested = sums.iter().filter(|(_, tested)| *tested > 0.0).count() as f64;
    let each = sums.iter().map(|(_, tested)| tested).sum::<f64>() / tested;
    sums.into_iter().map(|(right, tested)| (tested > 0.0).then_some(right / each)).collect()
}

impl Board {
    /// The board of the prediction tables at `tables`, with the cards beside them.
    ///
    /// # Errors
    /// If a table cannot be read or has mistakes, or a card cannot be read.
    pub fn read(tables: &[PathBuf], rules: Rules) -> Result<Self> {
        let (mut all, mut notes) = (Vec::new(), Vec::new());
        for table in tables {
            all.extend(standings(table, &rules, &mut notes)?);
        }
        // Whatever the order of the tables, the same board.
        all.sort_by(|a, b| (&a.summary.key, &a.table).cmp(&(&b.summary.key, &b.table)));
        // Cards first: what is trusted joins what is known.
        all.sort_by_key(|standing| standing.card.is_none());
        let mut groups: Vec<Group> = Vec::new();
        for mut standing in all {
            let alike =
                |group: &Group| group.protocol.is_alike(&standing.protocol, &rules.across, rules.trust);
            let mut fits = (0..groups.len()).filter(|at| alike(&groups[*at]));
            match (fits.next(), fits.next()) {
                (Some(at), None) => groups[at].networks.push(standing),
                // Only what has no card can fit several: it cannot be trusted to be one of them.
                (Some(_), Some(_)) => {
                    notes.push(format!(
                        "{}: has no card, and its rows fit several protocols: its protocol is unknown",
                        standing.table
                    ));
                    standing.trusted = false;
                    groups.push(Group::of(standing, false));
                }
                (None, _) => {
                    let known = standing.card.is_some() || rules.trust;
                    groups.push(Group::of(standing, known));
                }
            }
        }
        groups.sort_by(|a, b| {
            let order = |g: &Group| (!g.known, usize::MAX - g.networks.len());
            order(a).cmp(&order(b)).then_with(|| a.protocol.cmp(&b.protocol))
        });
        let first = groups.first().map(|group| group.protocol.clone());
        for group in &mut groups {
            group.differs = match &first {
                Some(first) => group.protocol.differences(first, &rules.across),
                None => Vec::new(),
            };
            rank(group, &rules);
        }
        Ok(Self { rules, groups, notes })
    }

    /// How many networks there are, on all test sets.
    pub fn len(&self) -> usize {
        self.groups.iter().map(|group| group.networks.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The accuracies that any network of the group has.
    pub fn views(group: &Group) -> Vec<View> {
        let tested = |view: &View| group.networks.iter().any(|one| one.summary.accuracy(*view).is_some());
        View::ALL.into_iter().filter(tested).collect()
    }
}

impl Group {
    /// A group of one network so far.
    fn of(standing: Standing, known: bool) -> Self {
        Self { protocol: standing.protocol.clone(), known, differs: Vec::new(), networks: vec![standing] }
    }

    /// Whether its networks are ranked.
    pub fn is_ranked(&self) -> bool {
        self.networks.iter().all(|standing| standing.rank.is_some())
    }
}

/// Every network of a table.
fn standings(table: &Path, rules: &Rules, notes: &mut Vec<String>) -> Result<Vec<Standing>> {
    let frame = Frame::read(&[table])?;
    let mut asked = asked_of(table)?;
    let card = own_card(table, "its protocol is unknown", notes)?;
    let name = table.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut found = Vec::with_capacity(frame.models.len());
    for model in frame.models {
        let key = &model.key;
        // A card speaks of the networks and splits that it lists.
        let is_about = |card: &&Card| card.test.dataset == key.dataset && card.split(&key.split).is_some();
        let own = card.as_ref().filter(is_about).and_then(|card| card.narrowed(&key.model));
        let asked = asked.remove(key).unwrap_or_default();
        let summary = summarise_model(&model, frame.classes.len(), &rules.bootstrap)?;
        found.push(Standing {
            table: name.clone(),
            trusted: own.is_none() && rules.trust,
            value: rules.by.of(&summary).filter(|value| value.value.is_finite()),
            rank: None,
            protocol: Protocol::new(&key.dataset, &key.split, &frame.classes, &asked, own.as_ref()),
            summary,
            card: own,
            frame: model,
        });
    }
    Ok(found)
}

/// Ranks the networks of a group whose protocol is known, and orders them.
fn rank(group: &mut Group, rules: &Rules) {
    let networks = &mut group.networks;
    // One alone has no rank.
    if group.known && networks.len() > 1 && networks.iter().all(|one| one.value.is_some()) {
        let columns: Vec<Vec<f64>> = networks.iter().map(|one| rules.by.column(&one.frame)).collect();
        let found = ranks(&rules.bootstrap, "leaderboard", &columns, rules.by.most());
        networks.iter_mut().zip(found).for_each(|(one, rank)| one.rank = Some(rank));
    }
    networks.sort_by_key(|one| one.rank.map_or(usize::MAX, |rank| rank.rank));
}
