//! The TOML file that describes a network.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Longest side of a network's input, in pixels.
const LONGEST_SIDE: u32 = 4096;

/// How a network takes pictures, and what its answers mean.
///
/// ```
/// let text = r#"
///     file = "saliency.onnx"      # beside this file
///     shown = "photograph"        # or "box": the box, with a margin around it
///
///     [input]
///     size = [320, 320]           # width and height, in pixels
///     mean = [0.485, 0.456, 0.406]
///     std = [0.229, 0.224, 0.225]
///
///     [output]
///     activation = "sigmoid"      # of its values; or "softmax" over its channels, or "none"
/// "#;
/// let description = in9_data::NetworkDescription::parse(text, "saliency.toml".as_ref())?;
/// assert_eq!((description.output.threshold, description.input.scale), (0.5, 255.0));
/// # Ok::<(), in9_data::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkDescription {
    /// Name of the network's file, in the folder of the description.
    pub file: String,
    /// What the network is shown.
    pub shown: Shown,
    /// If it is shown the box: added to it on each side, as a share of its width and of its height, 0 to 4; default 0.
    #[serde(default)]
    pub margin: f32,
    /// Its input.
    pub input: InputDescription,
    /// Its second input, where it is told which object is meant; default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<PromptDescription>,
    /// Its output.
    pub output: OutputDescription,
}

/// What a network is shown of a photograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// All of it: for saliency and matting.
    Photograph,
    /// The object's box, with a margin around it: for networks that segment what is in the middle.
    Box,
}

/// A network's input: pixels, divided by `scale`, less `mean`, divided by `std`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputDescription {
    /// Its name; may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Width and height, in pixels; 1 to 4096.
    pub size: [u32; 2],
    /// How its values lie; default `nchw`.
    #[serde(default)]
    pub layout: Layout,
    /// The order of the colours, which is also that of `mean` and `std`; default `rgb`.
    #[serde(default)]
    pub order: Order,
    /// How pictures of other proportions are brought to its size; default `stretch`.
    #[serde(default)]
    pub fit: Fit,
    /// What bytes are divided by; default 255.
    #[serde(default = "bytes")]
    pub scale: f32,
    /// What is taken off each colour then; default 0.
    #[serde(default)]
    pub mean: [f32; 3],
    /// What each colour is divided by last; default 1.
    #[serde(default = "ones")]
    pub std: [f32; 3],
}

/// What a network is told beside the picture: the photograph's box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptDescription {
    /// Name of the second input.
    pub name: String,
    /// How it is told the box.
    pub form: PromptForm,
    /// Shape of the second input, of as many elements as the form has values: `[1, 1, 4]`; at most eight axes.
    pub shape: Vec<usize>,
}

/// How a network is told a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromptForm {
    /// Four values, left, top, right and bottom, in pixels of the network's input: the edges of the box's first column and
    /// row and of its last ones, so that a box of one pixel is one wide.
    Corners,
}

/// A network's output: a map of pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputDescription {
    /// Its name; may be left out where the network has one output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What makes a share of 0 to 1 of its values.
    pub activation: Activation,
    /// The channel that stands for the object, counted from 0; default 0.
    #[serde(default)]
    pub channel: usize,
    /// Whether the shares of a picture are then stretched so that its least becomes 0 and its greatest 1, as U²-Net's
    /// authors do; default no.
    #[serde(default)]
    pub stretch: bool,
    /// What lies above it is the object; 0 to 1, default 0.5. Logits without an activation have 0.
    #[serde(default = "half")]
    pub threshold: f32,
}

/// How the values of a picture lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// A plane a colour.
    #[default]
    Nchw,
    /// The colours of a pixel side by side.
    Nhwc,
}

/// The order of a picture's colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Red first.
    #[default]
    Rgb,
    /// Blue first.
    Bgr,
}

/// How a picture of other proportions is brought to the size of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Both sides to the input's.
    #[default]
    Stretch,
    /// Its proportions are kept; what is left free on the right or below has the value 0.
    Pad,
}

/// What makes shares of 0 to 1 of a network's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// They are shares already, or are to be resized and compared with the threshold as they are.
    None,
    /// The logistic function.
    Sigmoid,
    /// Softmax over the channels.
    Softmax,
}

fn bytes() -> f32 {
    255.0
}

fn ones() -> [f32; 3] {
    [1.0; 3]
}

fn half() -> f32 {
    0.5
}

