//! Which operation fails, and how.

use std::path::{Path, PathBuf};

use super::Operation;
use crate::rng;

/// How one operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    CrashBefore,
    CrashAfter,
    PowerBefore,
    PowerAfter,
    /// With this error of the system.
    Refuse(i32),
    /// The same command runs from its beginning to its end in between.
    Meet,
    /// Of the file that is opened.
    FlipBit,
}

/// What `IN9_FAULTS` asks for.
#[derive(Debug)]
pub(super) enum Plan {
    /// The file grows by a byte an operation.
    Count(PathBuf),
    One {
        seed: u64,
        at: u64,
        /// Grows by a byte an operation of any process that the environment comes to, so that they count together.
        counted: Option<PathBuf>,
        planted: Option<String>,
    },
}

impl Plan {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("count ") {
            return Some(Self::Count(path.into()));
        }
        let (text, counted) = match text.split_once(" counted ") {
            Some((text, path)) => (text, Some(path.into())),
            None => (text, None),
        };
        let mut words = text.split_whitespace();
        let (Some("seed"), Some(seed), Some("of"), Some(operations)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return None;
        };
        let (seed, operations) = (seed.parse().ok()?, operations.parse::<u32>().ok()?);
        let at = rng::below(&mut rng::stream(seed, "faults: place", 0, 0), operations.max(1));
        Some(Self::One { seed, at: at.into(), counted, planted: words.next().map(str::to_owned) })
    }

    pub(super) fn seed(&self) -> u64 {
        match self {
            Self::Count(_) => 0,
            Self::One { seed, .. } => *seed,
        }
    }

    pub(super) fn planted(&self) -> Option<&str> {
        match self {
            Self::Count(_) => None,
            Self::One { planted, .. } => planted.as_deref(),
        }
    }

    /// The file by which several processes count together.
    pub(super) fn counted(&self) -> Option<&Path> {
        match self {
            Self::Count(path) => Some(path),
            Self::One { counted, .. } => counted.as_deref(),
        }
    }

    /// How operation number `number`, counted from 0, fails, if it does.
    pub(super) fn fault(&self, number: u64, operation: Operation<'_>) -> Option<Fault> {
        // Numbers of Linux and the BSDs.
        const EIO: i32 = 5;
        const EMFILE: i32 = 24;
        const ENOSPC: i32 = 28;
        match self {
            Self::One { at, seed, .. } if *at == number => {
                let kind = rng::below(&mut rng::stream(*seed, "faults: kind", 0, 0), 9);
                let opens =
                    matches!(operation, Operation::Open(_) | Operation::Create(_) | Operation::Put(_));
                Some(match kind {
                    0 => Fault::CrashBefore,
                    1 => Fault::CrashAfter,
                    2 | 3 => Fault::PowerBefore,
                    4 | 5 => Fault::PowerAfter,
                    6 => Fault::Meet,
                    7 if matches!(operation, Operation::Open(path) if is_ours(path)) => Fault::FlipBit,
                    _ if opens => Fault::Refuse(EMFILE),
                    7 => Fault::Refuse(EIO),
                    _ => Fault::Refuse(ENOSPC),
                })
            }
            _ => None,
        }
    }
}

/// Whether a file is of a format that our programs write and check: rot in a photograph or in a table of answers, which
/// may come from anywhere, is nobody's to notice. What lies in a folder that is still being made is in memory, too, and
/// has not been checked for the first time.
fn is_ours(path: &Path) -> bool {
    const OURS: [&str; 6] = ["in9", "chunk", "json", "csv", "toml", "safetensors"];
    const FIGURES: [&str; 3] = ["predictions", "scores", "probes"];
    let is_ours = path.extension().and_then(|end| end.to_str()).is_some_and(|end| OURS.contains(&end));
    let excepted = path.components().any(|part| {
        let part = part.as_os_str().to_string_lossy();
        part.ends_with(".making") || FIGURES.contains(&part.as_ref())
    });
    is_ours && !excepted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_from_words() {
        assert!(Plan::parse("").is_none() && Plan::parse("seed x of 3").is_none());
        assert!(matches!(Plan::parse("count a b"), Some(Plan::Count(path)) if path.as_os_str() == "a b"));
        let plan = Plan::parse("seed 7 of 3 missing-sync").unwrap();
        assert_eq!((plan.seed(), plan.planted()), (7, Some("missing-sync")));
        assert!(matches!(plan, Plan::One { at: 0..3, .. }));
        let plan = Plan::parse("seed 7 of 3 missing-sync counted a b").unwrap();
        assert_eq!((plan.planted(), plan.counted()), (Some("missing-sync"), Some(Path::new("a b"))));
    }
}
