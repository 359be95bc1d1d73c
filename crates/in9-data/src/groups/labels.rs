//! The metadata table: which group each photograph is of, and which photographs were trained on.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use in9_base::table::{Limits, Table};

use crate::error::{Error, Result};
use crate::predictions::LONGEST_NAME;

/// Names under which each column is looked for: one's own, that of Waterbirds and WILDS, and another.
const PHOTOGRAPH: [&str; 3] = ["photograph", "img_filename", "image"];
const GROUP: [&str; 3] = ["group", "place", "background"];
const CLASS: [&str; 2] = ["class", "y"];
const SPLIT: [&str; 1] = ["split"];

/// How much of a metadata table is read: 1 GiB, 10 million rows.
const LIMITS: Limits = Limits { bytes: 1 << 30, rows: 10_000_000, columns: 1000, row_bytes: 1 << 20 };

/// Most different groups in one table.
const MOST_GROUPS: usize = 1000;

/// What a metadata table says.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels {
    path: PathBuf,
    rows: Vec<Label>,
    /// Row of each name that a photograph may go by; none if two could be meant.
    names: HashMap<String, Option<u32>>,
}

/// What it says of one photograph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its kind of background, or whatever else the table tells groups by.
    pub group: String,
    /// Its class in the table's words; empty if it does not say.
    pub class: String,
    /// Whether it was trained on.
    pub trained: bool,
}

impl Labels {
    /// Reads the table at `path`: a CSV with columns `photograph` and `group`, and, if they are there, `class` and `split`; or
    /// those of Waterbirds and WILDS, `img_filename`, `place`, `y` and `split` (0 is train, 1 val, 2 test). Other columns are
    /// passed over.
    ///
    /// # Errors
    /// If the table cannot be read, lacks a column, holds a photograph twice or without a group, or more than a thousand
    /// groups.
    pub fn read(path: &Path) -> Result<Self> {
        let mut table = Table::open(path, LIMITS)?;
        let mut find = |names: &[&str], needed: bool| {
            let name = names.iter().find(|name| table.header().iter().any(|column| column == **name));
            match (name, needed) {
                (Some(name), _) => table.column(name),
                (None, true) => table.column(names[0]),
                (None, false) => None,
            }
        };
        let columns = find(&PHOTOGRAPH, true).zip(find(&GROUP, true));
        let (class, split) = (find(&CLASS, false), find(&SPLIT, false));
        let mut labels = Self { path: path.to_owned(), rows: Vec::new(), names: HashMap::new() };
        let (mut lines, mut groups) = (HashMap::new(), BTreeMap::new());
        while let Some((line, row)) = table.next_row()? {
            let Some((photograph, group)) = columns else { continue };
            let text = |at: Option<usize>| at.map_or("", |at| row[at].trim()).to_owned();
            let (name, group) = (row[photograph].trim().replace('\\', "/"), text(Some(group)));
            let faulty = [&name, &group].into_iter().find(|text| {
                text.is_empty() || text.len() > LONGEST_NAME || text.chars().any(char::is_control)
            });
            if faulty.is_some() {
                table.mistake(line, "photograph or group is empty, too long or holds a control character");
                continue;
            }
            if let Some(earlier) = lines.insert(name.clone(), line) {
                table.mistake(line, format!("photograph {name:?} stands in line {earlier} too"));
                continue;
            }
            let count = groups.len();
            groups.entry(group.clone()).or_insert(count);
            if groups.len() > MOST_GROUPS {
                return Err(in9_base::Error::TableLimit {
                    path: path.to_owned(),
                    what: "groups",
                    limit: MOST_GROUPS as u64,
                }
                .into());
            }
            let trained = matches!(text(split).as_str(), "0" | "train");
            labels.add(&name, Label { group, class: text(class), trained });
        }
        table.finish()?;
        Ok(labels)
    }

