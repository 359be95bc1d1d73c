//! What a card says of the networks that answered.

use serde::{Deserialize, Serialize};

/// A network that answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CardNetwork {
    /// Its name in the table.
    pub model: String,
    /// Its architecture; empty if unknown.
    #[serde(default)]
    pub arch: String,
    /// What it was trained on; empty if unknown.
    #[serde(default)]
    pub trained_on: String,
    /// BLAKE3 of its weights; of a program, of its command; of a probe, of the frozen network's.
    pub weights: String,
    /// The weight file, the published weights or the command in a few words, without folders.
    #[serde(default)]
    pub origin: String,
    /// Mean that is subtracted from each channel, of values in `0..=1`.
    pub mean: [f32; 3],
    /// What each channel is divided by.
    pub std: [f32; 3],
    /// How the two are known.
    #[serde(default)]
    pub normalization: String,
    /// How its outputs become the dataset's classes: `identity` for one output a class, else `a` or `b`.
    pub mapping: String,
    /// What it was told about the classes, if it knows them by words only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts: Option<CardPrompts>,
    /// What was learnt on its features, if its own classifier was taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<CardProbe>,
}

/// What a network was told about the classes in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CardPrompts {
    /// What the prompts are called: `plain`, `ensemble`, or the name of their file.
    pub name: String,
    /// BLAKE3 of the texts of all classes.
    pub digest: String,
    /// The templates.
    #[serde(default)]
    pub templates: Vec<String>,
    /// BLAKE3 of the vocabulary's files.
    #[serde(default)]
    pub vocabulary: String,
}

/// A classifier that was learnt on a frozen network's features, and what it was learnt from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardProbe {
    /// Its kind: `linear`, `knn` or `dfr`, or a name of one's own.
    pub method: String,
    /// Its settings in a few words, such as `k 20, temperature 0.07`.
    #[serde(default)]
    pub settings: String,
    /// Which activation the features are.
    #[serde(default)]
    pub features: String,
    /// Name of the dataset that it was learnt from.
    pub dataset: String,
    /// That dataset's digest.
    pub digest: String,
    /// The split.
    pub split: String,
    /// The view.
    pub view: String,
    /// Side of the pictures as the network saw them then, in pixels.
    pub side: u32,
}

impl CardNetwork {
    /// Everything that is shown as it stands.
    pub(super) fn texts(&self) -> Vec<&str> {
        let mut texts: Vec<&str> = vec![
            &self.model,
            &self.arch,
            &self.trained_on,
            &self.weights,
            &self.origin,
            &self.normalization,
            &self.mapping,
        ];
        if let Some(prompts) = &self.prompts {
            texts.extend([prompts.name.as_str(), &prompts.digest, &prompts.vocabulary]);
            texts.extend(prompts.templates.iter().map(String::as_str));
        }
        if let Some(CardProbe { method, settings, features, dataset, digest, split, view, side: _ }) =
            &self.probe
        {
            texts.extend([method.as_str(), settings, features, dataset, digest, split, view]);
        }
        texts
    }
}

impl std::fmt::Display for CardProbe {
    /// In one line, without the digest.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { method, settings, features, dataset, split, view, side, .. } = self;
        let settings = if settings.is_empty() { String::new() } else { format!(" ({settings})") };
        let features = if features.is_empty() { String::new() } else { format!(", on {features}") };
        write!(f, "{method}{settings}, from {dataset} {split} {view} at {side} px{features}")
    }
}

/// One network as a table, `[network]`, and several as an array of tables, `[[network]]`.
pub(super) mod one_or_more {
    use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
    use serde::de::{MapAccess, SeqAccess, Visitor};
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::CardNetwork;

    pub(in super::super) fn serialize<S: Serializer>(
        networks: &[CardNetwork],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match networks {
            [one] => one.serialize(to),
            more => more.serialize(to),
        }
    }

    pub(in super::super) fn deserialize<'d, D: Deserializer<'d>>(
        from: D,
    ) -> Result<Vec<CardNetwork>, D::Error> {
        struct Either;
        impl<'d> Visitor<'d> for Either {
            type Value = Vec<CardNetwork>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a network or several")
            }

            fn visit_map<A: MapAccess<'d>>(self, map: A) -> Result<Self::Value, A::Error> {
                Ok(vec![CardNetwork::deserialize(MapAccessDeserializer::new(map))?])
            }

            fn visit_seq<A: SeqAccess<'d>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq))
            }
        }
        from.deserialize_any(Either)
    }
}
