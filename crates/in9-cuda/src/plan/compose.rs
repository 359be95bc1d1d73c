//! Views composed from the layers of a dataset.

use crate::launch::arguments::{buffer, float, int};
use crate::launch::{Element, Plan, THREADS};

/// What is taken of a photograph and of a tiled background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum View {
    /// The photograph.
    Original,
    /// The photograph, its box black.
    OnlyBgB,
    /// The tiled background.
    OnlyBgT,
    /// The photograph, its foreground black.
    NoFg,
    /// The foreground on black.
    OnlyFg,
    /// The foreground on another one's tiled background.
    Mixed,
    /// The foreground white on black.
    OnlyMask,
    /// The box white on black.
    OnlyBox,
}

/// One picture of a batch: six numbers of the buffer `pictures`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Number of the sample among those on the device.
    pub sample: i32,
    /// The sample that lends its tiled background; itself where the view has none of another.
    pub background: i32,
    /// What is shown.
    pub view: View,
    /// Whether it is mirrored.
    pub mirrored: bool,
    /// Pixels that it is then moved to the right.
    pub dx: i32,
    /// Pixels that it is then moved down.
    pub dy: i32,
}

impl Picture {
    /// As the kernel reads it.
    pub fn numbers(self) -> [i32; 6] {
        [self.sample, self.background, self.view as i32, i32::from(self.mirrored), self.dx, self.dy]
    }
}

/// `count` pictures of `size × size` pixels, each byte of channel c becoming `byte · factor + offset` by
/// `channels[c] = (factor, offset)`.
///
/// Buffers: photographs, tiled backgrounds (u8, `[samples, size, size, 3]`), masks (u8, a bit a pixel, the lowest
/// first, each from a byte of its own on), boxes (i32, `[samples, 4]`), pictures (i32, `[count, 6]`), and the
/// result, `[count, size, size, 3]` of `element`.
pub fn compose(count: usize, size: usize, channels: [(f32, f32); 3], element: Element) -> Plan {
    let mut plan = Plan::new(6);
    let mut arguments: Vec<_> = (0..6).map(buffer).collect();
    arguments.push(int(size));
    arguments.extend(channels.map(|(factor, _)| float(f64::from(factor))));
    arguments.extend(channels.map(|(_, offset)| float(f64::from(offset))));
    let blocks = (size * size.div_ceil(4)).div_ceil(THREADS);
    let kernel = format!("compose_{}", element.suffix(1));
    plan.launch(kernel, [count, blocks, 1], [THREADS, 1, 1], arguments);
    plan
}
