//! Probes: one that is broken, and those of another dataset.

use super::{inputs, section};
use in9_report::make;
use serde_json::json;
use std::fs;

/// A table of saliency maps that holds none.
const MAPS: &str = "image,class,predicted,method,mass,lift,pointing,iou,deletion,insertion,tap\n";

/// One broken table of a probe once ended the whole report.
#[test]
fn a_probe_with_a_broken_table_is_left_out_and_named() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let share = r#"{ "value": 0.5, "low": 0.4, "high": 0.6 }"#;
    let source = r#""model": "m", "trained_on": "original", "dataset": "d", "split": "test""#;
    let saliency = format!(
        r#"{{ {source}, "view": "original", "tap": "layer3.1", "methods": [ {{ "method": "hires-cam", "images": 4,
        "empty": 0, "mass": {share}, "lift": {share}, "pointing": {share}, "iou": {share}, "deletion": null,
        "insertion": null }} ] }}"#
    );
    let mean = format!(
        r#"{{ "images": 1, "background": {share}, "foreground": {share}, "interaction": {share}, "reliance": {share} }}"#
    );
    let counterfactual = format!(r#"{{ {source}, "partners": 2, "mean": {mean}, "classes": [] }}"#);
    let adversarial = format!(
        r#"{{ {source}, "exhaustive": false, "foregrounds": 2, "backgrounds": 2, "passes": 4, "official_passes": null,
        "ordered_passes": null, "rules": [], "challenge_accuracy": null, "rates": [], "classes": [] }}"#
    );
    let spec = dir.path().join("report.toml");
    let mut text = fs::read_to_string(&spec).unwrap();
    for (kind, table, whole, summary) in [
        ("saliency", "maps.csv", MAPS, saliency),
        ("counterfactual", "effects.csv", "image,background_effect,reliance\na,0.5,0.5\n", counterfactual),
        (
            "adversarial",
            "foregrounds.csv",
            "foreground,class,rule,vulnerable,first_background,tries,right_on_own\n",
            adversarial,
        ),
    ] {
        let folder = dir.path().join(kind);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("summary.json"), summary).unwrap();
        fs::write(folder.join(table), whole).unwrap();
        text += &format!("[[probe]]\nkind = \"{kind}\"\npath = \"{kind}\"\n");
    }
    fs::write(&spec, text).unwrap();
    let out = dir.path().join("report");
    let skipped = |line: &str| {
        let summary = make(&spec, &out).unwrap();
        let (probes, others): (Vec<_>, Vec<_>) =
            summary.skipped.into_iter().partition(|skipped| skipped.starts_with("probe "));
        assert!(
            probes.iter().any(|skipped| skipped.starts_with(line)) || line.is_empty(),
            "{line}: {probes:?}"
        );
        (probes.len(), others.len())
    };
    let (none, others) = skipped("");
    assert_eq!(none, 0, "a whole probe is left out");
    for (at, (kind, table)) in
        [("saliency", "maps.csv"), ("counterfactual", "effects.csv"), ("adversarial", "foregrounds.csv")]
            .into_iter()
            .enumerate()
    {
        fs::write(dir.path().join(kind).join(table), "one,two\n1\n\"2,3,4").unwrap();
        assert_eq!(skipped(&format!("probe {kind}: ")), (at + 1, others));
    }
    fs::remove_file(dir.path().join("saliency/maps.csv")).unwrap();
    assert_eq!(skipped("probe saliency: "), (3, others));
}

