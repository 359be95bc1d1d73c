//! Reads the part of Python's pickle language that tensor files use, without executing anything.
//!
//! A pickle is a program for a stack machine that may name any function and call it. Here a name
//! is looked up in a short list of containers, torch storages and tensor constructors
//! ([`Global`]); every other name is refused where it stands, before anything could be done with
//! it. Objects live in one arena and are never copied, so shared and self-containing structures
//! cost what their bytes cost, and dropping them does not recurse. Steps and memory have a
//! [budget](Budget) proportional to the pickle's length.
//!
//! The language: CPython's `Lib/pickletools.py`, PEP 307 (protocol 2), PEP 3154 (4), PEP 574 (5).

mod budget;
mod bytes;
mod call;
mod global;
mod machine;
mod opcode;

use super::fault::{Checked, fault};
use super::torch::storage::{StorageRef, TensorRef};
use budget::Budget;
pub(in crate::weights) use global::Global;
use machine::Machine;

/// A value on the machine's stack, in a container or in the memo: 16 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits; no tensor needs its value.
    BigInt,
    Float,
    /// UTF-8 in the pickle's own bytes.
    Str(Span),
    Bytes,
    Global(Global),
    /// An object's index in the arena.
    Ref(u32),
    Mark,
}

/// A stretch of the pickle's bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    start: u32,
    len: u32,
}

/// What the arena holds.
#[derive(Debug)]
pub(super) enum Object {
    Tuple(Vec<Value>),
    /// Lists and sets alike.
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    Storage(Storage),
    Tensor(Tensor),
}

/// A storage as a persistent id declares it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Storage {
    key: Span,
    dtype: safetensors::Dtype,
    /// Elements.
    len: usize,
    /// First element, when this is a view into the storage `key` (files before 2017).
    start: usize,
}

/// A tensor as a call declares it; its parts are objects of the arena.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tensor {
    storage: u32,
    shape: u32,
    stride: u32,
    /// First element in the storage.
    offset: usize,
}

/// A finished pickle: its root and the arena that it points into.
#[derive(Debug)]
pub(super) struct Pickle<'a> {
    input: &'a [u8],
    objects: Vec<Object>,
    pub(super) root: Value,
    /// Position just behind the pickle in the input.
    pub(super) end: usize,
}

/// Reads one pickle that begins at `start` of `input`.
pub(super) fn read(input: &[u8], start: usize) -> Checked<Pickle<'_>> {
    let mut budget = Budget::of(input.len().saturating_sub(start));
    Machine::new(input, start, &mut budget)?.run()
}

impl<'a> Pickle<'a> {
    /// The object that `value` points to.
    pub(super) fn object(&self, value: &Value) -> Option<&Object> {
        object(&self.objects, value)
    }

    /// The text of `value`, if it is a string.
    pub(super) fn text(&self, value: &Value) -> Option<&'a str> {
        text(self.input, value)
    }

    /// Every storage that is declared anywhere.
    pub(super) fn storages(&self) -> impl Iterator<Item = StorageRef<'a>> + '_ {
        self.objects.iter().filter_map(|object| match object {
            Object::Storage(storage) => Some(self.storage(storage)),
            _ => None,
        })
    }

    fn storage(&self, storage: &Storage) -> StorageRef<'a> {
        let key = text(self.input, &Value::Str(storage.key)).unwrap_or_default();
        StorageRef { key, dtype: storage.dtype, len: storage.len, start: storage.start }
    }

    /// The tensor that `value` points to, under the `name` that it has in a state dict; `None` when
    /// it points to something else.
    pub(super) fn tensor(&self, value: &Value, name: &str) -> Checked<Option<TensorRef<'a>>> {
        let Some(Object::Tensor(tensor)) = self.object(value) else { return Ok(None) };
        let sizes = |object, what| {
            self.sizes(object).ok_or_else(|| {
                fault(format!("{what} of tensor `{name}`"), "a tuple of at most 64 sizes", "something else")
            })
        };
        let Some(Object::Storage(storage)) = self.objects.get(tensor.storage as usize) else {
            return Ok(None);
        };
        Ok(Some(TensorRef {
            storage: self.storage(storage),
            offset: tensor.offset,
            shape: sizes(tensor.shape, "shape")?,
            stride: sizes(tensor.stride, "stride")?,
        }))
    }

    fn sizes(&self, object: u32) -> Option<Vec<usize>> {
        let (Object::Tuple(items) | Object::List(items)) = self.objects.get(object as usize)? else {
            return None;
        };
        // Torch stops at 64 axes; a network has four.
        let items = Some(items).filter(|items| items.len() <= 64)?;
        items
            .iter()
            .map(|item| match item {
                Value::Int(n) => usize::try_from(*n).ok(),
                _ => None,
            })
            .collect()
    }
}

fn object<'o>(objects: &'o [Object], value: &Value) -> Option<&'o Object> {
    match value {
        Value::Ref(i) => objects.get(*i as usize),
        _ => None,
    }
}

fn text<'a>(input: &'a [u8], value: &Value) -> Option<&'a str> {
    match value {
        Value::Str(span) => {
            let start = span.start as usize;
            std::str::from_utf8(input.get(start..start + span.len as usize)?).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
