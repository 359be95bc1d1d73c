//! The iterations of GrabCut on one image: assign components, fit mixtures, cut.

use crate::init::{FOREGROUND, UNKNOWN};
use crate::level::Level;
use crate::maxflow::grid::{FORWARD, STEP, Shape};
use crate::simd::{Backend, CostTable, LinkCapacity, MAX_LINK};
use crate::{Mixture, Rect};

/// Most units of energy in a nat; there are fewer if γ is over 32.
const MAX_UNITS: f64 = 1024.0;

/// The iterations on one level of the image pyramid.
pub(crate) struct Iterations<'s> {
    level: &'s mut Level,
    backend: Backend,
    gamma: f64,
    /// Smallest box around the unknown pixels: the nodes of the grid.
    domain: Rect,
    shape: Shape,
    /// Units of energy in a nat.
    units: f64,
    /// Energy in units that no cut can change: links between fixed pixels.
    constant: i64,
    /// Whether any pixel is fixed as foreground.
    fixed_foreground: bool,
}

/// Sums of the data term over pixels.
#[derive(Default)]
struct DataCost {
    /// Costs of all fixed pixels, in units.
    fixed: i64,
    /// Costs of all nodes as background, in units.
    background: i64,
}

/// Sum of the costs of pixels as what their states say.
fn fixed_cost(states: &[u8], bg: &[i32], fg: &[i32]) -> i64 {
    let costs = states.iter().zip(bg).zip(fg);
    costs.map(|((&s, &bg), &fg)| i64::from(if s & FOREGROUND == 0 { bg } else { fg })).sum()
}

impl<'s> Iterations<'s> {
    /// Prepares a level whose image and states are set; `unknown` is the smallest box around the unknown pixels.
    pub(crate) fn new(level: &'s mut Level, unknown: Option<Rect>, gamma: f64, backend: Backend) -> Self {
        let domain = unknown.unwrap_or(Rect { x0: 0, y0: 0, x1: 0, y1: 0 });
        let shape = Shape { width: domain.width() as usize, height: domain.height() as usize };
        let (pixels, width) = (level.states.len(), level.image.width());
        level.energies.clear();
        for component in [&mut level.component_fg, &mut level.component_bg] {
            component.clear();
            component.resize(pixels, 0);
        }
        level.counts.reset(pixels);
        level.terminal.clear();
        level.terminal.resize(shape.width * shape.height, 0);
        for row in &mut level.row_cost {
            row.clear();
            row.resize(width, 0);
        }
        level.row_capacity.clear();
        level.row_capacity.resize(width, 0);
        let fixed_foreground = level.states.contains(&FOREGROUND);
        let units = (f64::from(MAX_LINK) / gamma).min(MAX_UNITS);
        Self { level, backend, gamma, domain, shape, units, constant: 0, fixed_foreground }
    }

    /// Runs up to `iterations` iterations from `mixtures` and the labels in the states, and updates both. If those
    /// labels are nearly final, the first cut is found faster.
    pub(crate) fn run(&mut self, iterations: usize, mixtures: &mut [Mixture; 2], nearly_final: bool) {
        if self.shape.width == 0 {
            return;
        }
        self.link_grid();
        self.evaluate(mixtures, false);
        let mut last = i64::MAX;
        for _ in 0..iterations {
            if !self.fit(mixtures) {
                break;
            }
            let cost = self.evaluate(mixtures, true);
            let guess = nearly_final || !self.level.energies.is_empty();
            self.cut(guess);
            let energy = self.energy(&cost);
            // Each step minimises the energy, so it can rise only by rounding to units. If it does not fall,
            // the iterations have converged.
            if energy >= last {
                break;
            }
            last = energy;
            self.level.energies.push(energy as f64 / self.units);
            self.take_cut();
        }
    }

    /// Fits each mixture to the pixels of its side. Returns `false` if a side has no pixels left.
    fn fit(&mut self, mixtures: &mut [Mixture; 2]) -> bool {
        let k = mixtures[0].components().len();
        let Level { states, image, component_fg, component_bg, counts, .. } = &mut *self.level;
        counts.update(image, states, [component_bg, component_fg]);
        let sides = counts.sides(k);
        if sides.iter().any(|side| side.iter().all(|m| m.count == 0)) {
            return false;
        }
        for (mixture, moments) in mixtures.iter_mut().zip(sides) {
            *mixture = Mixture::fit(moments);
        }
        true
    }

