//! ConvNeXt-T (Liu et al. 2022), for evaluation only, with timm's names: candle-transformers' network where a gradient is
//! wanted and on other devices, and the same on in9-kernels' layers elsewhere.

mod frozen;

use candle_core::{DType, Tensor};
use candle_nn::{Func, Module};
use candle_transformers::models::convnext::{Config, convnext};
use in9_kernels::tokens;

use self::frozen::Frozen;
use super::candle_backend::builder;
use crate::error::{Error, Result};
use crate::model::{Context, Mode, Network};
use crate::params::Params;

/// Builds ConvNeXt-T.
///
/// # Errors
/// When `params` holds weights that do not fit.
pub fn build(params: &Params, classes: usize) -> Result<Box<dyn Network>> {
    // Response normalisation belongs to version 2; candle builds it where its parameters exist.
    let absent = |name: &str| name.contains(".grn.");
    let model = convnext(&Config::tiny(), classes, builder(params, absent))?;
    let fits = !params.is_trainable() && params.device().is_cpu() && params.dtype() == DType::F32;
    let frozen = fits.then(|| {
        // What candle's network asked for, given out once more.
        let made = params.made().into_iter().map(|parameter| (parameter.name, parameter.value)).collect();
        let again = Params::frozen(made, params.dtype(), params.device());
        Frozen::new(&again.at(params.name("")), classes)
    });
    Ok(Box::new(ConvNext { model, frozen: frozen.transpose()?, name: params.name("convnext_tiny") }))
}

struct ConvNext {
    model: Func<'static>,
    frozen: Option<Frozen>,
    name: String,
}

impl Network for ConvNext {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        if context.mode() != Mode::Eval {
            return Err(Error::Frozen(self.name.clone()));
        }
        match &self.frozen {
            Some(frozen) if tokens::runs_on(x) => frozen.forward(x),
            _ => Ok(self.model.forward(x)?),
        }
    }

    fn own_layers(&self) -> bool {
        false
    }

    fn tap_names(&self) -> Vec<String> {
        Vec::new()
    }
}
