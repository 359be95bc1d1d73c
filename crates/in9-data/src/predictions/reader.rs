//! Reading a prediction table row by row.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use in9_base::table;

use super::columns::Columns;
use super::distinct::{Distinct, Fingerprint, PREDICTION, fingerprint};
use super::source::{self, Source};
use super::{LIMITS, MOST_MODELS, MOST_TEST_SETS, Row};

/// Classes times models, or times test sets, that one table may have; and how many models and test sets it may have
/// whatever its classes.
const MOST_CLASSES_TIMES: usize = 2 << 20;
const FEWEST: usize = 16;

/// What tells one evaluated model from another.
const MODEL: [&str; 8] =
    ["model", "arch", "trained_on", "dataset", "split", "trained_data", "training", "training_seed"];

/// What tells one test set from another.
const TEST_SET: [&str; 2] = ["dataset", "split"];

/// Reads a prediction table row by row and collects what is wrong with it.
///
/// ```
/// use in9_data::predictions::Reader;
/// let text = "model,arch,trained_on,dataset,split,view,image,foreground,background,class,background_class,\
///             predicted,score_cat,score_dog\nm,,,pets,test,original,1,1,,cat,,dog,0.4,0.6\n";
/// let mut reader = Reader::from_reader(text.as_bytes(), "p.csv".as_ref())?;
/// let row = reader.next_row()?.expect("one row");
/// assert!(!row.correct() && reader.next_row()?.is_none());
/// assert_eq!(reader.finish()?, ["cat", "dog"]);
/// # Ok::<(), in9_base::Error>(())
/// ```
pub struct Reader<R> {
    path: PathBuf,
    table: table::Table<R>,
    columns: Columns,
    classes: Vec<String>,
    distinct: Distinct,
    models: HashSet<Fingerprint>,
    test_sets: HashSet<Fingerprint>,
}

impl Reader<Source> {
    /// Opens the table at `path`, CSV or, with the feature `parquet`, Parquet, and reads its header.
    ///
    /// # Errors
    /// If there is no regular file, it is beyond [`LIMITS`], or it cannot be read.
    pub fn open(path: &Path) -> in9_base::Result<Self> {
        Self::open_within(path, LIMITS)
    }

    /// Opens the table at `path` within other limits: a reader that keeps much of each row may have room for fewer.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open_within(path: &Path, limits: table::Limits) -> in9_base::Result<Self> {
        Ok(Self::of(source::open(path, limits)?, path))
    }
}

impl<R: Read> Reader<R> {
    /// Reads a table from anywhere; `path` only names it in errors.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn from_reader(reader: R, path: &Path) -> in9_base::Result<Self> {
        Ok(Self::of(table::Table::from_reader(reader, path, LIMITS)?, path))
    }

    fn of(mut table: table::Table<R>, path: &Path) -> Self {
        let (columns, classes) = Columns::of(&mut table);
        let (distinct, models, test_sets) =
            (Distinct::counted_in(table.unit()), HashSet::new(), HashSet::new());
        Self { path: path.to_owned(), table, columns, classes, distinct, models, test_sets }
    }

    /// Class names in the order of class indices.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The next row that is right; others are noted and passed over. `None` at the end.
    ///
    /// # Errors
    /// If the table is beyond [`LIMITS`] or cannot be read.
    pub fn next_row(&mut self) -> in9_base::Result<Option<Row>> {
        while let Some((line, record)) = self.table.next_row()? {
            let prediction = PREDICTION.map(|name| self.columns.get(&record, name));
            if let Err(mistake) = self.distinct.insert(line, prediction) {
                self.table.mistake(line, mistake);
                continue;
            }
            match self.columns.row(&record) {
                Ok(row) => {
                    self.count(&record)?;
                    return Ok(Some(row));
                }
                Err(mistake) => self.table.mistake(line, mistake),
            }
        }
        Ok(None)
    }

    /// Counts the models and test sets: what is made of each takes more than its row.
    fn count(&mut self, record: &StringRecord) -> in9_base::Result<()> {
        let key = fingerprint(MODEL.map(|name| self.columns.get(record, name)));
        if !self.models.insert(key) {
            return Ok(());
        }
        self.test_sets.insert(fingerprint(TEST_SET.map(|name| self.columns.get(record, name))));
        // Of each there are numbers of every class.
        let most = |most: usize| most.min(MOST_CLASSES_TIMES / self.classes.len().max(1)).max(FEWEST);
        let counts = [
            ("models", self.models.len(), most(MOST_MODELS)),
            ("test sets", self.test_sets.len(), most(MOST_TEST_SETS)),
        ];
        match counts.into_iter().find(|(_, count, most)| count > most) {
            None => Ok(()),
            Some((what, _, most)) => {
                Err(in9_base::Error::TableLimit { path: self.path.clone(), what, limit: most as u64 })
            }
        }
    }

    /// Ends the reading and returns the class names.
    ///
    /// # Errors
    /// [`in9_base::Error::Table`] with every mistake, up to twenty of them in full.
    pub fn finish(self) -> in9_base::Result<Vec<String>> {
        self.table.finish()?;
        Ok(self.classes)
    }
}
