//! Cross-entropy.

use crate::launch::arguments::{buffer, float, int, long};
use crate::launch::{Element, Plan, THREADS};

/// Rows and classes of logits, which are f32.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CrossEntropy {
    /// Images.
    pub rows: usize,
    /// Classes.
    pub classes: usize,
    /// Share of the target distribution that is spread evenly.
    pub smoothing: f64,
}

impl CrossEntropy {
    /// Buffers: logits, targets (u32, `[rows]`), loss `[1]`, and log Σ exp of each row for the gradient.
    pub fn forward(&self) -> Plan {
        let mut plan = Plan::new(4);
        let losses = plan.temporary(Element::F32, self.rows);
        let arguments =
            vec![buffer(0), buffer(1), losses, buffer(3), int(self.classes), float(self.smoothing)];
        plan.launch("cross_entropy", [self.rows, 1, 1], [THREADS, 1, 1], arguments);
        plan.launch("mean", [1; 3], [THREADS, 1, 1], vec![losses, buffer(2), int(self.rows)]);
        plan
    }

    /// Buffers: logits, targets, log Σ exp, the gradient of the loss `[1]`, and that of the logits.
    pub fn backward(&self) -> Plan {
        let mut plan = Plan::new(5);
        let count = self.rows * self.classes;
        let mut arguments: Vec<_> = (0..5).map(buffer).collect();
        let per_row = float(1.0 / self.rows as f64);
        arguments.extend([long(count), int(self.classes), float(self.smoothing), per_row]);
        plan.each("cross_entropy_gradient", count, arguments);
        plan
    }

    /// How many rows are right. Buffers: logits, targets, the number `[1]` (f32).
    pub fn correct(&self) -> Plan {
        let mut plan = Plan::new(3);
        let mut arguments: Vec<_> = (0..3).map(buffer).collect();
        arguments.extend([int(self.rows), int(self.classes)]);
        plan.launch("count_correct", [1; 3], [THREADS, 1, 1], arguments);
        plan
    }
}
