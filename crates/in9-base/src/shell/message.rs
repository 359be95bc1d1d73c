//! Errors as one line.

use std::fmt::Write as _;
use std::io::ErrorKind;

/// The error and its causes on one line; a cause that is quoted already is left out, and control
/// characters, which a hostile name may hold, are shown as escapes.
pub fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if line.is_empty() {
            line = text;
        } else if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
    }
    let mut shown = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\n' => shown.push(' '),
            c if c.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(shown, "{}", c.escape_default());
            }
            c => shown.push(c),
        }
    }
    shown
}

/// Whether whoever read our output has seen enough, which is no error.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |e: &std::io::Error| e.kind() == ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref().is_some_and(broken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_without_repetition_or_escapes() {
        let cause = anyhow::anyhow!("line 3:\nbad \u{1b}[31mname");
        let error = cause.context("t.csv").context("reading t.csv");
        assert_eq!(one_line(&error), "reading t.csv: line 3: bad \\u{1b}[31mname");
    }

    #[test]
    fn a_closed_pipe_is_found_behind_its_context() {
        let error = anyhow::Error::from(std::io::Error::from(ErrorKind::BrokenPipe)).context("printing");
        assert!(is_broken_pipe(&error));
        assert!(!is_broken_pipe(&anyhow::anyhow!("other")));
    }
}
