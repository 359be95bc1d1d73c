//! Every kernel of this crate on the host, with the threads of a block emulated and every access to memory checked,
//! beside the CPU's kernels; and faults planted into the kernels, which these tests must find.
//!
//! They need a C++ compiler (`CXX`, or `c++`, or `g++`) and are skipped with a line where there is none.
#![allow(clippy::print_stdout, reason = "a skipped test says so")]
#![cfg(unix)]

mod compiler;
mod composition;
mod depthwise;
mod emulator;
mod faults;
mod layers;
mod loss_and_step;
mod normalization;
mod pooling;
mod tensors;

/// A kernel that no test of these modules launches would be one that nothing holds to the CPU's.
#[test]
fn every_kernel_is_launched() {
    composition::every_view_in_every_placement_has_the_bits_of_the_definition();
    depthwise::forward_and_both_gradients();
    layers::activations_and_residual_additions();
    layers::gates_scale_channels();
    layers::channels_come_from_their_sources_and_gradients_go_back_there();
    layers::layouts_and_precisions_change_and_change_back();
    layers::casts_round_to_the_nearest_even();
    loss_and_step::cross_entropy_with_and_without_smoothing();
    loss_and_step::a_step_of_sgd_is_the_cpus();
    loss_and_step::dropout_has_the_mask_of_the_cpu_bit_for_bit();
    normalization::batch_norm_and_its_gradients();
    normalization::running_statistics_move_as_on_the_cpu();
    normalization::the_gradient_of_a_bias_is_the_sum_of_its_channel();
    normalization::epilogues_add_bias_and_residual_before_the_activation();
    pooling::maxima_and_means_of_windows();
    pooling::means_of_whole_planes();
    if let Some(emulator) = emulator::Emulator::both_orders().first() {
        assert_eq!(emulator.never_launched(), Vec::<String>::new());
    }
}
