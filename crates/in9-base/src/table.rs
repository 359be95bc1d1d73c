//! CSV files from anywhere: every fault is named with its line, and nothing is read beyond its limits.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::files;

/// Mistakes that are kept to be shown; the others are counted.
const MISTAKES_SHOWN: usize = 20;

/// What places in a table are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Lines of its text, from 1, which is the header.
    #[default]
    Line,
    /// Rows, from 1, of a table that is no text; its columns are row 0.
    Row,
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Line => "line",
            Self::Row => "row",
        })
    }
}

/// What is wrong in one place of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The line or row.
    pub line: u64,
    /// Which of the two.
    pub unit: Unit,
    /// What is wrong there.
    pub what: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self { line: 0, unit: Unit::Row, what } => f.write_str(what),
            Self { line, unit, what } => write!(f, "{unit} {line}: {what}"),
        }
    }
}

/// How much of a table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Rows below the header.
    pub rows: u64,
    /// Columns.
    pub columns: usize,
    /// Length of one row in bytes.
    pub row_bytes: usize,
}

impl Default for Limits {
    /// 64 GiB, 100 million rows, 70,000 columns, 16 MiB a row: far above any honest table, and far below
    /// what fills a machine's memory by one row.
    fn default() -> Self {
        Self { bytes: 64 << 30, rows: 100_000_000, columns: 70_000, row_bytes: 16 << 20 }
    }
}

/// Reads a table row by row, and collects what is wrong with it.
///
/// ```
/// use in9_base::table::{Limits, Table};
/// let text = "model,imagenet\na,76.1\nb,many\n";
/// let mut table = Table::from_reader(text.as_bytes(), "top1.csv".as_ref(), Limits::default())?;
/// let accuracy = table.column("imagenet");
/// let mut sum = 0.0;
/// while let Some((line, row)) = table.next_row()? {
///     match accuracy.and_then(|at| row[at].parse::<f64>().ok()) {
///         Some(number) => sum += number,
///         None => table.mistake(line, "imagenet is no number"),
///     }
/// }
/// assert_eq!(sum, 76.1);
/// assert!(table.finish().unwrap_err().to_string().contains("line 3: imagenet is no number"));
/// # Ok::<(), in9_base::Error>(())
/// ```
#[derive(Debug)]
pub struct Table<R> {
    path: PathBuf,
    reader: csv::Reader<Bounded<R>>,
    header: StringRecord,
    limits: Limits,
    unit: Unit,
    rows: u64,
    mistakes: Vec<Mistake>,
    more: u64,
}

impl Table<File> {
    /// Opens the table at `path` and reads its header.
    ///
    /// # Errors
    /// [`Error::NotAFile`] for a pipe or device, [`Error::TooLarge`] and [`Error::TableLimit`] beyond
    /// `limits`, [`Error::Table`] if the header is not UTF-8, [`Error::Io`] if it cannot be read.
    pub fn open(path: &Path, limits: Limits) -> Result<Self> {
        let file = files::open(path)?;
        let size = file.metadata().map_err(Error::read(path))?.len();
        if size > limits.bytes {
            return Err(Error::TooLarge { path: path.to_owned(), limit: limits.bytes, found: size });
        }
        Self::from_reader(file, path, limits)
    }
}

