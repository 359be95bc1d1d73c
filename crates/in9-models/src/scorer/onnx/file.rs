//! What an ONNX file holds, read and looked over before it is run.

use std::path::Path;

use in9_base::guard::guarded;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Extent;
use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, ValueInfoProto};
use tract_onnx::prelude::Framework as _;

use super::external_data;
use super::metadata::{Metadata, PROPERTY};
use crate::error::{Error, Result};
use crate::weights::Limits;

/// An ONNX file is a protocol buffer, which has less than 2 GiB.
const LARGEST: u64 = (1 << 31) - 1;

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
        let bytes = in9_base::files::read(path, LARGEST)?;
        let mut digest = blake3::Hasher::new();
        digest.update(&bytes);
        let no_network = |found: String| Error::file(path, "not an ONNX file", "a model with a graph", found);
        let parsed = guarded(|| tract_onnx::onnx().proto_model_for_read(&mut &bytes[..]));
        let mut model = parsed.map_err(no_network)?;
        drop(bytes);
        let graph = match &mut model.graph {
            Some(graph) if !graph.node.is_empty() => graph,
            _ => return Err(no_network("none".to_owned())),
        };
        external_data::load(path, graph, Limits::default().file_bytes, &mut digest)?;
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
        let digest = digest.finalize().to_hex().to_string();
        Ok(Self { input, declared, probabilities, metadata, digest, model })
    }
}

/// What is wrong, what was expected and what was found.
type Fault = (&'static str, String, String);

/// The one input that is no weight.
fn the_input(graph: &GraphProto) -> Result<&ValueInfoProto, Fault> {
    let is_weight = |name: &str| graph.initializer.iter().any(|tensor| tensor.name == name);
    let given: Vec<_> = graph.input.iter().filter(|input| !is_weight(&input.name)).collect();
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

fn names(values: &[&ValueInfoProto]) -> String {
    match values {
        [] => "none".to_owned(),
        values => values.iter().map(|value| value.name.as_str()).collect::<Vec<_>>().join(", "),
    }
}

/// Type and shape of a value; `None` for an extent that is open.
fn shape(value: &ValueInfoProto) -> Option<(i32, Option<Vec<Option<i64>>>)> {
    let Value::TensorType(tensor) = value.r#type.as_ref()?.value.as_ref()?;
    let extents = tensor.shape.as_ref().map(|shape| {
        let extents = shape.dim.iter().map(|dim| match &dim.value {
            Some(Extent::DimValue(extent)) => Some(*extent),
            _ => None,
        });
        extents.collect()
    });
    Some((tensor.elem_type, extents))
}

/// A shape as it is said: `[?, 3, 224, 224]`.
fn written(extents: &[Option<i64>]) -> String {
    let extents =
        extents.iter().map(|extent| extent.map_or_else(|| "?".to_owned(), |extent| extent.to_string()));
    format!("[{}]", extents.collect::<Vec<_>>().join(", "))
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
        let kind = DataType::try_from(kind).map_or_else(|_| kind.to_string(), |kind| format!("{kind:?}"));
        return fault(format!("elements of type {}", kind.to_lowercase()));
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

/// The node that gives the value called `name`, behind those that only hand it on.
fn output_node<'g>(graph: &'g GraphProto, name: &str) -> Result<&'g NodeProto, Fault> {
    let mut name = name;
    // A circle of nodes ends it too.
    for _ in 0..graph.node.len() {
        let Some(node) = graph.node.iter().find(|node| node.output.iter().any(|output| output == name))
        else {
            break;
        };
        match (node.op_type.as_str(), node.input.first()) {
            ("Identity", Some(input)) => name = input,
            _ => return Ok(node),
        }
    }
    let expected = "a node that gives the output".to_owned();
    Err(("its network does not compute its output", expected, format!("none for {name}")))
}

/// A network that was exported while it was being trained answers by the batch.
fn in_evaluation(graph: &GraphProto) -> Result<(), Fault> {
    let trains = |node: &&NodeProto| {
        node.op_type == "BatchNormalization"
            && node.attribute.iter().any(|attribute| attribute.name == "training_mode" && attribute.i == 1)
    };
    match graph.node.iter().find(trains) {
        None => Ok(()),
        Some(node) => {
            let expected = "one exported for evaluation".to_owned();
            let found = format!("batch statistics in {}", node.output.first().map_or("", String::as_str));
            Err(("its network is being trained", expected, found))
        }
    }
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::tensor_shape_proto::Dimension;
    use tract_onnx::pb::{TensorShapeProto, TypeProto, type_proto};

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
