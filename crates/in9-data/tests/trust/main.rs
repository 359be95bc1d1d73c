//! Broken inputs, one table a kind, through the built program: each costs a counted skip or one error line
//! that says where, what was expected and what was found; none makes it panic, hang, or take memory
//! beyond the limits. On Linux, whose shells can set these limits (`ulimit -v`).
#![cfg(target_os = "linux")]

#[path = "../common/mod.rs"]
mod common;

mod annotations;
mod archives;
mod machine;
mod manifests;
mod masks;
mod names;
mod photographs;
mod places;
mod releases;
mod run;
mod shards;
mod tables;
