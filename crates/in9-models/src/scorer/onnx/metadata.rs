//! What an ONNX file's metadata say of the network: the property `in9-scorer`.

use in9_data::Normalization;
use serde::Deserialize;

use super::super::{Outputs, Scores};

/// The name of the property.
pub(super) const PROPERTY: &str = "in9-scorer";

/// Its value, an object with the words of a scorer's answer to the greeting; all of them can be left out.
#[derive(Debug, Default, Deserialize)]
struct Written {
    #[serde(default)]
    name: String,
    outputs: Option<Outputs>,
    scores: Option<Scores>,
    #[serde(default)]
    trained_on: String,
    #[serde(default)]
    arch: String,
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
}

/// What a file says of its network.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    pub(super) name: String,
    outputs: Option<Outputs>,
    pub(super) scores: Option<Scores>,
    pub(super) trained_on: String,
    pub(super) arch: String,
    pub(super) normalization: Option<Normalization>,
}

impl Metadata {
    /// Reads the property's value, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Written { name, outputs, scores, trained_on, arch, mean, std } =
            serde_json::from_str(text).map_err(|e| e.to_string())?;
        let normalization = match (mean, std) {
            (None, None) => None,
            (Some(mean), Some(std)) => Some(Normalization { mean, std }),
            _ => return Err("one of mean and std without the other".to_owned()),
        };
        if normalization.is_some_and(|normalization| !normalization.is_usable()) {
            return Err("a mean or std that is no usable number".to_owned());
        }
        Ok(Self { name, outputs, scores, trained_on, arch, normalization })
    }

    /// What the network's outputs are, of which there are `count`, or how many it says there are instead.
    pub(super) fn outputs(&self, count: usize) -> Result<Outputs, String> {
        match &self.outputs {
            None => Ok(Outputs::Count(count)),
            Some(said) if said.len() == count => Ok(said.clone()),
            Some(said) => Err(format!("{} outputs in the property {PROPERTY}", said.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_and_half_a_normalisation_is_none() {
        let said =
            Metadata::parse(r#"{"outputs":["cat","dog"],"scores":"probabilities","in9-scorer":1}"#).unwrap();
        assert_eq!(said.scores, Some(Scores::Probabilities));
        assert_eq!(said.outputs(2).unwrap().len(), 2);
        assert!(said.outputs(3).unwrap_err().starts_with("2 outputs"));
        assert_eq!(Metadata::default().outputs(3).unwrap(), Outputs::Count(3));
        assert!(Metadata::parse(r#"{"mean":[0,0,0]}"#).unwrap_err().contains("mean and std"));
        assert!(Metadata::parse(r#"{"mean":[0,0,0],"std":[1,0,1]}"#).unwrap_err().contains("usable"));
        assert!(Metadata::parse("name").is_err());
    }
}