#[test]
fn groups_have_a_section_with_the_worst_one() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let spec = dir.path().join("report.toml");
    let text = fs::read_to_string(&spec).unwrap();
    let with = |groups: &str| text.replace("main = true\n", &format!("main = true\ngroups = \"{groups}\"\n"));
    fs::write(&spec, with("backgrounds")).unwrap();
    let out = dir.path().join("report");
    make(&spec, &out).unwrap();
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    let groups = section(&page, "groups");
    assert!(groups.contains("d test: accuracy by group") && groups.contains("worst group %"), "{groups}");
    assert!(groups.contains("<svg") && !groups.contains("still test"), "{groups}");
    let results: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    let first = &results["more"]["groups"][0];
    assert!(
        first["worst_accuracy"]["value"].as_f64().unwrap() <= first["average"]["value"].as_f64().unwrap()
    );

    // A table that cannot be read costs this section, and is named.
    fs::write(&spec, with("none.csv")).unwrap();
    let summary = make(&spec, &out).unwrap();
    assert!(
        summary.skipped.iter().any(|line| line.starts_with("groups of data set d: ")),
        "{:?}",
        summary.skipped
    );
    assert!(!fs::read_to_string(out.join("index.html")).unwrap().contains("id=\"groups\""));
}

#[test]
fn errors_of_masks_have_a_section_with_the_gap_followed_back() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let spec = dir.path().join("report.toml");
    let interval =
        |value: f64| format!(r#"{{ "value": {value}, "low": {}, "high": {} }}"#, value - 0.02, value + 0.02);
    let summary = format!(
        r#"{{ "model": "m", "trained_on": "original", "dataset": "d", "split": "test", "boundary_error": 1.25,
        "measured_on": 40, "correlation": 16.0, "draws": 4, "result": {{ "images": 200, "gap": {}, "levels":
        [[0.5, {}], [1.0, {}], [1.5, {}], [2.0, {}]], "without_error": {}, "correction": {},
        "share_of_variance": {} }} }}"#,
        interval(0.19),
        interval(0.21),
        interval(0.23),
        interval(0.25),
        interval(0.27),
        interval(0.155),
        interval(-0.035),
        interval(0.3)
    );
    fs::create_dir(dir.path().join("masks")).unwrap();
    fs::write(dir.path().join("masks/summary.json"), summary).unwrap();
    let text = fs::read_to_string(&spec).unwrap() + "[[probe]]\nkind = \"mask-error\"\npath = \"masks\"\n";
    fs::write(&spec, text).unwrap();
    let out = dir.path().join("report");
    make(&spec, &out).unwrap();
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(page.contains("Errors of the masks") && page.contains("1.25 (measured on 40)"));
    assert!(page.contains("15.5 [13.5, 17.5]") && page.contains("−3.5 [−5.5, −1.5]"), "{page}");
    let results: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    assert_eq!(results["more"]["mask_error"][0]["result"]["without_error"]["value"], 0.155);
}

#[test]
fn sources_of_masks_have_a_section_with_the_gap_of_each() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let spec = dir.path().join("report.toml");
    let interval = |value: f64| json!({ "value": value, "low": value - 0.02, "high": value + 0.02 });
    let origin = |dataset: &str, masks: &str| json!({ "dataset": dataset, "digest": "0", "masks": masks });
    let summary = json!({
        "model": "m", "trained_on": "original", "dataset": "d", "split": "test",
        "sources": [origin("d", "grabcut"), origin("salient", "network saliency.onnx")],
        "result": {
            "images": 200, "gaps": [interval(0.19), interval(0.24)], "apart": [interval(0.05)], "gap": interval(0.215),
            "fixed": interval(0.215), "components": { "photograph": 0.2, "source": 0.001, "both": 0.05 },
            "share_of_source": interval(0.44), "share_of_both": 0.11, "changed": 0.125
        }
    });
    fs::create_dir(dir.path().join("sources")).unwrap();
    fs::write(dir.path().join("sources/summary.json"), summary.to_string()).unwrap();
    let text =
        fs::read_to_string(&spec).unwrap() + "[[probe]]\nkind = \"mask-sources\"\npath = \"sources\"\n";
    fs::write(&spec, text).unwrap();
    let out = dir.path().join("report");
    make(&spec, &out).unwrap();
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    for shown in
        ["Sources of masks", "network saliency.onnx", "+24.0 [+22.0, +26.0]", "44.0 [42.0, 46.0]", "12.5"]
    {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let results: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    assert_eq!(results["more"]["mask_sources"][0]["result"]["apart"][0]["value"], 0.05);
}

