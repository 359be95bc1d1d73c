//! Precision, layout, activations, additions, dropout, and the step of SGD.

use candle_core::{Tensor, Var};

use super::like;
use crate::Activation;
use crate::device::tensors::{element, f32s, first, last, plain, pointer, room};
use crate::device::{Error, Gpu, Result};
use crate::launch::Element;
use crate::plan::{self, elementwise};

/// Channels last in memory, in the precision that the device is set to: what a network begins with.
///
/// # Errors
/// Those of the driver.
pub fn channels_last(gpu: &Gpu, x: &Tensor) -> Result<Tensor> {
    let to = if gpu.settings().bf16 { Element::Bf16 } else { Element::F32 };
    let x = plain(&last(gpu, x)?)?;
    first(&cast(gpu, &x, to)?)
}

/// The same values in another precision; nothing is done if they have it.
///
/// # Errors
/// Those of the driver.
pub fn cast(gpu: &Gpu, x: &Tensor, to: Element) -> Result<Tensor> {
    let (x, from) = (plain(x)?, element(x)?);
    if from == to {
        return Ok(x);
    }
    let y = room(&x, to, x.shape())?;
    gpu.run(&plan::convert::cast([from, to], x.elem_count()), &[Some(&x), Some(&y)])?;
    Ok(y)
}

/// `activation(x)`.
///
/// # Errors
/// Those of the driver.
pub fn activation(gpu: &Gpu, x: &Tensor, activation: Activation) -> Result<Tensor> {
    let x = in_order(gpu, x)?;
    let y = like(&x)?;
    let plan = elementwise::add_act(x.elem_count(), element(&x)?, activation, false);
    gpu.run(&plan, &[Some(&x), None, Some(&y)])?;
    back(&y)
}

/// The gradient of [`activation`].
///
/// # Errors
/// Those of the driver.
pub fn activation_gradient(gpu: &Gpu, x: &Tensor, activation: Activation, dy: &Tensor) -> Result<Tensor> {
    let (x, dy) = (in_order(gpu, x)?, in_order(gpu, dy)?);
    let d = like(&x)?;
    let plan = elementwise::add_act_gradient(x.elem_count(), element(&x)?, activation, false);
    gpu.run(&plan, &[Some(&x), None, Some(&dy), Some(&d)])?;
    back(&d)
}

/// `activation(a + b)`.
///
/// # Errors
/// Those of the driver.
pub fn add_act(gpu: &Gpu, a: &Tensor, b: &Tensor, activation: Activation) -> Result<Tensor> {
    let (a, b) = (in_order(gpu, a)?, in_order(gpu, b)?);
    let y = like(&a)?;
    let plan = elementwise::add_act(a.elem_count(), element(&a)?, activation, true);
    gpu.run(&plan, &[Some(&a), Some(&b), Some(&y)])?;
    back(&y)
}

/// The gradient of [`add_act`], the same with respect to both.
///
/// # Errors
/// Those of the driver.
pub fn add_act_gradient(
    gpu: &Gpu,
    a: &Tensor,
    b: &Tensor,
    activation: Activation,
    dy: &Tensor,
) -> Result<Tensor> {
    let (a, b, dy) = (in_order(gpu, a)?, in_order(gpu, b)?, in_order(gpu, dy)?);
    let d = like(&a)?;
    let plan = elementwise::add_act_gradient(a.elem_count(), element(&a)?, activation, true);
    gpu.run(&plan, &[Some(&a), Some(&b), Some(&dy), Some(&d)])?;
    back(&d)
}

/// What a dropout's mask follows from.
#[derive(Clone, Debug)]
pub enum Key {
    /// The key itself.
    Number(u64),
    /// Its two words on the device, u32, the lower one first: they may be others each time that a graph is launched.
    Words(Tensor),
}

/// Dropout with the CPU's mask; its gradient is the same function of dy.
///
/// # Errors
/// Those of the driver.
pub fn dropout(gpu: &Gpu, x: &Tensor, p: f64, key: &Key) -> Result<Tensor> {
    let x = f32s(gpu, x)?;
    let y = like(&x)?;
    let (number, words) = match key {
        Key::Number(number) => (Some(*number), None),
        Key::Words(words) => (None, Some(words)),
    };
    gpu.run(&elementwise::dropout(x.elem_count(), p, number), &[Some(&x), Some(&y), words])?;
    Ok(y)
}

/// One step of SGD on a parameter, in place; the velocity is changed too. `rate` is `[1]` on the device.
///
/// # Errors
/// [`Error::Unsupported`] for anything but f32.
pub fn sgd(
    gpu: &Gpu,
    parameter: &Var,
    gradient: &Tensor,
    velocity: &Var,
    rate: &Tensor,
    [momentum, decay]: [f64; 2],
    nesterov: bool,
) -> Result<()> {
    let (p, v, g) = (in_place(parameter)?, in_place(velocity)?, f32s(gpu, gradient)?);
    let plan = elementwise::sgd(p.elem_count(), momentum, decay, nesterov);
    gpu.run(&plan, &[Some(&p), Some(&g), Some(&v), Some(rate)])
}

/// A variable whose memory a kernel changes.
pub(super) fn in_place(variable: &Var) -> Result<Tensor> {
    let tensor = variable.as_detached_tensor();
    if element(&tensor)? != Element::F32 || !tensor.is_contiguous() || pointer(&tensor)? % 16 != 0 {
        return Err(Error::Unsupported("a variable that is not f32 and contiguous".to_owned()));
    }
    Ok(tensor)
}

/// The values in the memory's order: channels last of images, row-major of anything else; and the way back.
fn in_order(gpu: &Gpu, x: &Tensor) -> Result<Tensor> {
    if x.rank() == 4 { last(gpu, x) } else { plain(x) }
}

fn back(x: &Tensor) -> Result<Tensor> {
    if x.rank() == 4 { first(x) } else { Ok(x.clone()) }
}
