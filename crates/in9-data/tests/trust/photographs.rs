//! Photographs: cut, damaged, lying, odd.

use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType as Colour, ImageEncoder};

use super::run::{build_with_faults, outcomes};

/// A bright disc on a dark ground; its box is 18 8 41 31.
fn disc(bytes_per_value: usize, channels: usize) -> Vec<u8> {
    let pixel = |x: i32, y: i32| {
        let inside = (2 * x - 59).pow(2) + (2 * y - 39).pow(2) <= 24 * 24;
        let stripe = 30 + (x % 5) as u8;
        [[20, stripe, 70, 255], [230, 200, 60, 255]][usize::from(inside)]
    };
    let pixels = (0..40).flat_map(|y| (0..60).map(move |x| pixel(x, y)));
    let grey = |p: [u8; 4]| if channels < 3 { [p[1], 255, 0, 0] } else { p };
    pixels.flat_map(|p| grey(p).into_iter().take(channels).flat_map(|v| vec![v; bytes_per_value])).collect()
}

fn jpeg(pixels: &[u8], width: u32, height: u32, colour: Colour) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).write_image(pixels, width, height, colour).unwrap();
    bytes
}

fn png(pixels: &[u8], width: u32, height: u32, colour: Colour) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(pixels, width, height, colour).unwrap();
    bytes
}

/// A PNG whose header promises other sides, with a right checksum.
fn lying_png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(&disc(1, 3), 60, 40, Colour::Rgb8);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32fast::hash(&bytes[12..29]).to_be_bytes();
    bytes[29..33].copy_from_slice(&crc);
    bytes
}

/// A JPEG whose frame header promises other sides.
fn lying_jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = jpeg(&disc(1, 3), 60, 40, Colour::Rgb8);
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    bytes
}

/// A JPEG with an EXIF note that says: turn by a quarter.
fn rotated() -> Vec<u8> {
    let whole = jpeg(&disc(1, 3), 60, 40, Colour::Rgb8);
    let mut note = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    let mut bytes = whole[..2].to_vec();
    bytes.extend([0xff, 0xe1, 0, note.len() as u8 + 2]);
    bytes.append(&mut note);
    bytes.extend_from_slice(&whole[2..]);
    bytes
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/photographs");
    std::fs::read(Path::new(folder).join(name)).unwrap()
}

