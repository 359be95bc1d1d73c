//! The ground that the in9 crates stand on.
//!
//! What several of them need and none should write twice:
//!
//! - [`files`]: files and folders that appear whole or not at all, and belong to whoever made them;
//! - [`PlainName`]: names from recipes and tables that may become parts of paths;
//! - [`Piece`]: `i/n`, one of the pieces that a work is divided into;
//! - [`rng`]: random streams that depend on what they are for;
//! - [`table`]: CSV files whose faults are named by line;
//! - [`digest`]: BLAKE3 of files and folders;
//! - [`guard`]: libraries that may panic on what strangers send;
//! - [`parent`]: processes that end when the one that started them does;
//! - `shell` (feature `shell`): what every program does around its work.
//!
//! ```
//! use in9_base::files::{self, Owner, OutputFolder};
//!
//! let folder = tempfile::tempdir()?;
//! let owner = Owner { made_by: "example", names: &["scores.csv"] };
//! let output = OutputFolder::begin(&folder.path().join("out"), &owner, &[])?;
//! output.write("scores.csv", "model,accuracy\n")?;
//! output.finish()?;
//! assert_eq!(files::read_text(&folder.path().join("out/scores.csv"), 1 << 20)?, "model,accuracy\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(missing_docs)]

#[cfg(feature = "counting")]
pub mod counting;
pub mod digest;
mod error;
pub mod files;
pub mod guard;
pub mod memory;
mod name;
pub mod parent;
pub mod piece;
pub mod rng;
#[cfg(feature = "shell")]
pub mod shell;
pub mod table;

pub use error::{Action, Error, Result, is_of_machine};
pub use name::{BadName, PlainName};
pub use piece::{BadPiece, NoPiece, NotWhole, Piece, check_whole};
