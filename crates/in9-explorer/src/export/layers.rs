//! Layers of the exported photographs, within a budget.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use in9_data::View;
use serde_json::{Map, Value, json};

use crate::collection::{Pictures, TestSet};
use crate::error::Result;
use crate::{documents, picture};

/// Backgrounds that fool a photograph and come with it.
pub(super) const FOOLING: usize = 6;
/// Saliency maps of one model that come with a photograph.
const MAPS: usize = 4;

/// Where pictures go, and how many bytes they take.
pub(super) struct Store {
    /// `None`: into the page itself.
    files: Option<Vec<(String, Vec<u8>)>>,
    bytes: usize,
}

impl Store {
    pub(super) fn inside() -> Self {
        Self { files: None, bytes: 0 }
    }

    pub(super) fn beside() -> Self {
        Self { files: Some(Vec::new()), bytes: 0 }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().flatten().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// Keeps a picture and returns its address in the page.
    fn put(&mut self, name: &str, (bytes, ending): (Vec<u8>, &str)) -> String {
        match &mut self.files {
            Some(files) => {
                self.bytes += bytes.len();
                let name = format!("pictures/{name}.{ending}");
                files.push((name.clone(), bytes));
                name
            }
            None => {
                let kind = if ending == "jpg" { "jpeg" } else { ending };
                let address = format!("data:image/{kind};base64,{}", STANDARD.encode(bytes));
                self.bytes += address.len();
                address
            }
        }
    }
}

/// The layers of some photographs of one test set.
pub(super) struct Layers<'a> {
    pub(super) set: &'a TestSet,
    pub(super) at: usize,
    /// Bytes that all pictures of the export may take.
    pub(super) budget: usize,
}

impl Layers<'_> {
    /// Stores the layers of `chosen`, in that order until the budget is used up, and returns the photographs that were
    /// kept, ascending, with the addresses of their layers. Backgrounds that their mixed views take, and the strongest
    /// that fool them, are kept with them as tiled layers only.
    pub(super) fn of(&self, chosen: &[u32], store: &mut Store) -> Result<(Vec<u32>, Value)> {
        let mut addresses = Map::new();
        let mut kept = BTreeSet::new();
        let mut tiled = BTreeSet::new();
        for &i in chosen {
            if store.bytes() >= self.budget {
                break;
            }
            if kept.insert(i) {
                self.photograph(i, store, &mut addresses, &mut tiled)?;
            }
        }
        Ok((kept.into_iter().collect(), Value::Object(addresses)))
    }

    fn photograph(
        &self,
        i: u32,
        store: &mut Store,
        addresses: &mut Map<String, Value>,
        tiled: &mut BTreeSet<u32>,
    ) -> Result<()> {
        let Some(pictures) = &self.set.pictures else { return Ok(()) };
        let (at, size) = (i as usize, pictures.size());
        let name = |layer: &str| format!("{}-{i}-{layer}", self.at);
        let photo = picture::smallest(&pictures.compose(View::Original, at, None)?, size)?;
        let mut entry = json!({ "photo": store.put(&name("photo"), photo) });
        if pictures.split().has_layers() {
            let mask = picture::mask_png(&pictures.layers(at)?.mask)?;
            entry["mask"] = store.put(&name("mask"), (mask, "png")).into();
            // What a page cannot compute as the program does, it is given.
            let made =
                [("blurred", View::BgBlurred), ("inpainted", View::BgInpainted), ("noise", View::BgNoise)];
            for (layer, view) in made {
                let picture = picture::smallest(&pictures.compose(view, at, None)?, size)?;
                entry[layer] = store.put(&name(layer), picture).into();
            }
            entry["flat"] = flat(pictures, at)?.into();
            self.tiled(i, pictures, store, addresses, tiled)?;
            for background in self.backgrounds(at)? {
                self.tiled(background, pictures, store, addresses, tiled)?;
            }
        }
        let maps: Vec<Value> =
            self.set.models.iter().enumerate().map(|(m, _)| self.maps(i, m, store)).collect();
        entry["maps"] = maps.into();
        merge(addresses, i, entry);
        Ok(())
    }

    /// The backgrounds that a photograph's page shows.
    fn backgrounds(&self, at: usize) -> Result<Vec<u32>> {
        let page = documents::photograph(self.set, at)?;
        let number = |value: &Value| value["number"].as_u64().and_then(|n| u32::try_from(n).ok());
        let mixed =
            page["views"].as_array().into_iter().flatten().filter_map(|view| number(&view["background"]));
        let fooling = page["fooled"]["backgrounds"].as_array().into_iter().flatten().take(FOOLING);
        Ok(mixed.chain(fooling.filter_map(|entry| number(&entry["background"]))).collect())
    }

    fn tiled(
        &self,
        i: u32,
        pictures: &Pictures,
        store: &mut Store,
        addresses: &mut Map<String, Value>,
        tiled: &mut BTreeSet<u32>,
    ) -> Result<()> {
        if tiled.insert(i) {
            let layer =
                picture::smallest(&pictures.compose(View::OnlyBgT, i as usize, None)?, pictures.size())?;
            let address = store.put(&format!("{}-{i}-tiled", self.at), layer);
            merge(addresses, i, json!({ "tiled": address }));
        }
        Ok(())
    }

    fn maps(&self, i: u32, m: usize, store: &mut Store) -> Value {
        let Some(saliency) = &self.set.models[m].saliency else { return json!([]) };
        let count = saliency.methods(i).count().min(MAPS);
        // A map whose file is gone or broken is left out; the photograph is worth showing without it.
        let pictures = (0..count).filter_map(|k| Some((k, saliency.picture(i, k).ok()?)));
        pictures
            .map(|(k, bytes)| store.put(&format!("{}-{i}-map-{m}-{k}", self.at), (bytes, "png")))
            .collect()
    }
}

/// The mean colour of a photograph's background, as a style sheet names it.
fn flat(pictures: &Pictures, at: usize) -> Result<String> {
    let (rgb, mask) = (pictures.compose(View::BgFlat, at, None)?, pictures.layers(at)?.mask);
    let size = pictures.size();
    let background = (0..size * size).find(|i| !mask.get(i % size, i / size));
    // Where the object fills the picture no colour is seen.
    let [r, g, b] = background.map_or([0; 3], |i| [rgb[i * 3], rgb[i * 3 + 1], rgb[i * 3 + 2]]);
    Ok(format!("#{r:02x}{g:02x}{b:02x}"))
}

/// Adds what is new to a photograph's addresses.
fn merge(addresses: &mut Map<String, Value>, i: u32, entry: Value) {
    let slot = addresses.entry(i.to_string()).or_insert_with(|| json!({}));
    if let (Value::Object(slot), Value::Object(entry)) = (slot, entry) {
        slot.extend(entry);
    }
}
