//! The files of a search.

use super::matrix::Matrix;
use super::pairs::Pair;
use super::rules::Rule;
use super::search::{Search, SearchSettings};
use super::summary::Summary;
use crate::error::{Error, Result};
use crate::output::csv_files::encode;
use crate::output::json;
use crate::probes::scenes::Scenes;
use in9_base::files::Owner;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Whose the folder of a search is, and what may be in it.
pub const OWNER: Owner = Owner {
    made_by: "in9-analysis adversarial",
    names: &[
        "summary.json",
        "foregrounds.csv",
        "fooled.csv",
        "backgrounds.csv",
        "pairs.csv",
        "settings.toml",
    ],
};

/// Contents of summary.json, foregrounds.csv, fooled.csv and backgrounds.csv.
///
/// # Errors
/// If a file cannot be encoded.
pub fn files(
    scenes: &dyn Scenes,
    classes: &[String],
    settings: &SearchSettings,
    found: &Search,
    summary: &Summary,
) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let mut files = vec![
        ("summary.json", json::pretty(summary)?.into_bytes()),
        ("foregrounds.csv", foregrounds(scenes, classes, settings, found)?),
        ("fooled.csv", fooled(scenes, classes, found)?),
    ];
    if settings.exhaustive {
        files.push(("backgrounds.csv", backgrounds(scenes, classes, settings, found)?));
    }
    Ok(files)
}

fn name(classes: &[String], class: Option<u16>) -> String {
    class.and_then(|c| classes.get(usize::from(c))).cloned().unwrap_or_default()
}

/// One row a foreground and rule: whether it fell, to which background first, after how many tries, and whether it
/// was right on its own background (empty if that was not tried).
fn foregrounds(
    scenes: &dyn Scenes,
    classes: &[String],
    settings: &SearchSettings,
    found: &Search,
) -> Result<Vec<u8>> {
    // By foreground, each one's in the order in which they were tried: to look for them among all pairs would take a time
    // that grows with the square of the photographs.
    let mut pairs: Vec<&Pair> = found.pairs.iter().collect();
    pairs.sort_by_key(|p| p.foreground);
    let apart: HashMap<u32, &Pair> = found.own.iter().map(|p| (p.foreground, p)).collect();
    let mut rows = Vec::new();
    for &f in &settings.foregrounds {
        let class = scenes.class(f as usize);
        let tried = &pairs[pairs.partition_point(|p| p.foreground < f)..];
        let tried = &tried[..tried.partition_point(|p| p.foreground == f)];
        let own = tried.iter().copied().find(|p| p.background == f);
        let own = own.or_else(|| apart.get(&f).copied());
        let own = own.map(|p| u8::from(p.predicted == Some(class)).to_string()).unwrap_or_default();
        for &rule in &settings.rules {
            let first =
                tried.iter().find(|p| rule.success(class, scenes.class(p.background as usize), p.predicted));
            rows.push(vec![
                scenes.id(f as usize).to_owned(),
                name(classes, Some(class)),
                rule.name().to_owned(),
                u8::from(first.is_some()).to_string(),
                first.map(|p| scenes.id(p.background as usize).to_owned()).unwrap_or_default(),
                tried.len().to_string(),
                own.clone(),
            ]);
        }
    }
    let header = ["foreground", "class", "rule", "vulnerable", "first_background", "tries", "right_on_own"];
    encode(&header, rows)
}

/// Verdicts of a search under one rule.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Verdicts {
    /// Whether each foreground fell, 1 or 0 by its id.
    pub fell: BTreeMap<String, f64>,
    /// Whether these are only the foregrounds that were right on their own background; otherwise that was not tried
    /// on each, and they are all.
    pub known: bool,
}

