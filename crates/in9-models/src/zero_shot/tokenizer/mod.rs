//! From texts to the tokens of a vocabulary that lies beside the weights: by the `tokenizers` library, from
//! `tokenizer.json`, from `vocab.json` and `merges.txt`, or from the list of merges that OpenAI published with CLIP.

mod merges;

use std::path::{Path, PathBuf};

use tokenizers::Tokenizer as Engine;

use crate::error::{Error, Result};

/// Longest file of a vocabulary, in bytes: Gemma's, the largest in use here, has 34 million.
const LONGEST: u64 = 1 << 27;

/// What is done to a text before it is cut into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleaning {
    /// Nothing that the vocabulary's own file does not say.
    None,
    /// Letters are lowered.
    Lower,
    /// Letters are lowered, punctuation goes, and blanks are made one: SigLIP's.
    Canonical,
}

impl Cleaning {
    fn apply(self, text: &str) -> String {
        match self {
            Self::None => text.to_owned(),
            Self::Lower => text.to_lowercase(),
            Self::Canonical => {
                // big_vision's order: underscores are blanks, then ASCII punctuation goes.
                let kept: String =
                    text.replace('_', " ").chars().filter(|c| !c.is_ascii_punctuation()).collect();
                kept.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// Cuts texts into the tokens that one text tower was trained with.
pub struct Tokenizer {
    engine: Engine,
    cleaning: Cleaning,
    /// Most tokens of a text.
    context: usize,
    /// The token that short texts are filled up with, for towers that see the filling.
    pad: Option<u32>,
    /// BLAKE3 of the vocabulary's files.
    pub digest: String,
}

impl Tokenizer {
    /// The vocabulary in `file`, or else the one that lies in `folder`.
    ///
    /// # Errors
    /// [`Error::Base`] for a file that cannot be read, [`Error::File`] for one that holds no vocabulary, and for a folder
    /// without one.
    pub fn open(file: Option<&Path>, folder: &Path, vocabulary: usize, context: usize) -> Result<Self> {
        let path = match file {
            Some(file) => file.to_path_buf(),
            None => find(folder)?,
        };
        let wrong = |found: String| {
            let expected = "tokenizer.json, vocab.json beside merges.txt, or CLIP's list of merges";
            Error::file(&path, "no vocabulary", expected, found)
        };
        let mut hasher = blake3::Hasher::new();
        let mut bytes = |path: &Path| -> Result<Vec<u8>> {
            let bytes = in9_base::files::read(path, LONGEST)?;
            hasher.update(&(bytes.len() as u64).to_le_bytes()).update(&bytes);
            Ok(bytes)
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut engine = if name.ends_with("vocab.json") {
            let merges = path.with_file_name(name.replace("vocab.json", "merges.txt"));
            merges::of_files(&bytes(&path)?, &bytes(&merges)?).map_err(wrong)?
        } else if name.ends_with(".json") {
            Engine::from_bytes(bytes(&path)?).map_err(|error| wrong(error.to_string()))?
        } else {
            merges::of_list(&bytes(&path)?, vocabulary).map_err(wrong)?
        };
        let found = engine.get_vocab_size(true);
        if found > vocabulary {
            let what = "its vocabulary is another than the weights'";
            return Err(Error::file(&path, what, format!("at most {vocabulary} tokens"), found));
        }
        let pad = match pad_token(&path)? {
            Some(token) => engine.token_to_id(&token),
            None => engine.get_padding().map(|padding| padding.pad_id),
        };
        // Cutting and filling are the tower's business.
        engine.with_padding(None);
        engine.with_truncation(None).map_err(|error| wrong(error.to_string()))?;
        let digest = hasher.finalize().to_hex().to_string();
        Ok(Self { engine, cleaning: Cleaning::None, context, pad, digest })
    }

    /// With texts cleaned so, and short ones filled up to the context with `pad` if it is known; what the vocabulary's
    /// file says about that goes before.
    #[must_use]
    pub fn with(self, cleaning: Cleaning, pad: Option<u32>) -> Self {
        let pad = self.pad.or(pad);
        Self { cleaning, pad, ..self }
    }

    /// The tokens of a text, with those that begin and end one; at most as many as the tower takes, of which the last is
    /// kept.
    ///
    /// # Errors
    /// [`Error::Setting`] for a text that the vocabulary cannot say.
    pub fn tokens(&self, text: &str) -> Result<Vec<u32>> {
        let cleaned = self.cleaning.apply(text);
        let encoding = self.engine.encode(cleaned.as_str(), true).map_err(|error| {
            Error::setting("prompts", "texts that the vocabulary can say", format!("{text}: {error}"))
        })?;
        let mut ids = encoding.get_ids().to_vec();
        if ids.len() > self.context
            && let Some(last) = ids.last().copied()
        {
            ids.truncate(self.context.saturating_sub(1));
            ids.push(last);
        }
        Ok(ids)
    }

    /// As [`Tokenizer::tokens`], filled up to the context.
    ///
    /// # Errors
    /// As [`Tokenizer::tokens`]; [`Error::Setting`] where nobody says with what.
    pub fn filled(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = self.tokens(text)?;
        let Some(pad) = self.pad else {
            return Err(Error::setting(
                "tokenizer",
                "a token that fills short texts, in tokenizer.json (`padding`) or the configuration (`pad_id`)",
                "none",
            ));
        };
        ids.resize(self.context.max(ids.len()), pad);
        Ok(ids)
    }
}

/// The token that fills short texts up, as `tokenizer_config.json` beside a vocabulary says it.
fn pad_token(vocabulary: &Path) -> Result<Option<String>> {
    let path = vocabulary.with_file_name("tokenizer_config.json");
    if !path.exists() {
        return Ok(None);
    }
    let text = in9_base::files::read_text(&path, LONGEST)?;
    let json: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| Error::file(&path, "no configuration", "a JSON object", error))?;
    let token = json.get("pad_token").map(|token| token.get("content").unwrap_or(token));
    Ok(token.and_then(serde_json::Value::as_str).map(str::to_owned))
}

/// The vocabulary in a folder.
fn find(folder: &Path) -> Result<PathBuf> {
    let known = ["tokenizer.json", "vocab.json", "bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt"];
    known.iter().map(|name| folder.join(name)).find(|path| path.exists()).ok_or_else(|| {
        Error::file(folder, "no vocabulary of the text tower; name it", known.join(", or "), "none of them")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cleaned_as_siglip_does() {
        assert_eq!(
            Cleaning::Canonical.apply(" A photo of a sea_lion's,  Pup."),
            "a photo of a sea lions pup"
        );
        assert_eq!(Cleaning::Lower.apply("A Dog."), "a dog.");
        assert_eq!(Cleaning::None.apply("A Dog."), "A Dog.");
    }
}
