//! What a graph takes and gives, by what it declares.

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Extent;
use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{GraphProto, NodeProto, ValueInfoProto};

/// What is wrong, what was expected and what was found.
pub type Fault = (&'static str, String, String);

/// The inputs that are no weights.
pub fn inputs(graph: &GraphProto) -> Vec<&ValueInfoProto> {
    let is_weight = |name: &str| graph.initializer.iter().any(|tensor| tensor.name == name);
    graph.input.iter().filter(|input| !is_weight(&input.name)).collect()
}

/// Names of values in one line; `none` of none.
pub fn names(values: &[&ValueInfoProto]) -> String {
    match values {
        [] => "none".to_owned(),
        values => values.iter().map(|value| value.name.as_str()).collect::<Vec<_>>().join(", "),
    }
}

/// Type and shape of a value; `None` for an extent that is open.
pub fn shape(value: &ValueInfoProto) -> Option<(i32, Option<Vec<Option<i64>>>)> {
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

/// The name of a type of elements: `float`, `uint8`.
pub fn kind_name(kind: i32) -> String {
    DataType::try_from(kind).map_or_else(|_| kind.to_string(), |kind| format!("{kind:?}")).to_lowercase()
}

/// A shape as it is said: `[?, 3, 224, 224]`.
pub fn written(extents: &[Option<i64>]) -> String {
    let extents =
        extents.iter().map(|extent| extent.map_or_else(|| "?".to_owned(), |extent| extent.to_string()));
    format!("[{}]", extents.collect::<Vec<_>>().join(", "))
}

/// The node that gives the value called `name`, behind those that only hand it on.
///
/// # Errors
/// If no node gives it.
pub fn output_node<'g>(graph: &'g GraphProto, name: &str) -> Result<&'g NodeProto, Fault> {
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

/// Refuses a network that was exported while it was being trained, because it answers by the batch.
///
/// # Errors
/// If a node takes the statistics of the batch.
pub fn in_evaluation(graph: &GraphProto) -> Result<(), Fault> {
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
