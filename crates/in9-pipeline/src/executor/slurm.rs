//! Slurm: an array a divided stage, a job that joins its pieces, a job a stage that is not divided.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use in9_base::{files, piece};

use super::{output, words};
use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::recipe::Resources;
use crate::run::shown;
use crate::submit::{FOLDER, Job, Submission, Task, program};

/// One more than the greatest number of an array's task, where the cluster does not say.
const USUAL_MAX_ARRAY_SIZE: u32 = 1001;

/// How many seconds before a job's time is up it is told, to keep what it has made.
const NOTICE: u32 = 120;

/// What is submitted at once: a whole job, or as many pieces as an array may have.
struct Part {
    /// Added to an array task's number to get the piece's.
    offset: u32,
    /// The array's tasks, if it is one.
    tasks: Option<Vec<u32>>,
    /// Where its script is.
    script: PathBuf,
}

pub(super) fn submit(
    jobs: &[Job],
    earlier: &[Vec<String>],
    submission: &Submission,
    cache: &Cache,
    note: &mut dyn FnMut(&Job, Vec<String>) -> Result<()>,
) -> Result<()> {
    files::create_folder(&cache.out().join("logs"))?;
    files::create_folder(&cache.out().join(FOLDER))?;
    let largest = max_array_size();
    let mut ends: Vec<Vec<String>> = Vec::new();
    for (job, earlier) in jobs.iter().zip(earlier) {
        if !job.submitted.is_empty() {
            ends.push(job.submitted.clone());
            continue;
        }
        let mut ids = Vec::new();
        let before: Vec<&String> = job.after.iter().flat_map(|at| &ends[*at]).chain(earlier).collect();
        for part in parts(job, largest, cache) {
            files::write_bytes(&part.script, script(job, &part, submission, cache))?;
            let answer = output(&mut sbatch(job, &part, &before, cache))?;
            // The number, and the cluster's name behind a semicolon where there are several.
            let id = answer.trim().split(';').next().unwrap_or_default().to_owned();
            if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit()) {
                return Err(Error::Scheduler { command: "sbatch".to_owned(), said: answer });
            }
            ids.push(id);
        }
        note(job, ids.clone())?;
        ends.push(ids);
    }
    Ok(())
}

pub(super) fn described(jobs: &[Job], submission: &Submission, cache: &Cache) -> String {
    let mut text = String::new();
    for job in jobs {
        let before: Vec<String> = job.after.iter().map(|at| format!("JOB-OF-{}", jobs[*at].stage)).collect();
        for part in parts(job, USUAL_MAX_ARRAY_SIZE, cache) {
            let command = sbatch(job, &part, &before.iter().collect::<Vec<_>>(), cache);
            text += &format!("# {}\n{}\n", job.stage, shown(&command));
            for line in script(job, &part, submission, cache).lines().filter(|line| !line.starts_with('#')) {
                text += &format!("#     {line}\n");
            }
        }
    }
    text
}

/// Windows of a job's pieces whose tasks' numbers are below `largest`.
fn parts(job: &Job, largest: u32, cache: &Cache) -> Vec<Part> {
    let folder = cache.out().join(FOLDER);
    let name = job.stage.replace('/', "~");
    let Task::Pieces { numbers, .. } = &job.task else {
        let what = if matches!(job.task, Task::Merge { .. }) { "merge" } else { "run" };
        return vec![Part { offset: 0, tasks: None, script: folder.join(format!("{name}.{what}.sh")) }];
    };
    let width = largest.saturating_sub(1).max(1);
    let windows = numbers.chunk_by(|a, b| (a - 1) / width == (b - 1) / width);
    let part = |window: &[u32]| {
        let offset = window.first().map_or(0, |first| (first - 1) / width * width);
        let ending = if offset == 0 { String::new() } else { format!("-{offset}") };
        Part {
            offset,
            tasks: Some(window.iter().map(|number| number - offset).collect()),
            script: folder.join(format!("{name}.pieces{ending}.sh")),
        }
    };
    windows.map(part).collect()
}

