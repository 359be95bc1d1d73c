//! Libraries that may panic on what strangers send.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Longest reason, in characters.
const LONGEST: usize = 300;

/// What `work` gives, or in one line of bearable length why it does not. `work` calls a library that reads a stranger's
/// bytes, which may lead it into a panic; that is such a reason too.
///
/// # Errors
/// The reason.
pub fn guarded<T, E: std::fmt::Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| line(&error)),
        Err(_) => Err("what its reader did not expect".to_owned()),
    }
}

/// An error with its causes, where it shows them.
fn line(error: &impl std::fmt::Display) -> String {
    let text = format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn errors_and_panics_are_one_line() {
        assert_eq!(guarded(|| Ok::<_, String>(3)), Ok(3));
        assert_eq!(guarded(|| Err::<(), _>("two\n  lines")), Err("two lines".to_owned()));
        let long = guarded(|| Err::<(), _>("ä".repeat(1000))).unwrap_err();
        assert_eq!(long.chars().count(), 302);
        let panic = guarded(|| if long.is_empty() { Ok::<_, String>(0) } else { panic!("on purpose") });
        assert_eq!(panic, Err("what its reader did not expect".to_owned()));
    }
}
