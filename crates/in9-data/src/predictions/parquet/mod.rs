//! Prediction tables as Parquet files: the columns of the CSV form, under the same names.

mod read;
mod write;

pub(super) use read::Rows;
pub(super) use write::bytes;
