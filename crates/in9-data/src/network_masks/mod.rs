//! Masks that a network draws: for segmentation, saliency or matting, or for the object in a box; described in a small TOML
//! file, or by the program that brings the network.
//!
//! The photograph, or its box with a margin, is brought to the network's input; what it answers is brought back, and what
//! lies above the threshold inside the box is the object. Outside the box all is background, as for GrabCut: the box says
//! which object is meant.

mod answer;
mod description;
#[cfg(feature = "onnx")]
mod onnx;
mod pixels;
mod prompt;
mod region;

use std::fmt::Debug;
use std::sync::Arc;

use fast_image_resize::Resizer;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::photo::Photo;

pub use description::{
    Activation, Fit, InputDescription, Layout, NetworkDescription, Order, OutputDescription,
    PromptDescription, PromptForm, Shown,
};

use answer::Grid;
use region::Region;

/// A network of one input of a fixed shape, perhaps with a prompt beside it, and one output. It is called from many threads and
/// gives each the same answers.
pub trait MaskNetwork: Debug + Send + Sync {
    /// BLAKE3 (hex) of everything that its answers depend on.
    fn digest(&self) -> &str;
    /// What runs it: `tract`, `candle`.
    fn runtime(&self) -> &str;
    /// Shape of what it answers.
    fn output_shape(&self) -> &[usize];
    /// Bytes of memory that a run takes.
    fn bytes(&self) -> u64;
    /// Its answer to the values of its input, `[1, 3, height, width]` or as the description lays them out, and to those of its
    /// prompt, as many as the description's shape has; none where it describes none.
    ///
    /// # Errors
    /// If it fails.
    fn run(&self, values: &[f32], prompt: &[f32]) -> Result<Vec<f32>>;
}

/// What a dataset's manifest says of the network that drew its masks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskNetworkRecord {
    /// BLAKE3 (hex) of the network.
    pub network: String,
    /// BLAKE3 (hex) of the file that describes it; where a program does, of what it says, as JSON.
    pub described: String,
    /// What ran it.
    pub runtime: String,
    /// What the description says.
    pub description: NetworkDescription,
}

/// A network that draws masks, with its description.
#[derive(Debug, Clone)]
pub struct NetworkMasks {
    record: MaskNetworkRecord,
    network: Arc<dyn MaskNetwork>,
    grid: Grid,
}

impl NetworkMasks {
    /// A network that draws masks as a program describes it, without a file.
    ///
    /// # Errors
    /// Those of [`NetworkMasks::new`].
    pub fn described(
        description: NetworkDescription,
        network: Arc<dyn MaskNetwork>,
        limits: &Limits,
    ) -> Result<Self> {
        // Serialising plain numbers and texts cannot fail.
        let text = serde_json::to_string(&description).unwrap_or_default();
        let described = blake3::hash(text.as_bytes()).to_hex().to_string();
        Self::new(description, described, network, limits)
    }

    /// A network that draws masks as its description says; `described` is the BLAKE3 (hex) of the file that holds it.
    ///
    /// # Errors
    /// [`Error::Malformed`] if the description is out of range or the network's output is not what it says, and
    /// [`Error::Limit`] if the network takes more memory than is allowed.
    pub fn new(
        description: NetworkDescription,
        described: String,
        network: Arc<dyn MaskNetwork>,
        limits: &Limits,
    ) -> Result<Self> {
        description.check()?;
        let path = std::path::Path::new(&description.file);
        let grid = Grid::of(network.output_shape(), &description).map_err(|(expected, found)| {
            let advice = "mend layout, channel or activation in its description";
            Error::malformed(path, "its output is no map of pixels", expected, found, advice)
        })?;
        if network.bytes() > limits.network_bytes {
            let (what, limit, found) =
                ("bytes of memory of a network", limits.network_bytes, network.bytes());
            return Err(Error::Limit { path: path.into(), what, limit, found });
        }
        let (digest, runtime) = (network.digest().to_owned(), network.runtime().to_owned());
        let record = MaskNetworkRecord { network: digest, described, runtime, description };
        Ok(Self { record, network, grid })
    }

    /// What a manifest says of it.
    pub fn record(&self) -> &MaskNetworkRecord {
        &self.record
    }

    /// Memory that the network itself takes, in bytes.
    pub(crate) fn network_bytes(&self) -> u64 {
        self.network.bytes()
    }

    /// Memory that the mask of one photograph of so many pixels takes beside the photograph, in bytes.
    pub(crate) fn memory(&self, pixels: u64) -> u64 {
        // The part that is shown, the map at its size and its values, and the mask; the input in bytes and in values.
        let [width, height] = self.record.description.input.size.map(u64::from);
        pixels * (3 + 8 + 1) + width * height * 3 * 5 + self.network.bytes()
    }

