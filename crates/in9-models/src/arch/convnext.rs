//! ConvNeXt-T (Liu et al. 2022), for evaluation only: candle-transformers' layers, timm's names.

use candle_core::Tensor;
use candle_nn::{Func, Module};
use candle_transformers::models::convnext::{Config, convnext};

use super::candle_backend::{Place, builder};
use crate::error::{Error, Result};
use crate::model::{Context, Mode, Network};
use crate::params::Params;

/// Builds ConvNeXt-T.
///
/// # Errors
/// When `params` holds weights that do not fit.
pub fn build(params: &Params, classes: usize) -> Result<Box<dyn Network>> {
    // Response normalisation belongs to version 2; candle builds it where its parameters exist.
    let place = |name: &str| {
        if name.contains(".grn.") { Place::Absent } else { Place::Whole(name.to_owned()) }
    };
    let model = convnext(&Config::tiny(), classes, builder(params, place))?;
    Ok(Box::new(ConvNext { model, name: params.name("convnext_tiny") }))
}

struct ConvNext {
    model: Func<'static>,
    name: String,
}

impl Network for ConvNext {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        if context.mode() != Mode::Eval {
            return Err(Error::Frozen(self.name.clone()));
        }
        Ok(self.model.forward(x)?)
    }

    fn own_layers(&self) -> bool {
        false
    }

    fn tap_names(&self) -> Vec<String> {
        Vec::new()
    }
}
