//! Reading the arguments of many commands without running them, so that a recipe's mistakes are found first.

use std::ffi::OsString;
use std::io::Read;

use anyhow::{Context as _, Result};

use crate::part::Part;

/// Reads a list of argument lists (JSON) and answers each with null or what is wrong with it.
pub(crate) fn check(parts: &[Part], input: impl Read) -> Result<String> {
    let lists: Vec<Vec<String>> = serde_json::from_reader(input).context("reading lists of arguments")?;
    let answers: Vec<Option<String>> = lists.iter().map(|words| mistake(parts, words)).collect();
    Ok(serde_json::to_string(&answers)?)
}

/// What is wrong with a command's arguments.
fn mistake(parts: &[Part], words: &[String]) -> Option<String> {
    let name = words.first().map_or("", String::as_str);
    let Some(part) = parts.iter().find(|part| part.has(name)) else {
        return Some(format!("there is no command {name}"));
    };
    let words: Vec<OsString> = std::iter::once("in9").chain(words.iter().map(String::as_str)).map(Into::into).collect();
    if let Err(error) = part.check(&words) {
        return Some(one_line(&error.to_string()));
    }
    None
}

/// The first paragraph of a usage error; the usage itself means nothing to somebody who wrote a recipe.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let words: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let line = words.join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(lists: &str) -> Vec<Option<String>> {
        serde_json::from_str(&check(&crate::parts(), lists.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn mistakes_are_found_without_running() {
        let found = answers(
            r#"[["toy", "--rho", "0.5", "--out", "o", "--jobs", "2"],
                ["toy", "--rho", "0.5", "--out", "o", "--train-per-clas", "9"],
                ["nonsense"]]"#,
        );
        assert_eq!(found[0], None);
        assert!(found[1].as_ref().unwrap().contains("--train-per-clas"), "{found:?}");
        assert!(!found[1].as_ref().unwrap().contains('\n'));
        assert_eq!(found[2].as_deref(), Some("there is no command nonsense"));
    }

    /// Flags that clash, and names that two commands share, would panic here.
    #[test]
    fn the_commands_fit_together() {
        crate::command(&crate::parts()).debug_assert();
    }

    /// A change of the report must not train networks again.
    #[test]
    fn commands_are_identified_by_their_own_crates() {
        let text = crate::identities(&crate::parts());
        let of = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
            line.unwrap_or_else(|| panic!("{name} has no identity")).to_owned()
        };
        let distinct: std::collections::BTreeSet<_> =
            ["toy", "build", "train", "saliency", "report"].map(of).into_iter().collect();
        assert_eq!(distinct.len(), 5, "{text}");
        assert_eq!(of("train"), of("predict"));
        assert_eq!(of("build"), of("import-release"));
    }
}
