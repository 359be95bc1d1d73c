//! Adversarial backgrounds for a network of Python: the search of `in9 adversarial`.

use std::path::PathBuf;

use in9_analysis::output::json;
use in9_analysis::probes::adversarial::summary::Names;
use in9_analysis::probes::adversarial::write::{OWNER, files};
use in9_analysis::probes::adversarial::{
    PairLog, Rule, Search, SearchSettings, own_answers, search, search_known, summarise,
};
use in9_analysis::stats::LEVEL;
use in9_base::files::{Journal, OutputFolder};
use in9_data::SoundSplit;
use pyo3::prelude::*;

use crate::dataset::Split;
use crate::error::{Raise, argument};
use crate::network::PythonNetwork;
use crate::outputs::Outputs;
use crate::work;

/// A tried composite: foreground, background, predicted class.
type Pair = (u32, u32, Option<u16>);

/// Searches for backgrounds that turn a network's answers; the summary as JSON, and every tried pair.
///
/// With `out`, writes what `in9 adversarial` writes there, and keeps the pairs of an unfinished search of `identity`
/// beside it, so that the same call goes on.
#[pyfunction]
#[pyo3(signature = (
    split, logits, outputs, *, foregrounds, backgrounds, rules, exhaustive, wave, batch_size, model, trained_on, dataset,
    identity, settings, out=None, progress=None
))]
pub(crate) fn challenge(
    py: Python<'_>,
    split: &Split,
    logits: Py<PyAny>,
    outputs: Py<Outputs>,
    foregrounds: Vec<u32>,
    backgrounds: Vec<u32>,
    rules: Vec<String>,
    exhaustive: bool,
    wave: usize,
    batch_size: usize,
    model: String,
    trained_on: String,
    dataset: String,
    identity: &str,
    settings: String,
    out: Option<PathBuf>,
    progress: Option<Py<PyAny>>,
) -> PyResult<(String, Vec<Pair>)> {
    let mut rules = rules
        .iter()
        .map(|rule| rule.parse())
        .collect::<Result<Vec<Rule>, _>>()
        .map_err(|e| argument(py, e))?;
    rules.sort_unstable();
    rules.dedup();
    let sound = sound(py, split)?;
    if let Some(index) = foregrounds.iter().chain(&backgrounds).find(|&&index| index as usize >= sound.len())
    {
        return Err(argument(py, format!("sample {index} of {} in split {}", sound.len(), sound.name())));
    }
    let search_settings =
        SearchSettings { rules, foregrounds, backgrounds, wave, batch: batch_size, exhaustive };
    let folder = out.as_deref().map(|out| OutputFolder::begin(out, &OWNER, &[split.dataset.path()]));
    let folder = folder.transpose().raise(py)?;
    let mut pairs = match &out {
        Some(out) => {
            let identity = *blake3::hash(identity.as_bytes()).as_bytes();
            PairLog::open(&Journal::beside(out), identity).raise(py)?
        }
        None => PairLog::none(),
    };
    let network = PythonNetwork::new(logits, None, outputs);
    let found = py.detach(|| {
        let total = (search_settings.foregrounds.len() * search_settings.backgrounds.len()) as u64;
        let tell = &mut |decided: usize, foregrounds: usize, tried: u64| {
            let step = match exhaustive {
                true => ("pairs", tried, total),
                false => ("foregrounds", decided as u64, foregrounds as u64),
            };
            network.tell(progress.as_ref(), step);
        };
        let mut found = search(&sound, &network, &search_settings, &mut pairs, tell)?;
        if exhaustive {
            found.own = own_answers(&sound, &network, &search_settings)?;
        }
        Ok(found)
    });
    let found = network.settle(py, found)?;
    let classes: Vec<String> =
        split.dataset.taxonomy().classes.iter().map(|class| class.name.clone()).collect();
    let names =
        Names { model, trained_on, dataset, split: sound.name().to_owned(), training: Default::default() };
    let summed = work::run(py, None, |_| {
        let mut summary = summarise(&sound, &search_settings, &found, &names, LEVEL);
        if let Some(ordered) = ordered(&sound, classes.len(), &search_settings, &found)? {
            summary.add_ordered(&sound, &search_settings, &found, &ordered);
        }
        if let Some(folder) = folder {
            for (name, bytes) in files(&sound, &classes, &search_settings, &found, &summary)? {
                folder.write(name, bytes)?;
            }
            folder.write("settings.toml", settings)?;
            folder.finish()?;
        }
        json::pretty(&summary)
    })?;
    let summary = summed.raise(py)?;
    pairs.remove().raise(py)?;
    Ok((summary, found.pairs.iter().map(|pair| (pair.foreground, pair.background, pair.predicted)).collect()))
}

/// The split with every layer checked, which probes read without errors.
pub(crate) fn sound(py: Python<'_>, split: &Split) -> PyResult<SoundSplit> {
    if !split.split.has_layers() {
        let name = split.split.name();
        return Err(argument(
            py,
            format!("split {name} holds photographs only (expected masks and backgrounds)"),
        ));
    }
    work::run(py, None, |_| split.split.check_layers())?.raise(py)
}

/// An ordered search for the challenge's verdicts, replayed on the answers of an exhaustive one.
fn ordered(
    split: &SoundSplit,
    classes: usize,
    settings: &SearchSettings,
    found: &Search,
) -> in9_analysis::Result<Option<Search>> {
    if !settings.exhaustive || !settings.rules.contains(&Rule::Untargeted) {
        return Ok(None);
    }
    let ordered = SearchSettings { rules: vec![Rule::Untargeted], exhaustive: false, ..settings.clone() };
    search_known(split, classes, &ordered, found).map(Some)
}
