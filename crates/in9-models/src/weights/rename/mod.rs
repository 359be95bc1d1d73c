//! Names of other projects' files for networks that we name as timm does. A file that has none of these names comes back
//! unchanged.

mod dino;
mod efficientnet_pytorch;
mod swin;
mod torchvision;

use super::fault::Checked;
use super::state_dict::StateDict;

/// The tensors under timm's names; what was renamed is added to `notes`.
pub(super) fn to_timm(dict: StateDict, notes: &mut Vec<String>) -> Checked<StateDict> {
    let dict = efficientnet_pytorch::efficientnet_pytorch(dict, notes)?;
    let dict = torchvision::torchvision(dict, notes)?;
    dino::dino(swin::original(dict, notes)?, notes)
}
