//! CLIP's byte-pair vocabulary, from its merges.
//!
//! Source: Radford et al. 2021, arXiv 2103.00020, section 2.4, and the list of merges that was published with it: 256
//! bytes, the same at the end of a word, one token a merge, and two that begin and end a text.

use std::io::Read as _;

use serde_json::{Map, Value, json};
use tokenizers::Tokenizer;

const START: &str = "<|startoftext|>";
const END: &str = "<|endoftext|>";
/// What marks a token that ends a word.
const WORD: &str = "</w>";
/// Bytes, whole and at the end of a word, and the two tokens around a text.
const WITHOUT_MERGES: usize = 2 * 256 + 2;
/// What words are made of, before merges join them.
const WORDS: &str =
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
/// Most bytes of a list of merges, unpacked: the published one has 3.3 million.
const LONGEST: u64 = 1 << 25;

/// The vocabulary of a list of merges, packed by gzip or not, for weights with so many tokens. The published list is
/// longer than CLIP's vocabulary, which ends where its tokens do.
pub(super) fn of_list(bytes: &[u8], vocabulary: usize) -> Result<Tokenizer, String> {
    let text = match bytes {
        [0x1f, 0x8b, ..] => {
            let mut text = String::new();
            let mut unpacked = flate2::read::GzDecoder::new(bytes).take(LONGEST);
            unpacked.read_to_string(&mut text).map_err(|error| error.to_string())?;
            text
        }
        _ => text(bytes)?,
    };
    let wanted = vocabulary.checked_sub(WITHOUT_MERGES).ok_or("weights with fewer tokens than bytes")?;
    let merges: Vec<[&str; 2]> = merges(&text)?.into_iter().take(wanted).collect();
    if merges.len() < wanted {
        return Err(format!("{} merges where the weights need {wanted}", merges.len()));
    }
    let letters = byte_letters();
    let words = letters.iter().map(|letter| format!("{letter}{WORD}"));
    let tokens = letters.iter().map(char::to_string).chain(words);
    let tokens = tokens.chain(merges.iter().map(|pair| pair.concat()));
    let tokens = tokens.chain([START.to_owned(), END.to_owned()]);
    let vocabulary: Map<String, Value> = tokens.zip(0u32..).map(|(token, id)| (token, id.into())).collect();
    engine(&vocabulary, &merges)
}

/// The vocabulary of transformers' `vocab.json` and `merges.txt`.
pub(super) fn of_files(vocabulary: &[u8], list: &[u8]) -> Result<Tokenizer, String> {
    let vocabulary: Map<String, Value> =
        serde_json::from_slice(vocabulary).map_err(|error| error.to_string())?;
    engine(&vocabulary, &merges(text(list)?.as_str())?)
}

fn text(bytes: &[u8]) -> Result<String, String> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| error.to_string())
}

/// The pairs of a list, whose first line says its version.
fn merges(text: &str) -> Result<Vec<[&str; 2]>, String> {
    let lines = text
        .lines()
        .enumerate()
        .skip_while(|(_, line)| line.starts_with("#version") || line.contains("bpe_simple"));
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| match line.split_once(' ') {
            Some((a, b)) if !a.is_empty() && !b.is_empty() && !b.contains(' ') => Ok([a, b]),
            _ => Err(format!("line {} that is no pair", number + 1)),
        })
        .collect()
}

/// The letter that stands for each byte, in the vocabulary's order: printable bytes for themselves, then all others for
/// letters from U+0100.
fn byte_letters() -> Vec<char> {
    let printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let own = (0..=u8::MAX).filter(printable).map(char::from);
    let others = (0..=u8::MAX).filter(|byte| !printable(byte)).count() as u32;
    own.chain((0..others).filter_map(|i| char::from_u32(256 + i))).collect()
}

/// The engine of these tokens and merges, as transformers describe CLIP's.
fn engine(vocabulary: &Map<String, Value>, merges: &[[&str; 2]]) -> Result<Tokenizer, String> {
    let id = |token: &str| vocabulary.get(token).and_then(Value::as_u64).ok_or(format!("no token {token}"));
    let special = |token: &str| -> Result<Value, String> {
        let id = id(token)?;
        Ok(json!({"id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": true, "special": true}))
    };
    let description = json!({
        "version": "1.0",
        "added_tokens": [special(START)?, special(END)?],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFC"},
            {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "},
            {"type": "Lowercase"},
        ]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": WORDS}, "behavior": "Removed", "invert": true},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
        ]},
        "post_processor": {"type": "RobertaProcessing", "sep": [END, id(END)?], "cls": [START, id(START)?],
            "trim_offsets": false, "add_prefix_space": false},
        "decoder": null,
        "model": {"type": "BPE", "dropout": null, "unk_token": END, "continuing_subword_prefix": "",
            "end_of_word_suffix": WORD, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": vocabulary, "merges": merges},
    });
    serde_json::from_value(description).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The version's line, three merges and a spare one.
    const LIST: &str = "\"bpe_simple_vocab\" - #version: 0.2\nd o\ndo g</w>\na t\ne r\n";

    #[test]
    fn bytes_come_first_then_ends_of_words_then_merges() {
        let tokenizer = of_list(LIST.as_bytes(), WITHOUT_MERGES + 3).unwrap();
        assert_eq!(tokenizer.get_vocab_size(true), WITHOUT_MERGES + 3);
        let ids = tokenizer.encode("A dog!", true).unwrap().get_ids().to_vec();
        // a</w>, dog</w>, !</w> between the two around a text.
        assert_eq!(ids, [515, 256 + 64, 513, 256, 516]);
        // "at" at the end of a word is not the merge of "a" and "t" inside one.
        assert_eq!(tokenizer.encode("at", false).unwrap().get_ids(), [64, 256 + 83]);
        assert_eq!(byte_letters().len(), 256);
    }

    #[test]
    fn lists_that_are_too_short_or_something_else_are_refused() {
        assert!(of_list(LIST.as_bytes(), WITHOUT_MERGES + 9).unwrap_err().contains("4 merges"));
        assert!(of_list(b"d o\nword\n", WITHOUT_MERGES + 1).unwrap_err().contains("line 2"));
        assert!(of_list(&[0xff, 0xfe], WITHOUT_MERGES + 1).is_err());
        assert!(of_list(b"", 3).is_err());
        assert!(of_files(br#"{"a": 0}"#, b"#version: 0.2\n").unwrap_err().contains(START));
    }
}
