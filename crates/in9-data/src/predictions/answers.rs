//! Tables of bare answers, `image,view,predicted`, completed from the dataset.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::Path;

use in9_base::table;

use super::distinct::Distinct;
use super::labels::{Answer, Labels, Names};
use super::picture::Picture;
use super::source;
use super::{LIMITS, Row, Table, plain, score};
use crate::dataset::{Dataset, Split};
use crate::error::Result;
use crate::pairing::{BackgroundClasses, Pairing};
use crate::view::View;

/// Every row is kept until the last one is read, with its names: a gigabyte has room for so many.
const KEPT_LIMITS: table::Limits = table::Limits { bytes: 128 << 20, rows: 1_000_000, ..LIMITS };

/// What a row says, or the mistake in it.
type Field<T> = std::result::Result<T, String>;

/// Answers with everything that the dataset adds to them.
#[derive(Debug)]
pub struct Completed {
    /// The prediction table. Rows have no scores unless every class had its column.
    pub table: Table,
    /// What numbers in the column `predicted` were taken for; `None` if there were none.
    pub numbers: Option<Labels>,
    /// Views that were answered in part only: a mean over them is not one over the split.
    pub partial: Vec<Partial>,
}

/// A view of which some photographs have no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partial {
    /// The model.
    pub model: String,
    /// The split.
    pub split: String,
    /// The view.
    pub view: View,
    /// Photographs with an answer.
    pub answered: usize,
    /// Photographs of the split.
    pub photographs: usize,
}

impl std::fmt::Display for Partial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { model, split, view, answered, photographs } = self;
        write!(f, "{model} answered {answered} of {photographs} photographs of {split} on {view}")
    }
}

/// Reads a table of answers and completes it from the dataset that the pictures came from.
///
/// The columns `image` and `predicted` have to be there, and `view`, unless the paths in `image` lead through a view's
/// folder as in an export. `model` (else the file's name), `arch`, `trained_on`, `split`, `background` and
/// `score_<class>` for every class may be. PREDICTIONS.md beside this crate's manifest is the specification.
///
/// # Errors
/// If the file is no regular one, has more than a million rows or 128 MiB, or cannot be read; if the dataset cannot; and with every mistake by its line, up to
/// twenty: an image that no split has, a view or class that there is not, the same picture twice.
pub fn complete(path: &Path, dataset: &Dataset, labels: Labels) -> Result<Completed> {
    let table = source::open(path, KEPT_LIMITS)?;
    let model = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Completion::of(table, dataset, model)?.run(labels)
}

struct Completion<'d, R> {
    table: table::Table<R>,
    columns: Columns,
    dataset: &'d Dataset,
    splits: Vec<IndexedSplit<'d>>,
    /// Name of the model where no column says it.
    model: String,
    names: Names<'d>,
}

/// Where each column is.
struct Columns {
    image: Option<usize>,
    view: Option<usize>,
    predicted: Option<usize>,
    optional: HashMap<&'static str, usize>,
    /// Column of each class's score, in class order; empty if there are none.
    scores: Vec<usize>,
}

const OPTIONAL: [&str; 5] = ["model", "arch", "trained_on", "split", "background"];

/// A split with what is looked up in it.
struct IndexedSplit<'d> {
    split: Split,
    /// Photographs by id and by file.
    places: HashMap<String, u32>,
    pairings: HashMap<View, Pairing>,
    classes: BackgroundClasses,
    dataset: &'d Dataset,
}

impl<'d> IndexedSplit<'d> {
    fn open(dataset: &'d Dataset, name: &str) -> Result<Self> {
        let split = dataset.split(name)?;
        let mut places: HashMap<String, u32> =
            split.samples().zip(0..).map(|(sample, at)| (sample.source.clone(), at)).collect();
        // An id outweighs another photograph's file.
        places.extend(split.samples().zip(0..).map(|(sample, at)| (sample.id.clone(), at)));
        let classes = BackgroundClasses::of(&split);
        Ok(Self { split, places, pairings: HashMap::new(), classes, dataset })
    }

    /// The background of a picture: the one that is named, else the frozen pairing's.
    fn background(&mut self, view: View, own: u32, named: Option<&str>) -> Result<Field<Option<u32>>> {
        if !view.needs_background() {
            return Ok(Ok(None));
        }
        let background = match named {
            Some(id) => match self.places.get(id) {
                Some(&at) => at,
                None => {
                    let split = self.split.name();
                    return Ok(Err(format!("background {id:?} is no photograph of split {split}")));
                }
            },
            None => {
                if !self.pairings.contains_key(&view) {
                    self.pairings.insert(view, Pairing::frozen(self.dataset, &self.split, view)?);
                }
                self.pairings[&view].0[own as usize]
            }
        };
        let [class, other] = [own, background].map(|at| self.split.sample(at as usize).class);
        if !self.classes.allow(view, class, other) {
            let id = &self.split.sample(background as usize).id;
            return Ok(Err(format!("background {id:?} is of a class that {view} does not take")));
        }
        Ok(Ok(Some(background)))
    }
}

impl<'d, R: Read> Completion<'d, R> {
    fn of(mut table: table::Table<R>, dataset: &'d Dataset, model: String) -> Result<Self> {
        let columns = Columns::of(&mut table, dataset);
        let mut names = dataset.splits();
        // Pictures are looked for where models are tested first.
        names.sort_by_key(|name| *name != "test");
        let splits =
            names.into_iter().map(|name| IndexedSplit::open(dataset, name)).collect::<Result<_>>()?;
        Ok(Self { table, columns, dataset, splits, model, names: Names::of(dataset.taxonomy()) })
    }

