//! `cargo xtask sbom`: what the program `in9` is built from, as a software bill of materials.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::{Value, json};

use crate::validate::metadata;

/// Write a bill of materials (CycloneDX 1.5, JSON): every crate that `in9` is built from on any platform, its
/// version, licence, SHA-256 and dependencies. The same lock file gives the same bytes.
#[derive(Args)]
pub(crate) struct Sbom {
    /// The file that is written; standard output if there is none.
    #[arg(long)]
    out: Option<PathBuf>,
}

impl Sbom {
    pub(crate) fn run(self, here: &Path) -> Result<()> {
        let lock = std::fs::read_to_string("Cargo.lock").context("reading Cargo.lock")?;
        let text = serde_json::to_string_pretty(&bill(&metadata(true)?, &checksums(&lock))?)?;
        match self.out {
            Some(path) => in9_base::files::write_bytes(&here.join(path), text + "\n")?,
            None => println!("{text}"),
        }
        Ok(())
    }
}

/// SHA-256 of each package from a registry, by name and version.
fn checksums(lock: &str) -> HashMap<(String, String), String> {
    let field = |package: &str, name: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""))?;
        Some(line.trim_end_matches('"').to_owned())
    };
    let of = |package: &str| {
        Some(((field(package, "name")?, field(package, "version")?), field(package, "checksum")?))
    };
    lock.split("[[package]]").filter_map(of).collect()
}

/// The bill, from what `cargo metadata` says.
fn bill(metadata: &Value, checksums: &HashMap<(String, String), String>) -> Result<Value> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages: HashMap<String, Value> =
        list(&metadata["packages"]).into_iter().map(|package| (text(&package["id"]), package)).collect();
    let mut needs = HashMap::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        // Dependencies of tests only are no part of the program.
        let built = |dep: &Value| list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev");
        let ids = list(&node["deps"]).into_iter().filter(built).map(|dep| text(&dep["pkg"]));
        needs.insert(text(&node["id"]), ids.collect::<Vec<_>>());
    }
    let root = packages.iter().find(|(_, package)| package["name"] == "in9");
    let root = root.context("the workspace has no program in9")?.0.clone();
    let mut part = BTreeSet::new();
    let mut open = vec![root.clone()];
    while let Some(id) = open.pop() {
        if part.insert(id.clone()) {
            open.extend(needs.get(&id).into_iter().flatten().cloned());
        }
    }
    let address = |id: &str| {
        let package = &packages[id];
        format!("pkg:cargo/{}@{}", text(&package["name"]), text(&package["version"]))
    };
    let component = |id: &String| {
        let (package, kind) = (&packages[id], if *id == root { "application" } else { "library" });
        let (name, version) = (text(&package["name"]), text(&package["version"]));
        let mut component = json!({
            "type": kind, "bom-ref": address(id), "purl": address(id), "name": name, "version": version,
        });
        if let Some(licence) = package["license"].as_str() {
            // The form of old manifests.
            component["licenses"] = json!([{ "expression": licence.replace('/', " OR ") }]);
        }
        if let Some(sum) = checksums.get(&(name, version)) {
            component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
        }
        (address(id), component)
    };
    let components: BTreeMap<String, Value> = part.iter().filter(|id| **id != root).map(component).collect();
    let dependencies: BTreeMap<String, BTreeSet<String>> = part
        .iter()
        .map(|id| (address(id), needs.get(id).into_iter().flatten().map(|need| address(need)).collect()))
        .collect();
    let dependencies: Vec<Value> =
        dependencies.iter().map(|(id, needs)| json!({ "ref": id, "dependsOn": needs })).collect();
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": component(&root).1 },
        "components": components.into_values().collect::<Vec<_>>(),
        "dependencies": dependencies,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_tests_use_is_left_out_and_the_rest_is_named_with_its_checksum() {
        let package = |id: &str, version: &str, licence: &str| {
            let name = id.trim_start_matches('#');
            json!({ "id": id, "name": name, "version": version, "license": licence })
        };
        let dep = |id: &str, kind: Value| json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] });
        let metadata = json!({
            "packages": [
                package("#in9", "0.1.0", "MIT OR Apache-2.0"),
                package("#zip", "2.0.0", "MIT/Apache-2.0"),
                package("#cc", "1.0.0", "MIT"),
                package("#proptest", "1.0.0", "MIT"),
            ],
            "resolve": { "nodes": [
                { "id": "#in9", "deps": [
                    dep("#zip", Value::Null), dep("#cc", json!("build")), dep("#proptest", json!("dev")),
                ] },
                { "id": "#zip", "deps": [] }, { "id": "#cc", "deps": [] }, { "id": "#proptest", "deps": [] },
            ] },
        });
        let lock = "version = 4\n\n[[package]]\nname = \"zip\"\nversion = \"2.0.0\"\nchecksum = \"ab\"\n\n[[package]]\nname = \"in9\"\nversion = \"0.1.0\"\n";
        let bill = bill(&metadata, &checksums(lock)).unwrap();
        let names: Vec<&str> =
            bill["components"].as_array().unwrap().iter().map(|c| c["purl"].as_str().unwrap()).collect();
        assert_eq!(names, ["pkg:cargo/cc@1.0.0", "pkg:cargo/zip@2.0.0"]);
        let zip = &bill["components"][1];
        assert_eq!(zip["licenses"], json!([{ "expression": "MIT OR Apache-2.0" }]));
        assert_eq!(zip["hashes"], json!([{ "alg": "SHA-256", "content": "ab" }]));
        assert_eq!(bill["metadata"]["component"]["type"], "application");
        assert_eq!(bill["dependencies"][1]["dependsOn"], json!(names));
    }
}
