//! A network of one input of one shape, perhaps a prompt beside it, and one output.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use in9_base::guard::guarded;
use tract_onnx::pb::ModelProto;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::prelude::{
    Datum as _, DatumExt as _, Framework as _, IntoRunnable as _, Tensor, TractResult, TypedModel,
    TypedRunnableModel, tvec,
};

use crate::error::{Error, Result};
use crate::memory;
use crate::precision::optimized;
use crate::read::Contents;
use crate::signature::{Fault, in_evaluation, inputs, kind_name, names, output_node, shape, written};

/// Most elements of an input: four pictures of 4096 × 4096 pixels.
const LARGEST_INPUT: usize = 4 * 3 * (1 << 24);

/// What is asked of a file.
#[derive(Debug, Clone, Default)]
pub struct Asked<'a> {
    /// Name of the input, if it has to be a certain one.
    pub input: Option<&'a str>,
    /// Shape of the input.
    pub shape: &'a [usize],
    /// Name and shape of the second input, of a network that is told what is meant: a prompt.
    pub prompt: Option<(&'a str, &'a [usize])>,
    /// Name of the output; may be left out where there is one.
    pub output: Option<&'a str>,
    /// Bytes that the network may take, its weights and what it computes together.
    pub memory_bytes: u64,
}

/// A network that is ready to be run.
pub struct Network {
    path: PathBuf,
    digest: String,
    input: Vec<usize>,
    /// Shape of the prompt, and whether it is the first of the inputs.
    prompt: Option<(Vec<usize>, bool)>,
    output: Vec<usize>,
    bytes: u64,
    plan: Arc<TypedRunnableModel>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network")
            .field("path", &self.path)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl Network {
    /// Reads the network at `path`, of one input, or of two where there is a prompt, and one chosen output, all of `f32`.
    ///
    /// # Errors
    /// [`Error::Base`] for a file that cannot be read or is too large; [`Error::File`] for one that holds no network that
    /// can be run here, has not the input and output asked for, or takes more memory than is allowed.
    pub fn open(path: &Path, asked: &Asked<'_>) -> Result<Self> {
        let wrong = |fault: Fault| Error::file(path, fault.0, fault.1, fault.2);
        for shape in [Some(asked.shape), asked.prompt.map(|(_, shape)| shape)].into_iter().flatten() {
            let elements = shape.iter().try_fold(1usize, |product, &extent| product.checked_mul(extent));
            if !elements.is_some_and(|elements| (1..=LARGEST_INPUT).contains(&elements)) {
                let expected = format!("1 to {LARGEST_INPUT} elements");
                let what = "asked for an input that nothing takes";
                return Err(Error::file(path, what, expected, format!("{shape:?}")));
            }
        }
        let Contents { mut model, digest } = Contents::read(path, asked.memory_bytes)?;
        let prompt_first = look_over(&mut model, asked).map_err(wrong)?;
        let cannot = |found: String| {
            let expected = format!("a network of operators that tract knows, which takes {:?}", asked.shape);
            Error::file(path, "not a network that can be run here", expected, found)
        };
        let ready = guarded(|| -> TractResult<TypedModel> {
            let mut network =
                tract_onnx::onnx().with_ignore_value_info(true).model_for_proto_model(&model)?;
            network.set_input_fact(usize::from(prompt_first), f32::fact(asked.shape).into())?;
            if let Some((_, shape)) = asked.prompt {
                network.set_input_fact(usize::from(!prompt_first), f32::fact(shape).into())?;
            }
            optimized(network)
        });
        drop(model);
        let network = ready.map_err(cannot)?;
        let fact = network.output_fact(0).map_err(|e| cannot(e.to_string()))?;
        let output = match fact.shape.as_concrete() {
            Some(shape) if fact.datum_type == f32::datum_type() => shape.to_vec(),
            _ => return Err(cannot(format!("an output of {:?}, {:?}", fact.shape, fact.datum_type))),
        };
        let bytes = memory::peak(&network).map_err(cannot)?;
        if bytes > asked.memory_bytes {
            let expected = format!("at most {} bytes of memory", asked.memory_bytes);
            return Err(Error::file(
                path,
                "its network is too large",
                expected,
                format!("{bytes} for one run"),
            ));
        }
        let plan = guarded(|| network.into_runnable()).map_err(cannot)?;
        let prompt = asked.prompt.map(|(_, shape)| (shape.to_vec(), prompt_first));
        Ok(Self {
            path: path.to_path_buf(),
            digest,
            input: asked.shape.to_vec(),
            prompt,
            output,
            bytes,
            plan,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// BLAKE3 (hex) of the file, and of those beside it that hold its weights.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Shape of what [`Network::run`] gives.
    pub fn output_shape(&self) -> &[usize] {
        &self.output
    }

    /// Bytes of memory that the weights and what one run computes take together at most; what single operators set aside
    /// while they work is not counted.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Runs a network that takes no prompt on the values of its input, on this thread.
    ///
    /// # Errors
    /// [`Error::File`] if there are not as many values as the input has, or the network fails on them.
    pub fn run(&self, values: &[f32]) -> Result<Vec<f32>> {
        self.run_with(values, &[])
    }

    /// Runs the network on the values of its input and of its prompt, which are none where it takes none, on this thread.
    ///
    /// # Errors
    /// [`Error::File`] if there are not as many values as the inputs have, or the network fails on them.
    pub fn run_with(&self, values: &[f32], prompt: &[f32]) -> Result<Vec<f32>> {
        let failed = |found: String| Error::file(&self.path, "its network failed", "an answer", found);
        if self.prompt.is_none() && !prompt.is_empty() {
            return Err(failed(format!("a prompt of {} values, which it does not take", prompt.len())));
        }
        guarded(|| -> TractResult<Vec<f32>> {
            let mut inputs = tvec!(Tensor::from_shape(&self.input, values)?.into());
            if let Some((shape, first)) = &self.prompt {
                inputs.insert(usize::from(!first), Tensor::from_shape(shape, prompt)?.into());
            }
            let answer = self.plan.run(inputs)?;
            Ok(answer[0].to_plain_array_view::<f32>()?.iter().copied().collect())
        })
        .map_err(failed)
    }
}

/// Checks what the graph declares, and keeps of its outputs the one asked for; whether a prompt is the first input.
fn look_over(model: &mut ModelProto, asked: &Asked<'_>) -> Result<bool, Fault> {
    let Some(graph) = &mut model.graph else {
        return Err(("not an ONNX file", "a model with a graph".to_owned(), "none".to_owned()));
    };
    let given = inputs(graph);
    let (input, prompt) = match (&given[..], asked.prompt) {
        (&[input], None) => (input, None),
        (_, None) => {
            return Err(("its network does not take a picture alone", "one input".to_owned(), names(&given)));
        }
        (&[first, second], Some((name, shape))) if first.name == name => (second, Some((first, shape))),
        (&[first, second], Some((name, shape))) if second.name == name => (first, Some((second, shape))),
        (_, Some((name, _))) => {
            let expected = format!("two inputs, one of them {name}");
            return Err(("its network does not take a picture and a prompt", expected, names(&given)));
        }
    };
    let prompt_first = prompt.is_some_and(|(prompt, _)| std::ptr::eq(prompt, given[0]));
    if let Some((prompt, asked)) = prompt {
        takes(shape(prompt), asked, &prompt.name)?;
    }
    if let Some(name) = asked.input.filter(|name| *name != input.name) {
        return Err(("its network has another input", name.to_owned(), input.name.clone()));
    }
    takes(shape(input), asked.shape, &input.name)?;
    let outputs: Vec<_> = graph.output.iter().collect();
    let output = match (asked.output, &outputs[..]) {
        (None, [one]) => one.name.clone(),
        (None, several) => {
            let expected = "the name of one output".to_owned();
            return Err(("which of its outputs is meant is not said", expected, names(several)));
        }
        (Some(name), all) if all.iter().any(|output| output.name == name) => name.to_owned(),
        (Some(name), all) => return Err(("its network has no such output", name.to_owned(), names(all))),
    };
    output_node(graph, &output)?;
    in_evaluation(graph)?;
    graph.output.retain(|value| value.name == output);
    Ok(prompt_first)
}

/// Whether an input that is declared as `found` takes `f32` of the shape asked for.
fn takes(found: Option<(i32, Option<Vec<Option<i64>>>)>, asked: &[usize], name: &str) -> Result<(), Fault> {
    let fault = |found: String| {
        Err(("its network takes something else", format!("{asked:?} of float"), format!("{found} ({name})")))
    };
    let Some((kind, extents)) = found else { return fault("an input that is no tensor".to_owned()) };
    if kind != DataType::Float as i32 {
        return fault(format!("elements of type {}", kind_name(kind)));
    }
    // Without a declared shape, tract finds out.
    let Some(extents) = extents else { return Ok(()) };
    let fits = |(extent, asked): (&Option<i64>, &usize)| {
        extent.is_none_or(|extent| usize::try_from(extent).is_ok_and(|extent| extent == *asked))
    };
    if extents.len() == asked.len() && extents.iter().zip(asked).all(fits) {
        return Ok(());
    }
    fault(written(&extents))
}
