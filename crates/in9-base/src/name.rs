//! Names that may become parts of paths.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest name in bytes; file systems allow 255, and programs add endings.
const LONGEST: usize = 200;

/// A name that is one component of a path on every system: not empty, at most 200 bytes, no separator,
/// no control character, no leading dot.
///
/// Names from recipes, manifests and tables become this type before they become paths, so that none can
/// lead out of the folder that it is meant for.
///
/// ```
/// use in9_base::PlainName;
/// assert!("00_dog".parse::<PlainName>().is_ok());
/// for bad in ["", "..", "../victim", "/etc", "a/b", "a\\b", ".hidden", "a\nb"] {
///     assert!(bad.parse::<PlainName>().is_err());
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlainName(String);

/// A text that is no [`PlainName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?}: cannot be a name ({why}); use letters, digits, `-` and `_`")]
pub struct BadName {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl PlainName {
    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PlainName {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        let why = if text.is_empty() {
            "it is empty"
        } else if text.len() > LONGEST {
            "it is longer than 200 bytes"
        } else if text.starts_with('.') {
            "it begins with a dot"
        } else if text.contains(['/', '\\', ':']) {
            "it holds a separator of paths"
        } else if text.chars().any(char::is_control) {
            "it holds a control character"
        } else if text.trim() != text {
            "it begins or ends with a space"
        } else {
            return Ok(Self(text));
        };
        Err(BadName { text, why })
    }
}

impl FromStr for PlainName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        text.to_owned().try_into()
    }
}

impl From<PlainName> for String {
    fn from(name: PlainName) -> Self {
        name.0
    }
}

impl Deref for PlainName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for PlainName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<std::path::Path> for PlainName {
    fn as_ref(&self) -> &std::path::Path {
        self.0.as_ref()
    }
}

impl PartialEq<str> for PlainName {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl fmt::Display for PlainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::{Component, Path};

    proptest! {
        #[test]
        fn a_plain_name_never_leaves_its_folder(text in ".{0,12}|[./\\\\:a]{0,6}") {
            if let Ok(name) = text.parse::<PlainName>() {
                let path = Path::new("out").join(&name);
                let parts: Vec<_> = path.components().collect();
                prop_assert_eq!(parts.len(), 2);
                prop_assert_eq!(parts[1], Component::Normal(text.as_ref()));
            }
        }
    }

    #[test]
    fn what_is_read_is_checked() {
        assert!(serde_json::from_str::<PlainName>("\"a\"").is_ok());
        let error = serde_json::from_str::<PlainName>("\"../x\"").unwrap_err().to_string();
        assert!(error.contains("../x"), "{error}");
    }
}
