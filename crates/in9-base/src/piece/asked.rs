//! Which piece a process is asked for: by name, or by the variables that a scheduler sets for it.

use super::{BadPiece, Piece};

/// Why it is not known which piece is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoPiece {
    /// The text is neither a piece nor `auto`.
    #[error("{found:?} names no piece (expected i/n with 1 <= i <= n, as in 2/7, or auto, or auto/n)")]
    Text {
        /// What was given.
        found: String,
    },
    /// No scheduler has set its variables.
    #[error(
        "no scheduler says which piece this is (looked for SLURM_ARRAY_TASK_ID, HQ_TASK_ID and SKYPILOT_JOB_RANK)"
    )]
    NoScheduler,
    /// A scheduler counts the tasks, but does not say of how many.
    #[error("{by} does not say how many pieces there are; name the number, as in auto/64")]
    NoCount {
        /// The variable that says which piece it is.
        by: &'static str,
    },
    /// Only some tasks of an array were started, so that the number of tasks is not that of the pieces.
    #[error(
        "the array has tasks {first} to {last}, but only {count} of them; name the number of pieces, as in auto/64"
    )]
    Gaps {
        /// The first task's number.
        first: u32,
        /// The last task's number.
        last: u32,
        /// How many tasks there are.
        count: u32,
    },
    /// A scheduler's variable is no number, or none that can be.
    #[error("{variable} is {found:?} (expected a number {expected})")]
    Variable {
        /// The variable.
        variable: &'static str,
        /// Its value.
        found: String,
        /// Which numbers it may be.
        expected: String,
    },
}

/// A number that a scheduler's variable holds; `None` if it is not set.
type Number = Result<Option<u32>, NoPiece>;

impl Piece {
    /// The piece that `text` means: `i/n`; or `auto`, which is what the scheduler's variables say, given by
    /// `environment`; or `auto/n`, where the scheduler says which and the text of how many.
    ///
    /// | scheduler | which | of how many |
    /// | --- | --- | --- |
    /// | Slurm | `SLURM_ARRAY_TASK_ID`, from `SLURM_ARRAY_TASK_MIN` on | `SLURM_ARRAY_TASK_COUNT` |
    /// | HyperQueue | `HQ_TASK_ID` | says nothing: `auto/n` |
    /// | SkyPilot | `SKYPILOT_JOB_RANK`, from 0 on | `SKYPILOT_NUM_JOBS` |
    ///
    /// With `auto/n` the tasks of Slurm and HyperQueue are counted from 1, as pieces are, so that any few of them can be
    /// started again (`--array=3,17`).
    ///
    /// ```
    /// use in9_base::Piece;
    /// let task = |name: &str| (name == "SLURM_ARRAY_TASK_ID").then(|| "3".to_owned());
    /// assert_eq!(Piece::asked("auto/7", &task)?.to_string(), "3/7");
    /// # Ok::<(), in9_base::NoPiece>(())
    /// ```
    ///
    /// # Errors
    /// [`NoPiece`] if the text, or what the scheduler says, names no piece.
    pub fn asked(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, NoPiece> {
        let wrong = || NoPiece::Text { found: text.to_owned() };
        let of = match text.split_once('/') {
            None if text == "auto" => None,
            Some(("auto", of)) => Some(format!("1/{of}").parse::<Self>().map_err(|_| wrong())?.of()),
            _ => return text.parse().map_err(|_: BadPiece| wrong()),
        };
        let number = |variable: &'static str| -> Number {
            let Some(found) = environment(variable) else { return Ok(None) };
            let bad =
                |_| NoPiece::Variable { variable, found: found.clone(), expected: "from 0 up".to_owned() };
            found.trim().parse().map(Some).map_err(bad)
        };
        if let Some(task) = number("SLURM_ARRAY_TASK_ID")? {
            return slurm(task, of, &number);
        }
        if let Some(task) = number("HQ_TASK_ID")? {
            let of = of.ok_or(NoPiece::NoCount { by: "HQ_TASK_ID" })?;
            return counted("HQ_TASK_ID", task, 1, of);
        }
        if let Some(rank) = number("SKYPILOT_JOB_RANK")? {
            let of = match of {
                Some(of) => of,
                None => number("SKYPILOT_NUM_JOBS")?.ok_or(NoPiece::NoCount { by: "SKYPILOT_JOB_RANK" })?,
            };
            return counted("SKYPILOT_JOB_RANK", rank, 0, of);
        }
        Err(NoPiece::NoScheduler)
    }
}