/// What the job runs. The program takes the shell's place, so that it gets the job's signals.
fn script(job: &Job, part: &Part, submission: &Submission, cache: &Cache) -> String {
    // The shell works out the piece's number; all other words are quoted.
    const NUMBER: &str = "IN9-PIECE";
    let mut command = Command::new(program(cache.out()));
    command.args(words(job, Some(NUMBER), submission, cache));
    let number = match part.offset {
        0 => "\"$SLURM_ARRAY_TASK_ID\"".to_owned(),
        offset => format!("\"$((SLURM_ARRAY_TASK_ID + {offset}))\""),
    };
    let words = shown(&command).replace(NUMBER, &number);
    format!("#!/bin/sh\n# {} of recipe {}\nexec {words}\n", job.stage, submission.name)
}

fn sbatch(job: &Job, part: &Part, before: &[&String], cache: &Cache) -> Command {
    let Resources { at_once, cores, memory, time, gpus, partition, account, extra, .. } = &job.resources;
    let mut command = Command::new("sbatch");
    let what = match job.task {
        Task::Merge { .. } => "merge:",
        _ => "",
    };
    command.args(["--parsable", "--requeue", "--open-mode=append", "--ntasks=1"]);
    command.arg(format!("--job-name=in9:{what}{}", job.stage));
    // One file for all tasks, so that there are few.
    let log = cache.out().join("logs").join(format!("{}.slurm", job.stage.replace('/', "~")));
    command.arg(option("--output=", &log));
    command.arg(format!("--signal=B:USR1@{NOTICE}"));
    if let Some(tasks) = &part.tasks {
        let limit = at_once.map_or_else(String::new, |limit| format!("%{limit}"));
        command.arg(format!("--array={}{limit}", piece::numbers(tasks)));
    }
    if !before.is_empty() {
        let ids: Vec<&str> = before.iter().map(|id| id.as_str()).collect();
        command.arg(format!("--dependency=afterok:{}", ids.join(":")));
        // What can never run must not wait for ever.
        command.arg("--kill-on-invalid-dep=yes");
    }
    let gpus = gpus.or(job.gpu.then_some(1)).filter(|gpus| *gpus > 0);
    let given = [
        ("--partition", partition.clone()),
        ("--account", account.clone()),
        ("--time", time.clone()),
        ("--mem", memory.clone()),
        ("--cpus-per-task", cores.map(|cores| cores.to_string())),
        ("--gpus", gpus.map(|gpus| gpus.to_string())),
    ];
    command.args(given.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))));
    command.args(extra.iter().flatten());
    command.arg(&part.script);
    command
}

fn option(name: &str, path: &Path) -> std::ffi::OsString {
    let mut word = std::ffi::OsString::from(name);
    word.push(path);
    word
}

fn max_array_size() -> u32 {
    let config = output(Command::new("scontrol").args(["show", "config"])).unwrap_or_default();
    let line = config.lines().find_map(|line| line.trim().strip_prefix("MaxArraySize"));
    let size = line.and_then(|rest| rest.trim().trim_start_matches('=').trim().parse().ok());
    size.unwrap_or(USUAL_MAX_ARRAY_SIZE)
}

pub(super) fn active(ids: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    // By array, not by task.
    let listed = output(Command::new("squeue").args(["--me", "--noheader", "--format=%F"]))?;
    let listed: BTreeSet<&str> = listed.lines().map(str::trim).collect();
    Ok(ids.iter().filter(|id| listed.contains(id.as_str())).cloned().collect())
}

pub(super) fn requeue(environment: &dyn Fn(&str) -> Option<String>) -> Result<()> {
    match own_name(environment) {
        Some(name) => output(Command::new("scontrol").args(["requeue", &name])).map(|_| ()),
        None => Ok(()),
    }
}

