//! Part of a split to train on (Figure 11 of the paper), and finer labels than its classes (Figure 10).

use in9_data::{Dataset, Split, Taxonomy, rng};

use crate::error::{Error, Result};

/// Which samples of a split are seen, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Whether each sample is seen.
    pub keep: Vec<bool>,
    /// The label of each sample: an index into the classes that are told apart.
    pub labels: Vec<u32>,
}

impl Selection {
    /// Every sample of `split` under its own class.
    pub fn all(split: &Split) -> Self {
        let labels = split.samples().map(|sample| u32::from(sample.class)).collect();
        Self { keep: vec![true; split.len()], labels }
    }

    /// Number of samples that are seen.
    pub fn len(&self) -> usize {
        self.keep.iter().filter(|keep| **keep).count()
    }

    /// Whether no sample is seen.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps `fraction` (above 0, at most 1) of the samples of each label, rounded, at least one.
    ///
    /// Each sample's place in the draw is keyed by (seed, its id), so smaller fractions are parts of
    /// larger ones, and the order of samples in the shards does not matter.
    ///
    /// # Errors
    /// [`Error::Setting`] for another fraction.
    pub fn keep_fraction(&mut self, split: &Split, fraction: f64, seed: u64) -> Result<()> {
        if !(fraction > 0.0 && fraction <= 1.0) {
            return Err(Error::setting("fraction", "above 0 and at most 1", fraction));
        }
        let labels = self.labels.iter().max().map_or(0, |&last| last as usize + 1);
        let mut members = vec![Vec::new(); labels];
        for (index, sample) in split.samples().enumerate() {
            let place = rng::unit(&mut rng::stream(seed, "fraction", rng::text_key(&sample.id), 0));
            members[self.labels[index] as usize].push((place, sample.id.as_str(), index));
        }
        for of_label in &mut members {
            of_label.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
            let kept = ((of_label.len() as f64 * fraction).round() as usize).max(1);
            of_label.iter().skip(kept).for_each(|(.., index)| self.keep[*index] = false);
        }
        Ok(())
    }

    /// Labels the samples by the groups of `taxonomy` instead of by their classes.
    ///
    /// # Errors
    /// [`Error::Setting`] when a fine label is in no group.
    pub fn label_by(&mut self, split: &Split, taxonomy: &Taxonomy) -> Result<()> {
        for (label, sample) in self.labels.iter_mut().zip(split.samples()) {
            let group = taxonomy.class_of_synset(&sample.fine).ok_or_else(|| {
                let found = format!("{} in split {}", sample.fine, split.name());
                Error::setting("group", "fine labels of the split that is trained on", found)
            })?;
            *label = group as u32;
        }
        Ok(())
    }
}

