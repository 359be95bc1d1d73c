//! The dependency table of ARCHITECTURE.md holds.

use std::collections::{BTreeMap, BTreeSet};

use in9_tests::{cargo, root};
use serde_json::Value;

/// (crate, workspace crates it may use, packages it never reaches)
fn table() -> Vec<(String, BTreeSet<String>, BTreeSet<String>)> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with("| crate |")).skip(2);
    let split = |cell: &str| {
        let names = cell.split(',').map(|name| name.trim().trim_matches('`').to_owned());
        names.filter(|name| !name.is_empty()).collect()
    };
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            (cells[0].to_owned(), split(cells[1]), split(cells[2]))
        })
        .collect()
}

struct Tree {
    names: BTreeMap<String, String>,
    /// Package id to the ids it depends on; what only tests and build scripts use is left out.
    edges: BTreeMap<String, Vec<String>>,
    members: BTreeSet<String>,
}

impl Tree {
    fn read() -> Self {
        let output = cargo().args(["metadata", "--format-version", "1", "--locked"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let list = |value: &Value| value.as_array().unwrap().clone();
        let names = list(&metadata["packages"]).iter().map(|p| (text(&p["id"]), text(&p["name"]))).collect();
        let members = list(&metadata["workspace_members"]).iter().map(text).collect();
        let mut edges = BTreeMap::new();
        for node in list(&metadata["resolve"]["nodes"]) {
            let real = |dep: &Value| list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
            let deps =
                list(&node["deps"]).iter().filter(|dep| real(dep)).map(|dep| text(&dep["pkg"])).collect();
            edges.insert(text(&node["id"]), deps);
        }
        Self { names, edges, members }
    }

    fn id(&self, name: &str) -> String {
        let found = self.members.iter().find(|id| self.names[*id] == name);
        found.unwrap_or_else(|| panic!("no member is called {name}")).clone()
    }

    fn reached(&self, from: &str) -> BTreeSet<String> {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(id) = open.pop() {
            for next in &self.edges[&id] {
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        seen
    }
}

#[test]
fn the_dependency_table_is_true() {
    let (table, tree) = (table(), Tree::read());
    assert_eq!(table.len(), tree.members.len() - 1, "every member but in9-tests has a row");
    for (name, may, never) in table {
        let id = tree.id(&name);
        let direct = tree.edges[&id].iter().filter(|id| tree.members.contains(*id));
        let direct: BTreeSet<_> = direct.map(|id| tree.names[id].clone()).collect();
        assert!(direct.is_subset(&may), "{name} uses {direct:?}; ARCHITECTURE.md allows {may:?}");
        assert!(!never.is_empty());
        for reached in tree.reached(&id) {
            assert!(!never.contains(&tree.names[&reached]), "{name} reaches {}", tree.names[&reached]);
        }
    }
}

#[test]
fn every_source_file_says_what_it_is() {
    let mut open = vec![root().join("crates"), root().join("xtask/src"), root().join("tests")];
    let mut files = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let skipped = path.file_name().is_some_and(|name| name == "target" || name == "fuzz");
            if !skipped {
                open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//!"), "{}: a file begins with what it is for (//!)", path.display());
            files += 1;
        }
    }
    assert!(files > 50);
}
