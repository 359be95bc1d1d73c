//! `run.toml`: every effective setting of a run.

use std::path::Path;

use in9_data::facts;

use crate::error::{Error, Result};
use crate::train::Settings;

pub use in9_data::facts::{DataSection, ModelSection};

/// The contents of `run.toml` with this library's settings of a training.
pub type RunFile = facts::RunFile<Settings>;

/// Nobody's settings are longer, in bytes.
const LONGEST: u64 = 4 << 20;

/// Reads the `run.toml` at `path`.
///
/// # Errors
/// [`Error::Base`], or [`Error::File`] when it is not one.
pub fn read_run(path: &Path) -> Result<RunFile> {
    let text = in9_base::files::read_text(path, LONGEST)?;
    RunFile::parse(&text).map_err(|e| {
        let what = format!("not a run.toml: {}", e.message());
        Error::file(path, what, "the settings of a run", "something else")
    })
}

/// The text of a `run.toml`.
pub(crate) fn text(run: &RunFile) -> Result<String> {
    run.text().map_err(unwritable)
}

pub(crate) fn unwritable(error: toml::ser::Error) -> Error {
    Error::setting("run.toml", "settings that TOML can hold", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> RunFile {
        RunFile {
            name: "r".into(),
            version: "1".into(),
            seed: 3,
            device: "cpu".into(),
            model: ModelSection {
                arch: "resnet-tiny".into(),
                parameters: 9,
                classes: vec!["cat".into(), "dog".into()],
                initial_weights: String::new(),
            },
            data: DataSection {
                dataset: "d".into(),
                digest: "0".into(),
                split: "train".into(),
                view: "original".into(),
                samples: 8,
                fraction: 1.0,
                group: 0,
                size: 32,
                eval_split: String::new(),
                mean: [0.5; 3],
                std: [0.25; 3],
            },
            training: Settings::small(),
        }
    }

    /// `change` makes the difference that is named, in this direction and in the other.
    fn check(change: impl Fn(&mut RunFile), there: &str, back: &str) {
        let (plain, mut changed) = (run(), run());
        change(&mut changed);
        assert_eq!(plain.difference(&changed).unwrap().as_deref(), Some(there));
        assert_eq!(changed.difference(&plain).unwrap().as_deref(), Some(back));
    }

    #[test]
    fn a_difference_is_named_whatever_else_is_left_out() {
        assert_eq!(run().difference(&run()).unwrap(), None);
        check(
            |r| r.training.epochs = 3,
            "`training.epochs = 15` there, `training.epochs = 3` asked for",
            "`training.epochs = 3` there, `training.epochs = 15` asked for",
        );
        check(
            |r| r.data.view = "no-fg".into(),
            r#"`data.view = "original"` there, `data.view = "no-fg"` asked for"#,
            r#"`data.view = "no-fg"` there, `data.view = "original"` asked for"#,
        );
        // A whole training set and plain classes are left out of the file, here on one side only.
        check(
            |r| r.data.fraction = 0.5,
            "no data.fraction there, `data.fraction = 0.5` asked for",
            "`data.fraction = 0.5` there, no data.fraction asked for",
        );
        check(
            |r| r.data.group = 1,
            "no data.group there, `data.group = 1` asked for",
            "`data.group = 1` there, no data.group asked for",
        );
        // A setting that only some schedules have.
        check(
            |r| r.training.schedule = Settings::paper().schedule,
            "no training.schedule.epochs there, `training.schedule.epochs = 50` asked for",
            "`training.schedule.epochs = 50` there, no training.schedule.epochs asked for",
        );
    }

    #[test]
    fn what_is_left_out_reads_back_as_its_default() {
        let text = run().text().unwrap();
        assert!(!text.contains("fraction") && !text.contains("group"), "{text}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &text).unwrap();
        let back = read_run(file.path()).unwrap();
        assert_eq!(back.difference(&run()).unwrap(), None);
        assert_eq!(back, run());
    }
}
