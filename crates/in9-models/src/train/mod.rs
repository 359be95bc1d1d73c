//! Training: settings, schedule, optimiser, the loop, checkpoints and logs.
//!
//! A run writes one folder:
//!
//! | file | what |
//! | --- | --- |
//! | `run.toml` | every effective setting, the dataset's digest, the seed |
//! | `log.csv` | one row an epoch |
//! | `checkpoint.safetensors` | everything that a killed run needs to go on |
//! | `model.safetensors` | parameters and running statistics after the last step |
//! | `events.out.tfevents.*` | the same curves for TensorBoard, and images per second |
//!
//! All but the event files are the same bytes for any number of threads and any interruption.

mod accumulated;
mod attack;
mod checkpoint;
mod data;
mod engine;
pub(crate) mod evaluate;
mod folder;
mod group_dro;
mod log;
mod optimizer;
mod plan;
mod run_file;
mod schedule;
mod selection;
mod settings;
mod tensorboard;
mod weighed;

pub use attack::{Attack, Norm};
pub use checkpoint::Progress;
pub use data::{Batch, BatchStream, Batches, DatasetBatches};
pub use engine::{EpochReport, Observer, Silent, StepReport, Summary, Training};
pub use evaluate::{Score, evaluate};
pub use folder::OWNER;
pub use group_dro::{GroupDro, TrainedGroup};
pub use optimizer::Sgd;
pub use plan::{Plan, Start};
pub use run_file::{DataSection, ModelSection, RunFile, read_run};
pub use schedule::{Anneal, Schedule};
pub use selection::{Selection, fine_groups};
pub use settings::{AugmentSetting, Decay, Settings};
pub use tensorboard::EventFile;
