//! Keys: what a stage's output depends on.

use super::{Cache, State};
use crate::error::Result;
use crate::graph::{Arg, Stage};

/// Changes when the meaning of keys does.
const VERSION: &str = "in9 stage 2";

impl Cache<'_> {
    /// The key of `stage`; `None` while an input is not there.
    ///
    /// # Errors
    /// If a file named by the user cannot be read.
    pub fn key(&self, stage: &Stage, before: &[State]) -> Result<Option<String>> {
        let mut hash = blake3::Hasher::new();
        let mut part = |text: &str| {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        part(VERSION);
        part(self.programs.identity(&stage.command)?);
        part(&stage.command);
        for arg in &stage.args {
            match arg {
                Arg::Text(text) => part(text),
                Arg::Output => part("@output"),
                Arg::Input(_) => part("@input"),
                Arg::Data => part("@data"),
                Arg::DataFolder(folder) => part(&format!("@data/{folder}")),
                Arg::File(path) => {
                    // Programs tell published weights from others by their name.
                    part(&path.file_name().unwrap_or_default().to_string_lossy());
                    part(in9_base::digest::file(path)?.to_hex().as_str());
                }
                Arg::Spec(name, content) => {
                    part(name);
                    part(content);
                }
                Arg::Below(path) => part(&path.to_string_lossy()),
            }
        }
        if stage.reads_data() {
            part(self.data.as_deref().unwrap_or(""));
        }
        for input in stage.inputs() {
            let State::Done(stamp) = &before[input] else { return Ok(None) };
            part(&stamp.digest);
        }
        Ok(Some(hash.finalize().to_hex().to_string()))
    }
}
