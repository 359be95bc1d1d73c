//! Tables of answers, and what is made of them: the unclear ones.

use std::fs;

use crate::world::{World, refused, seen};

/// `pred.csv` with `change` done to its text, scored.
fn scored(world: &World, what: &str, change: impl FnOnce(&str) -> String) -> crate::world::Seen {
    let text = fs::read_to_string(world.at("pred.csv")).unwrap();
    fs::write(world.at("t.csv"), change(&text)).unwrap();
    let _ = fs::remove_dir_all(world.at("scores"));
    seen(what, &mut world.call("in9-analysis", "score @t.csv --out @scores"))
}

#[test]
fn unclear_doubled_columns_and_headers_alone_are_refused() {
    let world = World::new();
    for (what, change) in [
        (
            "unclear, a doubled column",
            &(|text: &str| text.replace("score_fish", "score_butterfly")) as &dyn Fn(&str) -> String,
        ),
        ("unclear, a header alone", &|text| text.lines().next().unwrap().to_owned() + "\n"),
    ] {
        let ended = scored(&world, what, change);
        assert_eq!(ended.code, Some(1), "{}", ended.said);
        assert!(ended.said.contains("t.csv"), "{}", ended.said);
        assert!(!world.at("scores").exists());
    }
}

#[test]
fn unclear_one_foreground_and_disjoint_views_are_told() {
    let world = World::new();
    let one = scored(&world, "unclear, one foreground", |text| {
        let mut lines = text.lines();
        let header = lines.next().unwrap();
        let first = lines.clone().next().unwrap().split(',').nth(7).unwrap().to_owned();
        let kept = lines.filter(|line| line.split(',').nth(7) == Some(first.as_str()));
        std::iter::once(header).chain(kept).collect::<Vec<_>>().join("\n") + "\n"
    });
    assert!(!one.out.contains("0.0 [0.0, 0.0]"), "{}", one.out);
    assert!(!one.out.contains("NaN"), "{}", one.out);
    let disjoint = scored(&world, "unclear, disjoint mixed views", |text| {
        let mut lines = text.lines();
        let header = lines.next().unwrap();
        let all: Vec<&str> = lines.collect();
        let foreground = |line: &str| line.split(',').nth(7).unwrap().to_owned();
        let first: Vec<String> = all.iter().take(4).map(|line| foreground(line)).collect();
        let kept = all.iter().filter(|line| match line.split(',').nth(5) {
            Some("mixed-same") => first.contains(&foreground(line)),
            Some("mixed-rand") => !first.contains(&foreground(line)),
            _ => false,
        });
        std::iter::once(header).chain(kept.copied()).collect::<Vec<_>>().join("\n") + "\n"
    });
    assert!(
        disjoint.out.contains("gap") || disjoint.said.contains("gap"),
        "{}{}",
        disjoint.out,
        disjoint.said
    );
}

#[test]
fn unclear_hostile_names_reach_no_terminal_and_no_spreadsheet() {
    let world = World::new();
    let ended = scored(&world, "unclear, control characters", |text| {
        text.replace("resnet-tiny-original,", "\u{1b}]0;owned\u{7},")
    });
    assert!(!ended.said.contains('\u{1b}') && !ended.out.contains('\u{1b}'));
    let ended = scored(&world, "unclear, a formula", |text| {
        text.replace("resnet-tiny-original,", "=cmd|'/c calc'!A0,")
    });
    if ended.code == Some(0) {
        for entry in fs::read_dir(world.at("scores")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "csv") {
                let text = fs::read_to_string(&path).unwrap();
                assert!(
                    !text.lines().any(|line| line.split(',').any(|cell| cell.starts_with("=cmd"))),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn unclear_a_rho_of_7_is_refused_by_a_report() {
    let world = World::new();
    let spec = "title = \"t\"\n[[dataset]]\nname = \"data\"\npath = \"data\"\nrho = 7\n[[predictions]]\npath = \"pred.csv\"\n";
    fs::write(world.at("report.toml"), spec).unwrap();
    refused(
        "unclear, a rho of 7",
        &mut world.call("in9-report", "report --spec @report.toml --out @page"),
        &["rho"],
    );
}
