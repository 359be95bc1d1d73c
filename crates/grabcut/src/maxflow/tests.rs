//! The cut against independent answers.

use proptest::prelude::*;

use super::GridCut;
use super::boykov_kolmogorov::BoykovKolmogorov;
use super::grid::{FORWARD, STEP, Shape};
use crate::simd::Backend;

/// A grid with capacities, as tests describe it.
#[derive(Debug, Clone)]
struct Grid {
    shape: Shape,
    /// Per node, in the directions of [`FORWARD`]; those that lead out of the grid are ignored.
    links: Vec<[u16; 4]>,
    excess: Vec<i32>,
}

impl Grid {
    fn nodes(&self) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let Shape { width, height } = self.shape;
        (0..height).flat_map(move |y| (0..width).map(move |x| (y * width + x, x, y)))
    }

    /// Calls `link` for every link: from (x, y), direction, to, capacity.
    fn for_links(&self, mut link: impl FnMut((usize, usize), usize, (usize, usize), u16)) {
        for (i, x, y) in self.nodes() {
            for (d, &capacity) in FORWARD.iter().zip(&self.links[i]) {
                let to = (x.wrapping_add_signed(STEP[*d].0), y.wrapping_add_signed(STEP[*d].1));
                if to.0 < self.shape.width && to.1 < self.shape.height {
                    link((x, y), *d, to, capacity);
                }
            }
        }
    }

    fn build(&self, cut: &mut GridCut) {
        cut.reset(self.shape);
        self.for_links(|(x, y), d, _, capacity| cut.set_link(self.shape.at(x, y), d, capacity));
        for (i, x, y) in self.nodes() {
            cut.add_excess(self.shape.at(x, y), self.excess[i]);
        }
    }

    /// Capacity of the links cut when exactly the nodes in `source` are on the source's side.
    fn cut_value(&self, source: &[bool]) -> i64 {
        let mut value = 0;
        for (i, &excess) in self.excess.iter().enumerate() {
            value += i64::from(if source[i] { -excess } else { excess }.max(0));
        }
        let at = |(x, y): (usize, usize)| source[y * self.shape.width + x];
        self.for_links(|from, _, to, capacity| {
            value += if at(from) == at(to) { 0 } else { i64::from(capacity) };
        });
        value
    }

    /// Least cut: its value and the nodes on the source's side; checks that the flow equals it.
    fn solve(&self, cut: &mut GridCut) -> (i64, Vec<bool>) {
        cut.solve(Backend::detect(), None);
        let at = |x, y| self.shape.at(x, y);
        let side: Vec<bool> = self.nodes().map(|(_, x, y)| cut.on_source_side(at(x, y))).collect();
        let supply: i64 = self.excess.iter().map(|&e| i64::from(e.max(0))).sum();
        let unused: i64 = self.nodes().map(|(_, x, y)| i64::from(cut.excess(at(x, y)).max(0))).sum();
        assert_eq!(supply - unused, self.cut_value(&side), "flow and cut differ");
        (supply - unused, side)
    }

    fn solve_by_boykov_kolmogorov(&self) -> Vec<bool> {
        let mut cut = BoykovKolmogorov::default();
        cut.reset(self.shape);
        self.for_links(|(x, y), d, _, capacity| cut.set_link(self.shape.at(x, y), d, capacity));
        for (i, x, y) in self.nodes() {
            cut.add_excess(self.shape.at(x, y), self.excess[i]);
        }
        cut.solve();
        self.nodes().map(|(_, x, y)| cut.on_source_side(self.shape.at(x, y))).collect()
    }
}

