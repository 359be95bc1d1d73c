//! What `Cargo.lock` says of a package: which version, from where, and what it needs.

/// A package of a lock file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Where it is from; empty for a path dependency.
    pub(crate) source: String,
    pub(crate) checksum: String,
    /// `name`, or `name version` where there are several.
    pub(crate) dependencies: Vec<String>,
}

/// The packages of a lock file.
pub(crate) fn packages(text: &str) -> Vec<Package> {
    let mut packages: Vec<Package> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line == "[[package]]" {
            packages.push(Package::default());
            continue;
        }
        let Some(package) = packages.last_mut() else { continue };
        if let Some((key, value)) = line.split_once(" = ") {
            let value = value.trim_matches('"').to_owned();
            match key {
                "name" => package.name = value,
                "version" => package.version = value,
                "source" => package.source = value,
                "checksum" => package.checksum = value,
                _ => {}
            }
        } else if let Some(dependency) = line.strip_prefix('"') {
            package.dependencies.push(dependency.trim_end_matches(',').trim_matches('"').to_owned());
        }
    }
    packages
}

/// The package that a dependency's entry means.
pub(crate) fn find<'p>(packages: &'p [Package], entry: &str) -> Option<&'p Package> {
    let (name, version) = entry.split_once(' ').unwrap_or((entry, ""));
    // A third word, if any, is the source.
    let version = version.split(' ').next().unwrap_or("");
    packages.iter().find(|p| p.name == name && (version.is_empty() || p.version == version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read() {
        let text = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\
            source = \"registry\"\nchecksum = \"ff\"\ndependencies = [\n \"b 2.0.0\",\n \"c\",\n]\n\n\
            [[package]]\nname = \"b\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"b\"\nversion = \"2.0.0\"\n";
        let packages = packages(text);
        assert_eq!(packages.len(), 3);
        assert_eq!(packages[0].dependencies, ["b 2.0.0", "c"]);
        assert_eq!(packages[0].checksum, "ff");
        assert_eq!(find(&packages, "b 2.0.0").unwrap().version, "2.0.0");
        assert_eq!(find(&packages, "a").unwrap().source, "registry");
        assert!(find(&packages, "c").is_none());
    }
}
