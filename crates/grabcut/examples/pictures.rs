//! Draws the pictures of the documentation: a synthetic photograph, its box, its mask.
//!
//! ```text
//! cargo run --release -p grabcut --example pictures -- crates/grabcut/docs
//! ```
#![allow(clippy::print_stdout)]

use std::path::PathBuf;

use anyhow::Context;
use grabcut::{Init, Params, Rect, RgbView, Workspace, segment};
use image::{GrayImage, RgbImage};

const WIDTH: u32 = 160;
const HEIGHT: u32 = 120;
const BOX: Rect = Rect { x0: 36, y0: 22, x1: 128, y1: 104 };

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).context("usage: pictures FOLDER")?);
    let photo = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| image::Rgb(pixel(x, y)));
    let view = RgbView::new(photo.as_raw(), WIDTH as usize, HEIGHT as usize)?;
    let mut workspace = Workspace::new();
    let result = segment(view, Init::Box(BOX), &Params::default(), &mut workspace)?;

    let mut boxed = photo.clone();
    for (x, y, pixel) in boxed.enumerate_pixels_mut() {
        let inside = (BOX.x0..BOX.x1).contains(&x) && (BOX.y0..BOX.y1).contains(&y);
        let edge = x == BOX.x0 || x + 1 == BOX.x1 || y == BOX.y0 || y + 1 == BOX.y1;
        if inside && edge {
            *pixel = image::Rgb([255, 40, 40]);
        }
    }
    let mask = GrayImage::from_raw(WIDTH, HEIGHT, result.mask().iter().map(|m| m * 255).collect());
    let mut cut = photo;
    for (pixel, &m) in cut.pixels_mut().zip(result.mask()) {
        if m == 0 {
            *pixel = image::Rgb([255; 3]);
        }
    }
    boxed.save(folder.join("box.png"))?;
    mask.context("mask has another size")?.save(folder.join("mask.png"))?;
    cut.save(folder.join("cut-out.png"))?;
    println!("energies in nats: {:.0?}", result.energies());
    Ok(())
}

/// A ripe pear before a meadow: shaded, with a leaf, under some noise.
fn pixel(x: u32, y: u32) -> [u8; 3] {
    let (u, v) = (f64::from(x), f64::from(y));
    let noise = f64::from((x.wrapping_mul(73_856_093) ^ y.wrapping_mul(19_349_663)) >> 3 & 31) - 15.5;
    let body = ((u - 82.0) / 36.0).powi(2) + ((v - 72.0) / 27.0).powi(2) < 1.0;
    let neck = ((u - 82.0) / 17.0).powi(2) + ((v - 48.0) / 22.0).powi(2) < 1.0;
    let base = if body || neck {
        let light = 1.1 - 0.008 * ((u - 66.0).abs() + (v - 60.0).abs());
        [235.0 * light, 190.0 * light, 60.0 * light]
    } else if v < 45.0 + 8.0 * (u / 25.0).sin() {
        [150.0 + v, 185.0 + 0.5 * v, 235.0]
    } else {
        [70.0 + 15.0 * (u / 7.0 + v / 5.0).sin(), 125.0 + 20.0 * (u / 11.0).cos(), 55.0]
    };
    base.map(|c| (c + noise).clamp(0.0, 255.0) as u8)
}
