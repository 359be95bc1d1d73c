//! Faults planted into the kernels: races, missing barriers, off-by-ones. Each must be found, and as what it is.

use in9_cuda::Activation;
use in9_cuda::launch::{Element, Plan};
use in9_cuda::plan::compose::compose;
use in9_cuda::plan::depthwise::Depthwise;
use in9_cuda::plan::loss::CrossEntropy;
use in9_cuda::plan::pool::{Planes, Pool, Windows};
use in9_cuda::plan::{Matrix, convert, elementwise, norm};

use crate::compiler::{Fault, faulty};
use crate::emulator::{Buffer, Emulator, Values};
use crate::tensors::random_values;

/// A plan with content for its buffers.
struct Case {
    plan: Plan,
    /// Elements of each buffer; those that are written are negative.
    buffers: Vec<(Element, isize)>,
}

impl Case {
    fn run(&self, emulator: &Emulator) -> Result<Vec<Vec<f32>>, String> {
        let buffer = |(seed, &(element, len)): (usize, &(Element, isize))| {
            let count = len.unsigned_abs();
            match (len, element) {
                (0, _) => Buffer::None,
                (..0, _) => Buffer::Output(element, count),
                (_, Element::U32) => Buffer::Input(Values::U32(vec![1; count])),
                (_, Element::I32) => Buffer::Input(Values::I32(vec![0; count])),
                (_, Element::U8) => {
                    let bytes = random_values(count, seed as u64).into_iter();
                    Buffer::Input(Values::U8(bytes.map(|v| (v * 127.0 + 128.0) as u8).collect()))
                }
                _ => Buffer::Input(Values::f32s(element, &random_values(count, seed as u64))),
            }
        };
        let values = emulator.run(&self.plan, self.buffers.iter().enumerate().map(buffer).collect())?;
        let written = values.iter().zip(&self.buffers).filter(|(_, (_, len))| *len < 0);
        Ok(written.map(|(values, _)| values.floats()).collect())
    }
}

const F32: Element = Element::F32;

fn norm_forward() -> Case {
    let x = Matrix { rows: 300, channels: 12, element: F32 };
    let layer = norm::BatchNorm { x, eps: 1e-5, activation: Activation::Relu, residual: false };
    let c = 12;
    let buffers = vec![(F32, 3600), (F32, c), (F32, c), (F32, 0), (F32, -3600), (F32, -c), (F32, -c)];
    Case { plan: layer.forward(), buffers }
}

fn loss() -> Case {
    let plan = CrossEntropy { rows: 3, classes: 300, smoothing: 0.1 }.forward();
    Case { plan, buffers: vec![(F32, 900), (Element::U32, 3), (F32, -1), (F32, -3)] }
}

fn turned() -> Case {
    Case { plan: convert::transpose([F32, F32], [2, 33, 40]), buffers: vec![(F32, 2640), (F32, -2640)] }
}

fn sliding(size: usize, outputs: usize) -> Windows {
    Windows::Sliding { size, outputs, kernel: 3, stride: 2, before: 1 }
}

fn pool() -> Pool {
    Pool { n: 2, channels: 4, element: F32, windows: [sliding(9, 5), sliding(7, 4)], divisor: None }
}

fn average() -> Case {
    Case { plan: pool().avg(), buffers: vec![(F32, 2 * 4 * 63), (F32, -2 * 4 * 20)] }
}

fn average_gradient() -> Case {
    Case { plan: pool().avg_gradient(), buffers: vec![(F32, 2 * 4 * 20), (F32, -2 * 4 * 63)] }
}

fn depthwise() -> Depthwise {
    Depthwise {
        element: F32,
        n: 2,
        channels: 8,
        input: [9, 9],
        output: [9, 9],
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1, 1],
        dilation: [1, 1],
    }
}

fn filters() -> Case {
    let x = 2 * 8 * 81;
    Case { plan: depthwise().backward_weight(), buffers: vec![(F32, x), (F32, x), (F32, -72)] }
}

fn image() -> Case {
    let x = 2 * 8 * 81;
    Case { plan: depthwise().backward_data(), buffers: vec![(F32, x), (F32, 72), (F32, -x)] }
}

fn plane_means() -> Case {
    let planes = Planes { n: 3, plane: 50, channels: 8, element: F32 };
    Case { plan: planes.mean(), buffers: vec![(F32, 1200), (F32, -24)] }
}

