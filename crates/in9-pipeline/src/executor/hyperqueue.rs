//! HyperQueue: all jobs as one job of its own, whose tasks wait for each other, from a job definition file.

use std::collections::BTreeSet;
use std::process::Command;

use in9_base::files;
use serde::Serialize;

use super::{output, words};
use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::recipe::{Resources, seconds};
use crate::submit::{FOLDER, Job, Submission, Task, program};

/// The file that `hq job submit-file` takes.
#[derive(Serialize)]
struct Definition {
    name: String,
    task: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    id: u32,
    command: Vec<String>,
    /// Each program writes a log of its own.
    stdout: &'static str,
    stderr: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_limit: Option<String>,
    deps: Vec<u32>,
    request: [Request; 1],
}

#[derive(Serialize)]
struct Request {
    #[serde(skip_serializing_if = "Option::is_none")]
    time_request: Option<String>,
    resources: std::collections::BTreeMap<&'static str, u32>,
}

pub(super) fn submit(
    jobs: &[Job],
    submission: &Submission,
    cache: &Cache,
    note: &mut dyn FnMut(&Job, Vec<String>) -> Result<()>,
) -> Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    files::create_folder(&cache.out().join(FOLDER))?;
    let path = cache.out().join(FOLDER).join("job.toml");
    files::write_bytes(&path, definition(jobs, submission, cache)?)?;
    let answer = output(Command::new("hq").args(["--output-mode=quiet", "job", "submit-file"]).arg(&path))?;
    let id = answer.trim();
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::Scheduler { command: "hq job submit-file".to_owned(), said: answer });
    }
    jobs.iter().try_for_each(|job| note(job, vec![id.to_owned()]))
}

/// The definition of one job with a task for each piece, merge and undivided stage.
pub(super) fn definition(jobs: &[Job], submission: &Submission, cache: &Cache) -> Result<String> {
    let program = program(cache.out()).to_string_lossy().into_owned();
    let (mut entries, mut ends) = (Vec::new(), Vec::<Vec<u32>>::new());
    for job in jobs {
        let numbers = match &job.task {
            Task::Pieces { numbers, .. } => numbers.iter().map(|number| Some(number.to_string())).collect(),
            Task::Whole | Task::Merge { .. } => vec![None],
        };
        let deps: Vec<u32> = job.after.iter().flat_map(|at| ends[*at].clone()).collect();
        let mut own = Vec::new();
        for number in numbers {
            let id = entries.len() as u32 + 1;
            let words = words(job, number.as_deref(), submission, cache);
            let words = words.iter().map(|word| word.to_string_lossy().into_owned());
            entries.push(Entry {
                id,
                command: std::iter::once(program.clone()).chain(words).collect(),
                stdout: "none",
                stderr: "none",
                time_limit: time(&job.resources),
                deps: deps.clone(),
                request: [request(job)],
            });
            own.push(id);
        }
        ends.push(own);
    }
    let definition = Definition { name: format!("in9:{}", submission.name), task: entries };
    toml::to_string(&definition).map_err(|error| Error::Scheduler {
        command: "hq job submit-file".to_owned(),
        said: error.to_string(),
    })
}

fn request(job: &Job) -> Request {
    let mut resources = std::collections::BTreeMap::from([("cpus", job.resources.cores.unwrap_or(1))]);
    let gpus = job.resources.gpus.or(job.gpu.then_some(1));
    if let Some(gpus) = gpus.filter(|gpus| *gpus > 0) {
        resources.insert("gpus/nvidia", gpus);
    }
    Request { time_request: time(&job.resources), resources }
}

fn time(resources: &Resources) -> Option<String> {
    resources.time.as_deref().and_then(seconds).map(|seconds| format!("{seconds}s"))
}

pub(super) fn active(ids: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    let text = output(Command::new("hq").args(["--output-mode=json", "job", "list", "--all"]))?;
    let bad = |error: serde_json::Error| Error::Scheduler {
        command: "hq job list".to_owned(),
        said: error.to_string(),
    };
    let jobs: Vec<serde_json::Value> = serde_json::from_str(&text).map_err(bad)?;
    let at_work = |job: &&serde_json::Value| {
        ["waiting", "running"].iter().any(|state| job["task_stats"][state].as_u64().is_some_and(|n| n > 0))
    };
    let found = jobs.iter().filter(at_work).filter_map(|job| job["id"].as_u64().map(|id| id.to_string()));
    Ok(found.filter(|id| ids.contains(id)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::Programs;
    use std::path::Path;

    #[test]
    fn tasks_wait_for_each_other() {
        let programs = Programs::none();
        let cache = Cache::new(Path::new("/out"), &programs, None, false);
        let submission = Submission {
            name: "small".to_owned(),
            recipe: String::new(),
            device: "cuda:0".to_owned(),
            data: None,
            data_digest: None,
            cluster: crate::recipe::Cluster::default(),
            executor: super::super::Executor::Hyperqueue,
        };
        let job = |stage: &str, task, gpu, after| Job {
            stage: stage.to_owned(),
            task,
            resources: Resources { cores: Some(4), time: Some("0:30:00".to_owned()), ..Resources::default() },
            gpu,
            after,
            waits_for: Vec::new(),
            submitted: Vec::new(),
        };
        let jobs = [
            job("train/d/x", Task::Whole, true, vec![]),
            job("predict/d/x", Task::Pieces { of: 3, numbers: vec![1, 3] }, true, vec![0]),
            job("predict/d/x", Task::Merge { of: 3 }, false, vec![1]),
        ];
        let text = definition(&jobs, &submission, &cache).unwrap();
        let read: toml::Table = toml::from_str(&text).unwrap();
        let tasks = read["task"].as_array().unwrap();
        let of = |at: usize, name: &str| tasks[at][name].to_string();
        assert_eq!((0..4).map(|at| of(at, "deps")).collect::<Vec<_>>(), ["[]", "[1]", "[1]", "[2, 3]"]);
        assert!(of(2, "command").contains("\"--shard\", \"3/3\""), "{text}");
        assert!(of(3, "command").contains("\"merge\", \"/out\""), "{text}");
        assert!(of(0, "request").contains("gpus/nvidia") && !of(3, "request").contains("gpus"), "{text}");
        assert_eq!(of(0, "time_limit"), "\"1800s\"");
    }
}
