//! Where a stage's program runs: here, or through a scheduler that knows the machines.

use std::path::Path;
use std::process::Command;

/// Schedulers place, account and retry; we only start their client and wait for it. They need an output
/// folder that every node sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Executor {
    /// On this machine.
    Local,
    /// A Slurm job step a stage, by `srun`.
    Slurm,
    /// A HyperQueue job a stage, by `hq submit --wait`.
    Hyperqueue,
}

impl Executor {
    /// A command that runs `program` with `cores` cores and ends with its exit code.
    pub fn command(self, program: &Path, name: &str, cores: usize, gpu: bool) -> Command {
        let mut command = match self {
            Self::Local => return Command::new(program),
            Self::Slurm => {
                let mut srun = Command::new("srun");
                srun.args(["--ntasks=1", "--quiet", &format!("--cpus-per-task={cores}")]);
                srun.arg(format!("--job-name=in9:{name}"));
                if gpu {
                    srun.arg("--gpus=1");
                }
                srun
            }
            Self::Hyperqueue => {
                let mut hq = Command::new("hq");
                hq.args(["submit", "--wait", "--stdout=none", &format!("--cpus={cores}")]);
                hq.arg(format!("--name=in9:{name}"));
                if gpu {
                    hq.arg("--resource=gpus/nvidia=1");
                }
                hq.arg("--");
                hq
            }
        };
        command.arg(program);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &Command) -> Vec<String> {
        let all = std::iter::once(command.get_program()).chain(command.get_args());
        all.map(|word| word.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_scheduler_is_put_in_front() {
        let program = Path::new("in9");
        assert_eq!(words(&Executor::Local.command(program, "build", 4, false)), ["in9"]);
        assert_eq!(
            words(&Executor::Slurm.command(program, "build", 4, true)),
            ["srun", "--ntasks=1", "--quiet", "--cpus-per-task=4", "--job-name=in9:build", "--gpus=1", "in9"]
        );
        assert_eq!(
            words(&Executor::Hyperqueue.command(program, "build", 4, false)),
            ["hq", "submit", "--wait", "--stdout=none", "--cpus=4", "--name=in9:build", "--", "in9"]
        );
    }
}
