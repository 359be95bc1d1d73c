//! What a recipe, or a file beside it, says of a cluster: the resources of each kind of stage.

use std::collections::BTreeMap;
use std::path::Path;

use in9_base::files;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::graph::Stage;

/// Names under which resources are given, from the most general to the most special; beside these, `merge`.
const NAMES: [&str; 14] = [
    "all",
    "render",
    "build",
    "train",
    "predict",
    "probe",
    "score",
    "report",
    "adversarial",
    "saliency",
    "counterfactual",
    "mask-error",
    "surface",
    "merge",
];

/// Resources by kind of stage (`[cluster.train]`), by command (`[cluster.saliency]`), of what joins pieces
/// (`[cluster.merge]`) and of all (`[cluster.all]`). The special ones stand over the general ones, value by value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cluster {
    /// A folder on each node's own disk, in which outputs are made before they are copied to the output folder. A word
    /// `$NAME` is replaced by that variable of the environment where the stage runs; a folder of that name must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scratch: Option<String>,
    /// Resources by name.
    #[serde(flatten)]
    pub stages: BTreeMap<String, Resources>,
}

/// What a scheduler is asked for. What is not said is left to the scheduler's own defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Resources {
    /// Pieces that a stage is divided into, where its command can be (default 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pieces: Option<u32>,
    /// Most pieces of a stage that run at once (Slurm only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_once: Option<u32>,
    /// Cores of a job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<u32>,
    /// Memory of a job, as Slurm takes it: `16G` (Slurm only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Longest time of a job: `4:00:00`, which is hours, minutes, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// GPUs of a job; by default one for networks on a GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpus: Option<u32>,
    /// Slurm's partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// Slurm's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Further arguments of `sbatch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Vec<String>>,
}

/// A file that holds the table `[cluster]` and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Alone {
    cluster: Cluster,
}

/// No such file is longer than this, in bytes.
const LONGEST: u64 = 1 << 20;

impl Cluster {
    /// Reads a file that holds the table `[cluster]` as a recipe may.
    ///
    /// # Errors
    /// If it cannot be read, or is none.
    pub fn load(path: &Path) -> Result<Self> {
        let text = files::read_text(path, LONGEST)?;
        let read: Alone = toml::from_str(&text)
            .map_err(|source| Error::Syntax { path: path.to_owned(), source: Box::new(source) })?;
        let wrong = |what| Error::Recipe { recipe: path.display().to_string(), what };
        read.cluster.check().map_err(wrong)?;
        Ok(read.cluster)
    }

    /// What `stage` is given.
    pub fn of(&self, stage: &Stage) -> Resources {
        let mut resources = self.stack(&["all", stage.kind.name(), &stage.command]);
        if !stage.kind.runs_a_network() {
            // What is said of all stages is meant for those that can use it.
            resources.gpus = self.stack(&[stage.kind.name(), &stage.command]).gpus;
        }
        resources
    }

    /// What joins the pieces of a stage is given: neither pieces nor a GPU, unless `[cluster.merge]` names them.
    pub fn of_merge(&self) -> Resources {
        let all = Resources { pieces: None, gpus: None, ..self.stack(&["all"]) };
        match self.stages.get("merge") {
            Some(own) => own.over(&all),
            None => all,
        }
    }

