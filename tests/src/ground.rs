//! What most end-to-end tests stand on: a tiny world, its dataset, a trained network and its answers.

use std::path::Path;
use std::process::Command;

use crate::program;

/// Renders a world of 27 photographs into the folder `photos` of `out`.
pub fn render(out: &Path) -> Command {
    let mut command = program("in9-data");
    command.args(["toy", "--seed", "1", "--rho", "0.5", "--train-per-class", "2", "--test-per-class", "1"]);
    command.arg("--out").arg(out.join("photos"));
    command
}

/// Builds the dataset `name` in `out` from `photos` in `inputs`.
pub fn build(inputs: &Path, out: &Path, name: &str) -> Command {
    let mut command = program("in9-data");
    command.args(["build", "--source", "toy", "--taxonomy", "toy", "--size", "32", "--root"]);
    command.arg(inputs.join("photos")).arg("--out").arg(out.join(name));
    command
}

/// Trains a network on `data` in `inputs`, into the folder `run` of `out`.
pub fn train(inputs: &Path, out: &Path, epochs: u32) -> Command {
    let mut command = training("original", epochs, 4);
    command.args(["--preset", "small"]);
    command.arg("--data").arg(inputs.join("data")).arg("--out").arg(out.join("run"));
    command
}

/// A small network's training on `view`; the caller says on what data, and where it goes.
pub fn training(view: &str, epochs: u32, batch: u32) -> Command {
    let mut command = program("in9-models");
    command.args(["train", "--arch", "resnet-tiny", "--view", view]);
    command.args(["--epochs", &epochs.to_string(), "--batch-size", &batch.to_string()]);
    command
}

/// Answers every view of `data` by `run`, both in `inputs`, into `predictions.csv` in `out`.
pub fn predict(inputs: &Path, out: &Path) -> Command {
    let mut command = program("in9-models");
    command.args(["predict", "--views", "all", "--weights"]).arg(inputs.join("run"));
    command.arg("--data").arg(inputs.join("data")).arg("--out").arg(out.join("predictions.csv"));
    command
}