/// One picture of 8², on its own background; none of the numbers of `pictures` is random.
fn composed() -> Case {
    let plan = compose(1, 8, [(0.5, -1.0); 3], F32);
    let (layer, u8) = (192, Element::U8);
    let buffers =
        vec![(u8, layer), (u8, layer), (u8, 8), (Element::I32, 4), (Element::I32, 6), (F32, -layer)];
    Case { plan, buffers }
}

fn dropped() -> Case {
    let plan = elementwise::dropout(40, 0.5, None);
    Case { plan, buffers: vec![(F32, 40), (F32, -40), (Element::U32, 2)] }
}

fn step() -> Case {
    let plan = elementwise::sgd(300, 0.9, 0.1, true);
    Case { plan, buffers: vec![(F32, 300), (F32, 300), (F32, 300), (F32, 1)] }
}

/// In one order of the threads a missing barrier lets one come too early, in the other too late.
const UNORDERED: &[&str] = &["race", "uninitialised"];

/// The faults, the kernels that are compiled, the case, and the words of which a finding has one.
fn faults() -> Vec<(Fault, &'static [&'static str], Case, &'static [&'static str])> {
    let fault = |file, from, to| Fault { file, from, to };
    vec![
        // Missing barriers.
        (
            fault(
                "in9.cuh",
                "            BARRIER();\n            if (threadIdx.y < half)",
                "            if (threadIdx.y < half)",
            ),
            &["norm.cu"],
            norm_forward(),
            UNORDERED,
        ),
        (
            fault(
                "in9.cuh",
                "        // The sums of the value before may still be read.\n        BARRIER();\n",
                "",
            ),
            &["norm.cu"],
            norm_forward(),
            UNORDERED,
        ),
        (
            fault("convert.cu", "    BARRIER();\n    int row", "    int row"),
            &["convert.cu"],
            turned(),
            UNORDERED,
        ),
        // A barrier that not every thread reaches.
        (
            fault(
                "in9.cuh",
                "            BARRIER();\n            if (threadIdx.y < half) scratch",
                "            if (threadIdx.y >= half) continue;\n            BARRIER();\n            scratch",
            ),
            &["norm.cu"],
            norm_forward(),
            &["barrier"],
        ),
        // Races: between the threads of a block, and between blocks.
        (
            fault(
                "loss.cu",
                "    if (threadIdx.x == 0) result[0] = sum / count;",
                "    result[0] = sum / count;",
            ),
            &["loss.cu"],
            loss(),
            &["race"],
        ),
        (
            fault(
                "depthwise.cu",
                "i64 slot = i64(blockIdx.z) * gridDim.y + blockIdx.y;",
                "i64 slot = blockIdx.y;",
            ),
            &["depthwise.cu", "convert.cu"],
            filters(),
            &["race"],
        ),
        // Off by one, out of memory.
        (
            fault(
                "norm.cu",
                "    if (vector >= vectors) return;\n    i64 at = vector * V;\n    int channel = int(at % channels);\n    float v[V], z[V];",
                "    if (vector > vectors) return;\n    i64 at = vector * V;\n    int channel = int(at % channels);\n    float v[V], z[V];",
            ),
            &["norm.cu"],
            norm_forward(),
            &["out of bounds"],
        ),
        (
            fault(
                "elementwise.cu",
                "    if (i >= count) return;\n    float at",
                "    if (i > count) return;\n    float at",
            ),
            &["elementwise.cu"],
            step(),
            &["out of bounds"],
        ),
        (
            fault(
                "pool.cu",
                "image * plane, (image + 1) * plane, channels",
                "image * plane, (image + 1) * plane + 1, channels",
            ),
            &["pool.cu"],
            plane_means(),
            &["out of bounds"],
        ),
        (
            fault("dropout.cu", "        key_high = key[1];", "        key_high = key[2];"),
            &["dropout.cu"],
            dropped(),
            &["out of bounds"],
        ),
        // Off by one, inside of memory: other values.
        (
            fault(
                "pool.cu",
                "int end = o * stride - before + kernel;",
                "int end = o * stride - before + kernel - 1;",
            ),
            &["pool.cu"],
            average(),
            &["differs"],
        ),
        (
            fault(
                "pool.cu",
                "return reach > 0 ? (reach + stride - 1) / stride : 0;",
                "return reach > 0 ? reach / stride + 1 : 0;",
            ),
            &["pool.cu"],
            average_gradient(),
            &["differs"],
        ),
        (
            fault(
                "depthwise.cu",
                "int rx = ix + g.left - kx * g.dx;",
                "int rx = ix + g.left - kx * g.dx - 1;",
            ),
            &["depthwise.cu", "convert.cu"],
            image(),
            &["differs"],
        ),
        (
            fault(
                "compose.cu",
                "i64 byte = sample * layer + i64(pixel) * 3;",
                "i64 byte = sample * layer + i64(pixel) * 3 + 1;",
            ),
            &["compose.cu"],
            composed(),
            &["out of bounds"],
        ),
        (
            fault("compose.cu", "int first = number % quads * 4,", "int first = number % quads * 3,"),
            &["compose.cu"],
            composed(),
            &["misaligned"],
        ),
        (
            fault(
                "compose.cu",
                "if (number >= size * quads) return;",
                "if (number >= size * quads - 1) return;",
            ),
            &["compose.cu"],
            composed(),
            &["unwritten"],
        ),
        // What is never written is seen where it is read, or at the end.
        (fault("loss.cu", "    log_sums[blockIdx.x] = log_sum;\n", ""), &["loss.cu"], loss(), &["unwritten"]),
        (
            fault(
                "norm.cu",
                "            product[j] += d * (v[j] - m[j]);",
                "            product[j] += d * v[j];",
            ),
            &["norm.cu"],
            norm_backward(),
            &["differs"],
        ),
    ]
}

