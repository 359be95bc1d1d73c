//! Which part of a photograph a network is shown, and how it lies in the network's input.

use super::description::{Fit, NetworkDescription, Shown};

/// A part of a photograph in a network's input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Region {
    /// Left, top, width and height in the photograph, in pixels; inside it, and not empty.
    pub(super) part: [u32; 4],
    /// Width and height that it has in the input, in pixels; from its left upper corner.
    pub(super) within: [u32; 2],
}

impl Region {
    /// What is shown of a photograph of `width` × `height` pixels with an inclusive box.
    pub(super) fn of(
        (width, height): (u32, u32),
        [x0, y0, x1, y1]: [u32; 4],
        description: &NetworkDescription,
    ) -> Self {
        let part = match description.shown {
            Shown::Photograph => [0, 0, width, height],
            Shown::Box => {
                let grown = |low: u32, high: u32, length: u32| {
                    let by = (f64::from(description.margin) * f64::from(high - low + 1)).round() as u32;
                    let (low, end) =
                        (low.saturating_sub(by), high.saturating_add(1).saturating_add(by).min(length));
                    (low, end - low)
                };
                let ((left, across), (top, down)) = (grown(x0, x1, width), grown(y0, y1, height));
                [left, top, across, down]
            }
        };
        let [_, _, across, down] = part.map(f64::from);
        let [input_width, input_height] = description.input.size;
        let within = match description.input.fit {
            Fit::Stretch => [input_width, input_height],
            Fit::Pad => {
                let scale = (f64::from(input_width) / across).min(f64::from(input_height) / down);
                let side = |length: f64, most: u32| ((length * scale).round() as u32).clamp(1, most);
                [side(across, input_width), side(down, input_height)]
            }
        };
        Self { part, within }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(size: (u32, u32), photo_box: [u32; 4], shown: &str, fit: &str) -> Region {
        let text = format!(
            "file = \"n\"\nshown = \"{shown}\"\nmargin = 0.5\n[input]\nsize = [64, 32]\nfit = \"{fit}\"\n[output]\n\
             activation = \"none\""
        );
        Region::of(size, photo_box, &NetworkDescription::parse(&text, "n".as_ref()).unwrap())
    }

    #[test]
    fn margins_end_at_the_photograph_and_padding_keeps_proportions() {
        let whole = of((200, 100), [10, 10, 29, 19], "photograph", "stretch");
        assert_eq!(whole, Region { part: [0, 0, 200, 100], within: [64, 32] });
        let cut = of((200, 100), [4, 10, 23, 19], "box", "pad");
        // Twenty by ten, with ten and five more on each side; four on the left, where the photograph ends.
        assert_eq!(cut.part, [0, 5, 34, 20]);
        assert_eq!(cut.within, [54, 32]);
        let sliver = of((5000, 3), [0, 0, 4999, 2], "photograph", "pad");
        assert_eq!(sliver.within, [64, 1]);
    }
}