impl NetworkDescription {
    /// Reads a description; `path` is named if it is wrong.
    ///
    /// # Errors
    /// [`Error::NotOfFormat`] for what is no such TOML, [`Error::Malformed`] for values out of range.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let read: Self = toml::from_str(text).map_err(|e| Error::NotOfFormat {
            path: path.into(),
            format: "the description of a network",
            expected: "file, shown, [input] with size, [output] with activation".into(),
            found: e.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
            advice: "in9-data's README shows one",
        })?;
        read.checked(path)?;
        Ok(read)
    }

    /// Refuses values out of their ranges, and a file outside of the description's folder.
    pub(super) fn check(&self) -> Result<()> {
        self.checked(Path::new(&self.file))
    }

    fn checked(&self, path: &Path) -> Result<()> {
        let bad = |what: &str, expected: &str, found: String| {
            Err(Error::malformed(path, what, expected, found, "mend the description"))
        };
        if Path::new(&self.file).file_name().is_none_or(|name| name != self.file.as_str()) {
            return bad(
                "file of the network",
                "the name of a file in the same folder",
                format!("{:?}", self.file),
            );
        }
        if !self.input.size.iter().all(|side| (1..=LONGEST_SIDE).contains(side)) {
            return bad("size of the input", "1 to 4096", format!("{:?}", self.input.size));
        }
        if !(0.0..=4.0).contains(&self.margin) {
            return bad("margin", "0 to 4", self.margin.to_string());
        }
        if !(self.input.scale.is_finite() && self.input.scale > 0.0) {
            return bad("scale of the input", "a number above 0", self.input.scale.to_string());
        }
        if !self.input.mean.iter().all(|mean| mean.is_finite()) {
            return bad("mean of the input", "three numbers", format!("{:?}", self.input.mean));
        }
        if !self.input.std.iter().all(|std| std.is_finite() && *std > 0.0) {
            return bad("std of the input", "three numbers above 0", format!("{:?}", self.input.std));
        }
        if let Some(prompt) = &self.prompt {
            let elements = prompt.shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
            if elements != Some(4) || prompt.shape.len() > 8 {
                let expected = "four elements, as [1, 1, 4] has";
                return bad("shape of the prompt", expected, format!("{:?}", prompt.shape));
            }
        }
        if !(0.0..=1.0).contains(&self.output.threshold) {
            return bad("threshold of the output", "0 to 1", self.output.threshold.to_string());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORTEST: &str =
        "file = \"n.onnx\"\nshown = \"box\"\n[input]\nsize = [8, 8]\n[output]\nactivation = \"none\"\n";

    #[test]
    fn what_is_written_is_read_again() {
        let read = NetworkDescription::parse(SHORTEST, "n.toml".as_ref()).unwrap();
        assert_eq!((read.shown, read.input.layout, read.input.fit), (Shown::Box, Layout::Nchw, Fit::Stretch));
        let json = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<NetworkDescription>(&json).unwrap(), read);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_in_one_line_that_says_what() {
        let cases = [
            ("file = \"n.onnx\"", "file = \"../n.onnx\"", "the name of a file in the same folder"),
            ("file = \"n.onnx\"", "file = \"/etc/n.onnx\"", "the name of a file in the same folder"),
            ("file = \"n.onnx\"", "file = \"\"", "the name of a file in the same folder"),
            ("[8, 8]", "[0, 8]", "found [0, 8]"),
            ("[8, 8]", "[8, 4097]", "found [8, 4097]"),
            ("[8, 8]", "[8, 8]\nstd = [1, 0, 1]", "found [1.0, 0.0, 1.0]"),
            ("[8, 8]", "[8, 8]\nmean = [nan, 0, 1]", "mean of the input"),
            ("[8, 8]", "[8, 8]\nscale = 0", "scale of the input"),
            ("\"box\"", "\"box\"\nmargin = -1", "found -1"),
            ("\"box\"", "\"boxes\"", "unknown variant"),
            ("\"none\"", "\"none\"\nthreshold = 2", "found 2"),
            ("\"none\"", "\"none\"\nchannel = -1", "n.toml"),
            (
                "[output]",
                "[prompt]\nname = \"b\"\nform = \"corners\"\nshape = [1, 5]\n[output]",
                "found [1, 5]",
            ),
            (
                "[output]",
                "[prompt]\nname = \"b\"\nform = \"points\"\nshape = [1, 4]\n[output]",
                "unknown variant",
            ),
            ("[output]", "[output]\ncolour = 1", "unknown field"),
            ("[output]", "[out", "n.toml"),
        ];
        for (from, to, expected) in cases {
            let error =
                NetworkDescription::parse(&SHORTEST.replace(from, to), "n.toml".as_ref()).unwrap_err();
            let text = error.to_string();
            assert!(
                text.contains(expected) && !text.contains('\n') && text.starts_with("n.toml: "),
                "{to}: {text}"
            );
        }
    }
}
