//! Other layouts and precisions.

use crate::launch::arguments::{buffer, int, long};
use crate::launch::{Argument, Element, Plan};

/// Side of a tile.
const TILE: usize = 32;

/// `[batch, rows, columns]` to `[batch, columns, rows]`, from one precision to the other. Buffers: x, y.
///
/// With rows the channels and columns the pixels this makes channels last of planes; the other way round it goes
/// back.
pub fn transpose([from, to]: [Element; 2], sizes: [usize; 3]) -> Plan {
    let mut plan = Plan::new(2);
    launch_transpose(&mut plan, [from, to], sizes, buffer(0), buffer(1));
    plan
}

pub(super) fn launch_transpose(
    plan: &mut Plan,
    [from, to]: [Element; 2],
    [batch, rows, columns]: [usize; 3],
    x: Argument,
    y: Argument,
) {
    plan.launch(
        format!("transpose_{}_{}", from.suffix(1), to.suffix(1)),
        [columns.div_ceil(TILE), rows.div_ceil(TILE), batch],
        [TILE, 8, 1],
        vec![x, y, int(rows), int(columns)],
    );
}

/// The other precision in the same layout. Buffers: x, y.
pub fn cast([from, to]: [Element; 2], count: usize) -> Plan {
    let mut plan = Plan::new(2);
    let name = format!("cast_{}_{}", from.suffix(1), to.suffix(1));
    plan.each(name, count, vec![buffer(0), buffer(1), long(count)]);
    plan
}
