//! Damaged and lying files: rows 6, 7, 8, 11 and 14.

use std::fs;
use std::path::Path;

use crate::world::{World, done, flip, pipe, refused, seen};

const PREDICT: &str = "predict --views all --weights @run --data @data --out @again.csv";

/// The tensors of a run's model as a file without the facts and the seal that ours have, with `change` done to the bytes.
fn unsealed(from: &Path, to: &Path, change: impl FnOnce(&mut [u8])) {
    let bytes = fs::read(from).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    header.as_object_mut().unwrap().remove("__metadata__");
    let mut header = header.to_string().into_bytes();
    while !header.len().is_multiple_of(8) {
        header.push(b' ');
    }
    let mut data = bytes[8 + length..].to_vec();
    change(&mut data);
    fs::write(to, [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat()).unwrap();
}

#[test]
fn row_06_weights_that_are_no_numbers_are_refused_by_all() {
    let world = World::new();
    let bad = world.at("bad.safetensors");
    unsealed(&world.at("run/model.safetensors"), &bad, |data| {
        data.chunks_exact_mut(4).for_each(|number| number.copy_from_slice(&f32::NAN.to_le_bytes()));
    });
    let network = "--arch resnet-tiny --normalization imagenet --weights @bad.safetensors --data @data";
    for (program, command, out) in [
        ("in9-models", "predict --views original", "p.csv"),
        ("in9-analysis", "adversarial --limit 3", "a"),
        ("in9-analysis", "saliency --limit 3", "s"),
        ("in9-analysis", "counterfactual --limit 3", "c"),
    ] {
        let words = format!("{command} {network} --out @{out}");
        refused(&format!("row 6, {command}"), &mut world.call(program, &words), &["bad.safetensors"]);
        assert!(!world.at(out).exists());
    }
}

#[test]
fn row_07_no_reader_answers_from_damaged_files() {
    let world = World::new();
    let (shard, model) = (world.at("data/shards/test-00000.in9"), world.at("run/model.safetensors"));
    for path in [&shard, &model] {
        let whole = fs::read(path).unwrap();
        for k in 0..20 {
            // Anywhere, and never in padding, which nobody reads.
            flip(path, (k * 2_654_435_761) % (8 * whole.len()));
            let name = path.file_name().unwrap().to_string_lossy();
            let seen = seen(&format!("row 7, a bit of {name}"), &mut world.call("in9-models", PREDICT));
            match seen.code {
                Some(1) => assert!(!world.at("again.csv").exists()),
                // A bit between the planes of a shard, which holds nothing.
                Some(0) => {
                    assert!(path == &shard);
                    assert_eq!(
                        fs::read(world.at("again.csv")).unwrap(),
                        fs::read(world.at("pred.csv")).unwrap()
                    );
                    fs::remove_file(world.at("again.csv")).unwrap();
                }
                other => panic!("{other:?}"),
            }
            fs::write(path, &whole).unwrap();
        }
    }
    // Zeroed photographs.
    let mut bytes = fs::read(&shard).unwrap();
    let length = bytes.len();
    bytes[length / 4..length / 2].fill(0);
    fs::write(&shard, bytes).unwrap();
    refused("row 7, zeroed photographs", &mut world.call("in9-models", PREDICT), &["test-00000.in9"]);
    // A pairing of the wrong class.
    let world = World::new();
    let pairing = world.at("data/pairings/test-mixed-same.csv");
    fs::copy(world.at("data/pairings/test-mixed-next.csv"), &pairing).unwrap();
    refused("row 7, another pairing", &mut world.call("in9-models", PREDICT), &["test-mixed-same.csv"]);
    // Checkpoints.
    let checkpoint = world.at("run/checkpoint.safetensors");
    let whole = fs::read(&checkpoint).unwrap();
    for k in 0..20 {
        flip(&checkpoint, (k * 2_654_435_761) % (8 * whole.len()));
        let train = "train --arch resnet-tiny --view original --preset small --epochs 1 --batch-size 4 --data @data \
            --resume --out @run";
        refused("row 7, a checkpoint", &mut world.call("in9-models", train), &["checkpoint.safetensors"]);
        fs::write(&checkpoint, &whole).unwrap();
    }
}

#[test]
fn row_08_a_zeroed_output_is_not_taken_for_done() {
    let world = World::new();
    let (recipe, out) = (world.at("recipe.toml"), world.at("o"));
    fs::write(&recipe, world.recipe()).unwrap();
    done("row 8, a run", &mut world.reproduce(&recipe, &out));
    let shard = out.join("data/world/result.txt");
    let whole = fs::read(&shard).unwrap();
    let time = fs::metadata(&shard).unwrap().modified().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(&shard, vec![0; whole.len()]).unwrap();
    let again = done("row 8, a zeroed shard", &mut world.reproduce(&recipe, &out));
    assert!(again.said.contains("is not what was written"), "{}", again.said);
    assert_eq!(fs::read(&shard).unwrap(), whole);
    // With its old time.
    fs::write(&shard, vec![0; whole.len()]).unwrap();
    fs::File::options().write(true).open(&shard).unwrap().set_modified(time).unwrap();
    let mut thorough = world.reproduce(&recipe, &out);
    done("row 8, with its old time and --verify-cache", thorough.arg("--verify-cache"));
    assert_eq!(fs::read(&shard).unwrap(), whole);
}

#[test]
fn row_11_no_flipped_bit_of_a_manifest_passes() {
    let world = World::new();
    let manifest = world.at("data/manifest.json");
    let whole = fs::read(&manifest).unwrap();
    for k in 0..60 {
        flip(&manifest, (k * 2_654_435_761) % (8 * whole.len()));
        refused("row 11, a bit", &mut world.call("in9-data", "verify @data"), &["manifest.json"]);
        fs::write(&manifest, &whole).unwrap();
    }
    let text = String::from_utf8(whole).unwrap();
    let swapped = text.replace("butterfly", "@").replace("fish", "butterfly").replace('@', "fish");
    fs::write(&manifest, swapped).unwrap();
    refused(
        "row 11, two names that changed places",
        &mut world.call("in9-data", "verify @data"),
        &["manifest"],
    );
    refused("row 11, the same to predict", &mut world.call("in9-models", PREDICT), &["manifest"]);
}

#[test]
fn row_14_pipes_and_devices_hang_nobody() {
    let world = World::new();
    let pipe_at = |name: &str| pipe(&world.at(name));
    let (recipe, out) = (world.at("recipe.toml"), world.at("o"));
    fs::write(&recipe, world.recipe()).unwrap();
    done("row 14, a run", &mut world.reproduce(&recipe, &out));
    pipe_at("p");
    let network = "--arch resnet-tiny --normalization imagenet --data @data --out @x";
    for (program, words) in [
        ("in9-models", format!("predict --weights @p {network}.csv")),
        ("in9-models", format!("predict --weights /dev/zero {network}.csv")),
        ("in9-analysis", format!("adversarial --weights @p {network}")),
        ("in9-models", "inspect @p".to_owned()),
        ("in9-analysis", "score @p --out @x".to_owned()),
        ("in9-analysis", "score /dev/zero --out @x".to_owned()),
        ("in9-report", "report --spec @p --out @x".to_owned()),
        ("in9-report", "report --spec /dev/zero --out @x".to_owned()),
        ("xtask", "reproduce --dry-run --out @x --recipe @p.toml".to_owned()),
    ] {
        if words.contains("p.toml") {
            pipe_at("p.toml");
        }
        let seen = refused(&format!("row 14, {words}"), &mut world.call(program, &words), &[]);
        assert!(seen.said.contains("is a pipe") || seen.said.contains("is a device"), "{}", seen.said);
    }
    for name in ["data/manifest.json", "data/pairings/test-mixed-next.csv", "data/shards/test-00000.in9"] {
        let whole = fs::read(world.at(name)).unwrap();
        pipe_at(name);
        refused(&format!("row 14, {name}"), &mut world.call("in9-models", PREDICT), &["is a pipe"]);
        fs::remove_file(world.at(name)).unwrap();
        fs::write(world.at(name), whole).unwrap();
    }
    pipe(&out.join(".stages/score.json"));
    refused("row 14, a cached file", &mut world.reproduce(&recipe, &out), &["is a pipe"]);
    fs::remove_file(out.join(".stages/score.json")).unwrap();
}

#[test]
fn unclear_doubled_names_in_weights_are_refused() {
    let world = World::new();
    let (from, to) = (world.at("run/model.safetensors"), world.at("double.safetensors"));
    unsealed(&from, &to, |_| {});
    let bytes = fs::read(&to).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = String::from_utf8(bytes[8..8 + length].to_vec()).unwrap();
    let first = header[1..].split_once("},").unwrap().0;
    let header = format!("{{{first}}},{}", &header[1..]);
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &bytes[8 + length..]].concat();
    fs::write(&to, bytes).unwrap();
    let predict = "predict --arch resnet-tiny --normalization imagenet --weights @double.safetensors --data @data \
        --out @x.csv";
    refused("unclear, a doubled name", &mut world.call("in9-models", predict), &["double.safetensors"]);
}
