//! The rounds of GrabCut: assign components, fit mixtures, cut.

use crate::colour::moments::{MAX_RUN, Moments, RunMoments};
use crate::init::{FOREGROUND, OPEN};
use crate::maxflow::grid::{FORWARD, STEP, Shape};
use crate::params::MAX_COMPONENTS;
use crate::simd::{Backend, CostTable, Falloff, MAX_LINK};
use crate::stage::Stage;
use crate::{Mixture, Rect};

/// Most units of energy in a nat; fewer if γ is over 32.
const MAX_UNITS: f64 = 1024.0;

/// One picture in progress.
pub(crate) struct Rounds<'s> {
    stage: &'s mut Stage,
    backend: Backend,
    gamma: f64,
    /// Smallest box around the open pixels: the nodes of the grid.
    domain: Rect,
    shape: Shape,
    /// Units of energy in a nat.
    units: f64,
    /// Energy in units that no cut can change: links between fixed pixels.
    constant: i64,
    /// Whether a pixel is foreground for certain.
    fixed_foreground: bool,
}

/// Result of evaluating the mixtures on all pixels.
#[derive(Default)]
struct DataCost {
    /// Σ of the costs of the pixels that cannot change, in units.
    fixed: i64,
    /// Σ of the costs of all nodes as background, in units.
    background: i64,
}

impl<'s> Rounds<'s> {
    /// Prepares a stage whose planes and states are set; `open` is the smallest box around the
    /// open pixels.
    pub(crate) fn new(stage: &'s mut Stage, open: Option<Rect>, gamma: f64, backend: Backend) -> Self {
        let domain = open.unwrap_or(Rect { x0: 0, y0: 0, x1: 0, y1: 0 });
        let shape = Shape { width: domain.width() as usize, height: domain.height() as usize };
        let (pixels, width) = (stage.states.len(), stage.planes.width());
        stage.energies.clear();
        for component in [&mut stage.component_fg, &mut stage.component_bg] {
            component.clear();
            component.resize(pixels, 0);
        }
        stage.gap.clear();
        stage.gap.resize(shape.width * shape.height, 0);
        for row in &mut stage.row_cost {
            row.clear();
            row.resize(width, 0);
        }
        stage.row_link.clear();
        stage.row_link.resize(width, 0);
        let fixed_foreground = stage.states.contains(&FOREGROUND);
        let units = (f64::from(MAX_LINK) / gamma).min(MAX_UNITS);
        Self { stage, backend, gamma, domain, shape, units, constant: 0, fixed_foreground }
    }

