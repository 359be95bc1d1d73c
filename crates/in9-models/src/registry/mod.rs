//! The table of architectures, and how names are looked up in it.

#[cfg(feature = "download")]
mod download;
#[cfg(feature = "transformers")]
mod encoders;
mod pretrained;
mod table;

use crate::error::{Error, Result};
use crate::model::Network;
use crate::params::Params;

#[cfg(feature = "download")]
pub use download::{Cache, DownloadFault};
pub use pretrained::{Checksum, PRETRAINED, Pretrained, find_pretrained, pretrained_of, recognise};
pub use table::ARCHITECTURES;

/// Architectures that need the feature `transformers`.
const WITH_TRANSFORMERS: [&str; 22] = [
    "vit_base_patch16_224",
    "deit_tiny_patch16_224",
    "deit_small_patch16_224",
    "deit_base_patch16_224",
    "convnext_tiny",
    "swin_tiny_patch4_window7_224",
    "swin_small_patch4_window7_224",
    "swin_base_patch4_window7_224",
    "vit_small_patch14_dinov2",
    "vit_base_patch14_dinov2",
    "vit_large_patch14_dinov2",
    "vit_small_patch14_reg4_dinov2",
    "vit_base_patch14_reg4_dinov2",
    "vit_large_patch14_reg4_dinov2",
    "vit_small_patch16_dinov3",
    "vit_small_plus_patch16_dinov3",
    "vit_base_patch16_dinov3",
    "vit_large_patch16_dinov3",
    "vit_small_patch16_dinov3_qkvb",
    "vit_small_plus_patch16_dinov3_qkvb",
    "vit_base_patch16_dinov3_qkvb",
    "vit_large_patch16_dinov3_qkvb",
];

/// How a download comes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DownloadProgress {
    /// Another process downloads the same file; this one waits for it.
    Waiting,
    /// Bytes are there.
    Bytes {
        /// So many.
        done: u64,
        /// Of so many, once the server has told.
        total: Option<u64>,
    },
}

/// One architecture: a name, and how to build it.
pub struct Architecture {
    /// The name for `--arch`.
    pub name: &'static str,
    /// One line: what it is and where it is from.
    pub summary: &'static str,
    /// The side of the square pictures it was designed for, in pixels; others work too unless the
    /// architecture says otherwise.
    pub input_size: usize,
    /// Authors, year and number of the paper.
    pub paper: &'static str,
    /// Whether it cannot be trained here.
    pub evaluation_only: bool,
    /// The classifier's layer, the one that fine-tuning replaces: `fc`, `classifier.6`.
    pub head: &'static str,
    /// Builds it with this many classes.
    pub build: fn(&Params, usize) -> Result<Box<dyn Network>>,
}

/// Whether `name` matches `pattern`, in which `*` stands for any text, also none, and `?` for one
/// character; a pattern without either matches anywhere in the name.
pub fn matches(pattern: &str, name: &str) -> bool {
    if !pattern.contains(['*', '?']) {
        return name.contains(pattern);
    }
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    // The last `*`, and how much of the name it has swallowed so far.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == b'?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match &mut star {
                Some((at, swallowed)) => {
                    *swallowed += 1;
                    (p, n) = (*at + 1, *swallowed);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

/// The architecture of this exact name.
///
/// # Errors
/// [`Error::UnknownArchitecture`] with names that look alike; [`Error::MissingFeature`] for one that was left
/// out when this program was compiled.
pub fn find(name: &str) -> Result<&'static Architecture> {
    ARCHITECTURES.iter().find(|entry| entry.name == name).ok_or_else(|| {
        match WITH_TRANSFORMERS.contains(&name) {
            true => Error::MissingFeature { what: name.to_owned(), feature: "transformers" },
            false => Error::UnknownArchitecture { name: name.to_owned(), close: close_to(name) },
        }
    })
}

/// Up to three known names within a third of `name`'s length in edits, best first.
fn close_to(name: &str) -> Vec<String> {
    let mut scored: Vec<(usize, &str)> = ARCHITECTURES
        .iter()
        .map(|entry| (edits(name, entry.name), entry.name))
        .filter(|(distance, _)| *distance <= name.len().div_ceil(3))
        .collect();
    scored.sort_unstable();
    scored.truncate(3);
    scored.into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// Levenshtein distance in bytes.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_distance_of_known_pairs() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("same", "same"), 0);
    }

    #[test]
    fn misspelt_names_are_suggested() {
        assert_eq!(find("resnet-tiny").unwrap().name, "resnet-tiny");
        let error = find("resnet-tyni").err().unwrap().to_string();
        assert!(error.contains("did you mean resnet-tiny"), "{error}");
        assert!(!error.contains('\n'));
    }

    #[test]
    fn wildcards() {
        assert!(matches("resnet*", "resnet-tiny") && !matches("resnet*", "wide_resnet50_2"));
        assert!(matches("*resnet*", "wide_resnet50_2") && matches("resnet", "wide_resnet50_2"));
        assert!(matches("*_v?_*", "shufflenet_v2_x0_5") && !matches("resnet??", "resnet152"));
        assert!(matches("*", "") && matches("**a", "aa") && !matches("?", ""));
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = ARCHITECTURES.iter().map(|entry| entry.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ARCHITECTURES.len());
    }

    #[test]
    fn architectures_of_another_library_are_there_or_name_the_feature() {
        for name in WITH_TRANSFORMERS {
            let found = find(name);
            assert_eq!(found.is_ok(), cfg!(feature = "transformers"), "{name}");
            if let Err(error) = found {
                assert!(error.to_string().contains("feature `transformers`"), "{error}");
            }
        }
    }
}
