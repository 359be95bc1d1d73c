//! Which stages start next, and on how many cores.

use std::collections::VecDeque;

use super::Outcome;
use crate::cache::{Cache, State};
use crate::error::Result;
use crate::graph::Graph;

/// Takes what can start now from `open`, with the number of cores for each; drops what can never start.
pub(super) fn pick(
    graph: &Graph,
    open: &mut VecDeque<usize>,
    states: &mut [State],
    cache: &Cache,
    jobs: usize,
    mut free: usize,
    outcome: &mut Outcome,
) -> Result<Vec<(usize, usize)>> {
    open.retain(|at| {
        let lost = |id: &String| {
            outcome.failed.iter().any(|(failed, _)| failed == id) || outcome.blocked.contains(id)
        };
        let hopeless = graph.stages[*at].inputs().iter().any(|input| lost(&graph.stages[*input].id));
        if hopeless {
            outcome.blocked.push(graph.stages[*at].id.clone());
        }
        !hopeless
    });
    let mut ready = Vec::new();
    for at in open.iter().copied() {
        let stage = &graph.stages[at];
        if stage.inputs().iter().all(|input| states[*input].is_done()) {
            ready.push(at);
        }
    }
    let mut start = Vec::new();
    let mut narrow = ready.iter().filter(|at| !graph.stages[**at].kind.is_wide()).count();
    ready.sort_by_key(|at| (graph.stages[*at].kind, *at));
    for at in ready {
        // An input that ran again and wrote what was there before may have made a stage's output valid.
        let fresh = cache.state(&graph.stages[at], states)?;
        if fresh.is_done() {
            states[at] = fresh;
            outcome.kept += 1;
            open.retain(|other| *other != at);
            continue;
        }
        let cores = if graph.stages[at].kind.is_wide() {
            if free < jobs {
                break;
            }
            jobs
        } else {
            if free == 0 {
                break;
            }
            let share = free.div_ceil(narrow.min(free));
            narrow -= 1;
            share
        };
        free -= cores;
        start.push((at, cores));
    }
    open.retain(|at| !start.iter().any(|(started, _)| started == at));
    Ok(start)
}
