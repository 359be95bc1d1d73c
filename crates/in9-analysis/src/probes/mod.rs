//! Measurements that drive a classifier: adversarial backgrounds, saliency, counterfactual
//! attribution, the masks' part in the gap, surfaces over how objects are pasted. Any classifier can be driven through
//! [`Classifier`] and [`GradientClassifier`]; [`additivity`] needs features alone.

pub mod additivity;
pub mod adversarial;
pub mod classifier;
pub mod counterfactual;
pub mod mask_error;
pub mod mask_sources;
#[cfg(feature = "probes")]
pub mod network;
#[cfg(feature = "probes")]
mod resized;
pub mod saliency;
pub mod scenes;
mod split;
pub mod surface;
pub mod written;

pub use classifier::{BlackBox, Classifier, GradientClassifier, Pictures, TapGradient};
#[cfg(feature = "probes")]
pub use resized::Resized;
pub use scenes::Scenes;
