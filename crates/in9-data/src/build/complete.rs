//! A dataset that is there already: the one that is asked for, or another.

use std::path::Path;

use crate::dataset::{Dataset, Settings, tables};
use crate::error::{Error, Result};
use crate::taxonomy::Taxonomy;

use super::BuildReport;
use super::piece_folder::program;

/// What came of the dataset at `out`, if it was built by this program with these settings and classes from
/// these photographs, which are asked for last.
pub(super) fn report(
    out: &Path,
    settings: &Settings,
    taxonomy: &Taxonomy,
    sources: impl FnOnce() -> Result<Vec<String>>,
) -> Result<BuildReport> {
    let dataset = Dataset::open(out)?;
    let manifest = dataset.manifest();
    let other = |what, expected: String, found: String| {
        Err(Error::OtherBuild { path: out.into(), what, expected, found })
    };
    if manifest.program != program() {
        return other("a dataset of another program is there", program(), manifest.program.clone());
    }
    if manifest.settings != *settings {
        let what = "a dataset with other settings is there";
        let (expected, found) = differing(settings, &manifest.settings);
        return other(what, expected, found);
    }
    if manifest.taxonomy != *taxonomy {
        let what = "a dataset with other classes is there";
        let names = |taxonomy: &Taxonomy| format!("{} classes of {}", taxonomy.len(), taxonomy.name);
        return other(what, names(taxonomy), names(&manifest.taxonomy));
    }
    let mut expected = sources()?;
    expected.sort_unstable();
    let found = tables::sources(&dataset)?;
    if expected != found {
        let what = "a dataset of other photographs is there";
        let new = expected.iter().find(|source| found.binary_search(source).is_err());
        let gone = found.iter().find(|source| expected.binary_search(source).is_err());
        let tell = |count: usize, one: Option<&String>| match one {
            Some(one) => format!("{count} photographs, {one} among them"),
            None => format!("{count} photographs"),
        };
        return other(what, tell(expected.len(), new), tell(found.len(), gone));
    }
    let mut report = BuildReport { already_complete: true, ..BuildReport::default() };
    for split in &manifest.splits {
        report.samples.push((split.name.clone(), split.samples));
        report.rejected.extend(split.rejected.iter().map(|r| (split.name.clone(), r.rule.clone(), r.count)));
    }
    Ok(report)
}

/// The first setting in which two differ, as each has it.
fn differing(a: &Settings, b: &Settings) -> (String, String) {
    let fields = |settings: &Settings| match serde_json::to_value(settings) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => Default::default(),
    };
    let (a, b) = (fields(a), fields(b));
    let name = a.keys().find(|name| a.get(*name) != b.get(*name)).cloned().unwrap_or_default();
    let show = |fields: &serde_json::Map<_, serde_json::Value>| {
        format!("{name} {}", fields.get(&name).unwrap_or(&serde_json::Value::Null))
    };
    (show(&a), show(&b))
}
