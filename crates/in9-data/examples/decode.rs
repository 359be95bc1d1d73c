//! Writes photographs as this crate decodes them, without loss: for comparing JPEG decoders.
//!
//! `cargo run --release -p in9-data --example decode -- FOLDER OUT`

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, out] = &arguments[..] else { return Err("usage: decode FOLDER OUT".into()) };
    std::fs::create_dir_all(out)?;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let photo = image::load_from_memory(&std::fs::read(&path)?)?.into_rgb8();
        photo.save(Path::new(out).join(format!("{name}.png")))?;
    }
    Ok(())
}