    /// The mask of a photograph's object, one byte a pixel, 0 or 1; `photo_box` is inclusive and inside the photograph.
    ///
    /// # Errors
    /// [`Error::Malformed`] if the network fails, or answers with what is no number.
    pub(crate) fn segment(&self, photo: &Photo, photo_box: [u32; 4]) -> Result<Vec<u8>> {
        let description = &self.record.description;
        let failed = |found: String| {
            let (what, expected) = ("its network failed", "a finite number for each pixel");
            let advice = "use another network, or another normalization";
            Error::malformed(std::path::Path::new(&description.file), what, expected, found, advice)
        };
        let mut resizer = Resizer::new();
        let region = Region::of((photo.width, photo.height), photo_box, description);
        let values = pixels::values(photo, &region, &description.input, &mut resizer).map_err(failed)?;
        let prompt = description
            .prompt
            .as_ref()
            .map_or_else(Vec::new, |prompt| prompt::values(prompt, &region, photo_box));
        let answer = self.network.run(&values, &prompt)?;
        drop(values);
        let map = self.grid.map(&answer, &description.output).map_err(failed)?;
        drop(answer);
        answer::mask(&map, self.grid, photo, photo_box, &region, description, &mut resizer).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers with the first channel of its input, negative where that is dark.
    #[derive(Debug)]
    pub(super) struct Red(pub(super) Vec<usize>);

    impl MaskNetwork for Red {
        fn digest(&self) -> &str {
            "red"
        }
        fn runtime(&self) -> &str {
            "test"
        }
        fn output_shape(&self) -> &[usize] {
            &self.0
        }
        fn bytes(&self) -> u64 {
            1 << 20
        }
        fn run(&self, values: &[f32], prompt: &[f32]) -> Result<Vec<f32>> {
            assert!(prompt.is_empty());
            Ok(values[..values.len() / 3].iter().map(|v| 20.0 * (v - 0.5)).collect())
        }
    }

    fn masks(text: &str) -> NetworkMasks {
        let description = NetworkDescription::parse(text, "test.toml".as_ref()).unwrap();
        let [width, height] = description.input.size.map(|side| side as usize);
        let red = Arc::new(Red(vec![1, 1, height, width]));
        NetworkMasks::new(description, "described".into(), red, &Limits::default()).unwrap()
    }

    /// Two red squares on blue, 40 × 30 pixels: columns 8 to 17 and 26 to 33, rows 10 to 19.
    fn photo() -> Photo {
        let red = |i: usize| {
            let (x, y) = (i % 40, i / 40);
            (10..20).contains(&y) && ((8..18).contains(&x) || (26..34).contains(&x))
        };
        let rgb = (0..40 * 30).flat_map(|i| if red(i) { [250, 10, 10] } else { [10, 10, 250] }).collect();
        Photo { width: 40, height: 30, rgb }
    }

    fn extent(mask: &[u8]) -> Option<[usize; 4]> {
        let on: Vec<usize> = (0..mask.len()).filter(|&i| mask[i] == 1).collect();
        let [xs, ys] = [on.iter().map(|i| i % 40).collect::<Vec<_>>(), on.iter().map(|i| i / 40).collect()];
        Some([*xs.iter().min()?, *ys.iter().min()?, *xs.iter().max()?, *ys.iter().max()?])
    }

    #[test]
    fn the_object_in_the_box_is_cut_out_whatever_is_shown_and_how() {
        for (shown, fit, size) in [
            ("photograph", "stretch", "[40, 30]"),
            ("photograph", "pad", "[40, 40]"),
            ("photograph", "pad", "[80, 120]"),
            ("box", "stretch", "[24, 24]"),
            ("box", "pad", "[48, 32]"),
        ] {
            let text = format!(
                "file = \"red.onnx\"\nshown = \"{shown}\"\nmargin = 0.25\n[input]\nsize = {size}\nfit = \"{fit}\"\n\
                 [output]\nactivation = \"sigmoid\"\n"
            );
            let mask = masks(&text).segment(&photo(), [6, 8, 20, 22]).unwrap();
            assert_eq!(mask.len(), 40 * 30);
            assert_eq!(extent(&mask), Some([8, 10, 17, 19]), "{text}");
            assert_eq!(mask.iter().map(|&m| usize::from(m)).sum::<usize>(), 100, "{text}");
        }
    }

    #[test]
    fn a_box_cuts_off_what_lies_outside_it() {
        let text = "file = \"r.onnx\"\nshown = \"photograph\"\n[input]\nsize = [40, 30]\n[output]\nactivation = \"sigmoid\"";
        let mask = masks(text).segment(&photo(), [12, 12, 30, 29]).unwrap();
        assert_eq!(extent(&mask), Some([12, 12, 30, 19]));
        let nothing = masks(text).segment(&photo(), [0, 0, 5, 29]).unwrap();
        assert_eq!(extent(&nothing), None);
    }

    #[test]
    fn what_is_no_number_and_what_is_too_large_is_refused() {
        #[derive(Debug)]
        struct Nan;
        impl MaskNetwork for Nan {
            fn digest(&self) -> &str {
                "nan"
            }
            fn runtime(&self) -> &str {
                "test"
            }
            fn output_shape(&self) -> &[usize] {
                &[1, 1, 8, 8]
            }
            fn bytes(&self) -> u64 {
                1 << 33
            }
            fn run(&self, _: &[f32], _: &[f32]) -> Result<Vec<f32>> {
                Ok(vec![f32::NAN; 64])
            }
        }
        let text = "file = \"n.onnx\"\nshown = \"photograph\"\n[input]\nsize = [8, 8]\n[output]\nactivation = \"none\"";
        let made = |limits: &Limits| {
            let description = NetworkDescription::parse(text, "n.toml".as_ref()).unwrap();
            NetworkMasks::new(description, String::new(), Arc::new(Nan), limits)
        };
        let large = made(&Limits::default()).unwrap_err();
        assert!(matches!(large, Error::Limit { found: 8_589_934_592, .. }), "{large}");
        let limits = Limits { network_bytes: 1 << 34, ..Limits::default() };
        let error = made(&limits).unwrap().segment(&photo(), [6, 8, 20, 22]).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }) && error.to_string().contains("NaN"), "{error}");
    }
}
