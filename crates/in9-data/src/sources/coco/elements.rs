//! Where in a JSON text the elements of a list stand.

use std::ops::Range;

/// The places of the elements of the list `name` of the object that `json` is, which must be valid; `None` if the
/// object has no such list.
pub(super) fn elements(json: &str, name: &str) -> Option<impl Iterator<Item = Range<usize>>> {
    let (bytes, mut at) = (json.as_bytes(), json.find('{')? + 1);
    loop {
        at = skip(bytes, at, |b| b.is_ascii_whitespace() || b == b',');
        if bytes.get(at)? != &b'"' {
            return None;
        }
        let key = at..value_end(bytes, at);
        at = skip(bytes, key.end, |b| b.is_ascii_whitespace() || b == b':');
        if json.get(key.start + 1..key.end.checked_sub(1)?)? == name {
            break;
        }
        at = value_end(bytes, at);
    }
    (bytes.get(at)? == &b'[').then(|| {
        at += 1;
        std::iter::from_fn(move || {
            let start = skip(bytes, at, |b| b.is_ascii_whitespace() || b == b',');
            at = value_end(bytes, start);
            (start < at).then_some(start..at)
        })
    })
}

fn skip(bytes: &[u8], at: usize, over: impl Fn(u8) -> bool) -> usize {
    at + bytes[at.min(bytes.len())..].iter().take_while(|&&b| over(b)).count()
}

/// The first byte behind the value that begins at `start`; `start` itself where a list or object ends.
fn value_end(bytes: &[u8], start: usize) -> usize {
    let (mut depth, mut at) = (0usize, start);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += 1;
                while bytes.get(at).is_some_and(|&b| b != b'"') {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' if depth == 0 => return at,
            b']' | b'}' => depth -= 1,
            _ => {
                // A number, or a word: to what can stand behind it.
                let ends = |b: u8| b.is_ascii_whitespace() || matches!(b, b',' | b']' | b'}' | b':');
                let length = skip(bytes, at, |b| !ends(b)) - at;
                at += length.max(1) - 1;
            }
        }
        at = (at + 1).min(bytes.len());
        if depth == 0 {
            return at;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_whatever_stands_around_and_inside() {
        let json = r#" {"b" : [1], "a\"": "],[", "x":{"a":[9]},"a" :[ 1.5e3 ,"]\\",[2,[]],{"k":"}\""} , null,true ],"c":0} "#;
        serde_json::from_str::<serde_json::Value>(json).unwrap();
        let found: Vec<&str> = elements(json, "a").unwrap().map(|place| &json[place]).collect();
        assert_eq!(found, ["1.5e3", r#""]\\""#, "[2,[]]", r#"{"k":"}\""}"#, "null", "true"]);
        assert!(elements(json, "c").is_none() && elements(json, "d").is_none());
        assert_eq!(elements(r#"{"a":[]}"#, "a").unwrap().count(), 0);
        assert_eq!(elements("{}", "a").map(Iterator::count), None);
    }

    #[test]
    fn no_text_makes_it_panic_or_stand_still() {
        let json = r#"{"a":["x",{"b":[1,"\"]"]}, 2 ]}"#;
        for end in 0..json.len() {
            assert!(elements(&json[..end], "a").into_iter().flatten().count() < 40);
        }
    }
}