/// The piece of a task of a Slurm array.
fn slurm(task: u32, of: Option<u32>, number: &dyn Fn(&'static str) -> Number) -> Result<Piece, NoPiece> {
    const TASK: &str = "SLURM_ARRAY_TASK_ID";
    if let Some(of) = of {
        return counted(TASK, task, 1, of);
    }
    let count = number("SLURM_ARRAY_TASK_COUNT")?.ok_or(NoPiece::NoCount { by: TASK })?;
    let first = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(1);
    let last =
        number("SLURM_ARRAY_TASK_MAX")?.unwrap_or_else(|| first.saturating_add(count).saturating_sub(1));
    // Without gaps, every number between the first and the last is a task's.
    if last.checked_sub(first).is_none_or(|steps| steps.saturating_add(1) != count) {
        return Err(NoPiece::Gaps { first, last, count });
    }
    counted(TASK, task, first, count)
}

/// Piece `task` of `of`, where the first is number `first`.
fn counted(variable: &'static str, task: u32, first: u32, of: u32) -> Result<Piece, NoPiece> {
    let place = task.checked_sub(first).and_then(|place| place.checked_add(1));
    place.and_then(|place| Piece::new(place, of).ok()).ok_or_else(|| NoPiece::Variable {
        variable,
        found: task.to_string(),
        expected: format!("from {first} up, for {of} pieces"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str, variables: &[(&str, &str)]) -> Result<String, String> {
        let environment = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Piece::asked(text, &environment).map(|piece| piece.to_string()).map_err(|error| error.to_string())
    }

    const ID: &str = "SLURM_ARRAY_TASK_ID";
    const COUNT: &str = "SLURM_ARRAY_TASK_COUNT";
    const MIN: &str = "SLURM_ARRAY_TASK_MIN";
    const MAX: &str = "SLURM_ARRAY_TASK_MAX";

    #[test]
    fn every_scheduler_counts_the_same_pieces() {
        assert_eq!(asked("2/7", &[(ID, "5")]).unwrap(), "2/7");
        for first in [0, 1, 10] {
            let (min, max) = (first.to_string(), (first + 3).to_string());
            for place in 0..4 {
                let id = (first + place).to_string();
                let array = [(ID, id.as_str()), (COUNT, "4"), (MIN, min.as_str()), (MAX, max.as_str())];
                assert_eq!(asked("auto", &array).unwrap(), format!("{}/4", place + 1));
            }
        }
        // Two tasks of an array of 64 that are started again.
        let again = [(ID, "17"), (COUNT, "2"), (MIN, "3"), (MAX, "17")];
        assert_eq!(asked("auto/64", &again).unwrap(), "17/64");
        assert_eq!(asked("auto/9", &[("HQ_TASK_ID", "9")]).unwrap(), "9/9");
        let sky = [("SKYPILOT_JOB_RANK", "0"), ("SKYPILOT_NUM_JOBS", "3")];
        assert_eq!(asked("auto", &sky).unwrap(), "1/3");
        assert_eq!(asked("auto/3", &sky).unwrap(), "1/3");
    }

    #[test]
    fn what_names_no_piece_is_said() {
        assert!(asked("auto", &[]).unwrap_err().contains("no scheduler says"));
        assert!(asked("auto", &[("HQ_TASK_ID", "2")]).unwrap_err().contains("auto/64"));
        assert!(asked("auto", &[("SKYPILOT_JOB_RANK", "2")]).unwrap_err().contains("auto/64"));
        let again = [(ID, "17"), (COUNT, "2"), (MIN, "3"), (MAX, "17")];
        assert!(asked("auto", &again).unwrap_err().contains("only 2 of them"));
        assert!(asked("auto/7", &[(ID, "0")]).unwrap_err().contains("from 1 up, for 7 pieces"));
        assert!(asked("auto/7", &[(ID, "8")]).unwrap_err().contains("is \"8\""));
        assert!(asked("auto", &[(ID, "x")]).unwrap_err().contains("SLURM_ARRAY_TASK_ID is \"x\""));
        for bad in ["", "3", "auto/", "auto/0", "auto/x", "auto/1/2", "0/3", "automatic"] {
            assert!(asked(bad, &[(ID, "1")]).unwrap_err().contains("names no piece"), "{bad}");
        }
    }
}
