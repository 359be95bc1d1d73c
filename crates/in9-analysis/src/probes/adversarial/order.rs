//! Which background to try next on a foreground.

use super::rules::Rule;

/// Running success of every background against every foreground class, on top of a prior.
///
/// A background's promise against a class is its shrunken success rate there:
/// (successes + w·prior) / (tries + w), where the prior is the background's own overall rate on top
/// of what the network answers to the background alone.
#[derive(Debug, Clone)]
pub struct Promise {
    classes: usize,
    /// What the network's answer to the background alone suggests, `[background, class]`.
    prior: Vec<f32>,
    /// (successes, tries) by `[background, class of the foreground]`.
    by_class: Vec<(u32, u32)>,
    overall: Vec<(u32, u32)>,
}

/// Weight of the prior, in tries.
const PRIOR_WEIGHT: f32 = 2.0;
/// Weight of a background's overall rate in its rate against one class, in tries.
const SHRINK_WEIGHT: f32 = 3.0;

impl Promise {
    /// Promise before any try, from the network's scores on the backgrounds alone
    /// (`[background, class]`) and the backgrounds' classes.
    pub fn new(rule: Rule, scores: &[f32], background_classes: &[u16], classes: usize) -> Self {
        let prior = scores
            .chunks(classes)
            .zip(background_classes)
            .flat_map(|(row, &own)| {
                (0..classes).map(move |class| match rule {
                    // The more of the score lies elsewhere, the likelier a wrong answer.
                    Rule::Untargeted | Rule::UntargetedOther => 1.0 - row[class],
                    Rule::Targeted => row[usize::from(own)],
                })
            })
            .collect();
        let n = background_classes.len();
        Self { classes, prior, by_class: vec![(0, 0); n * classes], overall: vec![(0, 0); n] }
    }

    /// Notes the outcome of a try.
    pub fn note(&mut self, background: usize, class: u16, success: bool) {
        for cell in [
            &mut self.by_class[background * self.classes + usize::from(class)],
            &mut self.overall[background],
        ] {
            cell.0 += u32::from(success);
            cell.1 += 1;
        }
    }

    /// How promising `background` is against foregrounds of `class`, in `0..=1`.
    pub fn of(&self, background: usize, class: u16) -> f32 {
        let at = background * self.classes + usize::from(class);
        let (won, tried) = self.overall[background];
        let overall = (won as f32 + PRIOR_WEIGHT * self.prior[at]) / (tried as f32 + PRIOR_WEIGHT);
        let (won, tried) = self.by_class[at];
        (won as f32 + SHRINK_WEIGHT * overall) / (tried as f32 + SHRINK_WEIGHT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_raises_promise_and_failure_lowers_it() {
        let mut p = Promise::new(Rule::Targeted, &[0.5, 0.5, 0.9, 0.1], &[0, 1], 2);
        assert!(p.of(0, 1) > p.of(1, 0));
        let before = p.of(1, 0);
        p.note(1, 0, true);
        assert!(p.of(1, 0) > before);
        // Success against another class counts too, but less.
        let (own, other) = (p.of(0, 0), p.of(0, 1));
        p.note(0, 1, false);
        assert!(p.of(0, 1) < p.of(0, 0) && p.of(0, 0) < own && p.of(0, 1) < other);
    }
}
