//! Stages in pieces: the same command on a part of its work, and the command that joins the parts.
//!
//! Pieces are stages themselves, with stamps of their own, so that a piece that is done is known to be. They are no part of
//! the graph: whether a stage is divided, and into how many pieces, changes no key and no byte of its output.

use std::path::{Path, PathBuf};

use in9_base::Piece;

use crate::graph::{Arg, Stage};

/// Where pieces lie, in the output folder.
const PIECES: &str = ".pieces";

/// No plain name holds it, so that a piece's id is no stage's.
const MARK: char = '#';

impl Stage {
    /// Whether its command can be divided into pieces that give the same bytes together.
    pub fn is_divisible(&self) -> bool {
        match self.command.as_str() {
            "build" | "predict" | "saliency" | "counterfactual" => true,
            // The order in which other searches try backgrounds comes from all foregrounds.
            "adversarial" => {
                self.args.iter().any(|arg| matches!(arg, Arg::Text(word) if word == "--exhaustive"))
            }
            _ => false,
        }
    }

    /// One piece of it.
    pub fn piece(&self, piece: Piece) -> Self {
        let number = format!("{}-of-{}", piece.number(), piece.of());
        let mut args = self.args.clone();
        args.extend([Arg::Text("--shard".to_owned()), Arg::Text(piece.to_string())]);
        Self {
            id: format!("{}{MARK}{number}", self.id),
            args,
            output: self.pieces().join(number),
            ..self.clone()
        }
    }

    /// What joins the pieces of a work that was divided into as many as `piece`'s; its output is the stage's.
    pub fn merge(&self, piece: Piece) -> Self {
        let pieces = piece.all().map(|piece| Arg::Below(self.piece(piece).output));
        let (command, args) = if self.command == "build" {
            ("merge", pieces.chain([Arg::Text("--out".to_owned()), Arg::Output]).collect())
        } else {
            let merge = Arg::Text("--merge".to_owned());
            (self.command.as_str(), on_cpu(&self.args).into_iter().chain([merge]).chain(pieces).collect())
        };
        Self { command: command.to_owned(), args, ..self.clone() }
    }

    /// The folder of its pieces, relative to the output folder.
    pub(crate) fn pieces(&self) -> PathBuf {
        Path::new(PIECES).join(self.id.replace('/', "~"))
    }

    /// Whether a file about stages, by its name, is about a piece of this one.
    pub(crate) fn is_about_a_piece(&self, name: &str) -> bool {
        name.strip_prefix(&self.id.replace('/', "~")).is_some_and(|rest| rest.starts_with(MARK))
    }
}

/// Arguments with which a network that only has to be opened needs no GPU.
fn on_cpu(args: &[Arg]) -> Vec<Arg> {
    let mut args = args.to_vec();
    if let Some(at) = args.iter().position(|arg| *arg == Arg::Text("--device".to_owned()))
        && let Some(device) = args.get_mut(at + 1)
    {
        *device = Arg::Text("cpu".to_owned());
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Kind;

    fn text(word: &str) -> Arg {
        Arg::Text(word.to_owned())
    }

    fn stage(command: &str, kind: Kind, more: &[&str]) -> Stage {
        let args = ["--device", "cuda:0"].iter().chain(more).map(|word| text(word));
        Stage {
            id: format!("{}/d", kind.name()),
            kind,
            command: command.to_owned(),
            args: args.chain([text("--out"), Arg::Output]).collect(),
            after: vec![0],
            output: PathBuf::from("data/d"),
        }
    }

    #[test]
    fn pieces_have_places_and_names_of_their_own() {
        let build = stage("build", Kind::Build, &[]);
        let third = build.piece("3/64".parse().unwrap());
        assert_eq!(
            (third.id.as_str(), third.output.to_str().unwrap()),
            ("build/d#3-of-64", ".pieces/build~d/3-of-64")
        );
        assert_eq!(third.args[third.args.len() - 2..], [text("--shard"), text("3/64")]);
        assert!(build.is_about_a_piece("build~d#3-of-64.json") && !build.is_about_a_piece("build~d.json"));
        assert!(!build.is_about_a_piece("build~dd#1-of-1.json"));
        let merge = build.merge("1/2".parse().unwrap());
        assert_eq!((merge.command.as_str(), merge.id.as_str()), ("merge", "build/d"));
        assert_eq!(merge.args[0], Arg::Below(PathBuf::from(".pieces/build~d/1-of-2")));
        assert_eq!((merge.args.len(), merge.inputs()), (4, vec![0]));
        // Where a killed run goes on.
        assert_eq!(build.resumes_from().unwrap(), "d.building");
        assert_eq!(third.resumes_from().unwrap(), "3-of-64");
    }

    #[test]
    fn merging_needs_no_gpu() {
        let merge = stage("predict", Kind::Predict, &[]).merge("2/2".parse().unwrap());
        assert_eq!(merge.args[1], text("cpu"));
        assert_eq!(merge.args.iter().filter(|arg| matches!(arg, Arg::Below(_))).count(), 2);
    }

    #[test]
    fn only_what_gives_the_same_bytes_is_divided() {
        for (command, kind, more, divisible) in [
            ("build", Kind::Build, &[][..], true),
            ("import-release", Kind::Build, &[], false),
            ("train", Kind::Train, &[], false),
            ("predict", Kind::Predict, &[], true),
            ("adversarial", Kind::Probe, &[], false),
            ("adversarial", Kind::Probe, &["--exhaustive"], true),
            ("saliency", Kind::Probe, &[], true),
            ("report", Kind::Report, &[], false),
        ] {
            assert_eq!(stage(command, kind, more).is_divisible(), divisible, "{command} {more:?}");
        }
    }
}
