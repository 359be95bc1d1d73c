//! What an ONNX file holds, read and looked over before it is run.

use std::path::Path;

use in9_onnx::signature::{Fault, in_evaluation, inputs, kind_name, names, output_node, shape, written};
use in9_onnx::tract_onnx::pb::tensor_proto::DataType;
use in9_onnx::tract_onnx::pb::{GraphProto, ModelProto, ValueInfoProto};

use super::metadata::{Metadata, PROPERTY};
use crate::error::{Error, Result};
use crate::weights::Limits;

/// Longest side of a picture, in pixels.
const LONGEST_SIDE: usize = 4096;

/// Most pictures that a network may insist on at once.
const LARGEST_BATCH: usize = 4096;

/// What a network takes, as far as it is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Input {
    /// Pictures.
    pub(super) batch: Option<usize>,
    /// Side of a picture, in pixels.
    pub(super) size: Option<usize>,
}

/// A file's network, with all its weights, and what is known of it.
pub(super) struct File {
    pub(super) model: ModelProto,
    pub(super) input: Input,
    /// Outputs a picture, if the file declares them.
    pub(super) declared: Option<usize>,
    /// Whether the network ends in a softmax.
    pub(super) probabilities: bool,
    pub(super) metadata: Metadata,
    /// BLAKE3 of the file, and of those beside it that hold its weights.
    pub(super) digest: String,
}

impl File {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`Error::Base`] for a file that cannot be read or is too large, [`Error::File`] for one that is no network of one
    /// input, `[batch, 3, height, width]` of `f32`, and one output.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let in9_onnx::Contents { model, digest } =
            in9_onnx::Contents::read(path, Limits::default().file_bytes)?;
        let graph =
            model.graph.as_ref().ok_or_else(|| Error::file(path, "not an ONNX file", "a graph", "none"))?;
        let wrong = |fault: Fault| Error::file(path, fault.0, fault.1, fault.2);
        let given = the_input(graph).map_err(wrong)?;
        let input = input(given).map_err(wrong)?;
        let output = the_output(graph).map_err(wrong)?;
        let declared = declared(output).map_err(wrong)?;
        let last = output_node(graph, &output.name).map_err(wrong)?;
        in_evaluation(graph).map_err(wrong)?;
        let probabilities = last.op_type == "Softmax";
        let metadata = match model.metadata_props.iter().find(|entry| entry.key == PROPERTY) {
            Some(entry) => Metadata::parse(&entry.value).map_err(|found| {
                wrong(("its metadata are not usable", "what SCORER.md says of in9-scorer".to_owned(), found))
            })?,
            None => Metadata::default(),
        };
        Ok(Self { input, declared, probabilities, metadata, digest, model })
    }
}

/// The one input that is no weight.
fn the_input(graph: &GraphProto) -> Result<&ValueInfoProto, Fault> {
    let given = inputs(graph);
    match given[..] {
        [one] => Ok(one),
        _ => Err(("its network does not take pictures alone", "one input".to_owned(), names(&given))),
    }
}

/// The one output.
fn the_output(graph: &GraphProto) -> Result<&ValueInfoProto, Fault> {
    match &graph.output[..] {
        [one] => Ok(one),
        several => {
            let found = names(&several.iter().collect::<Vec<_>>());
            Err(("its network does not give scores alone", "one output".to_owned(), found))
        }
    }
}

