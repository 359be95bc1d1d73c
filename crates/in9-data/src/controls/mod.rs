//! Backgrounds that separate what pasting does from what a background says: all are made of the photograph itself.
//!
//! An object that is put on another photograph's background loses its own scene, and gains an outline that no camera drew.
//! Each background here keeps one thing more than the next: everything but the pixels around the object
//! ([`inpaint`]), the colours and textures beside it (the tiled layer), its mean colour ([`flat_colour`]), its power spectrum
//! ([`noise`]). None can bring another class's scene along.

mod flat;
mod fourier;
mod inpaint;
mod noise;

pub(crate) use flat::flat_colour;
pub(crate) use inpaint::inpaint;
pub(crate) use noise::noise;
