//! What the fuzz target runs on any bytes: a recipe in, an error or a graph of stages out, never a panic, and no
//! output outside its folder.

use std::path::{Component, Path};

use in9_pipeline::{Arg, Recipe, plan};

/// Reads a recipe and plans it; returns its number of stages.
pub(crate) fn replay(input: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(input).ok()?;
    let path = Path::new("recipe.toml");
    let recipe = Recipe::parse(path, text).ok()?;
    // As many networks as a recipe may name would take minutes to lay out, each as well as the first.
    if recipe.trainings.iter().map(|training| training.views.len() * training.seeds.len()).sum::<usize>() > 64
    {
        return None;
    }
    let graph = plan("recipe", &recipe, "cpu");
    for (at, stage) in graph.stages.iter().enumerate() {
        let inside = stage.output.components().all(|part| matches!(part, Component::Normal(_)));
        assert!(inside && stage.output.components().count() > 0, "{} writes {:?}", stage.id, stage.output);
        assert!(stage.inputs().iter().all(|input| *input < at), "{} waits for a later one", stage.id);
        let same = graph.stages[..at].iter().find(|other| other.output == stage.output);
        assert!(same.is_none(), "{} and another write {:?}", stage.id, stage.output);
        for arg in &stage.args {
            if let Arg::Spec(name, _) = arg {
                assert!(!name.contains(['/', '\\']), "{} writes {name}", stage.id);
            }
        }
    }
    Some(graph.stages.len())
}
