//! Saliency maps of a network of Python, measured against the masks: the measurements of `in9 saliency`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use in9_analysis::output::{json, png};
use in9_analysis::probes::Scenes;
use in9_analysis::probes::saliency::gradients::Smooth;
use in9_analysis::probes::saliency::overlay::overlay;
use in9_analysis::probes::saliency::summary::summarise;
use in9_analysis::probes::saliency::write::{OWNER, maps_csv, overlay_name};
use in9_analysis::probes::saliency::{ImageRow, Method, Settings, run};
use in9_analysis::probes::written::{Saliency, Source};
use in9_analysis::stats::Bootstrap;
use in9_base::files::OutputFolder;
use pyo3::prelude::*;

use crate::buffer::Buffer;
use crate::challenge::sound;
use crate::dataset::{Split, view};
use crate::error::{Raise, argument};
use crate::network::PythonNetwork;
use crate::outputs::Outputs;
use crate::work;

/// A kept map: sample, method, tap, values f32 `[size, size]`.
type Kept = (u32, &'static str, String, Buffer);

/// Measures of a map: sample, predicted class, method, tap; mass, area, pointing, intersection over union.
type Told = (u32, Option<u16>, &'static str, String, [f64; 4]);

fn told(row: &ImageRow) -> Told {
    let m = row.measures;
    (row.image, row.predicted, row.method.name(), row.tap.clone(), [m.mass, m.area, m.pointing, m.iou])
}

/// Makes and measures maps of some samples; the summary as JSON, a row a map, and the maps of the samples `keep`.
#[pyfunction]
#[pyo3(signature = (
    split, logits, gradients, outputs, *, images, keep, view_name, methods, taps, steps, samples, seed, batch_size, model,
    trained_on, dataset, settings, out=None, progress=None
))]
pub(crate) fn saliency(
    py: Python<'_>,
    split: &Split,
    logits: Py<PyAny>,
    gradients: Py<PyAny>,
    outputs: Py<Outputs>,
    images: Vec<u32>,
    keep: Vec<u32>,
    view_name: &str,
    methods: Vec<String>,
    taps: Vec<String>,
    steps: usize,
    samples: u32,
    seed: u64,
    batch_size: usize,
    model: String,
    trained_on: String,
    dataset: String,
    settings: String,
    out: Option<PathBuf>,
    progress: Option<Py<PyAny>>,
) -> PyResult<(String, Vec<Told>, Vec<Kept>)> {
    let view = view(py, view_name)?;
    let methods = methods.iter().map(|method| method.parse()).collect::<Result<BTreeSet<Method>, _>>();
    let methods = methods.map_err(|e| argument(py, e))?.into_iter().collect();
    let sound = sound(py, split)?;
    if let Some(index) = images.iter().find(|&&index| index as usize >= sound.len()) {
        return Err(argument(py, format!("sample {index} of {} in split {}", sound.len(), sound.name())));
    }
    let Some(first) = taps.first().cloned() else {
        return Err(argument(py, "no layer is named (expected one at least)"));
    };
    let smooth = Smooth { samples, seed, ..Smooth::default() };
    let asked =
        Settings { others: images.clone(), images, view, methods, taps, steps, smooth, batch: batch_size };
    let folder = out.as_deref().map(|out| OutputFolder::begin(out, &OWNER, &[split.dataset.path()]));
    let folder = folder.transpose().raise(py)?;
    let network = PythonNetwork::new(logits, Some(gradients), outputs);
    let (mut pictures, mut kept) = (Vec::new(), Vec::new());
    let rows = py.detach(|| {
        run(
            &sound,
            &network,
            &asked,
            &mut |row, rgb, map| {
                if keep.contains(&row.image) {
                    if row.tap.is_empty() || row.tap == first {
                        pictures.push((overlay_name(row.image, "photo"), rgb.to_vec()));
                        pictures.push((overlay_name(row.image, row.method.name()), overlay(rgb, map)));
                    }
                    let values = Buffer::of_vec(map.values.clone());
                    kept.push((row.image, row.method.name(), row.tap.clone(), values));
                }
            },
            &mut |done, all| network.tell(progress.as_ref(), ("maps", done as u64, all as u64)),
        )
    });
    let rows = network.settle(py, rows)?;
    let classes: Vec<String> =
        split.dataset.taxonomy().classes.iter().map(|class| class.name.clone()).collect();
    let summed = work::run(py, None, |_| {
        let bootstrap = Bootstrap { seed, ..Bootstrap::default() };
        let summary = Saliency {
            source: Source {
                model,
                trained_on,
                dataset,
                split: sound.name().to_owned(),
                training: Default::default(),
            },
            view,
            tap: first,
            methods: summarise(&rows, &bootstrap),
            nulls: None,
        };
        let summary = json::pretty(&summary)?;
        if let Some(folder) = folder {
            folder.write("summary.json", &summary)?;
            folder.write("maps.csv", maps_csv(&sound, &classes, &rows)?)?;
            for (name, rgb) in &pictures {
                folder.write(name, png(rgb, Scenes::size(&sound))?)?;
            }
            folder.write("settings.toml", settings)?;
            folder.finish()?;
        }
        Ok::<_, in9_analysis::Error>(summary)
    })?;
    Ok((summed.raise(py)?, rows.iter().map(told).collect(), kept))
}