/// Verdicts under a rule, from a foregrounds.csv.
///
/// # Errors
/// If the file is not one.
pub fn read_verdicts(path: &Path, rule: Rule) -> Result<Verdicts> {
    let bad = Error::csv(path);
    let mut rows = Vec::new();
    for record in csv::Reader::from_reader(in9_base::files::open(path)?).records() {
        let record = record.map_err(&bad)?;
        if let (Some(foreground), Some(name), Some(vulnerable)) =
            (record.get(0), record.get(2), record.get(3))
            && name == rule.name()
        {
            let own = record.get(6).unwrap_or_default().to_owned();
            rows.push((foreground.to_owned(), f64::from(u8::from(vulnerable == "1")), own));
        }
    }
    let known = !rows.is_empty() && rows.iter().all(|(.., own)| !own.is_empty());
    let counts = |own: &str| !known || own == "1";
    let fell = rows.into_iter().filter(|(.., own)| counts(own)).map(|(id, fell, _)| (id, fell));
    Ok(Verdicts { fell: fell.collect(), known })
}

/// Whether each foreground was right on its own tiled background, 1 or 0 by its id, from a foregrounds.csv; those on which
/// that was not tried are left out.
///
/// # Errors
/// If the file is not one.
pub fn read_own(path: &Path) -> Result<BTreeMap<String, f64>> {
    let bad = Error::csv(path);
    let mut own = BTreeMap::new();
    for record in csv::Reader::from_reader(in9_base::files::open(path)?).records() {
        let record = record.map_err(&bad)?;
        if let (Some(foreground), Some(right)) = (record.get(0), record.get(6))
            && !right.is_empty()
        {
            own.insert(foreground.to_owned(), f64::from(u8::from(right == "1")));
        }
    }
    Ok(own)
}

/// One row a pair that made the answer wrong.
fn fooled(scenes: &dyn Scenes, classes: &[String], found: &Search) -> Result<Vec<u8>> {
    let mut rows: Vec<_> = found.pairs.iter().collect();
    rows.sort_by_key(|p| (p.foreground, p.background));
    let rows = rows.into_iter().filter_map(|p| {
        let (class, behind) = (scenes.class(p.foreground as usize), scenes.class(p.background as usize));
        Rule::Untargeted.success(class, behind, p.predicted).then(|| {
            vec![
                scenes.id(p.foreground as usize).to_owned(),
                name(classes, Some(class)),
                scenes.id(p.background as usize).to_owned(),
                name(classes, Some(behind)),
                name(classes, p.predicted),
                u8::from(Rule::Targeted.success(class, behind, p.predicted)).to_string(),
            ]
        })
    });
    encode(&["foreground", "class", "background", "background_class", "predicted", "targeted"], rows)
}

/// One row a background and rule: successes and tries.
fn backgrounds(
    scenes: &dyn Scenes,
    classes: &[String],
    settings: &SearchSettings,
    found: &Search,
) -> Result<Vec<u8>> {
    let matrix = Matrix::new(&found.pairs);
    let class = |i: u32| scenes.class(i as usize);
    let mut rows = Vec::new();
    for &b in &settings.backgrounds {
        for &rule in &settings.rules {
            let (won, tried) = matrix.success(rule, &settings.foregrounds, b, class);
            rows.push(vec![
                scenes.id(b as usize).to_owned(),
                name(classes, Some(class(b))),
                rule.name().to_owned(),
                won.to_string(),
                tried.to_string(),
            ]);
        }
    }
    encode(&["background", "class", "rule", "successes", "tries"], rows)
}

/// Success of one background under a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    /// Name of the background's class.
    pub class: String,
    /// Foregrounds that it fooled.
    pub won: f64,
    /// Foregrounds that it was tried on.
    pub tried: f64,
}

