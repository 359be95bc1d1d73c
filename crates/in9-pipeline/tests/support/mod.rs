//! A script in the place of the program, and what it was called for.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use in9_pipeline::{Graph, Recipe, plan};

/// Puts the script into a folder under the program's name. It notes its calls in the file `calls` beside it.
pub(crate) fn install(folder: &Path, script: &str) -> PathBuf {
    let program = folder.join("in9");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

/// The commands that were called since [`forget`], in their order.
pub(crate) fn calls(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("calls")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Forgets all calls.
pub(crate) fn forget(folder: &Path) {
    let _ = fs::remove_file(folder.join("calls"));
}

/// What a recipe's text is laid out to.
pub(crate) fn graph(recipe: &str) -> Graph {
    plan("small", &Recipe::parse(Path::new("small"), recipe).unwrap(), "cpu")
}
