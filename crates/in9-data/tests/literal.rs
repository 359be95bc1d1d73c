//! Profile `paper` against an independent oracle: every view of 40 real photographs, pixel for pixel.
//!
//! The oracle (`tests/oracles/data_views.py`) is given the pixels that our decoder makes, so that nothing
//! hangs on how JPEG decoders round; `tests/oracles/data_decoders.py` measures that apart. Its hashes are
//! committed and compared without Python; where Python is present it runs again, also on GrabCut's masks.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use grabcut::{Init, Params, Rect, RgbView, Workspace};
use image::RgbImage;
use in9_data::{BuildConfig, Dataset, MaskSource, Pairing, Profile, SourceKind, Split, View, build, compose};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

/// So many of the slice's photographs with one box are looked at, for 40 to pass the filters.
const LOOKED_AT: usize = 56;
const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/paper_views.csv");

struct Photograph {
    name: String,
    rgb: RgbImage,
    corners: [u32; 4],
}

/// The slice's first photographs with exactly one box, decoded as in9-data decodes them.
fn photographs(slice: &Path) -> Vec<Photograph> {
    let table = std::fs::read_to_string(slice.join("LOC_val_solution.csv")).unwrap();
    let one_box = table.lines().skip(1).filter_map(|line| {
        let (name, rest) = line.split_once(',')?;
        let words: Vec<&str> = rest.split_whitespace().collect();
        let [_, x0, y0, x1, y1] = words[..] else { return None };
        Some((name.to_string(), [x0, y0, x1, y1].map(|corner| corner.parse().unwrap())))
    });
    let listed: Vec<(String, [u32; 4])> = one_box.take(LOOKED_AT).collect();
    let decode = |(name, corners): (String, [u32; 4])| {
        let path = slice.join(format!("ILSVRC/Data/CLS-LOC/val/{name}.JPEG"));
        let rgb = image::load_from_memory(&std::fs::read(path).unwrap()).unwrap().into_rgb8();
        Photograph { name, rgb, corners }
    };
    listed.into_par_iter().map(decode).collect()
}

/// The ellipse inscribed in the box, with every eleventh pixel of a slanted grid left out: ragged edges
/// and single-pixel holes, in integers only.
fn ragged(photo: &Photograph) -> Vec<u8> {
    let [x0, y0, x1, y1] = photo.corners.map(i64::from);
    let (across, down) = ((x1 - x0).max(1).pow(2), (y1 - y0).max(1).pow(2));
    let inside =
        |x: i64, y: i64| (2 * x - x0 - x1).pow(2) * down + (2 * y - y0 - y1).pow(2) * across <= across * down;
    let (width, height) = (i64::from(photo.rgb.width()), i64::from(photo.rgb.height()));
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    pixels.map(|(x, y)| u8::from(inside(x, y) && (7 * x + 13 * y) % 11 != 0) * 255).collect()
}

fn grabcut(photo: &Photograph) -> Vec<u8> {
    let (width, height) = photo.rgb.dimensions();
    let [x0, y0, x1, y1] = photo.corners;
    let rect = Rect { x0, y0, x1: x1.min(width), y1: y1.min(height) };
    let view = RgbView::new(photo.rgb.as_raw(), width as usize, height as usize).unwrap();
    let mut workspace = Workspace::new();
    let made = grabcut::segment(view, Init::Box(rect), &Params::default(), &mut workspace);
    // A box without surroundings has no mask; its photograph is rejected.
    made.map_or_else(|_| vec![0; (width * height) as usize], |s| s.mask().iter().map(|m| m * 255).collect())
}

/// Writes the photographs (without loss) and masks in the ILSVRC layout below `root`.
fn lay_out(photos: &[Photograph], slice: &Path, root: &Path, mask: fn(&Photograph) -> Vec<u8>) {
    let (pictures, masks) = (root.join("ILSVRC/Data/CLS-LOC/val"), root.join("masks/val"));
    std::fs::create_dir_all(&pictures).unwrap();
    std::fs::create_dir_all(&masks).unwrap();
    std::fs::copy(slice.join("LOC_val_solution.csv"), root.join("LOC_val_solution.csv")).unwrap();
    photos.par_iter().for_each(|photo| {
        let name = format!("{}.png", photo.name);
        photo.rgb.save(pictures.join(&name)).unwrap();
        let (width, height) = photo.rgb.dimensions();
        image::GrayImage::from_raw(width, height, mask(photo)).unwrap().save(masks.join(name)).unwrap();
    });
}

fn dataset(root: &Path, out: PathBuf, size: u32) -> Dataset {
    let config = BuildConfig {
        profile: Profile::Paper,
        masks: MaskSource::Exact,
        size,
        short_side: Some(256),
        ..BuildConfig::new(SourceKind::Ilsvrc, root, &out)
    };
    build(&config, &|_| ()).unwrap();
    Dataset::open(&out).unwrap()
}

/// Every view of every sample: (id, view) to pixels.
fn views(dataset: &Dataset, split: &Split) -> BTreeMap<(String, View), Vec<u8>> {
    let mut made = BTreeMap::new();
    for view in View::PAPER {
        let pairing = view.needs_background().then(|| Pairing::frozen(dataset, split, view).unwrap());
        for index in 0..split.len() {
            let background = pairing.as_ref().map(|p| split.layers(p.0[index] as usize).unwrap().tiled);
            let (sample, mut out) = (split.sample(index), vec![0; split.size() * split.size() * 3]);
            compose(view, &split.layers(index).unwrap(), sample.crop_box, background, split.size(), &mut out);
            made.insert((sample.id.clone(), view), out);
        }
    }
    made
}

