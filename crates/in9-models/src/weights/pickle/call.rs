//! What "calling" a name means here.

use super::machine::Machine;
use super::{Global, Object, Storage, Tensor, Value};
use crate::weights::fault::{Checked, fault};

/// The result of `callee(*arguments)`.
///
/// Containers, tensors and their parts are passed on, not copied: a copy a call would let a small
/// pickle take the square of its length in steps and memory.
pub(super) fn call(
    machine: &mut Machine<'_, '_>,
    callee: Value,
    arguments: Value,
    at: usize,
) -> Checked<Value> {
    let wrong = |expected: &str| {
        fault(format!("bad call of a constructor at byte {at}"), expected, "other arguments")
    };
    let Value::Global(callee) = callee else {
        return Err(wrong("a known name to call"));
    };
    let Some(Object::Tuple(arguments)) = machine.object(&arguments) else {
        return Err(wrong("a tuple of arguments"));
    };
    let made = match (callee, arguments.as_slice()) {
        // `defaultdict(list)`: the factory is never used, because we never miss a key.
        (Global::Dict, [] | [Value::Global(_) | Value::None]) => Object::Dict(Vec::new()),
        (Global::Dict, &[items]) => {
            let pairs = pairs(machine, items)?.ok_or_else(|| wrong("a list of pairs"))?;
            Object::Dict(pairs)
        }
        (Global::List, []) => Object::List(Vec::new()),
        (Global::Tuple, []) => Object::Tuple(Vec::new()),
        (Global::List | Global::Tuple, [items]) => {
            return match machine.object(items) {
                Some(Object::List(_) | Object::Tuple(_)) => Ok(*items),
                _ => Err(wrong("a list")),
            };
        }
        (Global::RebuildTensor, parts) => Object::Tensor(
            tensor(machine, parts).ok_or_else(|| wrong("(storage, offset, shape, stride, …)"))?,
        ),
        (Global::RebuildParameter, [tensor, ..]) => {
            return match machine.object(tensor) {
                Some(Object::Tensor(_)) => Ok(*tensor),
                _ => Err(wrong("a tensor")),
            };
        }
        _ => return Err(wrong("the arguments that torch writes")),
    };
    machine.allocate(made)
}

/// `('storage', class, key, location, elements[, view])`: where a storage's bytes are.
pub(super) fn storage(machine: &Machine<'_, '_>, id: &Value, at: usize) -> Checked<Storage> {
    let wrong = |found: &str| {
        fault(
            format!("bad reference to a storage at byte {at}"),
            "('storage', class, key, device, elements)",
            found,
        )
    };
    let Some(Object::Tuple(parts)) = machine.object(id) else {
        return Err(wrong("not a tuple"));
    };
    let [kind, Value::Global(Global::Storage(dtype)), Value::Str(key), _, Value::Int(len), view @ ..] =
        parts.as_slice()
    else {
        return Err(wrong("other parts"));
    };
    if machine.text(kind) != Some("storage") {
        return Err(wrong("another kind"));
    }
    let number = |n: &i64| usize::try_from(*n).map_err(|_| wrong("a negative number"));
    let (start, len) = match view {
        [] | [Value::None] => (0, number(len)?),
        [view] => {
            let Some(Object::Tuple(view)) = machine.object(view) else {
                return Err(wrong("a view that is not a tuple"));
            };
            let [Value::Str(_), Value::Int(start), Value::Int(len)] = view.as_slice() else {
                return Err(wrong("a view with other parts"));
            };
            (number(start)?, number(len)?)
        }
        _ => return Err(wrong("too many parts")),
    };
    Ok(Storage { key: *key, dtype: *dtype, len, start })
}

/// `[[k, v], …]`, as Python 2 wrote an ordered dictionary; `None` for anything else.
fn pairs(machine: &mut Machine<'_, '_>, items: Value) -> Checked<Option<Vec<(Value, Value)>>> {
    let count = match machine.object(&items) {
        Some(Object::List(items) | Object::Tuple(items)) => items.len(),
        _ => return Ok(None),
    };
    // The one call that copies: one list may be passed to many of them.
    machine.budget.step(count)?;
    machine.budget.hold(count * size_of::<(Value, Value)>())?;
    let (Some(Object::List(items)) | Some(Object::Tuple(items))) = machine.object(&items) else {
        return Ok(None);
    };
    let pair = |pair: &Value| match machine.object(pair)? {
        Object::List(pair) | Object::Tuple(pair) => match pair.as_slice() {
            &[key, value] => Some((key, value)),
            _ => None,
        },
        _ => None,
    };
    Ok(items.iter().map(pair).collect())
}

fn tensor(machine: &Machine<'_, '_>, parts: &[Value]) -> Option<Tensor> {
    let &[Value::Ref(storage), Value::Int(offset), Value::Ref(shape), Value::Ref(stride), ..] = parts else {
        return None;
    };
    let is = |place: u32, wanted: fn(&Object) -> bool| machine.object(&Value::Ref(place)).is_some_and(wanted);
    let sizes = |object: &Object| matches!(object, Object::Tuple(_) | Object::List(_));
    if !is(storage, |object| matches!(object, Object::Storage(_))) || !is(shape, sizes) || !is(stride, sizes)
    {
        return None;
    }
    Some(Tensor { storage, shape, stride, offset: usize::try_from(offset).ok()? })
}
