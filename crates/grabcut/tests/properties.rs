//! What holds for every image: falling energies, purity, and an energy that can be recomputed.

use grabcut::{
    Init, Label, Params, Rect, RgbView, Segmentation, Workspace, outline_margin, segment, segment_batch,
};
use proptest::prelude::*;

#[derive(Debug, Clone)]
struct Case {
    data: Vec<u8>,
    width: usize,
    labels: Vec<Label>,
    params: Params,
}

impl Case {
    fn view(&self) -> RgbView<'_> {
        RgbView::new(&self.data, self.width, self.labels.len() / self.width).expect("sizes match")
    }
}

/// Images of few or many colours with smooth and rough parts, and any trimap.
fn cases() -> impl Strategy<Value = Case> {
    (1..24_usize, 1..24_usize, 1..=255_u8, 0..300_u64, 1..=8_usize).prop_flat_map(
        |(width, height, colours, gamma, components)| {
            let n = width * height;
            let label = prop_oneof![
                4 => Just(Label::Background),
                1 => Just(Label::Foreground),
                2 => Just(Label::MaybeBackground),
                6 => Just(Label::MaybeForeground),
            ];
            let pixels = prop::collection::vec(0..=colours, n * 3);
            (pixels, prop::collection::vec(label, n), any::<u64>()).prop_map(move |(data, labels, seed)| {
                let params =
                    Params { gamma: gamma as f64, components, seed, iterations: 8, ..Params::default() };
                Case { data, width, labels, params }
            })
        },
    )
}

/// The energy of the paper, term by term, for the mask and the models that led to it.
fn energy(case: &Case, result: &Segmentation) -> f64 {
    energy_of(case, result, result.mask())
}

/// The same for any mask.
fn energy_of(case: &Case, result: &Segmentation, mask: &[u8]) -> f64 {
    let width = case.width;
    let colour = |i: usize| [0, 1, 2].map(|c| f64::from(case.data[3 * i + c]));
    let mut links = Vec::new();
    for i in 0..mask.len() {
        let (x, y) = (i % width, i / width);
        for (dx, dy) in [(1_isize, 0), (-1, 1), (0, 1), (1, 1)] {
            let to = (x.wrapping_add_signed(dx), y + dy);
            if to.0 < width && to.1 < mask.len() / width {
                let j = to.1 * width + to.0;
                let d2: f64 = colour(i).iter().zip(colour(j)).map(|(a, b)| (a - b).powi(2)).sum();
                links.push((i, j, d2, ((dx * dx) as f64 + (dy * dy) as f64).sqrt()));
            }
        }
    }
    let mean = links.iter().map(|l| l.2).sum::<f64>() / links.len().max(1) as f64;
    let beta = if mean > 0.0 { 0.5 / mean } else { 0.0 };
    let cut = links.iter().filter(|l| mask[l.0] != mask[l.1]);
    let smoothness: f64 = cut.map(|l| case.params.gamma * (-beta * l.2).exp() / l.3).sum();
    let data: f64 = (0..mask.len())
        .map(|i| {
            let model = if mask[i] == 1 { result.foreground_model() } else { result.background_model() };
            model.cost(colour(i))
        })
        .sum();
    data + smoothness
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn energies_fall_and_the_last_is_that_of_the_mask(case in cases()) {
        let mut workspace = Workspace::new();
        let Ok(result) = segment(case.view(), Init::Trimap(&case.labels), &case.params, &mut workspace) else {
            return Ok(());
        };
        let energies = result.energies();
        prop_assert!(energies.windows(2).all(|e| e[1] < e[0]), "{energies:?}");
        if let Some(&last) = energies.last() {
            let expected = energy(&case, &result);
            // Every term is rounded to a unit of at most 1/1024 .. γ/32767 nat.
            let unit = (case.params.gamma / 32_767.0).max(1.0 / 1024.0);
            let tolerance = unit * 5.0 * case.labels.len() as f64 + 1e-4 * expected.abs();
            prop_assert!((last - expected).abs() < tolerance, "{last} {expected}");
        }
        for (label, &m) in case.labels.iter().zip(result.mask()) {
            match label {
                Label::Background => prop_assert_eq!(m, 0),
                Label::Foreground => prop_assert_eq!(m, 1),
                _ => prop_assert!(m <= 1),
            }
        }
    }

    #[test]
    fn the_margin_of_an_outline_is_what_each_of_its_pixels_would_cost(case in cases()) {
        let mut workspace = Workspace::new();
        let Ok(result) = segment(case.view(), Init::Trimap(&case.labels), &case.params, &mut workspace) else {
            return Ok(());
        };
        if result.energies().is_empty() {
            return Ok(());
        }
        let (mask, width) = (result.mask(), case.width);
        let height = mask.len() / width;
        let beside_ground = |i: usize| {
            let (x, y) = (i % width, i / width);
            let mut near = (y.saturating_sub(1)..height.min(y + 2))
                .flat_map(|y| (x.saturating_sub(1)..width.min(x + 2)).map(move |x| y * width + x));
            mask[i] == 1 && near.any(|j| mask[j] == 0)
        };
        let before = energy(&case, &result);
        let costs: Vec<f64> = (0..mask.len())
            .filter(|&i| beside_ground(i))
            .map(|i| {
                let mut other = mask.to_vec();
                other[i] = 0;
                energy_of(&case, &result, &other) - before
            })
            .collect();
        match outline_margin(case.view(), &result, case.params.gamma) {
            None => prop_assert!(costs.is_empty()),
            Some(margin) => {
                let expected = costs.iter().sum::<f64>() / costs.len() as f64;
                prop_assert!((margin - expected).abs() < 1e-6 * (1.0 + before.abs()), "{margin} {expected}");
                // Nothing was decided beforehand: the mask is the minimum, to the rounding of its terms.
                if case.labels.iter().all(|label| matches!(label, Label::MaybeForeground | Label::Background)) {
                    let unit = (case.params.gamma / 32_767.0).max(1.0 / 1024.0);
                    prop_assert!(margin > -5.0 * unit * mask.len() as f64, "{margin}");
                }
            }
        }
    }

    #[test]
    fn what_the_workspace_held_does_not_matter(a in cases(), b in cases()) {
        let mut used = Workspace::new();
        let _ = segment(a.view(), Init::Trimap(&a.labels), &a.params, &mut used);
        let run = |workspace: &mut Workspace| {
            segment(b.view(), Init::Trimap(&b.labels), &b.params, workspace)
                .map(|r| (r.mask().to_vec(), r.energies().to_vec()))
        };
        prop_assert_eq!(run(&mut used), run(&mut Workspace::new()));
    }
}