    /// Evaluates both mixtures on all pixels: the best components and, if `to_flow`, the terminal links of the
    /// nodes.
    fn evaluate(&mut self, [bg, fg]: &[Mixture; 2], to_flow: bool) -> DataCost {
        let (bg, fg) = (CostTable::new(bg, self.units), CostTable::new(fg, self.units));
        let (x0, x1) = (self.domain.x0 as usize, self.domain.x1 as usize);
        let (y0, y1) = (self.domain.y0 as usize, self.domain.y1 as usize);
        let (shape, fixed_foreground) = (self.shape, self.fixed_foreground);
        let backend = self.backend;
        let Level { image, states, component_fg, component_bg, terminal, flow, row_cost, .. } =
            &mut *self.level;
        let [cost_bg, cost_fg] = row_cost;
        let width = image.width();
        let mut total = DataCost::default();
        for y in 0..image.height() {
            let row = y * width..(y + 1) * width;
            let inside = (y0..y1).contains(&y);
            bg.evaluate(backend, image.row(y, 0, width), cost_bg, &mut component_bg[row.clone()]);
            if fixed_foreground {
                let component = &mut component_fg[row.clone()];
                fg.evaluate(backend, image.row(y, 0, width), cost_fg, component);
            } else if inside {
                let component = &mut component_fg[row.start + x0..row.start + x1];
                fg.evaluate(backend, image.row(y, x0, x1), &mut cost_fg[x0..x1], component);
            }
            if !to_flow {
                continue;
            }
            let states = &states[row];
            let (from, to) = if inside { (x0, x1) } else { (width, width) };
            for fixed in [0..from, to..width] {
                total.fixed += fixed_cost(&states[fixed.clone()], &cost_bg[fixed.clone()], &cost_fg[fixed]);
            }
            if !inside {
                continue;
            }
            let (states, bg, fg) = (&states[x0..x1], &cost_bg[x0..x1], &cost_fg[x0..x1]);
            let terminal = &mut terminal[(y - y0) * shape.width..][..shape.width];
            let nodes = flow.excesses(shape.at(0, y - y0), shape.width);
            if states.iter().all(|state| state & UNKNOWN != 0) {
                total.background += bg.iter().map(|&cost| i64::from(cost)).sum::<i64>();
                for (((excess, terminal), &bg), &fg) in nodes.iter_mut().zip(terminal).zip(bg).zip(fg) {
                    *excess += bg - fg - *terminal;
                    *terminal = bg - fg;
                }
                continue;
            }
            for (x, &state) in states.iter().enumerate() {
                if state & UNKNOWN == 0 {
                    total.fixed += fixed_cost(&states[x..=x], &bg[x..=x], &fg[x..=x]);
                } else {
                    let new = bg[x] - fg[x];
                    nodes[x] += new - std::mem::replace(&mut terminal[x], new);
                    total.background += i64::from(bg[x]);
                }
            }
        }
        total
    }

    /// Sets up the links between unknown pixels. A link to a fixed pixel becomes part of a terminal link.
    fn link_grid(&mut self) {
        self.level.flow.reset(self.shape);
        self.constant = 0;
        let falloff = LinkCapacity::new(self.level.image.beta(), self.gamma * self.units);
        let (width, height) = (self.level.image.width(), self.level.image.height());
        // Links between fixed pixels cost nothing if all of these are background. Then only the neighbours of
        // the unknown pixels matter.
        let near = |v: u32, step: isize, side: usize| (v as usize).saturating_add_signed(step).min(side);
        let ((left, right), (top, bottom)) = if self.fixed_foreground {
            ((0, width), (0, height))
        } else {
            let Rect { x0, y0, x1, y1 } = self.domain;
            ((near(x0, -1, width), near(x1, 1, width)), (near(y0, -1, height), near(y1, 1, height)))
        };
        for y in top..bottom {
            for d in FORWARD {
                let (dx, dy) = STEP[d];
                let below = y + dy as usize;
                let (from, to) = if dx < 0 { (left + 1, right) } else { (left, right - dx as usize) };
                if below >= bottom || from >= to {
                    continue;
                }
                self.link_row(falloff, y, below, from, to, d);
            }
        }
    }