    fn run(mut self, labels: Labels) -> Result<Completed> {
        let mut rows: Vec<(u64, Row, Answer)> = Vec::new();
        let mut distinct = Distinct::counted_in(self.table.unit());
        while let Some((line, record)) = self.table.next_row()? {
            match self.row(&record)? {
                Err(mistake) => self.table.mistake(line, mistake),
                Ok((row, answer)) => {
                    let view = row.view.to_string();
                    let prediction =
                        [&row.model, &row.dataset, &row.split, &view, &row.image, &row.background];
                    match distinct.insert(line, prediction.map(String::as_str)) {
                        Ok(()) => rows.push((line, row, answer)),
                        Err(mistake) => self.table.mistake(line, mistake),
                    }
                }
            }
        }
        let answers: Vec<&Answer> = rows.iter().map(|(_, _, answer)| answer).collect();
        let numbers = self.names.numbers(labels, &answers);
        let mut settled = Vec::with_capacity(rows.len());
        for (line, mut row, answer) in rows {
            match self.names.class(&answer, numbers) {
                Ok(class) => {
                    row.predicted = class;
                    settled.push(row);
                }
                Err(mistake) => self.table.mistake(line, mistake),
            }
        }
        self.table.finish()?;
        let partial = partial(&settled, &self.splits);
        let classes = self.dataset.taxonomy().classes.iter().map(|class| class.name.clone()).collect();
        Ok(Completed { table: Table { classes, rows: settled }, numbers, partial })
    }

    /// A row without its prediction, and the text of that; or what is wrong.
    fn row(&mut self, record: &csv::StringRecord) -> Result<Field<(Row, Answer)>> {
        let get = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or("").trim();
        let optional = |name: &str| get(self.columns.optional.get(name).copied());
        let text = |name: &str| plain(name, optional(name)).map(str::to_owned);
        let parsed = (|| {
            let picture = Picture::read(get(self.columns.image), get(self.columns.view))?;
            let answer = self.names.read(plain("predicted", get(self.columns.predicted))?)?;
            let scores = self.columns.scores.iter().map(|&at| score(get(Some(at)))).collect::<Field<_>>();
            Ok::<_, String>((picture, answer, scores?, text("model")?, text("arch")?, text("trained_on")?))
        })();
        let (picture, answer, scores, model, arch, trained_on) = match parsed {
            Ok(parsed) => parsed,
            Err(mistake) => return Ok(Err(mistake)),
        };
        let named = Some(optional("background")).filter(|name| !name.is_empty());
        let background = named.map(str::to_owned).or(picture.background);
        let (asked, dataset) = (optional("split"), self.dataset.name());
        let found = self.splits.iter_mut().find_map(|split| {
            let wanted = asked.is_empty() || asked == split.split.name();
            let names = [picture.whole.as_str(), &picture.id];
            let place = *names.iter().find_map(|&name| split.places.get(name))?;
            wanted.then_some((split, place))
        });
        let Some((split, own)) = found else {
            let place = if asked.is_empty() { "the dataset".into() } else { format!("split {asked:?}") };
            return Ok(Err(format!("image {:?} is no photograph of {place}", picture.whole)));
        };
        split.split.check_view(picture.view)?;
        let background = match split.background(picture.view, own, background.as_deref())? {
            Ok(background) => background.map(|at| at as usize),
            Err(mistake) => return Ok(Err(mistake)),
        };
        let row = Row {
            model: if model.is_empty() { self.model.clone() } else { model },
            arch,
            trained_on,
            dataset,
            scores,
            ..Row::of_picture(&split.split, picture.view, own as usize, background)
        };
        Ok(Ok((row, answer)))
    }
}

impl Columns {
    fn of<R: Read>(table: &mut table::Table<R>, dataset: &Dataset) -> Self {
        let [image, predicted] = ["image", "predicted"].map(|name| table.column(name));
        let view = table.optional_column("view");
        let optional =
            OPTIONAL.iter().filter_map(|&name| Some((name, table.optional_column(name)?))).collect();
        let classes = &dataset.taxonomy().classes;
        let columns: Vec<_> = classes
            .iter()
            .map(|class| {
                let names = [&class.name, &class.folder].map(|name| format!("score_{name}"));
                table.header().iter().position(|column| names.iter().any(|name| name == column))
            })
            .collect();
        let missing = columns.iter().zip(classes).find(|(column, _)| column.is_none());
        if let (Some((_, class)), true) = (missing, columns.iter().any(Option::is_some)) {
            table.mistake_in_header(format!(
                "column score_{} is missing, where other classes have one",
                class.name
            ));
        }
        let scores = columns.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default();
        Self { image, view, predicted, optional, scores }
    }
}

/// Which (model, split, view) lack photographs.
fn partial(rows: &[Row], splits: &[IndexedSplit<'_>]) -> Vec<Partial> {
    let mut answered: HashMap<(&str, &str, View), HashSet<&str>> = HashMap::new();
    for row in rows {
        answered.entry((&row.model, &row.split, row.view)).or_default().insert(&row.image);
    }
    let mut partial: Vec<Partial> = answered
        .into_iter()
        .filter_map(|((model, split, view), images)| {
            let photographs = splits.iter().find(|s| s.split.name() == split)?.split.len();
            let (model, split, answered) = (model.to_owned(), split.to_owned(), images.len());
            (answered < photographs).then_some(Partial { model, split, view, answered, photographs })
        })
        .collect();
    partial.sort_by(|a, b| (&a.model, &a.split, a.view).cmp(&(&b.model, &b.split, b.view)));
    partial
}
