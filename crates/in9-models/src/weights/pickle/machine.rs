//! The stack machine: one instruction after the other.

use std::collections::HashMap;

use super::budget::Budget;
use super::bytes::Bytes;
use super::call::{call, storage};
use super::opcode as op;
use super::{Global, Object, Pickle, Value, object, text};
use crate::weights::fault::{Checked, Fault, fault};

/// What the allocator adds to a list of items, about.
const A_LIST: usize = 16;

/// The machine's state.
pub(super) struct Machine<'a, 'b> {
    bytes: Bytes<'a>,
    stack: Vec<Value>,
    memo: HashMap<u32, Value>,
    objects: Vec<Object>,
    pub(super) budget: &'b mut Budget,
    /// Bytes of stack, memo and arena that the budget knows of.
    counted: usize,
}

impl<'a, 'b> Machine<'a, 'b> {
    /// Before the instruction at byte `start`.
    pub(super) fn new(input: &'a [u8], start: usize, budget: &'b mut Budget) -> Checked<Self> {
        if u32::try_from(input.len()).is_err() {
            let (what, most) = ("length of the pickle".into(), u64::from(u32::MAX));
            return Err(Fault::AboveLimit { what, most, unit: "bytes", found: input.len() as u64 });
        }
        Ok(Self {
            bytes: Bytes { input, at: start },
            stack: Vec::new(),
            memo: HashMap::new(),
            objects: Vec::new(),
            budget,
            counted: 0,
        })
    }

