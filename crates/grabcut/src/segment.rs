//! Segmentation of one image.

use crate::init::FOREGROUND;
use crate::{Error, Init, Params, RgbView, Segmentation, Workspace};

/// Separates the foreground of `image` from its background.
///
/// Energies are integers, in units of `1/655` nat for the default γ. The mask is thus a pure function of the
/// arguments: it depends neither on the number of threads, nor on the instruction set of the processor, nor on
/// earlier uses of the workspace.
///
/// If the content of the box is uniform or looks like its surroundings, the mask may be empty. That is the
/// minimum of the energy and not an error.
///
/// # Errors
///
/// [`Error::TooManyPixels`], [`Error::EmptyBox`], [`Error::TrimapSize`], [`Error::NoBackground`] and
/// [`Error::NoForeground`] for the image and what is known of it, [`Error::Parameter`] for settings.
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
    let Workspace { levels, models } = workspace;
    let level = &mut levels[0];
    let unknown = init.states(image, &mut level.states)?;
    if !level.states.iter().any(|s| s & FOREGROUND == 0) {
        return Err(Error::NoBackground);
    }
    if !level.states.iter().any(|s| s & FOREGROUND != 0) {
        return Err(Error::NoForeground);
    }
    level.image.load(image);
    models.refine(levels, unknown, params.gamma, params);
    let level = &mut levels[0];
    for state in &mut level.states {
        *state &= FOREGROUND;
    }
    Ok(Segmentation {
        mask: &level.states,
        energies: &level.energies,
        foreground: &models.mixtures[1],
        background: &models.mixtures[0],
    })
}
