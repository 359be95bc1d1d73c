//! The two forms of a batch's pictures: normalised planes and plain bytes.

use std::sync::Arc;

use crate::canvas::{Bytes, Canvas, Planes};

use super::batch::Pool;
use super::item::Composer;

/// What a batch's pictures consist of: `f32` (normalised planes) or `u8` (RGB bytes).
pub trait Pixel: sealed::Sealed + Copy + Default + Send + Sync + std::fmt::Debug + 'static {}

impl Pixel for f32 {}
impl Pixel for u8 {}

pub(super) mod sealed {
    use super::{Arc, Bytes, Canvas, Composer, Planes, Pool};

    /// What the loader needs of a [`Pixel`](super::Pixel).
    pub trait Sealed: Sized {
        /// What a picture of this form is drawn on.
        #[doc(hidden)]
        type Canvas<'a>: Canvas
        where
            Self: 'a;
        /// The canvas over one picture's values; bytes are normalised by factor and offset of each channel.
        #[doc(hidden)]
        fn canvas<'a>(values: &'a mut [Self], channels: &[(f32, f32); 3]) -> Self::Canvas<'a>;
        /// The loader's pool of buffers of this form.
        #[doc(hidden)]
        #[allow(private_interfaces)]
        fn pool(composer: &Composer) -> Arc<Pool<Self>>;
    }

    impl Sealed for f32 {
        type Canvas<'a> = Planes<'a>;

        fn canvas<'a>(values: &'a mut [f32], channels: &[(f32, f32); 3]) -> Planes<'a> {
            Planes::new(values, channels)
        }

        #[allow(private_interfaces)]
        fn pool(composer: &Composer) -> Arc<Pool<Self>> {
            composer.floats.clone()
        }
    }

    impl Sealed for u8 {
        type Canvas<'a> = Bytes<'a>;

        fn canvas<'a>(values: &'a mut [u8], _: &[(f32, f32); 3]) -> Bytes<'a> {
            Bytes(values)
        }

        #[allow(private_interfaces)]
        fn pool(composer: &Composer) -> Arc<Pool<Self>> {
            composer.bytes.clone()
        }
    }
}