#[test]
fn a_surface_has_a_section_with_its_levels_its_cells_and_its_classes() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let spec = dir.path().join("report.toml");
    let interval = |value: f64| json!({ "value": value, "low": value - 0.02, "high": value + 0.02 });
    let point = |rand: f64, gap: f64| json!({ "same": interval(rand + gap), "rand": interval(rand), "gap": interval(gap) });
    let cell = |position: &str, size: serde_json::Value| json!({ "position": position, "size": size, "edge": 0.0, "similarity": 0.0 });
    let level = |axis: &str, level: &str, rand: f64, gap: f64, change: serde_json::Value| {
        let mut all = json!({ "axis": axis, "level": level, "change": change });
        all.as_object_mut().unwrap().extend(point(rand, gap).as_object().unwrap().clone());
        all
    };
    let none = serde_json::Value::Null;
    let surface = json!({
        "photographs": 40,
        "cells": [[cell("own", json!("own")), point(0.7, 0.1)], [cell("corner", json!("own")), point(0.465, 0.2)]],
        "levels": [
            level("position", "own", 0.7, 0.1, none.clone()), level("position", "corner", 0.465, 0.2, point(-0.235, 0.1)),
            level("size", "own", 0.58, 0.15, none.clone()), level("edge", "0", 0.58, 0.15, none.clone()),
            level("similarity", "0", 0.58, 0.15, none),
        ],
    });
    let summary = json!({
        "model": "m", "trained_on": "original", "dataset": "d", "split": "test", "seed": 0, "all": surface,
        "grid": { "positions": ["own", "corner"], "sizes": ["own"], "edges": [0.0], "similarities": [0.0] },
        "classes": [[0, surface]],
    });
    fs::create_dir(dir.path().join("surface")).unwrap();
    fs::write(dir.path().join("surface/summary.json"), summary.to_string()).unwrap();
    let text = fs::read_to_string(&spec).unwrap() + "[[probe]]\nkind = \"surface\"\npath = \"surface\"\n";
    fs::write(&spec, text).unwrap();
    let out = dir.path().join("report");
    make(&spec, &out).unwrap();
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(
        page.contains("Bias surfaces")
            && page.contains("position corner")
            && page.contains("By class: m on d test")
    );
    assert!(page.contains("46.5 [44.5, 48.5]") && page.contains("−23.5 [−25.5, −21.5]"), "{page}");
    // An axis of one level has no bars.
    assert!(!page.contains("size own"));
    assert!(fs::read_to_string(out.join("methods.md")).unwrap().contains("pasted in 2 ways"));
}

#[test]
fn probes_of_another_data_set_alone_fill_their_section() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    fs::create_dir(dir.path().join("looks")).unwrap();
    let share = r#"{ "value": 0.5, "low": 0.4, "high": 0.6 }"#;
    let summary = format!(
        r#"{{ "model": "m", "trained_on": "original", "dataset": "still", "split": "test", "view": "original",
        "tap": "layer3.1", "methods": [ {{ "method": "hires-cam", "images": 4, "empty": 0, "mass": {share},
        "lift": {share}, "pointing": {share}, "iou": {share}, "deletion": null, "insertion": null }} ] }}"#
    );
    fs::write(dir.path().join("looks/summary.json"), summary).unwrap();
    fs::write(dir.path().join("looks/maps.csv"), MAPS).unwrap();
    let spec = dir.path().join("report.toml");
    let text = fs::read_to_string(&spec).unwrap() + "[[probe]]\nkind = \"saliency\"\npath = \"looks\"\n";
    fs::write(&spec, text).unwrap();
    let out = dir.path().join("report");
    make(&spec, &out).unwrap();
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    let saliency = section(&page, "saliency");
    assert_eq!(saliency.matches("<table").count(), 1, "{saliency}");
    for cell in ["still test", "hires-cam", "layer3.1", "50.0 [40.0, 60.0]"] {
        assert!(saliency.contains(cell), "{cell} is missing: {saliency}");
    }
    let results: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    assert_eq!(results["more"]["saliency"][0]["tap"], "layer3.1");
}
