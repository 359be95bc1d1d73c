//! Draws the picture of the documentation: a synthetic photograph with its box, the mask, the
//! cut-out. Writes it as PNG, for the README, and as text, which the crate's documentation embeds.
//!
//! ```text
//! cargo run --release -p grabcut --example pictures -- crates/grabcut/docs
//! ```
#![allow(clippy::print_stdout)]

mod scene;

use std::path::PathBuf;

use anyhow::Context;
use grabcut::{Init, Params, Rect, RgbView, Workspace, segment};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};

const WIDTH: u32 = 160;

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).context("usage: pictures FOLDER")?);
    let (photo, rect) = scene::scene(WIDTH);
    let (width, height) = photo.dimensions();
    let view = RgbView::new(photo.as_raw(), width as usize, height as usize)?;
    let mut workspace = Workspace::new();

    // Box, mask and cut-out side by side.
    let result = segment(view, Init::Box(rect), &Params::default(), &mut workspace)?;
    let mut strip = RgbImage::from_pixel(3 * width + 16, height, Rgb([255; 3]));
    for (x, y, &pixel) in photo.enumerate_pixels() {
        let foreground = result.mask()[(y * width + x) as usize] == 1;
        let boxed = if on_edge(rect, x, y) { Rgb([255, 40, 40]) } else { pixel };
        strip.put_pixel(x, y, boxed);
        strip.put_pixel(x + width + 8, y, if foreground { Rgb([255; 3]) } else { Rgb([0; 3]) });
        if foreground {
            strip.put_pixel(x + 2 * width + 16, y, pixel);
        }
    }
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::Adaptive).write_image(
        &strip,
        strip.width(),
        strip.height(),
        ExtendedColorType::Rgb8,
    )?;
    std::fs::write(folder.join("segmentation.png"), &png)?;
    std::fs::write(folder.join("segmentation.base64"), base64(&png))?;
    println!("energies in nats: {:.0?}", result.energies());
    for component in result.foreground_model().components() {
        println!("foreground: {:.2} of the pixels, mean {:.0?}", component.weight, component.mean);
    }
    Ok(())
}

/// Whether a pixel lies on the two-pixel frame inside the box.
fn on_edge(rect: Rect, x: u32, y: u32) -> bool {
    let within = |m: u32| (rect.x0 + m..rect.x1 - m).contains(&x) && (rect.y0 + m..rect.y1 - m).contains(&y);
    within(0) && !within(2)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |bits, &b| bits << 8 | usize::from(b)) << (8 * (3 - group.len()));
        for i in 0..4 {
            let digit = char::from(DIGITS[bits >> (18 - 6 * i) & 63]);
            text.push(if i <= group.len() { digit } else { '=' });
        }
    }
    text
}