/// Large enough to start from two smaller pictures; odd sides, a thin scribble on either side.
#[test]
fn a_large_picture_has_the_energy_of_its_mask() {
    let (width, height) = (201, 157);
    let inside = |x: usize, y: usize| x.abs_diff(100).pow(2) + 2 * y.abs_diff(80).pow(2) < 3000;
    let data = (0..width * height).flat_map(|i| {
        let noise = ((i as u32).wrapping_mul(2_654_435_761) >> 26) as u8;
        if inside(i % width, i / width) { [150 + noise, 90, noise] } else { [100 + noise, 110 - noise, 60] }
    });
    let label = |i: usize| match (i % width, i / width) {
        (80..120, 80) => Label::Foreground,
        (20..180, 10) | (3, 20..140) => Label::Background,
        (60..140, 40..120) => Label::MaybeForeground,
        _ => Label::MaybeBackground,
    };
    let labels: Vec<Label> = (0..width * height).map(label).collect();
    let case = Case { data: data.collect(), width, labels, params: Params::until_converged() };
    let mut workspace = Workspace::new();
    let result =
        segment(case.view(), Init::Trimap(&case.labels), &case.params, &mut workspace).expect("valid input");
    let energies = result.energies();
    assert!(energies.windows(2).all(|e| e[1] < e[0]), "{energies:?}");
    let (last, expected) = (energies[energies.len() - 1], energy(&case, &result));
    assert!((last - expected).abs() < 1e-4 * expected, "{last} {expected}");
    let wrong =
        (0..width * height).filter(|&i| (result.mask()[i] == 1) != inside(i % width, i / width)).count();
    assert!(wrong < 100, "{wrong} pixels of {}", width * height);
    assert_eq!((result.mask()[80 * width + 100], result.mask()[10 * width + 50]), (1, 0));
}

#[test]
fn masks_do_not_depend_on_the_number_of_threads() {
    let images: Vec<Vec<u8>> = (0..12_u32)
        .map(|k| {
            (0..120 * 90_u32)
                .flat_map(|i| {
                    let (x, y) = (i % 120, i / 120);
                    let disc = x.abs_diff(60).pow(2) + y.abs_diff(45).pow(2) < 450 + 45 * k;
                    let noise = (i.wrapping_mul(2_654_435_761 ^ k) >> 24) as u8 / 4;
                    if disc { [200 - noise, 90 + noise, 30] } else { [30 + noise, 120, 160 - noise] }
                })
                .collect()
        })
        .collect();
    let jobs: Vec<_> = images
        .iter()
        .map(|data| {
            let view = RgbView::new(data, 120, 90).expect("sizes match");
            (view, Init::Box(Rect { x0: 18, y0: 12, x1: 105, y1: 81 }))
        })
        .collect();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| segment_batch(&jobs, &Params::default()))
    };
    let one = run(1);
    assert!(one.iter().all(|mask| mask.as_ref().is_ok_and(|m| m.contains(&1) && m.contains(&0))));
    for threads in [2, 3, 8] {
        assert_eq!(run(threads), one);
    }
}
