//! A Parquet file as the text of the CSV file with the same rows, so that one reader has all rules and limits.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use in9_base::Error;
use in9_base::guard::guarded;
use in9_base::table::Limits;
use parquet::basic::{Compression, Repetition};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use parquet::schema::types::Type;

/// The rows of a Parquet file, read as CSV text.
pub(in super::super) struct Rows {
    rows: RowIter<'static>,
    /// Text that was not handed on yet, from `at`.
    text: Vec<u8>,
    at: usize,
}

impl Rows {
    /// Opens the file, which has been found to be a regular one; `path` names it in errors. Columns of lists and structures
    /// are passed over, as all columns that are none of ours.
    ///
    /// # Errors
    /// [`Error::TableForm`] for a file that is no Parquet file or says to be compressed by what is not read here,
    /// [`Error::TableLimit`] for one that says to be larger than `limits`.
    pub(in super::super) fn open(file: File, path: &Path, limits: &Limits) -> in9_base::Result<Self> {
        let form = |expected: &str, found: String| Error::TableForm {
            path: path.to_owned(),
            what: "not a usable Parquet table".to_owned(),
            expected: expected.to_owned(),
            found,
        };
        let damaged = |found: String| form("an undamaged file", found);
        let limit = |what, limit| Error::TableLimit { path: path.to_owned(), what, limit };
        let reader = guarded(|| SerializedFileReader::new(file)).map_err(damaged)?;
        let facts = reader.metadata();
        let groups = facts.row_groups();
        let sum = |of: fn(&parquet::file::metadata::RowGroupMetaData) -> i64| {
            groups
                .iter()
                .map(|group| u64::try_from(of(group)).unwrap_or(u64::MAX))
                .fold(0, u64::saturating_add)
        };
        if sum(|group| group.num_rows()) > limits.rows {
            return Err(limit("rows", limits.rows));
        }
        if sum(|group| group.total_byte_size()) > limits.bytes {
            return Err(limit("bytes", limits.bytes));
        }
        let codecs = groups.iter().flat_map(|group| group.columns()).map(|column| column.compression());
        for codec in codecs {
            if !matches!(codec, Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_)) {
                return Err(form("columns compressed by snappy, gzip or nothing", codec.to_string()));
            }
        }
        let schema = facts.file_metadata().schema();
        let flat = |field: &&Arc<Type>| {
            field.is_primitive() && field.get_basic_info().repetition() != Repetition::REPEATED
        };
        let fields: Vec<Arc<Type>> = schema.get_fields().iter().filter(flat).cloned().collect();
        if fields.len() > limits.columns {
            return Err(limit("columns", limits.columns as u64));
        }
        if fields.is_empty() {
            return Err(form("columns of texts and numbers", "none".to_owned()));
        }
        let names: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
        let flat = guarded(|| Type::group_type_builder(schema.name()).with_fields(fields).build());
        let flat = flat.map_err(damaged)?;
        let rows =
            guarded(|| RowIter::from_file_into(Box::new(reader)).project(Some(flat))).map_err(damaged)?;
        let text = line(names.iter().map(String::as_str)).map_err(|e| damaged(e.to_string()))?;
        Ok(Self { rows, text, at: 0 })
    }
}

impl Read for Rows {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.text.len() {
            let row = guarded(|| self.rows.next().transpose()).map_err(std::io::Error::other)?;
            let Some(row) = row else { return Ok(0) };
            self.text = text(&row)?;
            self.at = 0;
        }
        let count = buffer.len().min(self.text.len() - self.at);
        buffer[..count].copy_from_slice(&self.text[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// A row as a line of CSV.
fn text(row: &Row) -> std::io::Result<Vec<u8>> {
    let fields = row.get_column_iter().map(|(name, field)| match field {
        Field::Null => Ok(String::new()),
        Field::Str(text) => Ok(text.clone()),
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(std::io::Error::other(format!("{name} is not UTF-8"))),
        },
        // In the shortest form that reads back to the same number; 3.0 as 3, which programs that have no missing
        // integers make of it.
        Field::Float(number) => Ok(number.to_string()),
        Field::Double(number) => Ok(number.to_string()),
        other => Ok(other.to_string()),
    });
    line(fields.collect::<std::io::Result<Vec<String>>>()?.iter().map(String::as_str))
}

fn line<'t>(fields: impl Iterator<Item = &'t str>) -> std::io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields)?;
    writer.into_inner().map_err(|e| std::io::Error::other(e.to_string()))
}
