//! Attacks on the built programs, as a stranger would try them: each names the row of the list of findings that it
//! tries again. None may take more than a minute or a gigabyte, print a panic, or change what is not the program's.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "what is seen is shown with --nocapture")]

mod damage;
mod machine;
mod places;
mod tables;
mod world;
