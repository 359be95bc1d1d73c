//! The photographs of a test set as columns of numbers, for a browser's typed arrays.
//!
//! Little-endian, one column after another, each beginning at a multiple of four bytes; a [`Column`] says where.

use in9_data::View;
use serde::Serialize;

use crate::collection::{Model, NO_CLASS, TestSet};

/// A view that a model was not tested on, among predicted classes.
const UNTESTED: u16 = u16::MAX - 1;
/// A photograph without a category.
const NO_CATEGORY: u8 = u8::MAX;

/// Where a column lies.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Column {
    name: String,
    /// `u8`, `u16`, `u32` or `f32`.
    kind: &'static str,
    /// First byte.
    start: usize,
    /// Numbers in it.
    length: usize,
}

/// Columns and where they lie.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub(crate) directory: Vec<Column>,
    pub(crate) bytes: Vec<u8>,
}

/// Writes a number of each photograph as bytes.
type Encode<'e> = dyn Fn(&dyn Fn(usize) -> f32) -> Vec<u8> + 'e;

impl Columns {
    /// The columns of the photographs `chosen`, ascending numbers in `set`.
    ///
    /// Of every photograph: its number, id (`id-starts` into the UTF-8 of `id-text`), class, the share of the picture
    /// that its box takes and the share of the box that its mask fills. Of every model `m`: `predicted/m` (view by
    /// view, each as long as the photographs), and if known `category/m`, `confidence/m`, `reliance/m`, `effect/m`,
    /// `fooled/m`, `mass/m`.
    pub(crate) fn of(set: &TestSet, chosen: &[u32]) -> Self {
        let mut columns = Self::default();
        let numbers = |each: &dyn Fn(usize) -> f32| -> Vec<u8> {
            chosen.iter().flat_map(|&i| each(i as usize).to_le_bytes()).collect()
        };
        columns.add("number", "u32", &chosen.iter().flat_map(|i| i.to_le_bytes()).collect::<Vec<_>>());
        let (mut starts, mut text) = (vec![0u32], Vec::new());
        for &i in chosen {
            text.extend_from_slice(set.photographs.id(i as usize).as_bytes());
            starts.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        columns.add("id-starts", "u32", &starts.iter().flat_map(|i| i.to_le_bytes()).collect::<Vec<_>>());
        columns.add("id-text", "u8", &text);
        let class = |&i: &u32| set.photographs.class(i as usize).to_le_bytes();
        columns.add("class", "u16", &chosen.iter().flat_map(class).collect::<Vec<_>>());
        if let Some(pictures) = set.pictures.as_ref().filter(|pictures| pictures.split().has_layers()) {
            let whole = (pictures.size() * pictures.size()) as f32;
            let sample = |i: usize| pictures.split().sample(i);
            columns.add("box", "f32", &numbers(&|i| sample(i).box_area as f32 / whole));
            let fill = |i: usize| sample(i).mask_area as f32 / (sample(i).box_area as f32).max(1.0);
            columns.add("fill", "f32", &numbers(&fill));
        }
        for (m, model) in set.models.iter().enumerate() {
            columns.add_model(m, model, set, chosen, &numbers);
        }
        columns
    }

    fn add_model(&mut self, m: usize, model: &Model, set: &TestSet, chosen: &[u32], numbers: &Encode<'_>) {
        let mut predicted = Vec::with_capacity(chosen.len() * 18);
        for view in View::ALL {
            for &i in chosen {
                let answer = model.on(view).and_then(|on| Some(on.predicted(on.first(i as usize)?)));
                // A class of that number would be the 65,535th.
                let shown = answer.map_or(UNTESTED, |class| if class == UNTESTED { NO_CLASS } else { class });
                predicted.extend_from_slice(&shown.to_le_bytes());
            }
        }
        self.add(format!("predicted/{m}"), "u16", &predicted);
        let category = |&i: &u32| {
            model.category(i as usize, &set.photographs).map_or(NO_CATEGORY, |category| category as u8)
        };
        self.add(format!("category/{m}"), "u8", &chosen.iter().map(category).collect::<Vec<_>>());
        if let Some(on) = model.on(View::Original) {
            let confidence = |i: usize| on.first(i).and_then(|a| on.best(a).next()).map_or(f32::NAN, |b| b.1);
            self.add(format!("confidence/{m}"), "f32", &numbers(&confidence));
        }
        if let Some(effects) = &model.effects {
            self.add(format!("reliance/{m}"), "f32", &numbers(&|i| effects.reliance[i]));
            self.add(format!("effect/{m}"), "f32", &numbers(&|i| effects.background[i]));
        }
        if let Some(fooling) = &model.fooling {
            let share = |i: usize| match fooling.tries(i) {
                0 => f32::NAN,
                tries => fooling.fooled(i).len() as f32 / tries as f32,
            };
            self.add(format!("fooled/{m}"), "f32", &numbers(&share));
        }
        if let Some(saliency) = &model.saliency {
            let mass =
                |i: usize| saliency.rows(i as u32).first().and_then(|row| row.mass).unwrap_or(f32::NAN);
            self.add(format!("mass/{m}"), "f32", &numbers(&mass));
        }
    }

    fn add(&mut self, name: impl Into<String>, kind: &'static str, bytes: &[u8]) {
        let width = match kind {
            "u8" => 1,
            "u16" => 2,
            _ => 4,
        };
        let start = self.bytes.len();
        self.directory.push(Column { name: name.into(), kind, start, length: bytes.len() / width });
        self.bytes.extend_from_slice(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}
