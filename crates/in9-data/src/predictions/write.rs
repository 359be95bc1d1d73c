//! Writing a prediction table.

use std::path::Path;

use in9_base::files::NewFile;

use super::{COLUMNS, Row, TRAINING, Table};
use crate::error::{Error, Result};

/// What a program without the feature says.
#[cfg(not(feature = "parquet"))]
pub(super) const WITHOUT: &str =
    "this program was compiled without them (`cargo install --path crates/in9 --features parquet`)";

/// Whether a table is written to `path` as Parquet: by the file's ending.
fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("parquet"))
}

/// Checks, before the work whose answers go there, that a table can be written in the form that the ending of `path`
/// asks for.
///
/// # Errors
/// For Parquet without the feature `parquet`.
pub fn check_form(path: &Path) -> Result<()> {
    match is_parquet(path) {
        #[cfg(not(feature = "parquet"))]
        true => {
            let what = format!("Parquet tables such as {}", path.display());
            Err(Error::argument(what, "a name that ends in .csv", "one that ends in .parquet", WITHOUT))
        }
        _ => Ok(()),
    }
}

/// Writes a table row by row, so that it is never in memory as a whole: as [`Table::write_atomic`] does, to the same bytes.
/// `with_training` says whether the rows tell which training their model came from.
///
/// A Parquet file needs all of its rows at once.
///
/// # Errors
/// If the file cannot be written, or a row does not fit `classes`.
pub fn write_rows(
    path: &Path,
    classes: &[String],
    with_training: bool,
    mut rows: impl Iterator<Item = Result<Row>>,
) -> Result<()> {
    if is_parquet(path) {
        return Table { classes: classes.to_vec(), rows: rows.collect::<Result<_>>()? }.write_atomic(path);
    }
    let mut file = NewFile::begin(path)?;
    let at = |e: csv::Error| Error::write(path, e.into());
    let mut writer = Writer::begin(&mut file, classes, with_training).map_err(at)?;
    rows.try_for_each(|row| {
        let row = row?;
        check(&row, classes)?;
        writer.write(&row).map_err(at)
    })?;
    writer.finish().map_err(|e| Error::write(path, e))?;
    Ok(file.place()?)
}

impl Table {
    /// Writes the table, as Parquet if the file's name ends so and else as CSV; the file appears whole or not at all.
    ///
    /// # Errors
    /// If the file cannot be written, or a row does not fit `classes`.
    pub fn write_atomic(&self, path: &Path) -> Result<()> {
        self.rows.iter().try_for_each(|row| check(row, &self.classes))?;
        check_form(path)?;
        #[cfg(feature = "parquet")]
        if is_parquet(path) {
            let bytes = super::parquet::bytes(self);
            return Ok(in9_base::files::write(path, |file| {
                file.write_all(&bytes.map_err(std::io::Error::other)?)
            })?);
        }
        Ok(in9_base::files::write(path, |file| self.write_csv(file))?)
    }

    /// BLAKE3 of the bytes of the CSV file that the table becomes, as a card names it.
    ///
    /// # Errors
    /// If a row does not fit `classes`.
    pub fn csv_digest(&self) -> Result<String> {
        self.rows.iter().try_for_each(|row| check(row, &self.classes))?;
        let mut hasher = blake3::Hasher::new();
        self.write_csv(&mut hasher).map_err(|e| Error::write(Path::new("a digest"), e))?;
        Ok(hasher.finalize().to_hex().to_string())
    }

    pub(crate) fn write_csv(&self, file: &mut dyn std::io::Write) -> std::io::Result<()> {
        // A table about networks of which nothing is known has the columns that it always had.
        let known = self.rows.iter().any(|row| !row.training.is_unknown());
        let mut writer = Writer::begin(file, &self.classes, known)?;
        for row in &self.rows {
            writer.write(row)?;
        }
        writer.finish()
    }
}

/// Refuses a row whose numbers are not those of the table's classes.
fn check(row: &Row, classes: &[String]) -> Result<()> {
    let fits = |class: u16| usize::from(class) < classes.len();
    let classes_fit =
        fits(row.class) && row.predicted.is_none_or(fits) && row.background_class.is_none_or(fits);
    let scores_fit = row.scores.is_empty() || row.scores.len() == classes.len();
    if classes_fit && scores_fit {
        return Ok(());
    }
    Err(Error::argument(
        format!("prediction of {} by {} does not fit the table", row.image, row.model),
        format!("classes below {0}, and {0} scores or none", classes.len()),
        format!("class {}, {} scores", row.class, row.scores.len()),
        "give every row the table's classes",
    ))
}

/// Writes rows as CSV.
struct Writer<'c, W: std::io::Write> {
    csv: csv::Writer<W>,
    classes: &'c [String],
    /// Whether the columns of [`TRAINING`] are there.
    with_training: bool,
}

impl<'c, W: std::io::Write> Writer<'c, W> {
    /// Begins with the header.
    fn begin(file: W, classes: &'c [String], with_training: bool) -> csv::Result<Self> {
        let mut csv = csv::Writer::from_writer(file);
        let scores = classes.iter().map(|name| format!("score_{name}"));
        let training = TRAINING.iter().filter(|_| with_training);
        csv.write_record(COLUMNS.iter().chain(training).map(ToString::to_string).chain(scores))?;
        Ok(Self { csv, classes, with_training })
    }

    fn write(&mut self, row: &Row) -> csv::Result<()> {
        let name = |class: Option<u16>| class.map_or("", |class| self.classes[usize::from(class)].as_str());
        for text in [
            &row.model,
            &row.arch,
            &row.trained_on,
            &row.dataset,
            &row.split,
            row.view.name(),
            &row.image,
            &row.foreground,
            &row.background,
            name(Some(row.class)),
            name(row.background_class),
            name(row.predicted),
        ] {
            self.csv.write_field(text)?;
        }
        if self.with_training {
            let seed = row.training.seed.map_or_else(String::new, |seed| seed.to_string());
            for text in [&row.training.dataset, &row.training.digest, &seed] {
                self.csv.write_field(text)?;
            }
        }
        for class in 0..self.classes.len() {
            self.csv.write_field(row.scores.get(class).map_or_else(String::new, f32::to_string))?;
        }
        self.csv.write_record(None::<&[u8]>)
    }

    fn finish(mut self) -> std::io::Result<()> {
        self.csv.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::{Card, Training, tests::table};

    #[test]
    fn row_by_row_the_same_bytes_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let (whole, rows) = (dir.path().join("whole.csv"), dir.path().join("rows.csv"));
        let read = |path: &Path| std::fs::read(path).unwrap();
        for known in [true, false] {
            let mut table = table();
            if !known {
                table.rows.iter_mut().for_each(|row| row.training = Training::default());
            }
            table.write_atomic(&whole).unwrap();
            write_rows(&rows, &table.classes, known, table.rows.iter().cloned().map(Ok)).unwrap();
            assert!(read(&rows) == read(&whole));
            assert_eq!(table.csv_digest().unwrap(), Card::digest_of(&whole).unwrap());
        }
        let before = read(&rows);
        let mut wrong = table();
        wrong.rows[1].predicted = Some(2);
        let refused = write_rows(&rows, &wrong.classes, true, wrong.rows.iter().cloned().map(Ok));
        assert!(refused.unwrap_err().to_string().contains("classes below 2"));
        assert!(read(&rows) == before, "what stood there was touched");
    }
}