    /// Checks names and words.
    ///
    /// # Errors
    /// With what is wrong.
    pub(super) fn check(&self) -> std::result::Result<(), String> {
        if let Some(name) = self.stages.keys().find(|name| !NAMES.contains(&name.as_str())) {
            return Err(format!("cluster.{name}: no such kind of stage (there are: {})", NAMES.join(", ")));
        }
        for (name, resources) in &self.stages {
            resources.check().map_err(|what| format!("cluster.{name}: {what}"))?;
        }
        match &self.scratch {
            Some(scratch) if scratch.is_empty() || scratch.chars().any(char::is_control) => {
                Err("cluster.scratch: names no folder".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn stack(&self, names: &[&str]) -> Resources {
        let layers = names.iter().filter_map(|name| self.stages.get(*name));
        layers.fold(Resources::default(), |below, own| own.over(&below))
    }
}

impl Resources {
    /// These, and what they do not say from `below`.
    fn over(&self, below: &Self) -> Self {
        let own = self.clone();
        let below = below.clone();
        Self {
            pieces: own.pieces.or(below.pieces),
            at_once: own.at_once.or(below.at_once),
            cores: own.cores.or(below.cores),
            memory: own.memory.or(below.memory),
            time: own.time.or(below.time),
            gpus: own.gpus.or(below.gpus),
            partition: own.partition.or(below.partition),
            account: own.account.or(below.account),
            extra: own.extra.or(below.extra),
        }
    }

    fn check(&self) -> std::result::Result<(), String> {
        for (name, number) in [("pieces", self.pieces), ("at-once", self.at_once), ("cores", self.cores)] {
            if number == Some(0) {
                return Err(format!("{name} is a number from 1 up"));
            }
        }
        if self.pieces.is_some_and(|pieces| pieces > MOST_PIECES) {
            return Err(format!("there are at most {MOST_PIECES} pieces"));
        }
        for (name, word) in [
            ("memory", &self.memory),
            ("time", &self.time),
            ("partition", &self.partition),
            ("account", &self.account),
        ] {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:,+".contains(c);
            if let Some(word) = word
                && (word.starts_with('-') || word.is_empty() || !word.chars().all(plain))
            {
                return Err(format!("{name}: {word:?} is no word of letters, digits and -_.:,+"));
            }
        }
        if let Some(time) = &self.time {
            seconds(time)
                .ok_or_else(|| format!("time: {time:?} (expected hours:minutes:seconds, as in 4:00:00)"))?;
        }
        match self
            .extra
            .iter()
            .flatten()
            .find(|word| !word.starts_with('-') || word.chars().any(char::is_control))
        {
            Some(word) => {
                Err(format!("extra: {word:?} is no argument (expected words such as \"--qos=normal\")"))
            }
            None => Ok(()),
        }
    }
}

/// Schedulers get slow with more, and pieces would be seconds long.
const MOST_PIECES: u32 = 10_000;

/// Seconds of a time as `hours:minutes:seconds`.
pub(crate) fn seconds(time: &str) -> Option<u64> {
    let parts: Vec<u64> = time.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    match parts[..] {
        [hours, minutes, seconds] if minutes < 60 && seconds < 60 => {
            hours.checked_mul(3600)?.checked_add(minutes * 60 + seconds)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;
    use crate::recipe::tests::{SMALL, checked};

    const CLUSTER: &str = r#"
        [cluster]
        scratch = "$TMPDIR"
        [cluster.all]
        partition = "main"
        cores = 4
        gpus = 1
        [cluster.build]
        cores = 8
        pieces = 64
        at-once = 16
        time = "4:00:00"
        extra = ["--qos=normal"]
        [cluster.merge]
        memory = "2G"
    "#;

    #[test]
    fn the_special_stands_over_the_general() {
        let recipe = checked(&format!("{SMALL}{CLUSTER}")).unwrap();
        let graph = plan("small", &recipe, "cpu");
        let cluster = recipe.cluster.clone().unwrap();
        assert_eq!(cluster.scratch.as_deref(), Some("$TMPDIR"));
        let of = |kind: &str| cluster.of(graph.stages.iter().find(|s| s.id.starts_with(kind)).unwrap());
        let build = of("build");
        assert_eq!(
            (build.cores, build.pieces, build.partition.as_deref()),
            (Some(8), Some(64), Some("main"))
        );
        assert_eq!((of("train").cores, of("train").pieces, of("train").gpus), (Some(4), None, Some(1)));
        let merge = cluster.of_merge();
        assert_eq!((merge.memory.as_deref(), merge.cores, merge.gpus), (Some("2G"), Some(4), None));
        // What is written beside the outputs is read back.
        let again = checked(&toml::to_string(&recipe).unwrap()).unwrap();
        assert_eq!(again.cluster, recipe.cluster);
        // By itself.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster.toml");
        std::fs::write(&path, CLUSTER).unwrap();
        assert_eq!(Some(Cluster::load(&path).unwrap()), recipe.cluster);
        std::fs::write(&path, format!("{CLUSTER}[other]\n")).unwrap();
        assert!(Cluster::load(&path).is_err());
    }

    #[test]
    fn mistakes_are_named() {
        for (from, to, said) in [
            ("[cluster.build]", "[cluster.biuld]", "cluster.biuld: no such kind of stage"),
            ("cores = 8", "kores = 8", "kores"),
            ("cores = 8", "cores = 0", "cores is a number from 1 up"),
            ("pieces = 64", "pieces = 100000", "at most 10000"),
            ("4:00:00", "4h", "expected hours:minutes:seconds"),
            ("\"main\"", "\"main --uid=0\"", "partition: \"main --uid=0\""),
            ("\"--qos=normal\"", "\"rm\"", "extra: \"rm\""),
            ("\"$TMPDIR\"", "\"\"", "names no folder"),
        ] {
            let wrong = CLUSTER.replace(from, to);
            assert_ne!(wrong, CLUSTER);
            let error = checked(&format!("{SMALL}{wrong}")).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        assert_eq!((seconds("100:00:01"), seconds("0:61:00"), seconds("1:2")), (Some(360_001), None, None));
    }
}
