//! Views for dataset hubs: what the descriptions say is there, and is what it says.

mod common;

use std::collections::BTreeMap;
use std::fs;

use in9_data::{BuildConfig, Dataset, MaskSource, PictureCode, SourceKind, Split, View, build, export_hub};
use sha2::Digest as _;

#[test]
fn descriptions_tables_and_pictures_agree() {
    let dir = tempfile::tempdir().unwrap();
    let root = common::world(dir.path(), 2, 2);
    let data = dir.path().join("data");
    let mut config = BuildConfig::new(SourceKind::Toy, &root, &data);
    (config.size, config.masks) = (16, MaskSource::Exact);
    build(&config, &|_| ()).unwrap();
    let dataset = Dataset::open(&data).unwrap();
    let splits: Vec<Split> = dataset.splits().iter().map(|name| dataset.split(name).unwrap()).collect();
    let (views, out) = ([View::Original, View::MixedRand], dir.path().join("hub"));
    let count = export_hub(&dataset, &splits, &views, PictureCode::Png, &out, &|_, _| ()).unwrap();
    assert_eq!(count as usize, 2 * splits.iter().map(Split::len).sum::<usize>());

    let croissant: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("croissant.json")).unwrap()).unwrap();
    assert!(croissant["description"].as_str().unwrap().contains(&dataset.digest()));
    let card = fs::read_to_string(out.join("README.md")).unwrap();
    let mut pictures = 0;
    for split in &splits {
        for view in views {
            assert!(card.contains(&format!("path: {view}/{}/**", split.name())), "{card}");
            let place = out.join(view.name()).join(split.name());
            let table = fs::read(place.join("metadata.csv")).unwrap();
            let listed = croissant["distribution"].as_array().unwrap().iter().find(|file| {
                file["contentUrl"].as_str() == Some(&format!("{view}/{}/metadata.csv", split.name()))
            });
            let digest: String = sha2::Sha256::digest(&table).iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(listed.unwrap()["sha256"].as_str(), Some(digest.as_str()));
            let mut rows = csv::Reader::from_reader(&table[..]);
            for (at, row) in rows.deserialize::<BTreeMap<String, String>>().enumerate() {
                let row = row.unwrap();
                let sample = split.sample(at);
                assert_eq!((&row["id"], row["label"].parse()), (&sample.id, Ok(sample.class)));
                let background = row["background"].as_str();
                assert_eq!(background.is_empty(), view == View::Original);
                assert!(background.is_empty() || split.find(background).is_some());
                let picture = image::open(place.join(&row["file_name"])).unwrap();
                assert_eq!((picture.width(), picture.height()), (16, 16));
                pictures += 1;
            }
        }
    }
    assert_eq!(pictures, count);
    // The same again is the same, and what is there of others is kept.
    let before = common::contents(&out);
    export_hub(&dataset, &splits, &views, PictureCode::Png, &out, &|_, _| ()).unwrap();
    assert!(before == common::contents(&out));
    fs::write(out.join("mine.txt"), "precious").unwrap();
    assert!(export_hub(&dataset, &splits, &views, PictureCode::Png, &out, &|_, _| ()).is_err());
    assert_eq!(fs::read_to_string(out.join("mine.txt")).unwrap(), "precious");
}