    /// Links in direction `d` from columns `from..to` of row `y` to row `below`.
    fn link_row(&mut self, falloff: LinkCapacity, y: usize, below: usize, from: usize, to: usize, d: usize) {
        let (dx, dy) = STEP[d];
        let (ox, oy) = (self.domain.x0 as usize, self.domain.y0 as usize);
        let backend = self.backend;
        let Level { image, states, flow, row_capacity, .. } = &mut *self.level;
        let shift = |x: usize| x.wrapping_add_signed(dx);
        let width = image.width();
        let (a, b) = (image.row(y, from, to), image.row(below, shift(from), shift(to)));
        let links = &mut row_capacity[..to - from];
        falloff.evaluate(backend, a, b, dx != 0 && dy != 0, links);
        // Inside a box only the first and the last pixel of a row have neighbours outside.
        let (mut first, mut last) = (from + 1, to.saturating_sub(1));
        let unknown = |y: usize, from: usize, to: usize| {
            states[y * width..][from..to].iter().all(|state| state & UNKNOWN != 0)
        };
        if first < last && unknown(y, first, last) && unknown(below, shift(first), shift(last)) {
            flow.set_links(self.shape.at(first - ox, y - oy), d, &links[first - from..last - from]);
        } else {
            (first, last) = (to, to);
        }
        for x in (from..first).chain(last..to) {
            let link = links[x - from];
            let (i, j) = (y * width + x, below * width + shift(x));
            let (p, q) = (states[i], states[j]);
            let node = |x: usize, y: usize| self.shape.at(x - ox, y - oy);
            // A link to a fixed pixel acts as a link to the terminal of that pixel's side.
            let pull = |fixed: u8| i32::from(link) * if fixed & FOREGROUND != 0 { 1 } else { -1 };
            match (p & UNKNOWN != 0, q & UNKNOWN != 0) {
                (true, true) => flow.set_link(node(x, y), d, link),
                (true, false) => {
                    flow.add_excess(node(x, y), pull(q));
                    self.constant += i64::from(pull(q).max(0));
                }
                (false, true) => {
                    flow.add_excess(node(shift(x), below), pull(p));
                    self.constant += i64::from(pull(p).max(0));
                }
                (false, false) => {
                    self.constant += i64::from(link) * i64::from((p ^ q) & FOREGROUND);
                }
            }
        }
    }

    /// Finds the minimum cut, faster if the labels in the states are nearly its sides.
    fn cut(&mut self, labels_as_guess: bool) {
        let (x0, y0) = (self.domain.x0 as usize, self.domain.y0 as usize);
        let Level { image, states, guess, flow, .. } = &mut *self.level;
        if !labels_as_guess {
            return flow.solve(self.backend, None);
        }
        guess.clear();
        guess.resize(self.shape.nodes(), false);
        for y in 0..self.shape.height {
            let states = &states[(y0 + y) * image.width() + x0..][..self.shape.width];
            for (guess, state) in guess[self.shape.at(0, y)..].iter_mut().zip(states) {
                *guess = state & FOREGROUND != 0;
            }
        }
        flow.solve(self.backend, Some(guess));
    }

    /// Energy of the cut in units. The value of the cut is that of the flow: the capacity of the links from the
    /// source minus their residual capacity. So the energy is that of all nodes as background minus the
    /// residual capacity of the links from the source.
    fn energy(&self, cost: &DataCost) -> i64 {
        let mut unused = 0;
        for y in 0..self.shape.height {
            for x in 0..self.shape.width {
                unused += i64::from(self.level.flow.excess(self.shape.at(x, y)).max(0));
            }
        }
        self.constant + cost.fixed + cost.background - unused
    }

    /// Moves every unknown pixel to its side of the cut.
    fn take_cut(&mut self) {
        let (x0, y0) = (self.domain.x0 as usize, self.domain.y0 as usize);
        let width = self.level.image.width();
        for y in 0..self.shape.height {
            let row = (y0 + y) * width + x0;
            for x in 0..self.shape.width {
                let state = &mut self.level.states[row + x];
                if *state & UNKNOWN != 0 {
                    *state = UNKNOWN | u8::from(self.level.flow.on_source_side(self.shape.at(x, y)));
                }
            }
        }
    }
}
