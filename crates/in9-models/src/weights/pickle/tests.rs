//! Tests of this folder's readers on sound, damaged and hostile files.

use super::budget::Budget;
use super::machine::Machine;
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
    assert_eq!(pickle.text(&items[0].0), Some("a"));
    let Some(Object::List(list)) = pickle.object(&items[0].1) else { panic!("no list") };
    assert!(matches!(list[..], [Value::Int(1), Value::Int(-2), Value::None]));
}

#[test]
fn values_and_objects_are_small() {
    assert_eq!(size_of::<Value>(), 16);
    assert!(size_of::<Object>() <= 40, "{}", size_of::<Object>());
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
    assert_eq!(read(&bytes, 0).unwrap().objects.len(), 1);
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

/// What a pickle uses of its budget, whether or not it is refused.
fn used(bytes: &[u8]) -> Budget {
    let mut budget = Budget::of(bytes.len());
    let _ = Machine::new(bytes, 0, &mut budget).unwrap().run();
    budget
}

/// `head`, then `body` so often that the whole has `len` bytes, then `tail`.
fn repeated(head: &[u8], body: &[u8], tail: &[u8], len: usize) -> Vec<u8> {
    [head, &body.repeat((len - head.len() - tail.len()) / body.len()), tail].concat()
}

/// A call that copies its arguments would look at 100,000 items 200,000 times.
#[test]
fn arguments_are_not_looked_at_again_at_every_call() {
    let many = b"\x80\x02ctorch._utils\n_rebuild_parameter\nq\x00(";
    // A tensor first, then 100,000 arguments that the constructor does not use.
    let tensor = b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0kX\x03\0\0\0cpuK\x01tQK\0K\x01\x85K\x01\x85\x89}tR";
    let arguments = [many.as_slice(), tensor.as_slice(), &b"N".repeat(100_000), b"tq\x01"].concat();
    let calls = b"h\x00h\x01R0".repeat(200_000);
    let bytes = [arguments.as_slice(), &calls, b"N."].concat();
    let budget = used(&bytes);
    assert!(read(&bytes, 0).is_ok());
    assert!(budget.steps < 2 * bytes.len() as u64, "{budget:?}");
    assert!(budget.held < 8 * bytes.len() as u64, "{budget:?}");
}

/// The one call that copies stops at the budget.
#[test]
fn copying_one_list_into_many_dictionaries_stops() {
    let list = [b"](".as_slice(), &b"K\x01K\x02\x86".repeat(100_000), b"e\x85q\x01"].concat();
    let head = [b"\x80\x02ccollections\nOrderedDict\nq\x00".as_slice(), &list].concat();
    let bytes = [head.as_slice(), &b"h\x00h\x01R0".repeat(200_000), b"N."].concat();
    let text = message(&bytes);
    assert!(text.contains("that the pickle asks for (expected at most"), "{text}");
    let budget = used(&bytes);
    assert!(budget.steps <= budget.most_steps + 100_001 && budget.held <= budget.most_held + 3_200_000);
}

/// Each of the instructions that make much of one byte, a megabyte of each.
#[test]
fn no_instruction_holds_more_than_its_share() {
    const LEN: usize = 1 << 20;
    let storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0kX\x03\0\0\0cpuK\x01tq\x00Qq\x02";
    let shapes = b"K\x01\x85q\x01ctorch._utils\n_rebuild_tensor_v2\nq\x04(h\x02K\0h\x01h\x01tq\x03";
    let tensors = [b"\x80\x02".as_slice(), storage, shapes].concat();
    for (head, body) in [
        (b"\x80\x02".as_slice(), b"]".as_slice()),
        (b"\x80\x02", b")"),
        (b"\x80\x02", b"}"),
        (b"\x80\x02", b"N"),
        (b"\x80\x02", b"("),
        (b"\x80\x02N", b"2"),
        (b"\x80\x04N", b"\x94"),
        (b"\x80\x02", b"]Na"),
        (b"\x80\x02", b"}NNs"),
        (b"\x80\x02N", b"\x85"),
        (b"\x80\x02", b"(l"),
        (b"\x80\x02", b"(d"),
        (&tensors, b"h\x00Q"),
        (&tensors, b"h\x04h\x03R"),
    ] {
        let bytes = repeated(head, body, b".", LEN);
        let budget = used(&bytes);
        // Twice: a list doubles before it is counted.
        assert!(budget.held <= 2 * budget.most_held, "{body:?}: {budget:?}");
        assert!(budget.steps <= budget.most_steps, "{body:?}: {budget:?}");
        assert!(budget.most_held <= 20 * LEN as u64 && budget.most_steps <= 5 * LEN as u64);
    }
}

/// What torch writes for a large network, of which a budget must not refuse one.
#[test]
fn honest_state_dicts_stay_far_below_the_budget() {
    let mut bytes = b"\x80\x02}q\x00(".to_vec();
    let mut slot = 1u32;
    let mut put = |bytes: &mut Vec<u8>| {
        bytes.push(b'r');
        bytes.extend(slot.to_le_bytes());
        slot += 1;
    };
    for i in 0..10_000 {
        let name = format!("l{i}.b");
        bytes.push(b'X');
        bytes.extend((name.len() as u32).to_le_bytes());
        bytes.extend(name.as_bytes());
        put(&mut bytes);
        bytes.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n");
        bytes.extend(b"X\x01\0\0\0kX\x03\0\0\0cpuK\x40t");
        put(&mut bytes);
        bytes.extend(b"QK\0K\x40\x85");
        put(&mut bytes);
        bytes.extend(b"K\x01\x85");
        put(&mut bytes);
        bytes.extend(b"\x89ccollections\nOrderedDict\n)R");
        put(&mut bytes);
        bytes.push(b't');
        put(&mut bytes);
        bytes.push(b'R');
        put(&mut bytes);
    }
    bytes.extend(b"u.");
    assert!(read(&bytes, 0).is_ok());
    let budget = used(&bytes);
    assert!(2 * budget.held < budget.most_held && 2 * budget.steps < budget.most_steps, "{budget:?}");
}
