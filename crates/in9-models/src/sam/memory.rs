//! What running a network takes of memory.

use super::sizes::{EncoderSizes, SamConfig, TinySizes, VitSizes};
use crate::weights::StateDict;

/// Bytes of a value.
const VALUE: u64 = 4;

/// Bytes that weights and one run take together at most.
///
/// Those of TinyViT count twice: its layers keep them in another order, too. Activations are those that
/// candle-transformers holds at the same time, by its source.
pub(super) fn bytes(config: &SamConfig, tensors: &StateDict) -> u64 {
    let values = tensors.iter().filter(|(name, _)| config.uses(name)).map(|(_, tensor)| {
        tensor.shape().iter().fold(1u64, |product, &side| product.saturating_mul(side as u64))
    });
    let weights = values.fold(0u64, u64::saturating_add);
    let side = config.image as u64;
    // The picture as it came, as a tensor, and what is made of it by the first convolution.
    let pixels = 3 * 3 * side * side;
    let encoded = match &config.encoder {
        EncoderSizes::Vit(vit) => weights.saturating_add(self::vit(vit, config.grid() as u64)),
        EncoderSizes::Tiny(tiny) => weights.saturating_mul(2).saturating_add(self::tiny(tiny, side)),
    };
    encoded.saturating_add(pixels).saturating_add(decoder(config)).saturating_mul(VALUE)
}

/// Values of a transformer's activations.
fn vit(sizes: &VitSizes, grid: u64) -> u64 {
    let (width, heads) = (sizes.width as u64, sizes.heads as u64);
    let tokens = grid * grid;
    // Products and shares, or two of products; the products of queries with positions; queries, keys and values in two orders.
    let attention = |tokens: u64, side: u64| {
        let area = side * side;
        heads * tokens * (2 * area + 4 * side) + 10 * tokens * width
    };
    let window = sizes.window as u64;
    let filled = grid.next_multiple_of(window.max(1)).pow(2);
    let perceptron = 3 * 4 * tokens * width;
    let most = [attention(tokens, grid), attention(filled, window), perceptron].into_iter().max();
    most.unwrap_or(0) + 6 * tokens * width
}

/// Values of TinyViT's activations: of a block of the first stage, or of one with attention.
fn tiny(sizes: &TinySizes, side: u64) -> u64 {
    let first = (side / 4).pow(2) * sizes.widths[0] as u64;
    let stage = |i: usize| {
        let (side, window) = (side / [4, 8, 16, 16][i], sizes.windows[i] as u64);
        let (width, heads) = (sizes.widths[i] as u64, sizes.heads[i] as u64);
        let tokens = side.next_multiple_of(window.max(1)).pow(2);
        heads * tokens * window * window * 2 + 12 * tokens * width
    };
    let most = (1..4).map(stage).max().unwrap_or(0);
    // Four times as wide inside, of which three are there at the same time, with their way around.
    most.max(14 * first)
}

/// Values of the decoder's activations: keys in a few forms, and the upscaled image.
fn decoder(config: &SamConfig) -> u64 {
    let (tokens, width) = ((config.grid() as u64).pow(2), config.decoder.width as u64);
    16 * tokens * width + 4 * (16 * tokens * (width / 8)) + 4 * (4 * tokens * (width / 4))
}