/// The backgrounds' successes under a rule, from a backgrounds.csv.
///
/// # Errors
/// If the file is not one.
pub fn read_rates(path: &Path, rule: Rule) -> Result<Vec<Rate>> {
    let bad = Error::csv(path);
    let mut rates = Vec::new();
    for record in csv::Reader::from_reader(in9_base::files::open(path)?).deserialize() {
        let (_, class, name, won, tried): (String, String, String, f64, f64) = record.map_err(&bad)?;
        if name == rule.name() {
            rates.push(Rate { class, won, tried });
        }
    }
    Ok(rates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::scenes::tests::Grey;

    #[test]
    fn each_foreground_has_its_own_pairs_in_the_order_in_which_they_were_tried() {
        let scenes = Grey::new(6, 3);
        let class = |i: u32| scenes.class(i as usize);
        let other = |i: u32| (0..3).find(|c| *c != class(i)).unwrap();
        let right = |f: u32, b| Pair { foreground: f, background: b, predicted: Some(class(f)) };
        let wrong = |f: u32, b| Pair { predicted: Some(other(f)), ..right(f, b) };
        let found = Search {
            pairs: vec![right(4, 5), right(1, 3), wrong(4, 1), wrong(1, 5), right(4, 4), wrong(1, 0)],
            passes: 0,
            background_scores: Vec::new(),
            own: vec![wrong(1, 1)],
        };
        let settings = SearchSettings {
            rules: vec![Rule::Untargeted],
            foregrounds: vec![1, 2, 4],
            backgrounds: vec![0, 1, 3, 4, 5],
            wave: 1,
            batch: 1,
            exhaustive: false,
        };
        let classes = ["a", "b", "c"].map(str::to_owned);
        let text = String::from_utf8(foregrounds(&scenes, &classes, &settings, &found).unwrap()).unwrap();
        let row = |f: u32, rest: &str| {
            format!("{},{},untargeted,{rest}", scenes.id(f as usize), classes[usize::from(class(f))])
        };
        let first = |f: u32, tries: &str| format!("1,{},{tries}", scenes.id(f as usize));
        let wanted = [row(1, &first(5, "3,0")), row(2, "0,,0,"), row(4, &first(1, "3,1"))];
        assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn verdicts_and_rates_are_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f.csv");
        let header = "foreground,class,rule,vulnerable,first_background,tries";
        let rows = "a,dog,targeted,1,x,3,1\nb,dog,targeted,0,,3,1\nc,dog,targeted,1,x,3,0\nd,dog,untargeted,1,x,3,1\n";
        std::fs::write(&path, format!("{header},right_on_own\n{rows}")).unwrap();
        let found = read_verdicts(&path, Rule::Targeted).unwrap();
        let fell = [("a".to_owned(), 1.0), ("b".to_owned(), 0.0)].into();
        assert_eq!(found, Verdicts { fell, known: true });
        let own = [("a", 1.0), ("b", 1.0), ("c", 0.0), ("d", 1.0)].map(|(id, own)| (id.to_owned(), own));
        assert_eq!(read_own(&path).unwrap(), own.into());
        // One that was not tried on its own background, and nothing can be left out.
        std::fs::write(&path, format!("{header},right_on_own\n{rows}f,dog,targeted,0,,3,\n")).unwrap();
        let found = read_verdicts(&path, Rule::Targeted).unwrap();
        assert_eq!((found.fell.len(), found.known), (4, false));
        // Without the column, as an earlier version wrote it, every foreground counts.
        std::fs::write(&path, format!("{header}\ne,dog,targeted,1,x,3\n")).unwrap();
        let found = read_verdicts(&path, Rule::Targeted).unwrap();
        assert_eq!(found, Verdicts { fell: [("e".to_owned(), 1.0)].into(), known: false });
        std::fs::write(&path, "background,class,rule,successes,tries\nx,fish,targeted,3,4\n").unwrap();
        let rate = Rate { class: "fish".into(), won: 3.0, tried: 4.0 };
        assert_eq!(read_rates(&path, Rule::Targeted).unwrap(), [rate]);
        assert!(read_rates(&path, Rule::Untargeted).unwrap().is_empty());
    }
}
