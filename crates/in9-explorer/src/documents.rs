//! What the page asks for, as JSON.

mod comparison;
mod contents;
mod photograph;

pub(crate) use comparison::comparison;
pub(crate) use contents::contents;
pub(crate) use photograph::photograph;

use serde_json::{Value, json};

use crate::collection::{NO_CLASS, TestSet};

/// A photograph as other pages name it: number, id and class.
fn reference(set: &TestSet, photograph: u32) -> Value {
    let at = photograph as usize;
    json!({ "number": photograph, "id": set.photographs.id(at), "class": set.photographs.class(at) })
}

/// A predicted class; `null` outside the taxonomy.
fn class(predicted: u16) -> Option<u16> {
    (predicted != NO_CLASS).then_some(predicted)
}
