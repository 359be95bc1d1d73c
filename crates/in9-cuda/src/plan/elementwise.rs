//! Activations, residual additions, dropout and the step of SGD.

use crate::Activation;
use crate::launch::arguments::{buffer, float, int, long, optional};
use crate::launch::{Argument, Element, Plan};

/// `y = activation(a + b)`, or `activation(a)`. Buffers: a, b (if `with_b`), y.
pub fn add_act(count: usize, element: Element, activation: Activation, with_b: bool) -> Plan {
    let mut plan = Plan::new(3);
    let vector = element.vector(count);
    let vectors = count / vector;
    let arguments = vec![
        buffer(0),
        optional(with_b, 1, element),
        buffer(2),
        long(vectors),
        activation.argument(),
        int(usize::from(with_b)),
    ];
    plan.each(format!("add_act_{}", element.suffix(vector)), vectors, arguments);
    plan
}

/// The gradient of [`add_act`] with respect to both terms. Buffers: a, b (if `with_b`), dy, and d.
pub fn add_act_gradient(count: usize, element: Element, activation: Activation, with_b: bool) -> Plan {
    let mut plan = Plan::new(4);
    let vector = element.vector(count);
    let vectors = count / vector;
    let arguments = vec![
        buffer(0),
        optional(with_b, 1, element),
        buffer(2),
        buffer(3),
        long(vectors),
        activation.argument(),
        int(usize::from(with_b)),
    ];
    plan.each(format!("add_act_gradient_{}", element.suffix(vector)), vectors, arguments);
    plan
}

/// The mask and the scale of a dropout, as in9-kernels draws it from `key`. Buffers: x, y, both f32; and, if `key` is
/// none, its two words (u32, the lower one first), which a captured graph can have others of each time.
pub fn dropout(count: usize, p: f64, key: Option<u64>) -> Plan {
    let mut plan = Plan::new(3);
    let threshold = (p * f64::from(u32::MAX)) as u32;
    let on_device = key.is_none();
    let key = key.unwrap_or(0);
    let arguments = vec![
        buffer(0),
        buffer(1),
        optional(on_device, 2, Element::U32),
        long(count),
        int(usize::from(on_device)),
        Argument::U32(key as u32),
        Argument::U32((key >> 32) as u32),
        Argument::U32(threshold),
        float(1.0 / (1.0 - p)),
    ];
    plan.each("dropout", count.div_ceil(16), arguments);
    plan
}

/// One step of SGD. Buffers, all f32: parameter and velocity (changed) at 0 and 2, gradient at 1, and the learning
/// rate `[1]` at 3, which is on the device so that a captured graph can have another one each time.
pub fn sgd(count: usize, momentum: f64, decay: f64, nesterov: bool) -> Plan {
    let mut plan = Plan::new(4);
    let arguments = vec![
        buffer(0),
        buffer(1),
        buffer(2),
        long(count),
        buffer(3),
        float(momentum),
        float(decay),
        int(usize::from(nesterov)),
    ];
    plan.each("sgd", count, arguments);
    plan
}
