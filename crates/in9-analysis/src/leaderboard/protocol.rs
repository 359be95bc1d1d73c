//! How a network was measured: everything that must be alike before two are ranked against each other.

use super::pictures::Pictures;
use in9_data::View;
use in9_data::predictions::Card;
use serde::Serialize;
use std::collections::BTreeMap;

/// One thing that must be alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Field {
    /// What it is.
    pub name: &'static str,
    /// Its value, as it is shown.
    pub value: String,
}

/// A field in which two protocols differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What it is.
    pub field: &'static str,
    /// Its value here.
    pub here: String,
    /// Its value in the first protocol of the board.
    pub there: String,
}

/// A field of cards across which networks may be ranked all the same, if the caller asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Across {
    /// How outputs become classes: a network of a thousand classes can answer outside the dataset's, others cannot.
    Mapping,
    /// Side of the pictures that networks saw.
    Side,
}

impl Across {
    /// Every field.
    pub const ALL: [Self; 2] = [Self::Mapping, Self::Side];

    /// The field's name in protocols.
    pub fn field(self) -> &'static str {
        match self {
            Self::Mapping => MAPPING,
            Self::Side => SIDE,
        }
    }
}

const MAPPING: &str = "mapping";
const SIDE: &str = "picture side";
/// What nobody says without a card.
const UNKNOWN: &str = "unknown";

/// How one network was measured on one test set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Protocol {
    /// Name of the dataset, which says little: another dataset may have the same.
    pub dataset: String,
    /// What the rows of the table tell.
    pub rows: Vec<Field>,
    /// What the card tells; none without a card.
    pub card: Option<Vec<Field>>,
}

impl Protocol {
    /// The protocol of a network on the split `split` of `dataset`, of which it was asked for `asked`; `card` is about this
    /// network alone.
    pub(super) fn new(
        dataset: &str,
        split: &str,
        classes: &[String],
        asked: &BTreeMap<View, Pictures>,
        card: Option<&Card>,
    ) -> Self {
        let field = |name, value: String| Field { name, value };
        let views: Vec<&str> = asked.keys().map(|view| view.name()).collect();
        let pictures = |(view, pictures): (&View, &Pictures)| {
            format!("{view} {} ({})", pictures.count, short(&pictures.digest()))
        };
        let rows = vec![
            field("split", split.to_owned()),
            field("classes", classes.join(", ")),
            field("views", views.join(", ")),
            field("pictures by view", asked.iter().map(pictures).collect::<Vec<_>>().join(", ")),
        ];
        let of_card = |card: &Card| {
            let side = card.split(split).map_or(UNKNOWN.to_owned(), |split| format!("{} px", split.side));
            let mapping = card.networks.first().map_or(UNKNOWN.to_owned(), |network| network.mapping.clone());
            vec![
                field("dataset digest", card.test.digest.clone()),
                field("origin of pictures", card.test.pictures.to_string()),
                field("pairings", card.test.pairings.to_string()),
                field(SIDE, side),
                field(MAPPING, mapping),
            ]
        };
        Self { dataset: dataset.to_owned(), rows, card: card.map(of_card) }
    }

    /// Whether networks of the two protocols can be ranked against each other: they are alike in everything but `across`.
    /// Where one has no card they are only if they are trusted, the dataset's name is the same, and the rows are.
    pub fn is_alike(&self, other: &Self, across: &[Across], trust: bool) -> bool {
        match (&self.card, &other.card) {
            (Some(_), Some(_)) => self.differences(other, across).is_empty(),
            _ => trust && self.dataset == other.dataset && self.rows == other.rows,
        }
    }

    /// In what the protocol differs from `other`, but for `across`; fields that either does not tell are left out.
    pub fn differences(&self, other: &Self, across: &[Across]) -> Vec<Difference> {
        let of = |fields: &[Field], theirs: &[Field]| -> Vec<Difference> {
            let pairs = fields.iter().zip(theirs).filter(|(a, b)| a.value != b.value);
            let pairs = pairs.filter(|(a, _)| !across.iter().any(|across| across.field() == a.name));
            let found = pairs.map(|(a, b)| Difference {
                field: a.name,
                here: a.value.clone(),
                there: b.value.clone(),
            });
            found.collect()
        };
        let cards = match (&self.card, &other.card) {
            (Some(a), Some(b)) => of(a, b),
            _ => Vec::new(),
        };
        // What causes a difference of rows is told before it.
        let mut all: Vec<Difference> = cards.into_iter().chain(of(&self.rows, &other.rows)).collect();
        let has = |all: &[Difference], field: &str| all.iter().any(|one| one.field == field);
        if ["dataset digest", "split", "views", "pairings"].iter().any(|field| has(&all, field)) {
            all.retain(|one| one.field != "pictures by view");
        }
        all
    }

    /// Every field that is known.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.card.iter().flatten().chain(&self.rows)
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_digest = self.field == "dataset digest";
        let shown = |value: &str| if is_digest { short(value).to_owned() } else { value.to_owned() };
        write!(f, "{} {} and not {}", self.field, shown(&self.here), shown(&self.there))
    }
}

/// The beginning of a digest, enough to tell it from others.
pub(super) fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocol(dataset: &str, card: Option<[&str; 2]>) -> Protocol {
        let field = |name, value: &str| Field { name, value: value.to_owned() };
        Protocol {
            dataset: dataset.to_owned(),
            rows: vec![field("split", "test"), field("views", "original")],
            card: card
                .map(|[digest, mapping]| vec![field("dataset digest", digest), field(MAPPING, mapping)]),
        }
    }

    #[test]
    fn only_what_is_alike_in_everything_is_alike() {
        let one = protocol("d", Some(["0123456789abcdef", "a"]));
        let renamed = protocol("e", Some(["0123456789abcdef", "a"]));
        assert!(one.is_alike(&renamed, &[], false), "a dataset's name is no part of it");
        let mapped = protocol("d", Some(["0123456789abcdef", "identity"]));
        assert!(!one.is_alike(&mapped, &[], true));
        assert!(one.is_alike(&mapped, &[Across::Mapping], false));
        assert!(!one.is_alike(&mapped, &[Across::Side], false));
        let other = protocol("d", Some(["fedcba9876543210", "a"]));
        let said: Vec<String> = other.differences(&one, &[]).iter().map(ToString::to_string).collect();
        assert_eq!(said, ["dataset digest fedcba987654 and not 0123456789ab"]);
    }

    #[test]
    fn without_a_card_nothing_is_alike_unless_it_is_trusted() {
        let (known, unknown) = (protocol("d", Some(["0", "a"])), protocol("d", None));
        assert!(!known.is_alike(&unknown, &[], false) && !unknown.is_alike(&unknown, &[], false));
        assert!(known.is_alike(&unknown, &[], true) && unknown.is_alike(&known, &[], true));
        assert!(!known.is_alike(&protocol("e", None), &[], true), "of another name");
        let mut less = protocol("d", None);
        less.rows[1].value = "mixed-rand".to_owned();
        assert!(!known.is_alike(&less, &[], true), "of other views");
    }
}
