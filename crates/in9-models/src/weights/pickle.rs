//! Reads the part of Python's pickle language that tensor files use, without executing anything.
//!
//! A pickle is a program for a stack machine that may name any function and call it. Here a name
//! is looked up in a short list of containers, torch storages and tensor constructors
//! ([`Global`]); every other name is refused where it stands, before anything could be done with
//! it. Objects live in one arena, so shared and self-containing structures cost what their bytes
//! cost, and dropping them does not recurse.

use std::collections::HashMap;
use std::rc::Rc;

use super::fault::{Checked, fault};
use super::pickle_bytes::Bytes;
use super::pickle_call::{Global, call, storage};
use super::storage::{StorageRef, TensorRef};

/// A value on the machine's stack.
#[derive(Debug, Clone)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits; no tensor needs its value.
    BigInt,
    Float,
    Str(Rc<str>),
    Bytes,
    Global(Global),
    /// An object in the arena.
    Ref(usize),
    Mark,
}

/// What the arena holds.
#[derive(Debug, Clone)]
pub(super) enum Object {
    Tuple(Vec<Value>),
    /// Lists and sets alike.
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    Storage(StorageRef),
    Tensor(TensorRef),
}

/// A finished pickle: its root and the arena that it points into.
#[derive(Debug)]
pub(super) struct Pickle {
    pub(super) root: Value,
    pub(super) heap: Vec<Object>,
    /// Position just behind the pickle in the input.
    pub(super) end: usize,
}

impl Pickle {
    /// The object that `value` points to.
    pub(super) fn object(&self, value: &Value) -> Option<&Object> {
        match value {
            Value::Ref(i) => self.heap.get(*i),
            _ => None,
        }
    }
}

pub(super) struct Machine<'a> {
    pub(super) bytes: Bytes<'a>,
    /// Elements that calls have copied so far.
    pub(super) copied: usize,
    stack: Vec<Value>,
    memo: HashMap<u32, Value>,
    pub(super) heap: Vec<Object>,
}

/// Reads one pickle that begins at `start`.
pub(super) fn read(input: &[u8], start: usize) -> Checked<Pickle> {
    let mut machine = Machine {
        bytes: Bytes { input, at: start },
        copied: 0,
        stack: Vec::new(),
        memo: HashMap::new(),
        heap: Vec::new(),
    };
    while machine.step()? {}
    let root = machine.pop()?;
    Ok(Pickle { root, heap: machine.heap, end: machine.bytes.at })
}

