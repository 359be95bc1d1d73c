//! The names that a tensor file may use, and what "calling" them means here.

use safetensors::Dtype;

use super::fault::{Checked, fault};
use super::pickle::{Machine, Object, Value};
use super::storage::{StorageRef, TensorRef, storage_dtype};

/// Everything that a pickle may name. There is no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    /// `collections.OrderedDict`, `dict`, `collections.defaultdict`.
    Dict,
    /// `list`, `set`, `frozenset`.
    List,
    /// `tuple`, `torch.Size`.
    Tuple,
    /// `torch.FloatStorage` and its kin.
    Storage(Dtype),
    /// `torch._utils._rebuild_tensor_v2` and its predecessor.
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`: a tensor that is trained.
    RebuildParameter,
}

impl Global {
    pub(super) fn named(module: &str, name: &str, at: usize) -> Checked<Self> {
        let refused = || {
            fault(
                format!("the pickle wants to use `{module}.{name}` (byte {at})"),
                "tensors and plain containers; nothing in a pickle is ever executed",
                "another name",
            )
        };
        Ok(match (module, name) {
            ("collections", "OrderedDict" | "defaultdict") | ("builtins" | "__builtin__", "dict") => {
                Self::Dict
            }
            ("builtins" | "__builtin__", "list" | "set" | "frozenset") => Self::List,
            ("builtins" | "__builtin__", "tuple") | ("torch", "Size") => Self::Tuple,
            ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch" | "torch.cuda", class) => Self::Storage(storage_dtype(class).ok_or_else(refused)?),
            _ => return Err(refused()),
        })
    }
}

/// The result of `callee(*arguments)`.
pub(super) fn call(machine: &mut Machine<'_>, callee: Value, arguments: Value, at: usize) -> Checked<Value> {
    let wrong = |what: &str| {
        fault(format!("bad call of a constructor at byte {at}"), what.to_owned(), "other arguments")
    };
    let Value::Global(callee) = callee else {
        return Err(wrong("a known name to call"));
    };
    let Some(Object::Tuple(arguments)) = machine.object(&arguments) else {
        return Err(wrong("a tuple of arguments"));
    };
    let arguments = arguments.clone();
    // Containers and parameters are passed on, not copied: a copy a call would let a small file
    // unfold into a large one.
    let object = match (callee, arguments.as_slice()) {
        // `defaultdict(list)`: the factory is never used, because we never miss a key.
        (Global::Dict, [] | [Value::Global(_) | Value::None]) => Object::Dict(Vec::new()),
        (Global::Dict, [items]) => {
            Object::Dict(dict_items(machine, items).ok_or_else(|| wrong("a list of pairs"))?)
        }
        (Global::List, []) => Object::List(Vec::new()),
        (Global::Tuple, []) => Object::Tuple(Vec::new()),
        (Global::List | Global::Tuple, [items]) => {
            return match machine.object(items) {
                Some(Object::List(_) | Object::Tuple(_)) => Ok(items.clone()),
                _ => Err(wrong("a list")),
            };
        }
        (Global::RebuildTensor, _) => Object::Tensor(
            tensor(machine, &arguments).ok_or_else(|| wrong("(storage, offset, shape, stride, …)"))?,
        ),
        (Global::RebuildParameter, [tensor, ..]) => {
            return match machine.object(tensor) {
                Some(Object::Tensor(_)) => Ok(tensor.clone()),
                _ => Err(wrong("a tensor")),
            };
        }
        _ => return Err(wrong("the arguments that torch writes")),
    };
    Ok(machine.allocate(object))
}

/// `('storage', class, key, location, elements[, view])`: where a storage's bytes are.
pub(super) fn storage(machine: &Machine<'_>, id: &Value, at: usize) -> Checked<StorageRef> {
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
    let [
        Value::Str(kind),
        Value::Global(Global::Storage(dtype)),
        Value::Str(key),
        _,
        Value::Int(len),
        view @ ..,
    ] = parts.as_slice()
    else {
        return Err(wrong("other parts"));
    };
    if &**kind != "storage" {
        return Err(wrong("another kind"));
    }
    let len = usize::try_from(*len).map_err(|_| wrong("a negative length"))?;
    let mut storage = StorageRef { key: key.clone(), dtype: *dtype, len, start: 0 };
    match view {
        [] | [Value::None] => Ok(storage),
        [view] => {
            let Some(Object::Tuple(view)) = machine.object(view) else {
                return Err(wrong("a view that is not a tuple"));
            };
            let [Value::Str(_), Value::Int(start), Value::Int(len)] = view.as_slice() else {
                return Err(wrong("a view with other parts"));
            };
            let number = |n: &i64| usize::try_from(*n).map_err(|_| wrong("a negative view"));
            (storage.start, storage.len) = (number(start)?, number(len)?);
            Ok(storage)
        }
        _ => Err(wrong("too many parts")),
    }
}

/// `[[k, v], …]`, as Python 2 wrote an ordered dictionary.
fn dict_items(machine: &mut Machine<'_>, items: &Value) -> Option<Vec<(Value, Value)>> {
    let (Object::List(items) | Object::Tuple(items)) = machine.object(items)? else {
        return None;
    };
    let count = items.len();
    let pairs = pairs(machine, items);
    machine.copied += count;
    // No honest file builds more entries than it has bytes.
    pairs.filter(|_| machine.copied <= machine.bytes.input.len())
}

fn pairs(machine: &Machine<'_>, items: &[Value]) -> Option<Vec<(Value, Value)>> {
    items
        .iter()
        .map(|pair| match machine.object(pair)? {
            Object::List(pair) | Object::Tuple(pair) => match pair.as_slice() {
                [key, value] => Some((key.clone(), value.clone())),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

fn tensor(machine: &Machine<'_>, arguments: &[Value]) -> Option<TensorRef> {
    let [storage, Value::Int(offset), shape, stride, ..] = arguments else { return None };
    let Object::Storage(storage) = machine.object(storage)? else { return None };
    Some(TensorRef {
        storage: storage.clone(),
        offset: usize::try_from(*offset).ok()?,
        shape: sizes(machine, shape)?,
        stride: sizes(machine, stride)?,
    })
}

fn sizes(machine: &Machine<'_>, value: &Value) -> Option<Vec<usize>> {
    let (Object::Tuple(items) | Object::List(items)) = machine.object(value)? else { return None };
    // Numpy stops at 32 axes, torch at 64; a network has four.
    let items = items.get(..items.len().min(65)).filter(|i| i.len() < 65)?;
    items
        .iter()
        .map(|item| match item {
            Value::Int(n) => usize::try_from(*n).ok(),
            _ => None,
        })
        .collect()
}
