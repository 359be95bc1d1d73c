//! Pictures in rows, one row a photograph, and such as a command kept in files.

use super::Block;
use super::gallery::Item;
use super::pictures::png_address;
use crate::error::Result;
use askama::Template;
use in9_base::files;
use std::path::Path;

/// A kept picture is no larger than this many bytes.
const LARGEST: u64 = 16 << 20;

#[derive(Template)]
#[template(path = "page/rows.html")]
struct Page<'a> {
    rows: Vec<Vec<Item>>,
    note: &'a str,
}

/// Rows of pictures with a note below; `None` for no row.
pub(crate) fn block(rows: Vec<Vec<Item>>, note: &str) -> Result<Option<Block>> {
    if rows.is_empty() {
        return Ok(None);
    }
    Ok(Some(Block::Html(Page { rows, note }.render()?)))
}

/// A picture that a command kept; one without an address, which is not shown, if there is none.
pub(crate) fn kept(path: &Path, caption: String) -> Result<Item> {
    let picture = if path.is_file() { png_address(&files::read(path, LARGEST)?) } else { String::new() };
    Ok(Item { picture, caption, see: None })
}

/// Names of the PNG files in a folder that end with `-what.png`, less that ending, sorted; none if there is no such folder.
pub(crate) fn stems(folder: &Path, what: &str) -> Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(in9_base::Error::read(folder))? {
        let name = entry.map_err(in9_base::Error::read(folder))?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(&format!("-{what}.png")).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}