/// Random grids, some with many absent links and terminals, some with capacities at the limit.
fn grids(side: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Grid> {
    (side.clone(), side, prop_oneof![Just(2_u16), Just(40), Just(32_767)], 0..3_u32).prop_flat_map(
        |(width, height, strongest, sparse)| {
            let n = width * height;
            let scale = i32::from(strongest) * 6;
            let link = prop_oneof![sparse => Just(0), 1 => 0..=strongest];
            let excess = prop_oneof![sparse => Just(0), 1 => -scale..=scale];
            (
                prop::collection::vec([link.clone(), link.clone(), link.clone(), link], n),
                prop::collection::vec(excess, n),
            )
                .prop_map(move |(links, excess)| Grid {
                    shape: Shape { width, height },
                    links,
                    excess,
                })
        },
    )
}

#[test]
fn values_equal_scipys() {
    let fixture = include_str!("../../tests/fixtures/maxflow.txt");
    let mut cases = 0;
    for line in fixture.lines() {
        let numbers: Vec<i64> = line.split(' ').map(|n| n.parse().expect("a number")).collect();
        let [width, height, value] = [0, 1, 2].map(|i| numbers[i]);
        let nodes: Vec<&[i64]> = numbers[3..].chunks_exact(5).collect();
        assert_eq!(nodes.len() as i64, width * height);
        let grid = Grid {
            shape: Shape { width: width as usize, height: height as usize },
            links: nodes.iter().map(|n| [0, 1, 2, 3].map(|d| n[d] as u16)).collect(),
            excess: nodes.iter().map(|n| n[4] as i32).collect(),
        };
        let mut cut = GridCut::default();
        grid.build(&mut cut);
        assert_eq!(grid.solve(&mut cut).0, value, "case {cases}");
        cases += 1;
    }
    assert_eq!(cases, 60);
}

proptest! {
    #[test]
    fn no_cut_is_below_the_one_found(grid in grids(1..=4)) {
        let mut cut = GridCut::default();
        grid.build(&mut cut);
        let (value, side) = grid.solve(&mut cut);
        let n = side.len();
        for candidate in 0..1_u32 << n.min(12) {
            // Grids of up to 12 nodes in full, larger ones around the cut that was found.
            let source: Vec<bool> = (0..n).map(|i| side[i] ^ (candidate >> (i % 12) & 1 == 1)).collect();
            let other = grid.cut_value(&source);
            prop_assert!(other >= value);
            if other == value {
                prop_assert!((0..n).all(|i| source[i] || !side[i]), "a smaller least cut exists");
            }
        }
    }

    #[test]
    fn boykov_kolmogorov_finds_the_same_cut(grid in grids(1..=40)) {
        let mut cut = GridCut::default();
        grid.build(&mut cut);
        prop_assert_eq!(grid.solve(&mut cut).1, grid.solve_by_boykov_kolmogorov());
    }

    #[test]
    fn flow_left_from_other_terminals_and_a_guess_do_not_change_the_cut(
        grid in grids(1..=20),
        changes in prop::collection::vec(-200_000..200_000, 400),
        misjudged in prop::collection::vec(prop::bool::weighted(0.2), 400),
    ) {
        let mut changed = grid.clone();
        for (i, _, _) in grid.nodes().filter(|(i, _, _)| i % 3 == 0) {
            changed.excess[i] += changes[i];
        }
        let mut cold = GridCut::default();
        changed.build(&mut cold);
        let expected = changed.solve(&mut cold).1;
        let at = |x, y| grid.shape.at(x, y);
        let mut guess = vec![false; grid.shape.nodes()];
        for (i, x, y) in grid.nodes() {
            guess[at(x, y)] = expected[i] != misjudged[i];
        }
        for &backend in Backend::available() {
            for guess in [None, Some(&guess[..])] {
                let mut cut = GridCut::default();
                grid.build(&mut cut);
                grid.solve(&mut cut);
                for (i, x, y) in grid.nodes() {
                    cut.add_excess(at(x, y), changed.excess[i] - grid.excess[i]);
                }
                cut.solve(backend, guess);
                let side: Vec<bool> = grid.nodes().map(|(_, x, y)| cut.on_source_side(at(x, y))).collect();
                prop_assert_eq!(&side, &expected, "{:?}", backend);
            }
        }
    }
}
