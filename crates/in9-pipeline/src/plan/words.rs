//! Words of a command line.

use crate::graph::Arg;
use crate::recipe::{Flags, Recipe};

pub(super) fn text(word: impl ToString) -> Arg {
    Arg::Text(word.to_string())
}

pub(super) fn words(words: &[&str]) -> Vec<Arg> {
    words.iter().map(text).collect()
}

/// The recipe's seed, unless the program's own flags name one.
pub(super) fn seed(own: &Flags, recipe: &Recipe) -> Vec<Arg> {
    if own.contains_key("seed") { Vec::new() } else { words(&["--seed", &recipe.seed.to_string()]) }
}

/// The scale of a rehearsal, for the programs that decide how many photographs or epochs there are.
pub(super) fn scale(recipe: &Recipe) -> Vec<Arg> {
    recipe.scale.map_or_else(Vec::new, |scale| words(&["--scale", &scale.to_string()]))
}

pub(super) fn flags(flags: &Flags) -> Vec<Arg> {
    let mut args = Vec::new();
    for (name, value) in flags {
        match value {
            toml::Value::Boolean(false) => {}
            toml::Value::Boolean(true) => args.push(text(format!("--{name}"))),
            // A value that looks like a flag stays a value.
            value if word(value).starts_with('-') => args.push(text(format!("--{name}={}", word(value)))),
            value => args.extend([text(format!("--{name}")), text(word(value))]),
        }
    }
    args
}

fn word(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(word).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
