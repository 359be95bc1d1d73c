//! When a background counts as adversarial.

use serde::{Deserialize, Serialize};

/// A rule of success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The answer is wrong, on any background: the challenge's rule.
    Untargeted,
    /// The answer is wrong, on a background of another class.
    UntargetedOther,
    /// The answer is the class of the background, which is another class: the paper's rule.
    Targeted,
}

impl Rule {
    /// All three, from the weakest to the strictest.
    pub const ALL: [Self; 3] = [Self::Untargeted, Self::UntargetedOther, Self::Targeted];

    /// Name as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Untargeted => "untargeted",
            Self::UntargetedOther => "untargeted-other",
            Self::Targeted => "targeted",
        }
    }

    /// Whether a background of class `background` may be tried on a foreground of class `class`.
    pub fn allows(self, class: u16, background: u16) -> bool {
        self == Self::Untargeted || class != background
    }

    /// Whether `predicted` on a background of class `background` is a success.
    ///
    /// ```
    /// use in9_analysis::probes::adversarial::Rule;
    /// assert!(Rule::Untargeted.success(0, 0, Some(1)));
    /// assert!(!Rule::UntargetedOther.success(0, 0, Some(1)));
    /// assert!(Rule::Targeted.success(0, 2, Some(2)) && !Rule::Targeted.success(0, 2, Some(1)));
    /// ```
    pub fn success(self, class: u16, background: u16, predicted: Option<u16>) -> bool {
        self.allows(class, background)
            && match self {
                Self::Untargeted | Self::UntargetedOther => predicted != Some(class),
                Self::Targeted => predicted == Some(background),
            }
    }
}

impl std::str::FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|r| r.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("unknown rule (expected one of {names}, found {text})")
        })
    }
}
