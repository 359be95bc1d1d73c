//! What a crate is built from, as a digest: change a file below its `src` and run this again.
//!
//! `cargo run -p in9-identity --example identity -- crates/in9-toy Cargo.lock`
#![allow(clippy::print_stdout, reason = "an example's purpose")]

use in9_identity::digest_of_sources;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let folder = args.next().ok_or("which crate's folder?")?;
    let lock = args.next().ok_or("which Cargo.lock?")?;
    println!("{}", digest_of_sources(folder.as_ref(), lock.as_ref()));
    Ok(())
}
