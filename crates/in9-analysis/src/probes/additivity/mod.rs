//! Reliance in feature space: of what an encoder makes of a picture, how much comes from the object and how much from the
//! background, and are the two added up?
//!
//! The pixels of a picture are divided between two players, those of the object and those of the background; the pixels of a
//! player who is absent are black. With e(·) an embedding, e(F, B) of the picture, e(F) and e(B) of the picture with one
//! player, and e(∅) of a black picture, the Shapley values of the players are vectors,
//!
//! - foreground: ½ · \[e(F, B) − e(B) + e(F) − e(∅)\]
//! - background: ½ · \[e(F, B) − e(F) + e(B) − e(∅)\]
//!
//! which add up to the displacement D = e(F, B) − e(∅). The *foreground's share* is the part of D along which it points,
//! Σ ⟨foreground, D⟩ ÷ Σ ⟨D, D⟩ over the photographs; the background has the rest. An encoder that does not see the background's
//! pixels gives all to the foreground, one that sees nothing else gives all to the background; below 0 or above 1 the two
//! work against each other.
//!
//! *Additivity* asks whether e(F) + e(B) − e(∅) foretells e(F, B): R² is one less the mean square of its error over that of
//! what the embeddings differ in from photograph to photograph, and the cosine is that of both displacements from e(∅). An
//! encoder that is linear in the pixels is exactly additive, for these pictures are: R² and cosine are 1. R² below 0 is worse
//! than to foretell the mean embedding of all pictures.
//!
//! Sources: L. S. Shapley, "A value for n-person games", 1953; the additivity of embeddings as in M. Trager et al., "Linear
//! spaces of meanings: compositional structures in vision-language models", ICCV 2023, with pixels in the place of words.

mod embedder;
#[cfg(feature = "probes")]
mod encoder_layers;
mod estimate;
mod parts;
mod run;

pub use embedder::{Embedder, FEATURES};
#[cfg(feature = "probes")]
pub use encoder_layers::EncoderLayers;
pub use estimate::{LayerAdditivity, estimate};
pub use parts::Parts;
pub use run::{ImageParts, Pixels, run};
