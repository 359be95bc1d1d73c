//! The two forms of a picture: normalised planes and plain bytes.

use std::sync::Arc;

use super::batch::Pool;
use super::item::Composer;

/// What a batch's pictures consist of: `f32` (normalised planes) or `u8` (RGB bytes).
pub trait Pixel: sealed::Sealed + Copy + Default + Send + Sync + std::fmt::Debug + 'static {}

impl Pixel for f32 {}
impl Pixel for u8 {}

pub(super) mod sealed {
    use super::{Arc, Composer, Pool};
    use crate::compose::{Layers, compose};
    use crate::planes::compose_planes;
    use crate::view::View;

    /// What the loader needs of a [`Pixel`](super::Pixel).
    pub trait Sealed: Sized {
        /// The loader's pool of buffers of this form.
        #[doc(hidden)]
        #[allow(private_interfaces)]
        fn pool(composer: &Composer) -> Arc<Pool<Self>>;
        /// Composes a view in this form; arguments are those of [`compose`](crate::compose()).
        #[doc(hidden)]
        fn compose(
            view: View,
            foreground: &Layers<'_>,
            fg_box: [u16; 4],
            background: Option<&[u8]>,
            size: usize,
            channels: &[(f32, f32); 3],
            out: &mut [Self],
        );
        /// Writes a picture (size·size·3 bytes, RGB) in this form, shifted and mirrored.
        #[doc(hidden)]
        #[allow(private_interfaces)]
        fn place(rgb: &[u8], size: usize, placement: Placement, channels: &[(f32, f32); 3], out: &mut [Self]);
    }

    /// Where a picture is put: mirrored first, then moved; what is uncovered is 0 after
    /// normalisation (black as bytes).
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub struct Placement {
        pub mirrored: bool,
        /// Columns to the right.
        pub dx: i32,
        /// Rows down.
        pub dy: i32,
    }

    impl Sealed for f32 {
        fn compose(
            view: View,
            foreground: &Layers<'_>,
            fg_box: [u16; 4],
            background: Option<&[u8]>,
            size: usize,
            channels: &[(f32, f32); 3],
            out: &mut [f32],
        ) {
            compose_planes(view, foreground, fg_box, background, size, channels, out);
        }

        #[allow(private_interfaces)]
        fn pool(composer: &Composer) -> Arc<Pool<Self>> {
            composer.floats.clone()
        }

        #[allow(private_interfaces)]
        fn place(rgb: &[u8], size: usize, placement: Placement, channels: &[(f32, f32); 3], out: &mut [f32]) {
            super::super::item::place_planes(rgb, size, placement, channels, out);
        }
    }

    impl Sealed for u8 {
        fn compose(
            view: View,
            foreground: &Layers<'_>,
            fg_box: [u16; 4],
            background: Option<&[u8]>,
            size: usize,
            _: &[(f32, f32); 3],
            out: &mut [u8],
        ) {
            compose(view, foreground, fg_box, background, size, out);
        }

        #[allow(private_interfaces)]
        fn pool(composer: &Composer) -> Arc<Pool<Self>> {
            composer.bytes.clone()
        }

        #[allow(private_interfaces)]
        fn place(rgb: &[u8], size: usize, placement: Placement, _: &[(f32, f32); 3], out: &mut [u8]) {
            super::super::item::place_bytes(rgb, size, placement, out);
        }
    }
}