    /// Executes everything up to STOP.
    pub(super) fn run(mut self) -> Checked<Pickle<'a>> {
        while self.step()? {
            self.count()?;
        }
        let root = self.pop()?;
        Ok(Pickle { input: self.bytes.input, objects: self.objects, root, end: self.bytes.at })
    }

    /// Tells the budget what stack, memo and arena have grown by.
    fn count(&mut self) -> Checked<()> {
        self.budget.step(1)?;
        let held = self.stack.capacity() * size_of::<Value>()
            + self.memo.capacity() * size_of::<(u32, Value)>()
            + self.objects.capacity() * size_of::<Object>();
        let grown = held.saturating_sub(self.counted);
        self.counted = held;
        self.budget.hold(grown)
    }

    /// Executes one instruction; `false` after STOP.
    fn step(&mut self) -> Checked<bool> {
        let at = self.bytes.at;
        match self.bytes.byte()? {
            op::STOP => return Ok(false),
            // These carry nothing that a reader of one stream needs.
            op::PROTO => drop(self.bytes.byte()?),
            op::FRAME => drop(self.bytes.take(8)?),

            op::MARK => self.stack.push(Value::Mark),
            op::POP => drop(self.pop()?),
            op::POP_MARK => drop(self.pop_mark()?),
            op::DUP => {
                let top = *self.stack.last().ok_or_else(|| underflow(at))?;
                self.stack.push(top);
            }

            op::NONE => self.stack.push(Value::None),
            op::NEWTRUE => self.stack.push(Value::Bool(true)),
            op::NEWFALSE => self.stack.push(Value::Bool(false)),
            op::BININT => {
                let n = i32::from_le_bytes(self.bytes.array()?);
                self.stack.push(Value::Int(n.into()));
            }
            op::BININT1 => {
                let n = self.bytes.byte()?;
                self.stack.push(Value::Int(n.into()));
            }
            op::BININT2 => {
                let n = u16::from_le_bytes(self.bytes.array()?);
                self.stack.push(Value::Int(n.into()));
            }
            op::LONG1 => {
                let n = self.bytes.byte()?.into();
                self.push_long(n)?;
            }
            op::LONG4 => {
                let n = self.bytes.length4()?;
                self.push_long(n)?;
            }
            op::BINFLOAT => {
                self.bytes.take(8)?;
                self.stack.push(Value::Float);
            }

            // Byte strings of Python 2 are names and keys too; they must be UTF-8 like the rest.
            op::BINUNICODE | op::BINSTRING => {
                let n = self.bytes.length4()?;
                self.push_text(n)?;
            }
            op::SHORT_BINUNICODE | op::SHORT_BINSTRING => {
                let n = self.bytes.byte()?.into();
                self.push_text(n)?;
            }
            op::BINUNICODE8 => {
                let n = self.bytes.length8()?;
                self.push_text(n)?;
            }
            op::BINBYTES => {
                let n = self.bytes.length4()?;
                self.push_bytes(n)?;
            }
            op::SHORT_BINBYTES => {
                let n = self.bytes.byte()?.into();
                self.push_bytes(n)?;
            }
            op::BINBYTES8 | op::BYTEARRAY8 => {
                let n = self.bytes.length8()?;
                self.push_bytes(n)?;
            }

            op::EMPTY_TUPLE => self.push(Object::Tuple(Vec::new()))?,
            op::EMPTY_LIST | op::EMPTY_SET => self.push(Object::List(Vec::new()))?,
            op::EMPTY_DICT => self.push(Object::Dict(Vec::new()))?,
            op::TUPLE => {
                let items = self.pop_mark()?;
                self.push(Object::Tuple(items))?;
            }
            op::LIST | op::FROZENSET => {
                let items = self.pop_mark()?;
                self.push(Object::List(items))?;
            }
            op::DICT => {
                let pairs = pairs(self.pop_mark()?, at)?;
                self.push(Object::Dict(pairs))?;
            }
            code @ op::TUPLE1..=op::TUPLE3 => {
                let count = usize::from(code - op::TUPLE1) + 1;
                let from = self.stack.len().checked_sub(count).ok_or_else(|| underflow(at))?;
                let items = self.stack.split_off(from);
                self.push(Object::Tuple(items))?;
            }
            op::APPEND => {
                let item = self.pop()?;
                self.extend_list(&[item], at)?;
            }
            op::APPENDS | op::ADDITEMS => {
                let items = self.pop_mark()?;
                self.extend_list(&items, at)?;
            }
            op::SETITEM => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.extend_dict(&[(key, value)], at)?;
            }
            op::SETITEMS => {
                let items = pairs(self.pop_mark()?, at)?;
                self.extend_dict(&items, at)?;
            }

            op::BINPUT => {
                let slot = self.bytes.byte()?.into();
                self.remember(slot)?;
            }
            op::LONG_BINPUT => {
                let slot = u32::from_le_bytes(self.bytes.array()?);
                self.remember(slot)?;
            }
            op::MEMOIZE => {
                let slot = self.memo.len() as u32;
                self.remember(slot)?;
            }
            op::BINGET => {
                let slot = self.bytes.byte()?.into();
                self.recall(slot)?;
            }
            op::LONG_BINGET => {
                let slot = u32::from_le_bytes(self.bytes.array()?);
                self.recall(slot)?;
            }

            op::GLOBAL => {
                let module = self.bytes.line()?;
                let name = self.bytes.line()?;
                self.stack.push(Value::Global(Global::named(module, name, at)?));
            }
            op::STACK_GLOBAL => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Some(name), Some(module)) = (self.text(&name), self.text(&module)) else {
                    let what = format!("the pickle names something oddly at byte {at}");
                    return Err(fault(what, "two strings", "another type"));
                };
                self.stack.push(Value::Global(Global::named(module, name, at)?));
            }
            op::REDUCE | op::NEWOBJ => {
                let arguments = self.pop()?;
                let callee = self.pop()?;
                let result = call(self, callee, arguments, at)?;
                self.stack.push(result);
            }
            op::BUILD => self.build(at)?,
            op::BINPERSID => {
                let id = self.pop()?;
                let storage = storage(self, &id, at)?;
                self.push(Object::Storage(storage))?;
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
        match self.stack.last().and_then(|top| self.object(top)) {
            Some(Object::Dict(_)) => Ok(()),
            _ => Err(fault(
                format!("the pickle sets attributes of an object at byte {at}"),
                "attributes on dictionaries only",
                "another type",
            )),
        }
    }

    /// The object that `value` points to.
    pub(super) fn object(&self, value: &Value) -> Option<&Object> {
        object(&self.objects, value)
    }

    /// The text of `value`, if it is a string.
    pub(super) fn text(&self, value: &Value) -> Option<&'a str> {
        text(self.bytes.input, value)
    }

    /// Puts `object` into the arena.
    pub(super) fn allocate(&mut self, object: Object) -> Checked<Value> {
        let items = match &object {
            Object::Tuple(items) | Object::List(items) => size_of_val(items.as_slice()),
            Object::Dict(items) => size_of_val(items.as_slice()),
            Object::Storage(_) | Object::Tensor(_) => 0,
        };
        self.budget.hold(items + A_LIST)?;
        // Fewer objects than bytes of input, of which there are fewer than 2³².
        let place = self.objects.len() as u32;
        self.objects.push(object);
        Ok(Value::Ref(place))
    }

    fn push(&mut self, object: Object) -> Checked<()> {
        let value = self.allocate(object)?;
        self.stack.push(value);
        Ok(())
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
        self.budget.step(self.stack.len() - mark)?;
        let items = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(items)
    }

    fn extend_list(&mut self, items: &[Value], at: usize) -> Checked<()> {
        if let Some(&Value::Ref(i)) = self.stack.last()
            && let Some(Object::List(list)) = self.objects.get_mut(i as usize)
        {
            let before = list.capacity();
            list.extend_from_slice(items);
            let grown = list.capacity() - before;
            return self.budget.hold(grown * size_of::<Value>());
        }
        Err(fault(format!("append at byte {at}"), "a list below", "another type"))
    }

    fn extend_dict(&mut self, items: &[(Value, Value)], at: usize) -> Checked<()> {
        if let Some(&Value::Ref(i)) = self.stack.last()
            && let Some(Object::Dict(dict)) = self.objects.get_mut(i as usize)
        {
            let before = dict.capacity();
            dict.extend_from_slice(items);
            let grown = dict.capacity() - before;
            return self.budget.hold(grown * size_of::<(Value, Value)>());
        }
        Err(fault(format!("item assignment at byte {at}"), "a dictionary below", "another type"))
    }

    fn remember(&mut self, slot: u32) -> Checked<()> {
        let top = *self.stack.last().ok_or_else(|| underflow(self.bytes.at))?;
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
        self.stack.push(*value);
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

    fn push_text(&mut self, len: usize) -> Checked<()> {
        let span = self.bytes.text(len)?;
        self.stack.push(Value::Str(span));
        Ok(())
    }

    fn push_bytes(&mut self, len: usize) -> Checked<()> {
        self.bytes.take(len)?;
        self.stack.push(Value::Bytes);
        Ok(())
    }
}

fn underflow(at: usize) -> Fault {
    fault(format!("broken pickle at byte {at}"), "a value on the stack", "none")
}

fn pairs(items: Vec<Value>, at: usize) -> Checked<Vec<(Value, Value)>> {
    let (pairs, rest) = items.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(fault(format!("dictionary at byte {at}"), "keys with values", "a lone key"));
    }
    Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
}
