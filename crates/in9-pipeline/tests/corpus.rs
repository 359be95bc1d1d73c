//! Replays what the fuzz target has found worth keeping.

mod replay;

use std::path::Path;

#[test]
fn every_input_of_the_corpus_gives_an_error_or_a_graph() {
    // A published package has no fuzz targets, and no corpora.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/recipe");
    if !folder.is_dir() {
        return;
    }
    let mut planned = 0;
    let (mut inputs, recipes) = (0, Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes"));
    for folder in [folder, recipes] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let input = std::fs::read(entry.unwrap().path()).unwrap();
            planned += usize::from(replay::replay(&input).is_some_and(|stages| stages > 0));
            inputs += 1;
        }
    }
    assert!(inputs >= 9 && planned >= 5, "{planned} of {inputs} recipes are planned");
}
