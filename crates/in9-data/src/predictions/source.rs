//! Where the rows of a prediction table come from: a CSV file, or a Parquet file that is read as one.

use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom};
use std::path::Path;

use in9_base::table::{Limits, Table};
use in9_base::{Error, Result, files};

/// What a Parquet file begins and ends with.
const PARQUET: [u8; 4] = *b"PAR1";

/// The file of a prediction table.
pub struct Source(Kind);

enum Kind {
    Csv(File),
    #[cfg(feature = "parquet")]
    Parquet(Box<super::parquet::Rows>),
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match &mut self.0 {
            Kind::Csv(file) => file.read(buffer),
            #[cfg(feature = "parquet")]
            Kind::Parquet(rows) => rows.read(buffer),
        }
    }
}

/// Opens the table at `path`, of whichever of the two forms by its first bytes, and reads its header.
///
/// # Errors
/// As [`Table::open`]; [`Error::TableForm`] for a Parquet file that is damaged or cannot be read here.
pub(super) fn open(path: &Path, limits: Limits) -> Result<Table<Source>> {
    let mut file = files::open(path)?;
    let size = file.metadata().map_err(Error::read(path))?.len();
    if size > limits.bytes {
        return Err(Error::TooLarge { path: path.to_owned(), limit: limits.bytes, found: size });
    }
    let mut first = Vec::new();
    (&mut file).take(PARQUET.len() as u64).read_to_end(&mut first).map_err(Error::read(path))?;
    file.seek(SeekFrom::Start(0)).map_err(Error::read(path))?;
    match first == PARQUET {
        true => parquet(file, path, limits),
        false => Table::from_reader(Source(Kind::Csv(file)), path, limits),
    }
}

#[cfg(feature = "parquet")]
fn parquet(file: File, path: &Path, limits: Limits) -> Result<Table<Source>> {
    let rows = super::parquet::Rows::open(file, path, &limits)?;
    let source = Source(Kind::Parquet(Box::new(rows)));
    Ok(Table::from_reader(source, path, limits)?.counted_in(in9_base::table::Unit::Row))
}

#[cfg(not(feature = "parquet"))]
fn parquet(_: File, path: &Path, _: Limits) -> Result<Table<Source>> {
    Err(Error::TableForm {
        path: path.to_owned(),
        what: format!("a Parquet table, and {}", super::write::WITHOUT),
        expected: "CSV".to_owned(),
        found: "Parquet".to_owned(),
    })
}
