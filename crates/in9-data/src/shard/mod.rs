//! The shard format `.in9`, as written down in FORMAT.md.

mod codec;
mod header;
mod reader;
mod writer;

pub use codec::Sample;
pub(crate) use header::{MAX_SIZE, Planes};
pub use reader::Shard;
pub(crate) use reader::ShardOutline;
pub(crate) use writer::{Record, write};