impl<R: Read> Table<R> {
    /// Reads a table from anywhere; `path` only names it in errors.
    ///
    /// # Errors
    /// As [`Table::open`].
    pub fn from_reader(reader: R, path: &Path, limits: Limits) -> Result<Self> {
        let bounded = Bounded { inner: reader, row: 0, total: 0, limits };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bounded);
        let header = match reader.headers() {
            Ok(header) => header.clone(),
            Err(error) => return Err(broken(path, error, &limits, 0)),
        };
        if header.len() > limits.columns {
            let limit = limits.columns as u64;
            return Err(Error::TableLimit { path: path.to_owned(), what: "columns", limit });
        }
        let (path, unit) = (path.to_owned(), Unit::Line);
        Ok(Self { path, reader, header, limits, unit, rows: 0, mistakes: Vec::new(), more: 0 })
    }

    /// The same table, whose places are counted in `unit`: what is read may stand for a file that is no text.
    #[must_use]
    pub fn counted_in(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    /// What places in the table are counted in.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// The names of the columns.
    pub fn header(&self) -> &StringRecord {
        &self.header
    }

    /// The place of a column that must be there once; a mistake is noted if it is missing or doubled.
    pub fn column(&mut self, name: &str) -> Option<usize> {
        let found = self.optional_column(name);
        if found.is_none() && !self.header.iter().any(|column| column == name) {
            self.mistake_in_header(format!("column {name} is missing"));
        }
        found
    }

    /// The place of a column that may be there; a mistake is noted if it is doubled.
    pub fn optional_column(&mut self, name: &str) -> Option<usize> {
        let mut places = self.header.iter().enumerate().filter(|(_, column)| *column == name);
        let first = places.next().map(|(at, _)| at);
        let doubled = places.next().is_some();
        if doubled {
            self.mistake_in_header(format!("column {name} is there twice"));
            return None;
        }
        first
    }

    /// The next row that has as many fields as the header, and its place; rows that have not are noted as
    /// mistakes and passed over. `None` at the end.
    ///
    /// # Errors
    /// [`Error::TableLimit`] beyond the limits, [`Error::Table`] for bytes that are not UTF-8, [`Error::Io`].
    pub fn next_row(&mut self) -> Result<Option<(u64, StringRecord)>> {
        let mut record = StringRecord::new();
        loop {
            // What is read ahead of a row counts into the row before it, which is never too strict: the limit is far
            // above the reader's buffer.
            self.reader.get_mut().row = 0;
            match self.reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(error) => return Err(broken(&self.path, error, &self.limits, self.rows)),
            }
            self.rows += 1;
            if self.rows > self.limits.rows {
                let limit = self.limits.rows;
                return Err(Error::TableLimit { path: self.path.clone(), what: "rows", limit });
            }
            let line = match self.unit {
                Unit::Line => record.position().map_or(0, csv::Position::line),
                Unit::Row => self.rows,
            };
            if record.len() == self.header.len() {
                return Ok(Some((line, record)));
            }
            self.mistake(line, format!("{} fields instead of {}", record.len(), self.header.len()));
        }
    }

    /// Notes a mistake in the names of the columns.
    pub fn mistake_in_header(&mut self, what: impl Into<String>) {
        let line = match self.unit {
            Unit::Line => 1,
            Unit::Row => 0,
        };
        self.mistake(line, what);
    }

    /// Notes a mistake in a place that [`next_row`](Self::next_row) gave.
    pub fn mistake(&mut self, line: u64, what: impl Into<String>) {
        if self.mistakes.len() < MISTAKES_SHOWN {
            self.mistakes.push(Mistake { line, unit: self.unit, what: what.into() });
        } else {
            self.more += 1;
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`Error::Table`] with all mistakes that were noted, up to twenty of them in full.
    pub fn finish(self) -> Result<()> {
        if self.mistakes.is_empty() {
            return Ok(());
        }
        let Self { path, mistakes, more, rows, .. } = self;
        Err(Error::Table { path, mistakes, more, rows })
    }
}

fn broken(path: &Path, error: csv::Error, limits: &Limits, rows: u64) -> Error {
    let line = error.position().map_or(rows + 1, csv::Position::line);
    let what = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(error) => match error.get_ref().and_then(|e| e.downcast_ref::<Beyond>()) {
            Some(Beyond(what, limit)) => Error::TableLimit { path: path.to_owned(), what, limit: *limit },
            None => Error::read(path)(error),
        },
        csv::ErrorKind::Utf8 { .. } => {
            let mistakes = vec![Mistake { line, unit: Unit::Line, what: "is not UTF-8".to_owned() }];
            Error::Table { path: path.to_owned(), mistakes, more: 0, rows }
        }
        _ => {
            debug_assert!(limits.bytes > 0);
            let mistakes = vec![Mistake { line, unit: Unit::Line, what }];
            Error::Table { path: path.to_owned(), mistakes, more: 0, rows }
        }
    }
}