#[test]
fn every_broken_photograph_is_a_counted_skip() {
    let rgb = disc(1, 3);
    let whole_jpeg = jpeg(&rgb, 60, 40, Colour::Rgb8);
    let whole_png = png(&rgb, 60, 40, Colour::Rgb8);
    // Name, bytes, what becomes of it.
    let mut table: Vec<(String, Vec<u8>, &str)> = Vec::new();
    let mut add = |name: &str, bytes: Vec<u8>, outcome| table.push((name.into(), bytes, outcome));
    add("good.jpg", whole_jpeg.clone(), "kept");
    add("good-png.png", whole_png.clone(), "kept");
    for part in 0..16 {
        let cut = |whole: &[u8]| whole[..whole.len() * part / 16].to_vec();
        add(&format!("cut-{part}.jpg"), cut(&whole_jpeg), "unreadable");
        add(&format!("cut-png-{part}.png"), cut(&whole_png), "unreadable");
        // May as well decode to another picture; is counted in any case.
        let mut flipped = whole_png.clone();
        flipped[whole_png.len() * part / 16 + 1] ^= 0x55;
        add(&format!("flipped-png-{part}.png"), flipped, "any");
        let mut flipped = whole_jpeg.clone();
        flipped[whole_jpeg.len() * part / 16 + 1] ^= 0x55;
        add(&format!("flipped-{part}.jpg"), flipped, "any");
    }
    add("one-pixel.jpg", jpeg(&[9, 9, 9], 1, 1, Colour::Rgb8), "box-degenerate");
    add("long.jpg", jpeg(&[99; 30_000 * 2 * 3], 30_000, 2, Colour::Rgb8), "box-lost-in-crop");
    add("tall.png", png(&[99; 30_000 * 2 * 3], 2, 30_000, Colour::Rgb8), "box-lost-in-crop");
    add("cmyk.jpg", fixture("cmyk.jpg"), "kept");
    add("progressive.jpg", fixture("progressive.jpg"), "kept");
    add("subsampled.jpg", fixture("subsampled.jpg"), "kept");
    add("palette.png", fixture("palette.png"), "kept");
    add("one-bit.png", fixture("one-bit.png"), "kept");
    add("grey.jpg", jpeg(&disc(1, 1), 60, 40, Colour::L8), "kept");
    add("grey-alpha.png", png(&disc(1, 2), 60, 40, Colour::La8), "kept");
    add("sixteen-bit.png", png(&disc(2, 3), 60, 40, Colour::Rgb16), "kept");
    add("sixteen-bit-grey.png", png(&disc(2, 1), 60, 40, Colour::L16), "kept");
    add("alpha.png", png(&disc(1, 4), 60, 40, Colour::Rgba8), "kept");
    add("rotated.jpg", rotated(), "kept");
    add("png-named.jpg", whole_png.clone(), "kept");
    add("jpeg-named.png", whole_jpeg.clone(), "kept");
    add("gif-named.jpg", b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), "unreadable");
    add("text-named.png", b"not a picture".to_vec(), "unreadable");
    add("promises-4-gigapixels.png", lying_png(0xffff, 0xffff), "unreadable");
    add("promises-too-wide.png", lying_png(0x7fff_ffff, 1), "unreadable");
    add("promises-nothing.png", lying_png(0, 40), "unreadable");
    add("promises-more-rows.png", lying_png(60, 4000), "unreadable");
    add("promises-4-gigapixels.jpg", lying_jpeg(0xffff, 0xffff), "unreadable");
    add("promises-nothing.jpg", lying_jpeg(0, 40), "unreadable");

    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("root/train/disc");
    std::fs::create_dir_all(&folder).unwrap();
    let mut boxes = String::from("image,x0,y0,x1,y1\n");
    // Ids are names without extension: both of a pair would be one sample.
    for (at, (name, bytes, outcome)) in table.iter_mut().enumerate() {
        *name = format!("{at:03}-{name}");
        std::fs::write(folder.join(&*name), bytes).unwrap();
        let corners = match *outcome {
            "box-degenerate" => "0,0,0,0",
            "box-lost-in-crop" if name.ends_with("tall.png") => "0,0,2,20",
            "box-lost-in-crop" => "0,0,20,2",
            _ => "18,8,41,31",
        };
        boxes.push_str(&format!("train/disc/{name},{corners}\n"));
    }
    // What is no file: a folder, and a pipe that nobody writes to.
    std::fs::create_dir(folder.join("folder.jpg")).unwrap();
    boxes.push_str("train/disc/folder.jpg,0,0,1,1\ntrain/disc/pipe.jpg,0,0,1,1\n");
    let mut specials = vec!["folder.jpg"];
    if std::process::Command::new("mkfifo").arg(folder.join("pipe.jpg")).status().is_ok_and(|s| s.success()) {
        specials.push("pipe.jpg");
    }
    std::fs::write(dir.path().join("root/boxes.csv"), boxes).unwrap();

    let out = dir.path().join("out");
    let probe = dir.path().join("probe");
    // A first build tells what the flipped ones decode to; all that is asked of them is to be counted.
    let mut command = super::run::program("");
    command.args(["build", "--source", "folder", "--size", "32", "--root"]).arg(dir.path().join("root"));
    super::run::run(command.arg("--out").arg(&probe));
    let found = outcomes(&probe);
    for (name, _, outcome) in &table {
        let found = found.get(name).unwrap_or_else(|| panic!("{name} is not counted"));
        assert!(found == outcome || *outcome == "any", "{name}: expected {outcome}, found {found}");
    }
    assert_eq!(found.len(), table.len() + specials.len());
    let faulty: Vec<&str> = table
        .iter()
        .map(|(name, ..)| name.as_str())
        .chain(specials)
        .filter(|name| found[*name] == "unreadable")
        .collect();
    build_with_faults("folder", &dir.path().join("root"), &out, &[], &faulty);

    // Odd kinds are read as what they show: the disc's colour, not turned.
    let dataset = in9_data::Dataset::open(&out).unwrap();
    let split = dataset.split("train").unwrap();
    for (index, sample) in split.samples().enumerate().filter(|(_, s)| !s.id.contains("flipped")) {
        assert_eq!((sample.width, sample.height), (60, 40), "{}", sample.id);
        let layers = split.layers(index).unwrap();
        let middle = &layers.photo[(16 * 32 + 16) * 3..][..3];
        let grey = ["grey", "one-bit"].iter().any(|kind| sample.id.contains(kind));
        let expected = match grey {
            true if sample.id.contains("one-bit") => [255; 3],
            true => [200; 3],
            false => [230, 200, 60],
        };
        assert!(middle.iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 16), "{}: {middle:?}", sample.id);
        assert!(layers.mask.get(16, 16) && !layers.mask.get(1, 1), "{}", sample.id);
    }
}