    fn add(&mut self, name: &str, label: Label) {
        let row = self.rows.len() as u32;
        self.rows.push(label);
        let mut forms = forms(name);
        forms.dedup();
        for (number, form) in forms.into_iter().enumerate() {
            let slot = self.names.entry(form);
            // A name in full is never taken for the shortened one of another.
            match (slot, number) {
                (std::collections::hash_map::Entry::Occupied(mut taken), 0) => {
                    taken.insert(Some(row));
                }
                (std::collections::hash_map::Entry::Occupied(mut taken), _) => {
                    taken.insert(None);
                }
                (free, _) => {
                    free.or_insert(Some(row));
                }
            }
        }
    }

    /// What the table says of the photograph `id`.
    ///
    /// # Errors
    /// [`Error::NoGroup`] if it does not say it, or could mean two photographs.
    pub fn of(&self, id: &str) -> Result<&Label> {
        let row = forms(id).into_iter().find_map(|form| self.names.get(&form).copied());
        match row {
            Some(Some(row)) => Ok(&self.rows[row as usize]),
            found => Err(Error::NoGroup {
                path: self.path.clone(),
                photograph: id.to_owned(),
                found: if found.is_some() { "several of this name" } else { "none" },
            }),
        }
    }

    /// Photographs that were trained on by (class in the table's words, group); none if the table does not say.
    pub fn trained(&self) -> BTreeMap<(&str, &str), u64> {
        let mut counts = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.trained) {
            *counts.entry((row.class.as_str(), row.group.as_str())).or_insert(0) += 1;
        }
        counts
    }

    /// The table's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Names that a photograph may go by, from the whole to the shortest: as it is; without the ending of a picture; its
/// folders joined as ids of datasets are; the last folder and the name so; the name alone.
fn forms(name: &str) -> Vec<String> {
    let lower = name.to_ascii_lowercase();
    let ending = [".jpeg", ".jpg", ".png"].iter().find(|end| lower.ends_with(*end));
    let bare = ending.map_or(name, |end| &name[..name.len() - end.len()]);
    let parts: Vec<&str> = bare.split('/').filter(|part| !part.is_empty()).collect();
    let last = &parts[parts.len().saturating_sub(2)..];
    let alone = parts.last().copied().unwrap_or(bare);
    vec![name.to_owned(), bare.to_owned(), parts.join("_"), last.join("_"), alone.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Labels> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metadata.csv");
        std::fs::write(&path, text).unwrap();
        Labels::read(&path)
    }

    #[test]
    fn both_layouts_are_read_and_photographs_go_by_their_ids() {
        let own = read("photograph,group\na,land\nb,water\n").unwrap();
        assert_eq!((own.of("a").unwrap().group.as_str(), own.trained().len()), ("land", 0));
        let text = "img_id,img_filename,y,split,place,place_filename\n\
                    1,001.Albatross/Albatross_1.jpg,1,0,0,x.jpg\n2,002.Wren/Wren_2.jpg,0,2,1,y.jpg\n";
        let wilds = read(text).unwrap();
        for id in ["001.Albatross/Albatross_1.jpg", "001.Albatross_Albatross_1", "Albatross_1"] {
            let label = wilds.of(id).unwrap();
            assert_eq!((label.group.as_str(), label.class.as_str(), label.trained), ("0", "1", true), "{id}");
        }
        assert!(!wilds.of("Wren_2").unwrap().trained);
        assert_eq!(wilds.trained(), BTreeMap::from([(("1", "0"), 1)]));
    }

    #[test]
    fn what_cannot_be_told_is_refused() {
        let error = read("photograph,group\na/1.jpg,land\nb/1.jpg,water\n").unwrap().of("1").unwrap_err();
        assert!(error.to_string().contains("several of this name"), "{error}");
        let labels = read("photograph,group\na/1.jpg,land\nb/1.jpg,water\n").unwrap();
        assert_eq!(labels.of("b_1").unwrap().group, "water");
        assert!(labels.of("c").unwrap_err().to_string().contains("found none"));
        for (text, part) in [
            ("photograph\na\n", "column group is missing"),
            ("photograph,group\na,land\na,water\n", "line 3: photograph \"a\" stands in line 2"),
            ("photograph,group\na,\n", "line 2: photograph or group is empty"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part) && error.lines().count() == 1, "{error}");
        }
    }
}
