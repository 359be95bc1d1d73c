//! Small CSV tables that people write beside their photographs: boxes, metadata.

use std::path::Path;

use crate::error::{Error, Result};

use super::lines::LONGEST_LINE;

/// What reads the records of a table.
pub(super) type Records<'t> = csv::Reader<&'t [u8]>;
/// A record, or why there is none in its place.
pub(super) type Record = csv::Result<csv::StringRecord>;

/// The header of a table, and its records to be read; `path` is for errors.
///
/// # Errors
/// When a line is too long.
pub(super) fn open<'t>(text: &'t str, path: &Path) -> Result<(Vec<String>, Records<'t>)> {
    // Before it is taken apart: a line of commas alone would take 24 times its length.
    if let Some((number, line)) = (1..).zip(text.lines()).find(|(_, line)| line.len() > LONGEST_LINE) {
        let (expected, found) = (format!("at most {LONGEST_LINE} bytes"), line.len().to_string());
        return Err(Error::malformed(
            path,
            format!("line {number} is too long"),
            expected,
            found,
            "mend the line",
        ));
    }
    let mut records =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = records.headers().map(|names| names.iter().map(str::to_owned).collect());
    Ok((header.unwrap_or_default(), records))
}

/// The error for a table whose first line does not say what was expected.
pub(super) fn wrong_header(path: &Path, expected: &str, header: &[String]) -> Error {
    Error::malformed(path, "wrong header", expected, excerpt(&header.join(",")), "mend the first line")
}

/// The line of a record; 0 if it is not known.
pub(super) fn line_of(record: &Record) -> usize {
    record.as_ref().ok().and_then(|record| record.position()).map_or(0, |place| place.line() as usize)
}

/// The first `cells` of a record that makes no sense, or why it could not be read.
pub(super) fn shown(record: &Record, cells: usize) -> String {
    match record {
        Ok(record) => excerpt(&record.iter().take(cells).collect::<Vec<_>>().join(",")),
        Err(error) => error.to_string(),
    }
}

/// The beginning of a text, for a message.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}
