//! `score --groups`: accuracy by group, by hand.
#![cfg(all(feature = "cli", feature = "probes"))]

mod support;

use std::fs;
use support::{finish, program};

#[test]
fn accuracies_by_group_are_those_of_the_metadata() {
    let dir = tempfile::tempdir().unwrap();
    let (path, groups, out) =
        (dir.path().join("p.csv"), dir.path().join("metadata.csv"), dir.path().join("scores"));
    // Two of three land birds on land are right, one of two on water, one of one water bird on water.
    let head = "model,arch,trained_on,dataset,split,view,image,foreground,background,class,background_class,predicted,\
                score_land,score_water\n";
    let row = |id: &str, class: &str, predicted: &str| {
        format!("m,x,,birds,test,original,{id},{id},,{class},,{predicted},,\n")
    };
    let rows = [("a", "land", "land"), ("b", "land", "land"), ("c", "land", "water"), ("d", "land", "land")];
    let rows = rows.into_iter().chain([("e", "land", "water"), ("f", "water", "water")]);
    fs::write(&path, head.to_owned() + &rows.map(|(id, c, p)| row(id, c, p)).collect::<String>()).unwrap();
    let metadata = "img_filename,y,place,split\nx/a.jpg,0,0,2\nx/b.jpg,0,0,2\nx/c.jpg,0,0,2\nx/d.jpg,0,1,2\n\
                    x/e.jpg,0,1,2\ny/f.jpg,1,1,2\nt/1.jpg,0,0,0\nt/2.jpg,0,0,0\nt/3.jpg,1,1,0\nt/4.jpg,0,1,0\n";
    fs::write(&groups, metadata).unwrap();
    let score = |code| {
        let mut command = program();
        finish(command.arg("score").arg(&path).arg("--groups").arg(&groups).arg("--out").arg(&out), code)
    };
    let (printed, _) = score(0);
    assert!(printed.contains("land · 0 %") && printed.contains("66.7 (2 of 3)"), "{printed}");
    let csv = fs::read_to_string(out.join("groups.csv")).unwrap();
    let line = |measure: &str, at: &str| {
        csv.lines().find(|line| line.contains(&format!(",{measure},{at}"))).unwrap_or_else(|| panic!("{csv}"))
    };
    assert!(line("group", "land,1").contains(",1,2,0.5,"), "{csv}");
    assert!(line("worst", "land,1").contains(",0.5,"), "{csv}");
    // 0.5 · 2/3 + 0.25 · 1/2 + 0.25 · 1.
    let reweighted: f64 = line("reweighted", "").split(',').nth(11).unwrap().parse().unwrap();
    assert!((reweighted - (1.0 / 3.0 + 0.125 + 0.25)).abs() < 1e-12, "{csv}");
    let results: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    assert_eq!(results["more"]["groups"][0]["worst"], 1);
    fs::write(&groups, metadata.replace("y/f.jpg,1", "y/f.jpg,0")).unwrap();
    let (_, said) = score(1);
    assert!(said.contains("class \"0\" of photograph f") && said.lines().count() == 1, "{said}");
}
