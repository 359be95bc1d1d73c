//! The names of a crate's dependencies, as far as they can change what it computes.

use std::collections::BTreeSet;

/// Names in the sections `[dependencies]` and `[target.….dependencies]` of a manifest, whether they are keys or
/// tables of their own (as cargo writes them into a packed crate). Development and build dependencies are left
/// out, and so is what the feature `cli` switches on: it reads arguments and computes nothing.
pub(crate) fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = header == "dependencies" || header.ends_with(".dependencies") && is_target(header);
            let table = match header.strip_prefix("dependencies.") {
                Some(name) => Some(name),
                None if is_target(header) => header.rsplit_once(".dependencies.").map(|(_, name)| name),
                None => None,
            };
            names.extend(table.map(|name| name.trim_matches('"').to_owned()));
        } else if inside
            && let Some((key, _)) = line.split_once('=')
            && !line.starts_with('#')
        {
            // `name = …`, `name.workspace = true`
            let name = key.split('.').next().unwrap_or(key);
            names.insert(name.trim().trim_matches('"').to_owned());
        }
    }
    for name in of_the_command_line(manifest) {
        names.remove(name);
    }
    names
}

/// The dependencies that the feature `cli` switches on.
fn of_the_command_line(manifest: &str) -> impl Iterator<Item = &str> {
    let features = manifest.split("[features]").nth(1).unwrap_or_default();
    let features = features.split("\n[").next().unwrap_or_default();
    // The list may go over several lines, and comments may stand before it.
    let list = features.split("cli = [").nth(1).and_then(|rest| rest.split(']').next());
    list.unwrap_or_default().split('"').filter_map(|word| word.strip_prefix("dep:"))
}

fn is_target(header: &str) -> bool {
    header.starts_with("target.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_both_forms() {
        let written = "
            [package]
            name = \"x\"
            [dependencies]
            # one = \"1\"
            serde.workspace = true
            toml = { workspace = true, optional = true }
            [target.'cfg(unix)'.dependencies]
            libc = \"0.2\"
            [dev-dependencies]
            tempfile = \"3\"
            [build-dependencies]
            cc = \"1\"";
        let packed = "
            [dependencies.serde]
            version = \"1\"
            features = [\"derive\"]
            [dependencies.toml]
            version = \"1\"
            [target.\"cfg(unix)\".dependencies.libc]
            version = \"0.2\"
            [dev-dependencies.tempfile]
            version = \"3\"
            [target.\"cfg(unix)\".dev-dependencies.nix]
            version = \"0\"
            [build-dependencies.cc]
            version = \"1\"";
        for text in [written, packed] {
            assert_eq!(dependencies(text).into_iter().collect::<Vec<_>>(), ["libc", "serde", "toml"]);
        }
    }

    #[test]
    fn what_reads_arguments_does_not_count() {
        let written = "\n[features]\ndefault = [\"cli\"]\n# what a comment says\ncli = [\"dep:clap\", \"x/shell\", \"dep:toy\"]\n\
            net = [\"dep:ureq\"]\n\n[dependencies]\nclap = \"4\"\nureq = \"3\"\ntoy = \"1\"\n";
        let packed = "\n[features]\ndefault = [\"cli\"]\ncli = [\n    \"dep:clap\",\n    \"dep:toy\",\n]\n\
            net = [\"dep:ureq\"]\n\n[dependencies.clap]\n[dependencies.ureq]\n[dependencies.toy]\n";
        for text in [written, packed] {
            assert_eq!(dependencies(text).into_iter().collect::<Vec<_>>(), ["ureq"], "{text}");
        }
    }
}
