//! Which picture of a dataset a name or path stands for.

use std::str::FromStr as _;

use crate::sources::{is_photo, stem};
use crate::view::View;

/// A picture: a photograph in a view, on a background if the name tells one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Picture {
    /// What was written, with `/` between folders.
    pub(super) whole: String,
    pub(super) id: String,
    pub(super) view: View,
    pub(super) background: Option<String>,
}

impl Picture {
    /// Reads `image`, an id, a file's name or a path (`mixed_rand/val/00_dog/fg_a_bg_b.JPEG`), and `view`, which may
    /// be empty if the path leads through a view's folder.
    pub(super) fn read(image: &str, view: &str) -> Result<Self, String> {
        let image = super::plain("image", image)?.replace('\\', "/");
        if image.is_empty() {
            return Err("image is empty".into());
        }
        let named = match view {
            "" => image.split('/').rev().skip(1).find_map(named_view),
            view => Some(named_view(view).ok_or_else(|| format!("view {view:?} is unknown"))?),
        };
        let view = named.ok_or_else(|| {
            format!(
                "image {image:?} does not say its view (expected a column view, or a path like mixed_rand/…)"
            )
        })?;
        let file = image.rsplit('/').next().unwrap_or(&image);
        let name = if is_photo(file) || file.ends_with(".npy") { stem(file) } else { file };
        let pair = name.strip_prefix("fg_").and_then(|rest| rest.split_once("_bg_"));
        let (id, background) = match pair {
            Some((foreground, background)) if view.needs_background() => {
                (foreground.to_owned(), Some(background.to_owned()))
            }
            _ => (name.to_owned(), None),
        };
        Ok(Self { id, view, background, whole: image })
    }
}

/// A view by its name or its folder in the official release, in any case: `mixed-rand`, `mixed_rand`, `Mixed-Rand`.
fn named_view(text: &str) -> Option<View> {
    View::from_str(&text.to_ascii_lowercase().replace('_', "-")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(image: &str, view: &str) -> (String, View, Option<String>) {
        let picture = Picture::read(image, view).unwrap();
        (picture.id, picture.view, picture.background)
    }

    #[test]
    fn ids_names_and_paths_of_an_export_stand_for_the_same_picture() {
        let alone = ("n01_7".to_owned(), View::OnlyFg, None);
        for (image, view) in
            [("n01_7", "only-fg"), ("n01_7.JPEG", "ONLY_FG"), ("only_fg/val/00_dog/n01_7.png", "")]
        {
            assert_eq!(picture(image, view), alone, "{image}, {view}");
        }
        let mixed = ("n01_7".to_owned(), View::MixedRand, Some("n02_9".to_owned()));
        assert_eq!(picture("mixed_rand\\val\\00_dog\\fg_n01_7_bg_n02_9.JPEG", ""), mixed);
        assert_eq!(picture("fg_n01_7_bg_n02_9", "mixed-rand"), mixed);
        // A name like that of a pair, where there are none.
        assert_eq!(picture("fg_a_bg_b.png", "original").0, "fg_a_bg_b");
        // A dot is no extension.
        assert_eq!(picture("v1.2", "original").0, "v1.2");
    }

    #[test]
    fn what_stands_for_no_picture_is_told() {
        for (image, view, part) in [
            ("", "original", "image is empty"),
            ("a", "sideways", "\"sideways\" is unknown"),
            ("val/dog/a.png", "", "does not say its view"),
            ("a\u{7}", "original", "control character"),
        ] {
            let mistake = Picture::read(image, view).unwrap_err();
            assert!(mistake.contains(part), "{mistake}");
        }
    }
}
