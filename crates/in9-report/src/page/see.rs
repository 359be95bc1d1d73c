//! Places of the explorer that belong to a passage of the page.
//!
//! The page says where to look (`<a data-see="photograph?…">`) but links to nothing: whether something stands beside it
//! that could be linked to is not known when it is made. `in9 serve` and its exports, which show this page too, turn
//! each such place into a link.

use std::fmt::Write as _;

use askama::Template;

use super::Block;
use crate::error::Result;

#[derive(Template)]
#[template(
    source = "<p class=\"see\">{{ what }}{% for (place, name) in places %} <a data-see=\"{{ place }}\">{{ name }}</a>{% if !loop.last %},{% endif %}{% endfor %} (<code>in9 serve</code>)</p>",
    ext = "html"
)]
struct Paragraph<'a> {
    what: &'a str,
    places: Vec<(String, String)>,
}

/// A paragraph that says what can be seen, with places and their names.
pub(crate) fn block(what: &str, places: impl Iterator<Item = (String, String)>) -> Result<Block> {
    Ok(Block::Html(Paragraph { what, places: places.collect() }.render()?))
}

/// The overview of a test set.
pub(crate) fn overview(dataset: &str, split: &str) -> String {
    format!("overview?set={}", test_set(dataset, split))
}

/// A photograph by its id.
pub(crate) fn photograph(dataset: &str, split: &str, id: &str) -> String {
    format!("photograph?set={}&id={}", test_set(dataset, split), encoded(id))
}

/// A photograph by its number in the split.
pub(crate) fn numbered(dataset: &str, split: &str, number: u32) -> String {
    format!("photograph?set={}&p={number}", test_set(dataset, split))
}

/// The photographs that a model leans on the background of, the most so first.
pub(crate) fn leaning(dataset: &str, split: &str, model: &str) -> String {
    format!("grid?set={}&m={}&sort=effect", test_set(dataset, split), encoded(model))
}

fn test_set(dataset: &str, split: &str) -> String {
    encoded(&format!("{dataset}/{split}"))
}

/// A text as a part of an address (RFC 3986).
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_change_the_address() {
        assert_eq!(photograph("a&b", "test", "x#1 ü"), "photograph?set=a%26b%2Ftest&id=x%231%20%C3%BC");
    }
}
