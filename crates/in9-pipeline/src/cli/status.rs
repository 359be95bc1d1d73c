//! `status`: what is done.

use anyhow::Result;
use clap::Args;
use in9_base::shell::{self, Shell};

use super::{Setting, Target, pieces};
use crate::cache::State;
use crate::submit::Submission;

/// Shows each stage of a recipe and whether it is done.
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    target: Target,
}

impl Status {
    /// Runs the command.
    ///
    /// # Errors
    /// If the recipe or a stamp cannot be read.
    pub fn run(self, setting: &Setting, shell: &Shell) -> Result<shell::Outcome> {
        let ready = self.target.ready(setting, shell)?;
        let states = ready.cache().states(&ready.graph)?;
        let submission = Submission::read(&ready.out)?;
        let width = ready.graph.stages.iter().map(|stage| stage.id.len()).max().unwrap_or(0);
        for (stage, state) in ready.graph.stages.iter().zip(&states) {
            let (word, detail) = match state {
                State::Done(stamp) => {
                    let digest: String = stamp.digest.chars().take(12).collect();
                    ("done", format!("{:7.1} s  {digest}", stamp.seconds))
                }
                State::Stale => ("stale", "its settings, inputs or program changed".to_owned()),
                State::Damaged(path) => {
                    ("damage", format!("{} changed after it was written", path.display()))
                }
                State::Missing => {
                    let pieces =
                        submission.as_ref().map(|s| pieces::missing(&ready.cache(), stage, s, &states));
                    ("to do", pieces.transpose()?.flatten().unwrap_or_default())
                }
                State::Waiting => ("waits", "for an earlier stage".to_owned()),
            };
            shell.print(format!("{word:<6} {:<width$}  {detail}", stage.id).trim_end())?;
        }
        let done = states.iter().filter(|state| state.is_done()).count();
        shell.say(format_args!("{done} of {} stages are done in {}", states.len(), ready.out.display()));
        Ok(shell::Outcome::Done)
    }
}
