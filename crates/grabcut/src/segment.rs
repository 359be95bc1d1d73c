//! The entry: one photograph in, one mask out.

use crate::init::FOREGROUND;
use crate::{Error, Init, Params, RgbView, Segmentation, Workspace};

/// Separates the foreground of `image` from its background.
///
/// Energies are minimised exactly in units of `1/655` nat (for the default γ), so the mask is a
/// pure function of the arguments: it depends neither on the number of threads nor on the
/// processor's instruction set nor on what the workspace held before.
///
/// A box of uniform colour, or one whose content looks like what surrounds it, may end with an
/// empty mask; that is the minimum of the energy, not an error.
///
/// # Errors
///
/// An empty or uncovered box, an image without background or foreground pixels at the start, a
/// buffer of the wrong length, a parameter out of range: see [`Error`].
pub fn segment<'w>(
    image: RgbView,
    init: Init,
    params: &Params,
    workspace: &'w mut Workspace,
) -> Result<Segmentation<'w>, Error> {
    params.check()?;
    if image.pixels() > params.max_pixels {
        return Err(Error::TooManyPixels { pixels: image.pixels(), limit: params.max_pixels });
    }
    let Workspace { stages, models } = workspace;
    let stage = &mut stages[0];
    let open = init.states(image, &mut stage.states)?;
    if !stage.states.iter().any(|s| s & FOREGROUND == 0) {
        return Err(Error::NoBackground);
    }
    if !stage.states.iter().any(|s| s & FOREGROUND != 0) {
        return Err(Error::NoForeground);
    }
    stage.planes.load(image);
    models.refine(stages, open, params.gamma, params);
    let stage = &mut stages[0];
    for state in &mut stage.states {
        *state &= FOREGROUND;
    }
    Ok(Segmentation {
        mask: &stage.states,
        energies: &stage.energies,
        foreground: &models.mixtures[1],
        background: &models.mixtures[0],
    })
}