/// Passes bytes on until a row or the whole is longer than the limits allow.
#[derive(Debug)]
struct Bounded<R> {
    inner: R,
    /// Bytes since the last row began; ends of lines do not tell, because a quoted field may hold any number.
    row: usize,
    total: u64,
    limits: Limits,
}

#[derive(Debug, thiserror::Error)]
#[error("more {0} than {1}")]
struct Beyond(&'static str, u64);

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.total += count as u64;
        self.row += count;
        if self.total > self.limits.bytes {
            return Err(std::io::Error::other(Beyond("bytes", self.limits.bytes)));
        }
        if self.row > self.limits.row_bytes {
            return Err(std::io::Error::other(Beyond("bytes in a row", self.limits.row_bytes as u64)));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &[u8], limits: Limits) -> Result<Table<&[u8]>> {
        Table::from_reader(text, Path::new("t.csv"), limits)
    }

    fn read_all(table: &mut Table<&[u8]>) -> Result<usize> {
        let mut rows = 0;
        while table.next_row()?.is_some() {
            rows += 1;
        }
        Ok(rows)
    }

    #[test]
    fn mistakes_are_named_by_line_up_to_twenty() {
        let mut text = b"a,b,b\n".to_vec();
        for _ in 0..30 {
            text.extend(b"1,2\n");
        }
        let mut table = table(&text, Limits::default()).unwrap();
        assert_eq!((table.column("a"), table.column("b"), table.column("c")), (Some(0), None, None));
        assert_eq!(read_all(&mut table).unwrap(), 0);
        let error = table.finish().unwrap_err().to_string();
        for part in [
            "line 1: column b is there twice",
            "column c is missing",
            "line 2: 2 fields instead of 3",
            "and 12 more",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn tables_that_are_no_text_are_counted_in_rows() {
        let mut table = table(b"a\n\"1\n2\"\n3\n", Limits::default()).unwrap().counted_in(Unit::Row);
        assert_eq!(table.column("b"), None);
        let mut places = Vec::new();
        while let Some((place, _)) = table.next_row().unwrap() {
            places.push(place);
        }
        assert_eq!(places, [1, 2]);
        table.mistake(2, "is wrong");
        let error = table.finish().unwrap_err().to_string();
        assert!(error.contains("2 mistakes: column b is missing; row 2: is wrong"), "{error}");
        assert!(error.ends_with("mend these rows"), "{error}");
    }

    #[test]
    fn nothing_is_read_beyond_its_limits() {
        let limits = Limits { bytes: 100, rows: 3, columns: 2, row_bytes: 50 };
        let what = |text: &[u8]| {
            let error = table(text, limits).and_then(|mut t| read_all(&mut t)).unwrap_err();
            match error {
                Error::TableLimit { what, .. } => what,
                other => panic!("{other}"),
            }
        };
        assert_eq!(what(b"a,b,c\n"), "columns");
        assert_eq!(what(b"a\n1\n2\n3\n4\n"), "rows");
        assert_eq!(what(&[b'x'; 60]), "bytes in a row");
        assert_eq!(what("ab\n".repeat(40).as_bytes()), "bytes");
        // A field that never ends is refused long before it fills the memory.
        let mut endless = Table::from_reader(std::io::repeat(0), Path::new("z"), Limits::default());
        assert!(matches!(endless.as_mut().err(), Some(Error::TableLimit { .. })));
    }

    #[test]
    fn bytes_that_are_no_text_are_named() {
        let mut table = table(b"a\n\xff\n", Limits::default()).unwrap();
        let error = read_all(&mut table).unwrap_err().to_string();
        assert!(error.contains("line 2: is not UTF-8"), "{error}");
    }
}
