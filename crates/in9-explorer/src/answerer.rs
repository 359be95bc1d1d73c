//! Networks that answer while one waits.

use std::sync::{Mutex, PoisonError};

use in9_analysis::probes::classifier::first_highest;
use in9_analysis::probes::saliency::cam::grad_cam;
use in9_analysis::probes::saliency::default_tap;
use in9_analysis::probes::saliency::overlay::overlay;
use in9_analysis::probes::{GradientClassifier, Pictures};

use crate::error::Result;

/// A classifier that is asked about pictures which no table knows.
///
/// The server asks from several threads.
pub trait Answerer: Send + Sync {
    /// Name for people, such as the run's.
    fn name(&self) -> &str;

    /// Names of the classes, in the order of [`Answer::scores`].
    fn classes(&self) -> &[String];

    /// What the network says of one picture of `size · size · 3` RGB bytes, row by row.
    ///
    /// # Errors
    /// If the network cannot be run on it.
    fn answer(&self, rgb: &[u8], size: usize) -> Result<Answer>;
}

/// What a network says of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Probability of each class, in `0..=1`.
    pub scores: Vec<f32>,
    /// The class it chooses; `None` is outside the taxonomy.
    pub predicted: Option<u16>,
    /// The picture under its Grad-CAM, `size · size · 3` RGB bytes, if the network has one.
    pub saliency: Option<Vec<u8>>,
}

/// Any classifier whose insides can be looked at, asked one picture at a time.
pub struct Probed<C> {
    name: String,
    classes: Vec<String>,
    /// The last tap that still has places, for Grad-CAM; `None` for a network without one.
    tap: Option<String>,
    classifier: Mutex<C>,
}

impl<C: GradientClassifier> Probed<C> {
    /// A classifier under this name, whose scores are of these classes.
    pub fn new(name: String, classes: Vec<String>, classifier: C) -> Self {
        let tap = default_tap(&classifier.taps()).ok();
        Self { name, classes, tap, classifier: Mutex::new(classifier) }
    }
}

impl<C: GradientClassifier + Send> Answerer for Probed<C> {
    fn name(&self) -> &str {
        &self.name
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn answer(&self, rgb: &[u8], size: usize) -> Result<Answer> {
        // A network that panicked once is asked again: it holds no state between pictures.
        let classifier = self.classifier.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pictures = Pictures::empty(size);
        pictures.push_rgb(rgb);
        let scores = classifier.scores(&pictures)?;
        let predicted = classifier.predict(&pictures)?.into_iter().next().flatten();
        let looked_at = predicted.unwrap_or_else(|| first_highest(&scores));
        // Networks whose outputs are not the classes have no gradient of a class; their answers are worth showing.
        let map = self.tap.as_ref().and_then(|tap| {
            let gradient = classifier.tap_gradient(&pictures, &[looked_at], tap).ok()?;
            grad_cam(&gradient, size).into_iter().next()
        });
        Ok(Answer { scores, predicted, saliency: map.map(|map| overlay(rgb, &map)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use in9_analysis::probes::{Classifier, TapGradient};

    /// Looks at the red of the upper half.
    struct Red;

    impl Classifier for Red {
        fn classes(&self) -> usize {
            2
        }

        fn scores(&self, pictures: &Pictures) -> in9_analysis::Result<Vec<f32>> {
            let plane = pictures.size * pictures.size;
            let red = pictures.pixels[..plane / 2].iter().sum::<f32>() / (plane / 2) as f32;
            Ok(vec![red, 1.0 - red])
        }
    }

    impl GradientClassifier for Red {
        fn taps(&self) -> Vec<String> {
            vec!["layer1".into(), "fc".into()]
        }

        fn tap_gradient(
            &self,
            pictures: &Pictures,
            _: &[u16],
            tap: &str,
        ) -> in9_analysis::Result<TapGradient> {
            assert_eq!(tap, "layer1");
            let activation = vec![1.0, 0.0];
            Ok(TapGradient {
                activation,
                gradient: vec![1.0; 2],
                count: pictures.count,
                channels: 1,
                height: 2,
                width: 1,
            })
        }

        fn input_gradient(&self, _: &Pictures, _: &[u16]) -> in9_analysis::Result<Vec<f32>> {
            unreachable!("Grad-CAM needs none")
        }
    }

    #[test]
    fn a_classifier_answers_with_its_grad_cam() {
        let red = Probed::new("red".into(), vec!["red".into(), "other".into()], Red);
        let rgb: Vec<u8> = [255, 0, 0].repeat(16);
        let answer = red.answer(&rgb, 4).unwrap();
        assert_eq!((answer.scores, answer.predicted), (vec![1.0, 0.0], Some(0)));
        let map = answer.saliency.unwrap();
        // Hot above, cold below.
        assert!(map[0] > map[2] && map[45] < map[0]);
    }
}