    /// Up to `iterations` rounds, from `mixtures` and the states' labels, which both are moved on.
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
            self.stage.flow.solve();
            let energy = self.energy(&cost);
            // Each step minimises the energy, so it rises by no more than rounding to units can
            // do; without a fall there is nothing left to change.
            if energy >= last {
                break;
            }
            last = energy;
            self.stage.energies.push(energy as f64 / self.units);
            self.take_cut();
        }
    }

    /// Fits both mixtures to the pixels of their side. `false` if a side has no pixels left.
    fn fit(&mut self, mixtures: &mut [Mixture; 2]) -> bool {
        let k = mixtures[0].components().len();
        const SETS: usize = 2 * MAX_COMPONENTS;
        let Stage { states, planes, component_fg, component_bg, .. } = &*self.stage;
        let mut run = RunMoments::<SETS>::new();
        let mut moments = [Moments::default(); SETS];
        let mut start = 0;
        while start < states.len() {
            let end = states.len().min(start + MAX_RUN);
            let states = &states[start..end];
            let components = component_fg[start..end].iter().zip(&component_bg[start..end]);
            let colours = planes.colours(start, end);
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

    /// Evaluates both mixtures on all pixels: best components, and (if `to_flow`) the terminal
    /// capacities of the nodes.
    fn evaluate(&mut self, [bg, fg]: &[Mixture; 2], to_flow: bool) -> DataCost {
        let (bg, fg) = (CostTable::new(bg, self.units), CostTable::new(fg, self.units));
        let (x0, x1) = (self.domain.x0 as usize, self.domain.x1 as usize);
        let (y0, y1) = (self.domain.y0 as usize, self.domain.y1 as usize);
        let (shape, fixed_foreground) = (self.shape, self.fixed_foreground);
        let backend = self.backend;
        let Stage { planes, states, component_fg, component_bg, gap, flow, row_cost, .. } = &mut *self.stage;
        let [cost_bg, cost_fg] = row_cost;
        let width = planes.width();
        let mut total = DataCost::default();
        for y in 0..planes.height() {
            let row = y * width..(y + 1) * width;
            let inside = (y0..y1).contains(&y);
            bg.evaluate(backend, planes.row(y, 0, width), cost_bg, &mut component_bg[row.clone()]);
            if fixed_foreground {
                let component = &mut component_fg[row.clone()];
                fg.evaluate(backend, planes.row(y, 0, width), cost_fg, component);
            } else if inside {
                let component = &mut component_fg[row.start + x0..row.start + x1];
                fg.evaluate(backend, planes.row(y, x0, x1), &mut cost_fg[x0..x1], component);
            }
            if !to_flow {
                continue;
            }
            for (x, &state) in states[row].iter().enumerate() {
                if state & OPEN == 0 {
                    let cost = if state & FOREGROUND == 0 { cost_bg[x] } else { cost_fg[x] };
                    total.fixed += i64::from(cost);
                } else {
                    let node = (y - y0) * shape.width + (x - x0);
                    let new = cost_bg[x] - cost_fg[x];
                    flow.add_excess(shape.at(x - x0, y - y0), new - gap[node]);
                    gap[node] = new;
                    total.background += i64::from(cost_bg[x]);
                }
            }
        }
        total
    }

    /// Sets up the links between open pixels and folds those to fixed ones into the terminals.
    fn link_grid(&mut self) {
        self.stage.flow.reset(self.shape);
        self.constant = 0;
        let falloff = Falloff::new(self.stage.planes.beta(), self.gamma * self.units);
        let (width, height) = (self.stage.planes.width(), self.stage.planes.height());
        // Fixed pixels far from the open ones matter only if they can be on different sides.
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
    fn link_row(&mut self, falloff: Falloff, y: usize, below: usize, from: usize, to: usize, d: usize) {
        let (dx, dy) = STEP[d];
        let (ox, oy) = (self.domain.x0 as usize, self.domain.y0 as usize);
        let backend = self.backend;
        let Stage { planes, states, flow, row_link, .. } = &mut *self.stage;
        let shift = |x: usize| x.wrapping_add_signed(dx);
        let width = planes.width();
        let (a, b) = (planes.row(y, from, to), planes.row(below, shift(from), shift(to)));
        let links = &mut row_link[..to - from];
        falloff.evaluate(backend, a, b, dx != 0 && dy != 0, links);
        for (x, &link) in (from..to).zip(links.iter()) {
            let (i, j) = (y * width + x, below * width + shift(x));
            let (p, q) = (states[i], states[j]);
            let node = |x: usize, y: usize| self.shape.at(x - ox, y - oy);
            // A fixed neighbour pulls an open pixel to its own side.
            let pull = |fixed: u8| i32::from(link) * if fixed & FOREGROUND != 0 { 1 } else { -1 };
            match (p & OPEN != 0, q & OPEN != 0) {
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

    /// Energy of the cut in units: were all nodes background, less what the flow left unused of
    /// the links from the source.
    fn energy(&self, cost: &DataCost) -> i64 {
        let mut unused = 0;
        for y in 0..self.shape.height {
            for x in 0..self.shape.width {
                unused += i64::from(self.stage.flow.excess(self.shape.at(x, y)).max(0));
            }
        }
        self.constant + cost.fixed + cost.background - unused
    }

    /// Moves every open pixel to its side of the cut.
    fn take_cut(&mut self) {
        let (x0, y0) = (self.domain.x0 as usize, self.domain.y0 as usize);
        let width = self.stage.planes.width();
        for y in 0..self.shape.height {
            let row = (y0 + y) * width + x0;
            for x in 0..self.shape.width {
                let state = &mut self.stage.states[row + x];
                if *state & OPEN != 0 {
                    *state = OPEN | u8::from(self.stage.flow.on_source_side(self.shape.at(x, y)));
                }
            }
        }
    }
}
