//! The fine labels of a stand-in.

/// A fine label: an id of WordNet.
#[derive(Debug, Clone)]
pub(super) struct Label {
    /// Its place among all.
    pub(super) place: usize,
    /// The id.
    pub(super) wnid: String,
    /// The class whose kind of object is drawn.
    pub(super) class: usize,
    /// Its place among the labels that this kind is drawn for.
    pub(super) within: usize,
    /// How many these are.
    pub(super) of_class: usize,
}

impl Label {
    /// What `LOC_synset_mapping.txt` calls it.
    pub(super) fn words(&self) -> String {
        format!("{} {}", crate::objects::KINDS[self.class].name, self.within + 1)
    }
}

/// Ids of ImageNet that are below none of the nine classes, so that there is something to be passed over: an orange and a
/// coffee mug.
const OTHERS: [&str; 2] = ["n07747607", "n03063599"];

/// The 370 ids of ImageNet-9's taxonomy, class by class, and two others.
pub(super) fn labels() -> Vec<Label> {
    let mut classes: Vec<Vec<String>> = ids(include_str!("../../imagenet-9.toml"));
    for (class, other) in OTHERS.iter().enumerate() {
        classes[class].push((*other).to_owned());
    }
    let mut labels = Vec::new();
    for (class, ids) in classes.iter().enumerate() {
        for (within, wnid) in ids.iter().enumerate() {
            let place = labels.len();
            labels.push(Label { place, wnid: wnid.clone(), class, within, of_class: ids.len() });
        }
    }
    labels
}

/// The ids of each class of a taxonomy.
fn ids(taxonomy: &str) -> Vec<Vec<String>> {
    let taxonomy: toml::Table = toml::from_str(taxonomy).expect("the file that comes with this crate");
    let classes = taxonomy["class"].as_array().expect("classes");
    let texts = |class: &toml::Value| -> Vec<String> {
        let ids = class["synsets"].as_array().into_iter().flatten();
        ids.filter_map(|id| id.as_str().map(str::to_owned)).collect()
    };
    classes.iter().map(texts).collect()
}