fn norm_backward() -> Case {
    let x = Matrix { rows: 30, channels: 4, element: F32 };
    let layer = norm::BatchNorm { x, eps: 1e-5, activation: Activation::None, residual: false };
    let (n, c) = (120, 4);
    // Any numbers do for mean and variance, as long as the variance is above 0: the seed of buffer 5 gives such.
    let buffers = vec![
        (F32, n),
        (F32, c),
        (F32, c),
        (F32, 0),
        (F32, c),
        (F32, c),
        (F32, n),
        (F32, -n),
        (F32, 0),
        (F32, -c),
        (F32, -c),
    ];
    Case { plan: layer.backward(), buffers }
}

#[test]
fn planted_faults_are_found() {
    let intact = Emulator::both_orders();
    if intact.is_empty() {
        return;
    }
    for (fault, kernels, case, words) in faults() {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let Some(library) = faulty(folder.path(), &fault, kernels) else { return };
        let name = format!("{}: {:?}", fault.file, fault.to);
        let expected = case.run(&intact[0]).unwrap_or_else(|e| panic!("{name}: the case itself fails: {e}"));
        for (backwards, intact) in [false, true].into_iter().zip(&intact) {
            // Without the fault the order of the threads changes nothing, to the bit.
            let bits = |all: &[Vec<f32>]| all.concat().into_iter().map(f32::to_bits).collect::<Vec<_>>();
            assert_eq!(bits(&case.run(intact).unwrap()), bits(&expected), "{name}");
            let finding = match case.run(&Emulator::open(&library, backwards)) {
                Err(finding) => finding,
                Ok(found) if bits(&found) != bits(&expected) => "differs".to_owned(),
                Ok(_) => panic!("{name} was not found"),
            };
            println!("{name}\n    found: {finding}");
            assert!(words.iter().any(|word| finding.contains(word)), "{name} was found as: {finding}");
        }
    }
}

/// A launch that does not fit the kernel is refused before it is run.
#[test]
fn arguments_that_do_not_fit_are_refused() {
    for emulator in Emulator::both_orders() {
        let mut case = turned();
        case.plan.launches[0].arguments.pop();
        assert!(case.run(&emulator).unwrap_err().contains("takes pfpfII"));
        let mut case = turned();
        case.buffers[0].0 = Element::Bf16;
        assert!(case.run(&emulator).unwrap_err().contains("takes pfpfII, not phpfII"));
        let mut case = turned();
        case.plan.launches[0].kernel = "transpose".into();
        assert!(case.run(&emulator).unwrap_err().contains("no kernel is called transpose"));
        let mut case = turned();
        case.plan.launches[0].grid[0] = 0;
        assert!(case.run(&emulator).is_err());
    }
}
