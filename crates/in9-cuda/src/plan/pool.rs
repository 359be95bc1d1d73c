//! Pooling: maxima, means of windows, means of whole planes.

use super::{Matrix, Reduction};
use crate::launch::arguments::{buffer, float, int, long};
use crate::launch::{Argument, Element, Plan, THREADS};

/// The windows of one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Windows {
    /// Of a constant size at a constant stride over `size` elements with padding `before` them.
    Sliding {
        /// Elements of the axis.
        size: usize,
        /// Number of windows.
        outputs: usize,
        /// Elements of a window.
        kernel: usize,
        /// Elements from one window to the next.
        stride: usize,
        /// Padding before the first element.
        before: usize,
    },
    /// Parts of nearly equal size: part i is `floor(i size / outputs)..ceil((i + 1) size / outputs)`.
    Adaptive {
        /// Elements of the axis.
        size: usize,
        /// Number of parts.
        outputs: usize,
    },
}

impl Windows {
    fn numbers(self) -> [usize; 5] {
        match self {
            Self::Sliding { size, outputs, kernel, stride, before } => {
                [size, outputs, kernel, stride, before]
            }
            Self::Adaptive { size, outputs } => [size, outputs, 0, 0, 0],
        }
    }
}

/// A pooling of images of `[n, h, w, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Images.
    pub n: usize,
    /// Channels.
    pub channels: usize,
    /// F32 or Bf16.
    pub element: Element,
    /// Over rows and over columns.
    pub windows: [Windows; 2],
    /// What a sum is divided by; none: the elements of its window that are inside the image.
    pub divisor: Option<usize>,
}

impl Pool {
    fn of(&self, which: usize) -> Matrix {
        let pixels = self.windows.iter().map(|axis| axis.numbers()[which]).product::<usize>();
        Matrix { rows: self.n * pixels, channels: self.channels, element: self.element }
    }

    fn input(&self) -> Matrix {
        self.of(0)
    }

    fn output(&self) -> Matrix {
        self.of(1)
    }

    fn one(&self, kernel: &str, buffers: &[usize], over: Matrix, divided: bool) -> Plan {
        let mut plan = Plan::new(buffers.len());
        let mut arguments: Vec<Argument> = buffers.iter().map(|&number| buffer(number)).collect();
        arguments.extend([long(over.vectors()), int(self.channels)]);
        arguments.extend(self.windows.iter().flat_map(|axis| axis.numbers()).map(int));
        if divided {
            arguments.push(int(self.divisor.unwrap_or(0)));
        }
        plan.each(format!("{kernel}_{}", over.suffix()), over.vectors(), arguments);
        plan
    }

    /// Whether the place of a maximum in its window fits the byte that is kept of it.
    pub fn fits_a_byte(&self) -> bool {
        self.windows.iter().map(|axis| axis.numbers()[2]).product::<usize>() <= 256
    }

    /// Maxima. Buffers: x, y, and the place of each maximum in its window (u8), as long as y.
    pub fn max(&self) -> Plan {
        self.one("max_pool", &[0, 1, 2], self.output(), false)
    }

    /// Buffers: the places that [`Self::max`] wrote, dy, dx.
    pub fn max_gradient(&self) -> Plan {
        self.one("max_pool_gradient", &[0, 1, 2], self.input(), false)
    }

    /// Means. Buffers: x, y.
    pub fn avg(&self) -> Plan {
        self.one("avg_pool", &[0, 1], self.output(), true)
    }

    /// Buffers: dy, dx.
    pub fn avg_gradient(&self) -> Plan {
        self.one("avg_pool_gradient", &[0, 1], self.input(), true)
    }
}

/// Images of `plane` pixels, for what is done to whole planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planes {
    /// Images.
    pub n: usize,
    /// Pixels of an image.
    pub plane: usize,
    /// Channels.
    pub channels: usize,
    /// F32 or Bf16.
    pub element: Element,
}

impl Planes {
    pub(crate) fn matrix(&self) -> Matrix {
        Matrix { rows: self.n * self.plane, channels: self.channels, element: self.element }
    }

    /// `result = factor Σ x` or `factor Σ x dy` over each plane.
    pub(crate) fn sums(&self, buffers: usize, with_dy: bool, factor: f64) -> Plan {
        let mut plan = Plan::new(buffers);
        let (result, absent) = (buffer(buffers - 1), Argument::Absent(self.element));
        let cut = Reduction::new(self.plane, self.channels, self.element);
        let pairs = plan.temporary(Element::F32, self.n * 2 * self.channels);
        // Images along y, of which a device takes 65,535: more are no batch.
        plan.launch(
            format!("plane_sums_{}", self.element.suffix(cut.vector)),
            [cut.columns, self.n, 1],
            cut.block,
            vec![
                buffer(0),
                if with_dy { buffer(1) } else { absent },
                pairs,
                int(self.plane),
                int(self.channels),
                float(factor),
                int(usize::from(with_dy)),
            ],
        );
        let count = self.n * self.channels;
        plan.launch(
            "first_rows",
            [count.div_ceil(THREADS), 1, 1],
            [THREADS, 1, 1],
            vec![pairs, result, long(count), int(self.channels)],
        );
        plan
    }

    /// The mean of each plane. Buffers: x, y (f32, `[n, channels]`).
    pub fn mean(&self) -> Plan {
        self.sums(2, false, 1.0 / self.plane as f64)
    }

    /// Buffers: dy (f32, `[n, channels]`), dx.
    pub fn mean_gradient(&self) -> Plan {
        let (mut plan, m) = (Plan::new(2), self.matrix());
        let arguments = vec![
            buffer(0),
            buffer(1),
            long(m.vectors()),
            int(self.plane),
            int(self.channels),
            float(1.0 / self.plane as f64),
        ];
        plan.each(format!("spread_{}", m.suffix()), m.vectors(), arguments);
        plan
    }
}
