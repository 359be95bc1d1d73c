//! The names that a tensor file may use.

use safetensors::Dtype;

use crate::weights::fault::{Checked, Fault, shown};
use crate::weights::torch::storage::storage_dtype;

/// Everything that a pickle may name. There is no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::weights) enum Global {
    /// `collections.OrderedDict`, `dict`, `collections.defaultdict`.
    Dict,
    /// `list`, `set`, `frozenset`.
    List,
    /// `tuple`, `torch.Size`.
    Tuple,
    /// `torch.FloatStorage` and its kin.
    Storage(Dtype),
    /// `torch._utils._rebuild_tensor_v2` and its predecessor.
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`: a tensor that is trained.
    RebuildParameter,
}

impl Global {
    /// What `module.name` stands for.
    ///
    /// # Errors
    /// [`Fault::Forbidden`] for every name that is not listed here.
    pub(super) fn named(module: &str, name: &str, at: usize) -> Checked<Self> {
        let refused = || Fault::Forbidden { name: shown(&format!("{module}.{name}")), at };
        Ok(match (module, name) {
            ("collections", "OrderedDict" | "defaultdict") | ("builtins" | "__builtin__", "dict") => {
                Self::Dict
            }
            ("builtins" | "__builtin__", "list" | "set" | "frozenset") => Self::List,
            ("builtins" | "__builtin__", "tuple") | ("torch", "Size") => Self::Tuple,
            ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch" | "torch.cuda", class) => Self::Storage(storage_dtype(class).ok_or_else(refused)?),
            _ => return Err(refused()),
        })
    }
}