/// The name of the job that this process runs in. A task of an array has a number of its own, which is not the one that
/// people see and that it is requeued by.
fn own_name(environment: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let array = environment("SLURM_ARRAY_JOB_ID").zip(environment("SLURM_ARRAY_TASK_ID"));
    array.map(|(job, task)| format!("{job}_{task}")).or_else(|| environment("SLURM_JOB_ID"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::Programs;

    fn job(task: Task) -> Job {
        let resources = Resources {
            at_once: Some(16),
            cores: Some(8),
            memory: Some("16G".to_owned()),
            time: Some("4:00:00".to_owned()),
            partition: Some("main".to_owned()),
            extra: Some(vec!["--qos=normal".to_owned()]),
            ..Resources::default()
        };
        let stage = "build/d".to_owned();
        Job {
            stage,
            task,
            resources,
            gpu: true,
            after: Vec::new(),
            waits_for: Vec::new(),
            submitted: Vec::new(),
        }
    }

    fn submission() -> Submission {
        Submission {
            name: "small".to_owned(),
            recipe: String::new(),
            device: "cpu".to_owned(),
            data: None,
            data_digest: None,
            cluster: crate::recipe::Cluster { scratch: Some("$TMPDIR".to_owned()), ..Default::default() },
            executor: super::super::Executor::Slurm,
        }
    }

    #[test]
    fn an_array_is_submitted_with_what_it_needs() {
        let programs = Programs::none();
        let cache = Cache::new(Path::new("/out put"), &programs, None, false);
        let job = job(Task::Pieces { of: 64, numbers: vec![3, 4, 5, 17] });
        let [part] = &parts(&job, 1001, &cache)[..] else { panic!("one array") };
        let line = shown(&sbatch(&job, part, &[&"7".to_owned(), &"8".to_owned()], &cache));
        for word in [
            "--parsable",
            "--requeue",
            "--signal=B:USR1@120",
            "--array=3-5,17%16",
            "--dependency=afterok:7:8",
            "--kill-on-invalid-dep=yes",
            "--partition=main",
            "--time=4:00:00",
            "--mem=16G",
            "--cpus-per-task=8",
            "--gpus=1",
            "--qos=normal",
            "'--output=/out put/logs/build~d.slurm'",
        ] {
            assert!(line.contains(word), "{word}: {line}");
        }
        assert!(line.ends_with("'/out put/.cluster/build~d.pieces.sh'"), "{line}");
        let text = script(&job, part, &submission(), &cache);
        let wanted = "exec '/out put/.cluster/in9' pieces run '/out put' --stage build/d --shard \
                      \"$SLURM_ARRAY_TASK_ID\"/64 --scratch '$TMPDIR'\n";
        assert!(text.starts_with("#!/bin/sh\n") && text.ends_with(wanted), "{text}");
    }

    #[test]
    fn arrays_larger_than_the_cluster_allows_are_windows() {
        let programs = Programs::none();
        let cache = Cache::new(Path::new("/out"), &programs, None, false);
        let job = job(Task::Pieces { of: 2500, numbers: (1..=2500).collect() });
        let parts = parts(&job, 1001, &cache);
        let shown: Vec<_> =
            parts.iter().map(|part| (part.offset, piece::numbers(part.tasks.as_ref().unwrap()))).collect();
        let whole = "1-1000".to_owned();
        assert_eq!(shown, [(0, whole.clone()), (1000, whole), (2000, "1-500".to_owned())]);
        let text = script(&job, &parts[2], &submission(), &cache);
        assert!(text.contains("--shard \"$((SLURM_ARRAY_TASK_ID + 2000))\"/2500"), "{text}");
        assert_ne!(parts[1].script, parts[2].script);
    }

    #[test]
    fn a_merge_is_one_job() {
        let programs = Programs::none();
        let cache = Cache::new(Path::new("/out"), &programs, None, false);
        let job = Job { gpu: false, ..job(Task::Merge { of: 64 }) };
        let parts = parts(&job, 1001, &cache);
        let line = shown(&sbatch(&job, &parts[0], &[], &cache));
        assert!(
            !line.contains("--array") && !line.contains("--gpus") && !line.contains("--dependency"),
            "{line}"
        );
        assert!(line.contains("--job-name=in9:merge:build/d"), "{line}");
        let text = script(&job, &parts[0], &submission(), &cache);
        assert!(text.contains("pieces merge /out --stage build/d --of 64"), "{text}");
    }

    /// A task of an array was once requeued by the number that only Slurm itself knows it by.
    #[test]
    fn a_task_is_requeued_by_the_name_that_people_see() {
        let of = |variables: &[(&str, &str)]| {
            own_name(&|name| variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned()))
        };
        let array = [("SLURM_JOB_ID", "19"), ("SLURM_ARRAY_JOB_ID", "12"), ("SLURM_ARRAY_TASK_ID", "7")];
        assert_eq!(of(&array).as_deref(), Some("12_7"));
        assert_eq!(of(&array[..1]).as_deref(), Some("19"));
        assert_eq!(of(&[]), None);
    }
}
