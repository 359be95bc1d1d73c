//! Pictures in a grid, each with a caption.

use crate::error::Result;
use crate::page::Block;
use crate::page::pictures::SMALL;
use askama::Template;

/// A picture of a gallery.
pub(crate) struct Item {
    /// Its data address.
    pub(crate) picture: String,
    /// What it shows.
    pub(crate) caption: String,
    /// Where the explorer shows more of it.
    pub(crate) see: Option<String>,
}

#[derive(Template)]
#[template(path = "page/gallery.html")]
struct Page {
    items: Vec<Item>,
    pixelated: bool,
}

/// A gallery of pictures of `size` pixels a side; `None` for no pictures.
pub(crate) fn block(items: Vec<Item>, size: usize) -> Result<Option<Block>> {
    if items.is_empty() {
        return Ok(None);
    }
    Ok(Some(Block::Html(Page { items, pixelated: size <= SMALL }.render()?)))
}
