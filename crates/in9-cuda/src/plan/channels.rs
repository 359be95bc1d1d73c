//! Gates of channels, and tensors assembled from the channels of two others.

use super::pool::Planes;
use crate::launch::arguments::{buffer, int, long};
use crate::launch::{Element, Plan};

/// `y = x · gates`, and with dy for x its gradient with respect to x. Buffers: x, gates (f32, `[n, channels]`), y.
pub fn scale(planes: Planes) -> Plan {
    let (mut plan, m) = (Plan::new(3), planes.matrix());
    let mut arguments: Vec<_> = (0..3).map(buffer).collect();
    arguments.extend([long(m.vectors()), int(planes.plane), int(planes.channels)]);
    plan.each(format!("scale_channels_{}", m.suffix()), m.vectors(), arguments);
    plan
}

/// The gradient of [`scale`] with respect to the gates. Buffers: x, dy, the gates' gradient (f32).
pub fn gates_gradient(planes: Planes) -> Plan {
    planes.sums(3, true, 1.0)
}

/// A tensor of `rows · channels` elements whose channel k is channel `from_a[k]` of a plus `from_b[k]` of b.
///
/// Buffers: a, b, `from_a` and `from_b` (i32, `[channels]`, negative for none), y.
pub fn assemble(rows: usize, [a, b, channels]: [usize; 3], element: Element) -> Plan {
    let mut plan = Plan::new(5);
    let mut arguments: Vec<_> = (0..5).map(buffer).collect();
    arguments.extend([long(rows * channels), int(a), int(b), int(channels)]);
    plan.each(format!("assemble_{}", element.suffix(1)), rows * channels, arguments);
    plan
}

/// The gradient of [`assemble`] with respect to an input of `channels`, each of which went to channel `to[c]` of y.
///
/// Buffers: dy, to (i32, `[channels]`, negative for none), dx.
pub fn assemble_gradient(rows: usize, channels: usize, dy_channels: usize, element: Element) -> Plan {
    let mut plan = Plan::new(3);
    let mut arguments: Vec<_> = (0..3).map(buffer).collect();
    arguments.extend([long(rows * channels), int(channels), int(dy_channels)]);
    plan.each(format!("assemble_gradient_{}", element.suffix(1)), rows * channels, arguments);
    plan
}
