//! The program makes the settings of the process that the kernels want.
#![cfg(all(feature = "cli", feature = "probes"))]

use clap::Parser as _;
use in9_analysis::cli::Cli;
use in9_base::shell::Program as _;

#[test]
fn the_threads_are_those_of_the_kernels() {
    assert_eq!(rayon::current_thread_index(), None);
    let program =
        Cli::parse_from(["in9-analysis", "saliency", "--weights", "w", "--data", "d", "--out", "o"]);
    program.start(2).unwrap();
    // Only the kernels' own start makes the calling thread one of the workers.
    assert_eq!((rayon::current_num_threads(), rayon::current_thread_index()), (2, Some(0)));
}
