//! Our rates beside PyTorch's, in one table.

use serde_json::{Map, Value};

/// One line a layer that PyTorch has too, and one a network: our rate, PyTorch's, and their ratio.
pub(super) fn print(found: &Map<String, Value>) {
    let part = |name: &str| found.get(name).map_or(&Value::Null, |part| &part["found"]);
    let (bench, peer) = (part("bench"), part("pytorch"));
    let none = Vec::new();
    let layers = peer["layers"].as_array().unwrap_or(&none);
    let off = |layer: &Value| layer["difference"].as_f64().unwrap_or(f64::INFINITY);
    let agrees = |layer: &&Value| off(layer) <= layer["tolerance"].as_f64().unwrap_or(0.0);
    for layer in layers.iter().filter(|layer| !agrees(layer)) {
        println!("✗ {:<54} beside PyTorch {:>10.1e}", layer["what"].as_str().unwrap_or_default(), off(layer));
    }
    if !layers.is_empty() {
        let same = layers.iter().filter(agrees).count();
        println!("{same} of {} layers agree with PyTorch's", layers.len());
    }
    let rows = rows(bench, peer);
    if rows.is_empty() {
        return;
    }
    println!(
        "{:<44} {:>5} {:>12} {:>12} {:>12} {:>7}",
        "images a second", "", "ours", "eager", "compiled", "ratio"
    );
    for Row { what, way, ours, eager, compiled } in rows {
        let rate = |rate: Option<f64>| rate.map_or_else(|| "–".to_owned(), |rate| format!("{rate:.0}"));
        let best = compiled.into_iter().chain(eager).fold(0.0, f64::max);
        let ratio = if best > 0.0 { format!("{:.2}", ours / best) } else { "–".to_owned() };
        println!("{what:<44} {way:>5} {ours:>12.0} {:>12} {:>12} {ratio:>7}", rate(eager), rate(compiled));
    }
}

/// A network's rates, images a second.
#[derive(Debug, PartialEq)]
struct Row {
    what: String,
    way: String,
    ours: f64,
    eager: Option<f64>,
    compiled: Option<f64>,
}

fn rows(bench: &Value, peer: &Value) -> Vec<Row> {
    let timings = bench["timings"].as_array().map_or(&[][..], Vec::as_slice);
    let of_networks = timings.iter().filter(|timing| timing["unit"] == "images/s");
    let row = |timing: &Value| {
        let text = |name: &str| timing[name].as_str().unwrap_or_default().to_owned();
        let (what, way) = (text("what"), text("way"));
        let theirs = |mode: &str| peer["rates"][format!("{what} {way} {mode}")].as_f64();
        let (eager, compiled) = (theirs("eager"), theirs("compiled"));
        Some(Row { ours: timing["rate"].as_f64()?, eager, compiled, what, way })
    };
    of_networks.filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn networks_stand_beside_pytorchs_and_alone_where_it_has_none() {
        let timing =
            |what: &str, unit: &str| json!({ "what": what, "way": "bf16", "rate": 10.0, "unit": unit });
        let bench =
            json!({ "timings": [timing("copy", "GB/s"), timing("a", "images/s"), timing("b", "images/s")] });
        let peer = json!({ "rates": { "a bf16 eager": 8.0, "a bf16 compiled": 20.0 } });
        let row = |what: &str, eager, compiled| Row {
            what: what.to_owned(),
            way: "bf16".to_owned(),
            ours: 10.0,
            eager,
            compiled,
        };
        assert_eq!(rows(&bench, &peer), [row("a", Some(8.0), Some(20.0)), row("b", None, None)]);
        assert!(rows(&Value::Null, &Value::Null).is_empty());
    }
}