impl Machine<'_> {
    /// Executes one opcode; `false` after STOP.
    fn step(&mut self) -> Checked<bool> {
        let at = self.bytes.at;
        match self.bytes.byte()? {
            b'.' => return Ok(false),
            // PROTO and FRAME carry nothing that a reader of one stream needs.
            0x80 => drop(self.bytes.byte()?),
            0x95 => drop(self.bytes.take(8)?),
            b'(' => self.stack.push(Value::Mark),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_mark()?),
            b'2' => {
                let top = self.stack.last().cloned().ok_or_else(|| underflow(at))?;
                self.stack.push(top);
            }
            b'N' => self.stack.push(Value::None),
            0x88 => self.stack.push(Value::Bool(true)),
            0x89 => self.stack.push(Value::Bool(false)),
            b'J' => {
                let n = i32::from_le_bytes(self.bytes.array()?);
                self.stack.push(Value::Int(n.into()));
            }
            b'K' => {
                let n = self.bytes.byte()?;
                self.stack.push(Value::Int(n.into()));
            }
            b'M' => {
                let n = u16::from_le_bytes(self.bytes.array()?);
                self.stack.push(Value::Int(n.into()));
            }
            0x8a => {
                let n = self.bytes.byte()?.into();
                self.push_long(n)?;
            }
            0x8b => {
                let n = self.bytes.length4()?;
                self.push_long(n)?;
            }
            b'G' => {
                self.bytes.take(8)?;
                self.stack.push(Value::Float);
            }
            // Byte strings of Python 2 are names and keys too; they must be UTF-8 like the rest.
            b'X' | b'T' => {
                let n = self.bytes.length4()?;
                self.push_str(n)?;
            }
            0x8c | b'U' => {
                let n = self.bytes.byte()?.into();
                self.push_str(n)?;
            }
            0x8d => {
                let n = self.bytes.length8()?;
                self.push_str(n)?;
            }
            b'B' => {
                let n = self.bytes.length4()?;
                self.push_bytes(n)?;
            }
            b'C' => {
                let n = self.bytes.byte()?.into();
                self.push_bytes(n)?;
            }
            0x8e | 0x96 => {
                let n = self.bytes.length8()?;
                self.push_bytes(n)?;
            }
            b')' => self.push_object(Object::Tuple(Vec::new())),
            b']' | 0x8f => self.push_object(Object::List(Vec::new())),
            b'}' => self.push_object(Object::Dict(Vec::new())),
            b't' => {
                let items = self.pop_mark()?;
                self.push_object(Object::Tuple(items));
            }
            b'l' | 0x91 => {
                let items = self.pop_mark()?;
                self.push_object(Object::List(items));
            }
            b'd' => {
                let pairs = pairs(self.pop_mark()?, at)?;
                self.push_object(Object::Dict(pairs));
            }
            code @ 0x85..=0x87 => {
                let count = usize::from(code - 0x84);
                let from = self.stack.len().checked_sub(count).ok_or_else(|| underflow(at))?;
                let items = self.stack.split_off(from);
                self.push_object(Object::Tuple(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.extend_list(vec![item], at)?;
            }
            b'e' | 0x90 => {
                let items = self.pop_mark()?;
                self.extend_list(items, at)?;
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.extend_dict(vec![(key, value)], at)?;
            }
            b'u' => {
                let items = pairs(self.pop_mark()?, at)?;
                self.extend_dict(items, at)?;
            }
            b'q' => {
                let slot = self.bytes.byte()?.into();
                self.remember(slot)?;
            }
            b'r' => {
                let slot = u32::from_le_bytes(self.bytes.array()?);
                self.remember(slot)?;
            }
            0x94 => {
                let slot = self.memo.len() as u32;
                self.remember(slot)?;
            }
            b'h' => {
                let slot = self.bytes.byte()?.into();
                self.recall(slot)?;
            }
            b'j' => {
                let slot = u32::from_le_bytes(self.bytes.array()?);
                self.recall(slot)?;
            }
            b'c' => {
                let module = self.bytes.line()?;
                let name = self.bytes.line()?;
                self.stack.push(Value::Global(Global::named(&module, &name, at)?));
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Value::Str(name), Value::Str(module)) = (name, module) else {
                    return Err(fault(
                        format!("the pickle names something oddly at byte {at}"),
                        "two strings",
                        "another type",
                    ));
                };
                self.stack.push(Value::Global(Global::named(&module, &name, at)?));
            }
            b'R' | 0x81 => {
                let arguments = self.pop()?;
                let callee = self.pop()?;
                let result = call(self, callee, arguments, at)?;
                self.stack.push(result);
            }
            b'b' => self.build(at)?,
            b'Q' => {
                let id = self.pop()?;
                let storage = storage(self, &id, at)?;
                self.push_object(Object::Storage(storage));
            }
            code => {
                return Err(fault(
                    format!("unsupported pickle opcode 0x{code:02x} at byte {at}"),
                    "tensors and plain containers in pickle protocol 2 to 5",
                    "an instruction that these never need",
                ));
            }
        }
        Ok(true)
    }

    /// BUILD sets attributes. On a dictionary (torch hangs version notes there) they are dropped.
    fn build(&mut self, at: usize) -> Checked<()> {
        self.pop()?;
        match self.stack.last() {
            Some(Value::Ref(i)) if matches!(self.heap[*i], Object::Dict(_)) => Ok(()),
            _ => Err(fault(
                format!("the pickle sets attributes of an object at byte {at}"),
                "attributes on dictionaries only",
                "another type",
            )),
        }
    }

    pub(super) fn object(&self, value: &Value) -> Option<&Object> {
        match value {
            Value::Ref(i) => self.heap.get(*i),
            _ => None,
        }
    }

    pub(super) fn allocate(&mut self, object: Object) -> Value {
        self.heap.push(object);
        Value::Ref(self.heap.len() - 1)
    }

    fn push_object(&mut self, object: Object) {
        let value = self.allocate(object);
        self.stack.push(value);
    }

    fn pop(&mut self) -> Checked<Value> {
        match self.stack.pop() {
            Some(Value::Mark) | None => Err(underflow(self.bytes.at)),
            Some(value) => Ok(value),
        }
    }

    fn pop_mark(&mut self) -> Checked<Vec<Value>> {
        let mark = self.stack.iter().rposition(|v| matches!(v, Value::Mark));
        let mark = mark.ok_or_else(|| underflow(self.bytes.at))?;
        let items = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(items)
    }

    fn extend_list(&mut self, items: Vec<Value>, at: usize) -> Checked<()> {
        match self.stack.last() {
            Some(Value::Ref(i)) if matches!(self.heap[*i], Object::List(_)) => {
                if let Object::List(list) = &mut self.heap[*i] {
                    list.extend(items);
                }
                Ok(())
            }
            _ => Err(fault(format!("append at byte {at}"), "a list below", "another type")),
        }
    }

    fn extend_dict(&mut self, items: Vec<(Value, Value)>, at: usize) -> Checked<()> {
        if let Some(Value::Ref(i)) = self.stack.last()
            && let Object::Dict(dict) = &mut self.heap[*i]
        {
            dict.extend(items);
            return Ok(());
        }
        Err(fault(format!("item assignment at byte {at}"), "a dictionary below", "another type"))
    }

    fn remember(&mut self, slot: u32) -> Checked<()> {
        let top = self.stack.last().cloned().ok_or_else(|| underflow(self.bytes.at))?;
        self.memo.insert(slot, top);
        Ok(())
    }

    fn recall(&mut self, slot: u32) -> Checked<()> {
        let Some(value) = self.memo.get(&slot) else {
            return Err(fault(
                format!("bad back reference at byte {}", self.bytes.at),
                "a remembered value",
                format!("slot {slot}, which is empty"),
            ));
        };
        self.stack.push(value.clone());
        Ok(())
    }

    fn push_long(&mut self, len: usize) -> Checked<()> {
        let bytes = self.bytes.take(len)?;
        let value = if len <= 8 {
            let sign = if bytes.last().is_some_and(|b| b & 0x80 != 0) { 0xff } else { 0 };
            let mut word = [sign; 8];
            word[..len].copy_from_slice(bytes);
            Value::Int(i64::from_le_bytes(word))
        } else {
            Value::BigInt
        };
        self.stack.push(value);
        Ok(())
    }

    fn push_str(&mut self, len: usize) -> Checked<()> {
        let text = self.bytes.text(len)?.into();
        self.stack.push(Value::Str(text));
        Ok(())
    }

    fn push_bytes(&mut self, len: usize) -> Checked<()> {
        self.bytes.take(len)?;
        self.stack.push(Value::Bytes);
        Ok(())
    }
}

