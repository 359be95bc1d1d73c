//! A stage's command line.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::Manner;
use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::graph::{Arg, Graph, Stage};

/// The words after the program's name with which `stage` writes `output` on `cores` cores.
///
/// # Errors
/// [`Error::NeedsData`] if the stage reads photographs and there are none.
pub fn arguments(
    graph: &Graph,
    stage: &Stage,
    cache: &Cache,
    manner: &Manner,
    cores: usize,
    output: &Path,
) -> Result<Vec<OsString>> {
    let needs = || Error::NeedsData { recipe: stage.id.clone(), wanted: "a folder".to_owned() };
    let data = || manner.data.clone().ok_or_else(needs);
    let mut words = vec![OsString::from(&stage.command)];
    for arg in &stage.args {
        words.push(match arg {
            Arg::Text(text) => text.into(),
            Arg::Output => output.into(),
            Arg::Input(input) => cache.out().join(&graph.stages[*input].output).into(),
            Arg::Data => data()?.into(),
            Arg::DataFolder(folder) => data()?.join(folder).into(),
            Arg::File(path) => path.into(),
            Arg::Spec(name, _) => cache.out().join(name).into(),
            Arg::Below(path) => cache.out().join(path).into(),
        });
    }
    words.extend(["--jobs".into(), cores.to_string().into()]);
    Ok(words)
}

/// The whole command of `stage`.
///
/// # Errors
/// As [`arguments`].
pub fn command(
    graph: &Graph,
    stage: &Stage,
    cache: &Cache,
    manner: &Manner,
    cores: usize,
    output: &Path,
) -> Result<Command> {
    let mut command = Command::new(cache.programs().path());
    command.args(arguments(graph, stage, cache, manner, cores, output)?);
    Ok(command)
}

/// A command as one would type it.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted = words.map(|word| {
        let word = word.to_string_lossy();
        let plain =
            !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=,:@+".contains(c));
        if plain { word.into_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut command = Command::new("in9");
        command.args(["show", "a b", "it's", ""]);
        assert_eq!(shown(&command), r"in9 show 'a b' 'it'\''s' ''");
    }
}
