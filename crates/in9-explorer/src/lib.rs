//! See for yourself: every photograph in all its views beside every model's answers.
//!
//! A [`Collection`] is read from the output folder of `reproduce`, or from datasets, prediction tables and probe
//! outputs ([`Inputs`]). It is shown by a server for one person's browser ([`server`]) or written as a folder or one
//! file that needs no server ([`export`]); both are the same page, which reads from the server or from the data inside
//! its own file.
//!
//! ```no_run
//! use in9_explorer::{Collection, Inputs, server};
//!
//! # fn main() -> in9_explorer::Result<()> {
//! let inputs = Inputs::find(&["out".into()])?;
//! let collection = Collection::load(&inputs, &Default::default())?;
//! let config = server::Config::default(); // 127.0.0.1, any free port
//! server::serve(collection, Vec::new(), &config, |address| println!("http://{address}"))?;
//! # Ok(())
//! # }
//! ```
#![deny(missing_docs)]

mod answerer;
#[cfg(feature = "cli")]
pub mod cli;
mod collection;
mod columns;
mod documents;
mod error;
pub mod export;
mod inputs;
mod interface;
#[cfg(feature = "networks")]
mod networks;
mod picture;
mod report;
pub mod server;

pub use answerer::{Answer, Answerer, Probed};
pub use collection::Collection;
pub use error::{Error, Result};
pub use inputs::Inputs;