/// What the network takes.
fn input(value: &ValueInfoProto) -> Result<Input, Fault> {
    let fault = |found: String| {
        let what = "its network takes no pictures as they are given here";
        Err((
            what,
            "an input [batch, 3, height, width] of f32".to_owned(),
            format!("{found} ({})", value.name),
        ))
    };
    let (kind, extents) = match shape(value) {
        Some((kind, Some(extents))) => (kind, extents),
        _ => return fault("an input that does not say its shape".to_owned()),
    };
    if kind != DataType::Float as i32 {
        return fault(format!("elements of type {}", kind_name(kind)));
    }
    let [batch, channels, height, width] = extents[..] else { return fault(written(&extents)) };
    let within = |extent: Option<i64>, most: usize| match extent {
        None => Some(None),
        Some(extent) => usize::try_from(extent).ok().filter(|n| (1..=most).contains(n)).map(Some),
    };
    let sides = (within(height, LONGEST_SIDE), within(width, LONGEST_SIDE));
    let (Some(batch), (Some(height), Some(width))) = (within(batch, LARGEST_BATCH), sides) else {
        return fault(written(&extents));
    };
    let is_square = height.is_none() || width.is_none() || height == width;
    if channels.is_some_and(|channels| channels != 3) || !is_square {
        return fault(written(&extents));
    }
    Ok(Input { batch, size: height.or(width) })
}

/// How many scores a picture gets, if that is declared.
fn declared(value: &ValueInfoProto) -> Result<Option<usize>, Fault> {
    let Some((_, Some(extents))) = shape(value) else { return Ok(None) };
    match extents[..] {
        [_, outputs] => Ok(outputs.and_then(|outputs| usize::try_from(outputs).ok())),
        _ => {
            let expected = "an output [batch, outputs]".to_owned();
            Err(("its network gives no scores", expected, format!("{} ({})", written(&extents), value.name)))
        }
    }
}

#[cfg(test)]
mod tests {
    use in9_onnx::tract_onnx::pb::tensor_shape_proto::Dimension;
    use in9_onnx::tract_onnx::pb::tensor_shape_proto::dimension::Value as Extent;
    use in9_onnx::tract_onnx::pb::type_proto::Value;
    use in9_onnx::tract_onnx::pb::{TensorShapeProto, TypeProto, type_proto};

    use super::*;

    fn value(kind: DataType, extents: &[i64]) -> ValueInfoProto {
        let dim = |extent: &i64| Dimension {
            value: (*extent >= 0).then_some(Extent::DimValue(*extent)),
            ..Dimension::default()
        };
        let shape = TensorShapeProto { dim: extents.iter().map(dim).collect() };
        let tensor = type_proto::Tensor { elem_type: kind as i32, shape: Some(shape) };
        let r#type = TypeProto { value: Some(Value::TensorType(tensor)), ..TypeProto::default() };
        ValueInfoProto { name: "x".to_owned(), r#type: Some(r#type), ..ValueInfoProto::default() }
    }

    #[test]
    fn inputs_are_pictures_of_any_or_of_one_size() {
        let float = |extents: &[i64]| input(&value(DataType::Float, extents)).map_err(|fault| fault.2);
        assert_eq!(float(&[-1, 3, -1, -1]), Ok(Input { batch: None, size: None }));
        assert_eq!(float(&[4, 3, 64, 64]), Ok(Input { batch: Some(4), size: Some(64) }));
        assert_eq!(float(&[-1, -1, 64, -1]), Ok(Input { batch: None, size: Some(64) }));
        assert_eq!(float(&[-1, 64, 64, 3]).unwrap_err(), "[?, 64, 64, 3] (x)");
        for wrong in [&[1, 3, 64, 32][..], &[1, 3, 64], &[0, 3, 8, 8], &[1, 1, 8, 8], &[1, 3, 8192, 8192]] {
            assert!(float(wrong).is_err(), "{wrong:?}");
        }
        let bytes = input(&value(DataType::Uint8, &[1, 3, 8, 8])).unwrap_err();
        assert_eq!(bytes.2, "elements of type uint8 (x)");
        let nothing = ValueInfoProto { name: "x".to_owned(), ..ValueInfoProto::default() };
        assert!(input(&nothing).unwrap_err().2.contains("does not say its shape"));
    }

    #[test]
    fn outputs_are_declared_or_open() {
        let of = |extents: &[i64]| declared(&value(DataType::Float, extents));
        assert_eq!(of(&[-1, 9]), Ok(Some(9)));
        assert_eq!(of(&[-1, -1]), Ok(None));
        assert!(of(&[-1, 9, 7, 7]).is_err());
    }
}
