//! The iterations of GrabCut on one image: assign components, fit mixtures, cut.

use crate::colour::moments::{MAX_RUN, Moments, RunMoments};
use crate::init::{FOREGROUND, UNKNOWN};
use crate::level::Level;
use crate::maxflow::grid::{FORWARD, STEP, Shape};
use crate::params::MAX_COMPONENTS;
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

    /// Runs up to `iterations` iterations from `mixtures` and the labels in the states, and updates both.
    pub(crate) fn run(&mut self, iterations: usize, mixtures: &mut [Mixture; 2]) {
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
            self.level.flow.solve();
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
        const SETS: usize = 2 * MAX_COMPONENTS;
        let Level { states, image, component_fg, component_bg, .. } = &*self.level;
        let mut run = RunMoments::<SETS>::new();
        let mut moments = [Moments::default(); SETS];
        let mut start = 0;
        while start < states.len() {
            let end = states.len().min(start + MAX_RUN);
            let states = &states[start..end];
            let components = component_fg[start..end].iter().zip(&component_bg[start..end]);
            let colours = image.colours(start, end);
            for ((&state, (&fg, &bg)), colour) in states.iter().zip(components).zip(colours) {
                let side = state & FOREGROUND;
                let component = if side == 0 { bg } else { fg };
                run.push(usize::from(side) * MAX_COMPONENTS + usize::from(component), colour);
            }
            run.drain(&mut moments);
            start = end;
        }
        let sides = [&moments[..k], &moments[MAX_COMPONENTS..][..k]];
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
            for (x, &state) in states[row].iter().enumerate() {
                if state & UNKNOWN == 0 {
                    let cost = if state & FOREGROUND == 0 { cost_bg[x] } else { cost_fg[x] };
                    total.fixed += i64::from(cost);
                } else {
                    let node = (y - y0) * shape.width + (x - x0);
                    let new = cost_bg[x] - cost_fg[x];
                    flow.add_excess(shape.at(x - x0, y - y0), new - terminal[node]);
                    terminal[node] = new;
                    total.background += i64::from(cost_bg[x]);
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
        for (x, &link) in (from..to).zip(links.iter()) {
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