/// The finer classes of a training: the fine labels that occur in `split`, `count` to a group, no group
/// across two classes (as IN-9LB's). A group is named after its class and its number, `dog-00`.
///
/// # Errors
/// [`Error::Setting`] for groups of none or too many groups.
pub fn fine_groups(dataset: &Dataset, split: &Split, count: usize) -> Result<Taxonomy> {
    let mut taxonomy = dataset.taxonomy().clone();
    for (index, class) in taxonomy.classes.iter_mut().enumerate() {
        let of_class = split.samples().filter(|sample| usize::from(sample.class) == index);
        class.synsets = of_class.map(|sample| sample.fine.clone()).collect();
        class.synsets.sort_unstable();
        class.synsets.dedup();
        class.indices.clear();
    }
    taxonomy.grouped(count).map_err(|error| Error::setting("group", "fine labels a group, at least 1", error))
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};
    use in9_data::{BuildConfig, LoaderConfig, MaskSource, SourceKind, build};

    use super::*;
    use crate::train::{Batches, DatasetBatches};

    /// Nine classes of three fine labels, six photographs each.
    fn world() -> (tempfile::TempDir, Dataset) {
        let dir = tempfile::tempdir().unwrap();
        let (photographs, out) = (dir.path().join("photographs"), dir.path().join("toy"));
        let config = in9_toy::WorldConfig {
            seed: 2,
            rho: 0.5,
            train_per_class: 6,
            test_per_class: 1,
            ..in9_toy::WorldConfig::default()
        };
        in9_toy::render(&config, &photographs, &|_, _| {}).unwrap();
        let config = BuildConfig {
            size: 32,
            masks: MaskSource::Exact,
            ..BuildConfig::new(SourceKind::Toy, &photographs, &out)
        };
        build(&config, &|_| {}).unwrap();
        let dataset = Dataset::open(&out).unwrap();
        (dir, dataset)
    }

    fn labels(batches: &DatasetBatches, epoch: u64, first: u64) -> Vec<Vec<u32>> {
        batches.epoch(epoch, first).unwrap().map(|b| b.unwrap().labels.to_vec1().unwrap()).collect()
    }

    #[test]
    fn fractions_are_balanced_and_nested() {
        let (_dir, dataset) = world();
        let split = dataset.split("train").unwrap();
        let kept = |fraction| {
            let mut selection = Selection::all(&split);
            selection.keep_fraction(&split, fraction, 7).unwrap();
            selection.keep
        };
        let (third, half) = (kept(1.0 / 3.0), kept(0.5));
        let mut counts = [0; 9];
        for (keep, sample) in half.iter().zip(split.samples()) {
            counts[usize::from(sample.class)] += usize::from(*keep);
        }
        let whole = split.samples().filter(|s| s.class == 0).count();
        assert_eq!(counts[0], (whole as f64 / 2.0).round() as usize);
        assert!(third.iter().zip(&half).all(|(small, large)| !small || *large));
        assert!(third.iter().filter(|k| **k).count() < half.iter().filter(|k| **k).count());
        for wrong in [0.0, 1.5, f64::NAN] {
            let error = Selection::all(&split).keep_fraction(&split, wrong, 7).unwrap_err();
            assert!(error.to_string().contains("fraction"), "{error}");
        }
    }

    #[test]
    fn groups_split_classes_and_never_join_them() {
        let (_dir, dataset) = world();
        let split = dataset.split("train").unwrap();
        for (count, classes) in [(1, 27), (2, 18), (3, 9)] {
            let groups = fine_groups(&dataset, &split, count).unwrap();
            assert_eq!(groups.len(), classes);
            let mut selection = Selection::all(&split);
            selection.label_by(&split, &groups).unwrap();
            for (label, sample) in selection.labels.iter().zip(split.samples()) {
                let class = &dataset.taxonomy().classes[usize::from(sample.class)].name;
                let group = &groups.classes[*label as usize];
                assert_eq!(group.name.rsplit_once('-').unwrap().0, class);
                assert!(group.synsets.contains(&sample.fine));
            }
        }
        assert!(fine_groups(&dataset, &split, 0).is_err());
        // However small the share, no group is left without a photograph.
        let groups = fine_groups(&dataset, &split, 1).unwrap();
        let mut selection = Selection::all(&split);
        selection.label_by(&split, &groups).unwrap();
        selection.keep_fraction(&split, 0.01, 7).unwrap();
        let mut seen: Vec<u32> = selection.labels.clone();
        seen.sort_unstable();
        seen.dedup();
        let mut kept: Vec<u32> =
            selection.labels.iter().zip(&selection.keep).filter(|(_, k)| **k).map(|(l, _)| *l).collect();
        kept.sort_unstable();
        assert_eq!(kept, seen);
    }

    #[test]
    fn selected_batches_are_full_and_go_on_anywhere() {
        let (_dir, dataset) = world();
        let split = dataset.split("train").unwrap();
        let config =
            LoaderConfig { batch_size: 8, shuffle: true, drop_last: true, ..LoaderConfig::default() };
        let open = |selection: &Selection, config: &LoaderConfig| {
            let (config, selection) = (config.clone(), selection.clone());
            DatasetBatches::selected(&dataset, &split, config, selection, &Device::Cpu, DType::F32).unwrap()
        };
        let mut half = Selection::all(&split);
        half.keep_fraction(&split, 0.5, 0).unwrap();
        let batches = open(&half, &config);
        let whole = labels(&batches, 1, 0);
        assert_eq!(whole.len() as u64, batches.per_epoch());
        assert_eq!(whole.len(), half.len() / 8);
        assert!(whole.iter().all(|batch| batch.len() == 8));
        assert_eq!(labels(&batches, 1, 2), whole[2..]);
        assert_ne!(labels(&batches, 2, 0), whole);
        // Nothing is lost when short batches are allowed, and each label is its sample's.
        let all = open(&half, &LoaderConfig { drop_last: false, ..config.clone() });
        let mut seen: Vec<u32> = labels(&all, 1, 0).concat();
        let kept = half.keep.iter().zip(&half.labels).filter(|(keep, _)| **keep);
        let mut expected: Vec<u32> = kept.map(|(_, label)| *label).collect();
        seen.sort_unstable();
        expected.sort_unstable();
        assert_eq!(seen, expected);
        // A selection of everything is the loader's own order.
        let plain = DatasetBatches::new(&dataset, &split, config.clone(), &Device::Cpu, DType::F32).unwrap();
        assert_eq!(labels(&open(&Selection::all(&split), &config), 3, 0), labels(&plain, 3, 0));
    }
}
