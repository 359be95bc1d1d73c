//! Where results and messages go.

use std::io::Write;

/// Messages to people, on stderr.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Log {
    /// Says nothing.
    pub(crate) quiet: bool,
}

impl Log {
    /// One line of progress.
    pub(crate) fn say(self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }
}

/// Prints results on stdout.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}
