//! Writing a prediction table.

use std::path::Path;

use super::{COLUMNS, TRAINING, Table};
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

impl Table {
    /// Writes the table, as Parquet if the file's name ends so and else as CSV; the file appears whole or not at all.
    ///
    /// # Errors
    /// If the file cannot be written, or a row does not fit `classes`.
    pub fn write_atomic(&self, path: &Path) -> Result<()> {
        for row in &self.rows {
            let fits = |class: u16| usize::from(class) < self.classes.len();
            let classes_fit =
                fits(row.class) && row.predicted.is_none_or(fits) && row.background_class.is_none_or(fits);
            let scores_fit = row.scores.is_empty() || row.scores.len() == self.classes.len();
            if !classes_fit || !scores_fit {
                return Err(Error::argument(
                    format!("prediction of {} by {} does not fit the table", row.image, row.model),
                    format!("classes below {0}, and {0} scores or none", self.classes.len()),
                    format!("class {}, {} scores", row.class, row.scores.len()),
                    "give every row the table's classes",
                ));
            }
        }
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

    pub(crate) fn write_csv(&self, file: &mut dyn std::io::Write) -> std::io::Result<()> {
        let mut writer = csv::Writer::from_writer(file);
        let scores = self.classes.iter().map(|name| format!("score_{name}"));
        // A table about networks of which nothing is known has the columns that it always had.
        let known = self.rows.iter().any(|row| !row.training.is_unknown());
        let training = TRAINING.iter().filter(|_| known);
        writer.write_record(COLUMNS.iter().chain(training).map(ToString::to_string).chain(scores))?;
        let name = |class: Option<u16>| class.map_or("", |class| self.classes[usize::from(class)].as_str());
        for row in &self.rows {
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
                writer.write_field(text)?;
            }
            if known {
                let seed = row.training.seed.map_or_else(String::new, |seed| seed.to_string());
                for text in [&row.training.dataset, &row.training.digest, &seed] {
                    writer.write_field(text)?;
                }
            }
            for class in 0..self.classes.len() {
                writer.write_field(row.scores.get(class).map_or_else(String::new, f32::to_string))?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
        writer.flush()
    }
}
