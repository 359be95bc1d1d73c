//! Processes that end when the one that started them does, in whatever way it ends.
//!
//! The parent holds the writing end of a pipe that is the child's standard input. No signal, not even one
//! that cannot be caught, ends the parent without closing the pipe; a thread of the child waits for that.

use std::io::{self, Read as _};
use std::process::{ChildStderr, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// Set for a child whose standard input is held open by its parent.
pub(crate) const VARIABLE: &str = "IN9_PARENT_HOLDS_STDIN";

/// A child that ends when this process does, provided that its program calls [`watch`].
#[derive(Debug)]
pub struct Child {
    child: std::process::Child,
    line: Line,
}

/// The line between a child and this process; cutting it ends the child.
#[derive(Debug, Clone, Default)]
pub struct Line(Arc<Mutex<Option<ChildStdin>>>);

impl Line {
    /// Lets the child end, as it would if this process ended. May be called from any thread.
    pub fn cut(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Child {
    /// Starts `command`, whose standard input is taken for the line between parent and child.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        let mut child = command.env(VARIABLE, "1").stdin(Stdio::piped()).spawn()?;
        // `wait` would close the line before the child has ended, were it left in there.
        let line = Line(Arc::new(Mutex::new(child.stdin.take())));
        Ok(Self { child, line })
    }

    /// What lets the child end, for other threads.
    pub fn line(&self) -> Line {
        self.line.clone()
    }

    /// What the child says on its standard error, if that is piped and not taken yet.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Waits until the child has ended by itself.
    ///
    /// # Errors
    /// If the system does not know the child.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        let ending = self.child.wait()?;
        #[cfg(feature = "faults")]
        crate::files::power_follows(ending);
        Ok(ending)
    }

    /// Lets the child end, as it would if this process ended.
    pub fn let_go(&self) {
        self.line.cut();
    }
}

/// Ends this process as soon as its parent has ended, if the parent started it by [`Child::spawn`].
///
/// Outputs are whole or absent at any moment, so the process may end at once.
///
/// # Errors
/// If no thread can be started.
pub fn watch() -> io::Result<()> {
    if std::env::var_os(VARIABLE).is_none() {
        return Ok(());
    }
    std::thread::Builder::new().name("parent".to_owned()).spawn(|| {
        let mut nothing = [0; 64];
        loop {
            match io::stdin().read(&mut nothing) {
                Ok(0) => break,
                Err(error) if error.kind() != io::ErrorKind::Interrupted => break,
                _ => {}
            }
        }
        // As if it had been asked to end.
        std::process::exit(143);
    })?;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// The pipeline's tests end real programs; this one shows that the line stays open while one waits.
    #[test]
    fn a_child_lives_until_it_is_let_go() {
        let mut command = Command::new("sh");
        command.args(["-c", "read line || exit 7"]);
        let mut child = Child::spawn(&mut command).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(child.child.try_wait().unwrap().is_none());
        child.let_go();
        assert_eq!(child.wait().unwrap().code(), Some(7));
    }
}