fn underflow(at: usize) -> super::fault::Fault {
    fault(format!("broken pickle at byte {at}"), "a value on the stack", "none")
}

fn pairs(items: Vec<Value>, at: usize) -> Checked<Vec<(Value, Value)>> {
    if items.len() % 2 == 1 {
        return Err(fault(format!("dictionary at byte {at}"), "keys with values", "a lone key"));
    }
    let mut items = items.into_iter();
    Ok(std::iter::from_fn(|| Some((items.next()?, items.next()?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: &[u8]) -> String {
        read(bytes, 0).unwrap_err().to_string()
    }

    #[test]
    fn containers_and_numbers() {
        // {'a': [1, -2, None]} in protocol 2.
        let pickle = read(b"\x80\x02}q\x00X\x01\x00\x00\x00a]q\x01(K\x01J\xfe\xff\xff\xffNes.", 0);
        let pickle = pickle.unwrap();
        let Some(Object::Dict(items)) = pickle.object(&pickle.root) else { panic!("no dict") };
        assert!(matches!(&items[0].0, Value::Str(s) if &**s == "a"));
        let Some(Object::List(list)) = pickle.object(&items[0].1) else { panic!("no list") };
        assert!(matches!(list[..], [Value::Int(1), Value::Int(-2), Value::None]));
    }

    #[test]
    fn a_call_is_refused_by_name() {
        // cposix\nsystem\n(X..tR. is what a hostile file does.
        let text = message(b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.");
        assert!(text.contains("posix.system"), "{text}");
    }

    #[test]
    fn self_reference_and_fan_out_stay_small() {
        // A list that holds itself twenty times over.
        let mut bytes = b"\x80\x02]q\x00(".to_vec();
        for _ in 0..20 {
            bytes.extend_from_slice(b"h\x00");
        }
        bytes.extend_from_slice(b"e.");
        assert_eq!(read(&bytes, 0).unwrap().heap.len(), 1);
    }

    #[test]
    fn every_prefix_is_refused_without_panic() {
        let whole = b"\x80\x02}q\x00X\x01\x00\x00\x00a]q\x01(K\x01J\xfe\xff\xff\xffNes.";
        for end in 0..whole.len() {
            assert!(read(&whole[..end], 0).is_err(), "prefix of {end} bytes");
        }
    }

    #[test]
    fn long_lengths_do_not_allocate() {
        let text = message(b"\x80\x02X\xff\xff\xff\xffabc");
        assert!(text.contains("cut off"), "{text}");
        let text = message(b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xffabc");
        assert!(text.contains("cut off"), "{text}");
    }
}