/// Runs the oracle on the samples of `dataset`; its pictures are below `out`, its table is returned.
fn run_oracle(
    python: &Path,
    photos: &[Photograph],
    (dataset, split): (&Dataset, &Split),
    root: &Path,
    out: &Path,
) -> String {
    std::fs::create_dir_all(out).unwrap();
    let (mut list, mut pairs) = (String::new(), String::new());
    for sample in split.samples() {
        let photo = root.join(&sample.source);
        let mask = root.join("masks/val").join(photo.file_name().unwrap());
        // The box as annotated, not as the dataset has it.
        let name = photo.file_stem().unwrap().to_str().unwrap();
        let [x0, y0, x1, y1] = photos.iter().find(|photo| photo.name == name).unwrap().corners;
        let (photo, mask) = (photo.display(), mask.display());
        writeln!(list, "{}\t{photo}\t{mask}\t{x0}\t{y0}\t{x1}\t{y1}", sample.id).unwrap();
    }
    for view in View::MIXED {
        let pairing = Pairing::frozen(dataset, split, view).unwrap();
        for (index, &background) in pairing.0.iter().enumerate() {
            let (front, back) = (&split.sample(index).id, &split.sample(background as usize).id);
            writeln!(pairs, "{view}\t{front}\t{back}").unwrap();
        }
    }
    std::fs::write(out.join("list.tsv"), list).unwrap();
    std::fs::write(out.join("pairs.tsv"), pairs).unwrap();
    let script = common::oracle("data_views.py");
    let mut command = Command::new(python);
    command.arg(script).arg(out.join("list.tsv")).arg(out.join("pairs.tsv")).arg(out);
    let run = command.output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap()
}

/// Compares with the oracle's pictures below `out`, pixel for pixel.
fn compare(ours: &BTreeMap<(String, View), Vec<u8>>, out: &Path) {
    ours.par_iter().for_each(|((id, view), pixels)| {
        let theirs = image::open(out.join(format!("{view}/{id}.png"))).unwrap().into_rgb8().into_raw();
        let differ = pixels.chunks_exact(3).zip(theirs.chunks_exact(3)).filter(|(a, b)| a != b).count();
        assert_eq!((pixels.len(), differ), (theirs.len(), 0), "{view} of {id}");
    });
}

#[test]
fn every_view_is_the_oracles_pixel_for_pixel() {
    let Some(slice) = common::real_data("ilsvrc-val-slice") else { return };
    let dir = tempfile::tempdir().unwrap();
    let photos = photographs(&slice);
    let python = common::python("numpy, PIL");
    let root = dir.path().join("ragged");
    lay_out(&photos, &slice, &root, ragged);
    let mut hashes = String::from("id,side,view,sha256\n");
    for size in [224, 256] {
        let dataset = dataset(&root, dir.path().join(format!("ragged-{size}")), size);
        let split = dataset.split("test").unwrap();
        assert_eq!(split.len(), 40, "photographs that pass");
        let ours = views(&dataset, &split);
        for sample in split.samples() {
            for view in View::PAPER {
                let hash = Sha256::digest(&ours[&(sample.id.clone(), view)]);
                let hash: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
                writeln!(hashes, "{},{size},{view},{hash}", sample.id).unwrap();
            }
        }
        if let Some(python) = &python {
            let out = dir.path().join(format!("oracle-{size}"));
            let table = run_oracle(python, &photos, (&dataset, &split), &root, &out);
            compare(&ours, &out.join(size.to_string()));
            if std::env::var_os("IN9_BLESS").is_some() {
                std::fs::write(FIXTURE, table).unwrap();
            }
        }
    }
    let sorted = |text: &str| text.lines().map(str::to_string).collect::<std::collections::BTreeSet<_>>();
    let (expected, found) = (sorted(&std::fs::read_to_string(FIXTURE).unwrap()), sorted(&hashes));
    assert_eq!(found.len(), 40 * 8 * 2 + 1);
    let wrong: Vec<_> = found.symmetric_difference(&expected).collect();
    assert!(wrong.is_empty(), "the oracle's committed hashes differ: {wrong:?}");
}

#[test]
fn the_same_holds_for_grabcuts_masks_and_for_the_jpegs_themselves() {
    let Some(slice) = common::real_data("ilsvrc-val-slice") else { return };
    let Some(python) = common::python("numpy, PIL") else { return };
    let dir = tempfile::tempdir().unwrap();
    let photos = photographs(&slice);
    let root = dir.path().join("grabcut");
    lay_out(&photos, &slice, &root, grabcut);
    let lossless = dataset(&root, dir.path().join("lossless"), 224);
    let split = lossless.split("test").unwrap();
    let ours = views(&lossless, &split);
    let out = dir.path().join("oracle");
    run_oracle(&python, &photos, (&lossless, &split), &root, &out);
    compare(&ours, &out.join("224"));
    // The same photographs as JPEG files: the same layers.
    let pictures = root.join("ILSVRC/Data/CLS-LOC/val");
    for photo in &photos {
        let name = format!("{}.JPEG", photo.name);
        std::fs::copy(slice.join("ILSVRC/Data/CLS-LOC/val").join(&name), pictures.join(&name)).unwrap();
        std::fs::remove_file(pictures.join(format!("{}.png", photo.name))).unwrap();
    }
    let jpeg = dataset(&root, dir.path().join("jpeg"), 224);
    let jpeg_split = jpeg.split("test").unwrap();
    assert!(views(&jpeg, &jpeg_split) == ours, "JPEG files give other pixels than their decoder");
}
