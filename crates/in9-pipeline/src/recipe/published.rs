//! A published network that joins a recipe.

use std::path::{MAIN_SEPARATOR, Path};

use super::check::is_plain_char;
use super::{Flags, Published, Recipe};
use crate::error::{Error, Result};

impl Recipe {
    /// Adds a published network, `ARCH=WEIGHTS`, tested on the main dataset at ImageNet's usual size of 224
    /// pixels; a path of weights starts from `here`.
    ///
    /// # Errors
    /// [`Error::Model`] if it is not of that form, its weights are not there, the dataset has other classes
    /// than ImageNet's, or the recipe has a network of its name already.
    pub fn add_model(&mut self, wanted: &str, here: &Path) -> Result<()> {
        let refused = |what: String| Error::Model { wanted: wanted.to_owned(), what };
        let Some((arch, weights)) = wanted.split_once('=') else {
            return Err(refused(
                "is not ARCH=WEIGHTS (such as resnet50=imagenet1k-v1 or resnet50=weights.pth)".to_owned(),
            ));
        };
        let no_architecture = || refused(format!("{arch:?} is no architecture; `in9 list` shows all"));
        if !arch.chars().all(is_plain_char) {
            return Err(no_architecture());
        }
        let architecture = arch.parse().map_err(|_| no_architecture())?;
        let dataset = self.datasets.iter().find(|dataset| dataset.main);
        let Some(dataset) = dataset.filter(|dataset| dataset.has_imagenet_classes()) else {
            return Err(refused("the classes of the main dataset are not classes of ImageNet".to_owned()));
        };
        let file = here.join(weights);
        // As the programs tell a file from a tag.
        let looks_like_a_file = weights.contains(MAIN_SEPARATOR)
            || file.extension().is_some_and(|e| e == "pth" || e == "pt" || e == "safetensors");
        let (weights, tag) = if file.is_file() {
            (file.to_string_lossy().into_owned(), file.file_stem().unwrap_or_default().to_string_lossy())
        } else if looks_like_a_file {
            return Err(refused(format!("{} is not there", file.display())));
        } else {
            (weights.to_owned(), weights.strip_prefix(&format!("{arch}.")).unwrap_or(weights).into())
        };
        let name = format!("{arch}-{tag}").replace(|c: char| !is_plain_char(c), "-");
        if self.models.iter().any(|model| &model.name == name.as_str()) {
            return Err(refused(format!("the recipe has a network called {name} already")));
        }
        let name = name.parse().map_err(|e: in9_base::BadName| refused(e.to_string()))?;
        self.models.push(Published {
            name,
            dataset: dataset.name.clone(),
            tests: Vec::new(),
            arch: architecture,
            weights,
            imagenet: None,
            options: Flags::from([("size".to_owned(), toml::Value::Integer(224))]),
        });
        self.check().map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SMALL, checked};
    use std::path::Path;

    #[test]
    fn a_published_network_joins_a_recipe() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("w 1.pth"), "w").unwrap();
        let photographs = SMALL.replace("source = \"toy\"", "source = \"folder\"").replace("rho = 0.5", "");
        let photographs = photographs.replace("about = \"a\"", "about = \"a\"\ndata = \"photographs\"");
        let photographs =
            photographs.replace("main = true", "main = true\nbuild = { taxonomy = \"imagenet-9\" }");
        let mut recipe = checked(&photographs).unwrap();
        for model in ["resnet50=w 1.pth", "resnet50=imagenet1k-v1", "resnet50=resnet50.gluon"] {
            recipe.add_model(model, dir.path()).unwrap();
        }
        let names: Vec<&str> = recipe.models.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["resnet50-w-1", "resnet50-imagenet1k-v1", "resnet50-gluon"]);
        assert_eq!(Path::new(&recipe.models[0].weights), dir.path().join("w 1.pth"));
        assert_eq!(recipe.models[2].weights, "resnet50.gluon");
        for (wrong, said) in [
            ("resnet50", "not ARCH=WEIGHTS"),
            ("../x=w 1.pth", "no architecture"),
            ("resnet50=w 1.pth", "already"),
            ("resnet18=gone.pth", "gone.pth is not there"),
        ] {
            let error = recipe.add_model(wrong, dir.path()).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let error = checked(SMALL).unwrap().add_model("resnet50=imagenet1k-v1", dir.path()).unwrap_err();
        assert!(error.to_string().contains("classes of ImageNet"), "{error}");
    }
}
