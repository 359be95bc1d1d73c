//! The procedural world never changes by accident: its files' hash is fixed, on every platform.

use std::path::Path;

use in9_toy::{WorldConfig, render};

/// BLAKE3 of every file below `folder`, in the order of their names, names included.
fn digest(folder: &Path) -> String {
    let mut open = vec![folder.to_path_buf()];
    let mut files = Vec::new();
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let mut hasher = blake3::Hasher::new();
    for path in &files {
        let name = path.strip_prefix(folder).unwrap().components();
        let name: Vec<_> = name.map(|part| part.as_os_str().to_str().unwrap()).collect();
        let bytes = std::fs::read(path).unwrap();
        hasher.update(name.join("/").as_bytes()).update(&(bytes.len() as u64).to_le_bytes()).update(&bytes);
    }
    hasher.finalize().to_hex().to_string()
}

#[test]
fn the_world_of_seed_1_is_the_one_of_the_first_release() {
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("world");
    let config =
        WorldConfig { seed: 1, rho: 0.5, train_per_class: 3, test_per_class: 2, ..WorldConfig::default() };
    render(&config, &world, &|_, _| {}).unwrap();
    assert_eq!(
        digest(&world.join("ILSVRC")),
        "612ee6efaa625042f9180cf9cccad42c037ab4ed13d980ba499a43245d7cd77d"
    );
    assert_eq!(
        digest(&world.join("masks")),
        "ee0d8fa48b5c9174401f748ff971ee884b638c51ab4ac2f1a22b205929c2cb92"
    );
}
