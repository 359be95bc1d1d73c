//! What tells a network which object is meant: the photograph's box.

use super::description::{PromptDescription, PromptForm};
use super::region::Region;

/// The values of a prompt for an inclusive box.
pub(super) fn values(prompt: &PromptDescription, region: &Region, [x0, y0, x1, y1]: [u32; 4]) -> Vec<f32> {
    let PromptForm::Corners = prompt.form;
    let [left, top, across, down] = region.part.map(f64::from);
    let [wide, high] = region.within.map(f64::from);
    // The edges of the box's first pixels and of its last ones, brought to the input as the picture was.
    let x = |edge: u32| ((f64::from(edge) - left) / across * wide) as f32;
    let y = |edge: u32| ((f64::from(edge) - top) / down * high) as f32;
    vec![x(x0), y(y0), x(x1.saturating_add(1)), y(y1.saturating_add(1))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_are_where_the_box_lies_in_the_input() {
        let prompt =
            PromptDescription { name: "box".to_owned(), form: PromptForm::Corners, shape: vec![1, 4] };
        let whole = Region { part: [0, 0, 200, 100], within: [64, 32] };
        assert_eq!(values(&prompt, &whole, [0, 0, 199, 99]), [0.0, 0.0, 64.0, 32.0]);
        assert_eq!(values(&prompt, &whole, [50, 25, 99, 49]), [16.0, 8.0, 32.0, 16.0]);
        let part = Region { part: [40, 20, 100, 50], within: [50, 25] };
        assert_eq!(values(&prompt, &part, [50, 25, 99, 49]), [5.0, 2.5, 30.0, 15.0]);
    }
}
