//! `surface`: accuracy and gap over how objects are pasted.

use super::target::Target;
use crate::output::csv_files::encode;
use crate::output::json;
use crate::output::number::{percent_interval, points_interval};
use crate::probes::mask_error::Backgrounds;
use crate::probes::surface::{
    Answers, Axis, Cell, Grid, Point, Position, Side, Surface as Found, answers, surface,
};
use crate::probes::written::Surface as Written;
use crate::stats::{Bootstrap, Interval};
use anyhow::{Result, bail, ensure};
use clap::Args;
use in9_base::files::Owner;
use in9_base::shell::{Outcome, Shell};
use in9_data::View;

const OWNER: Owner = Owner {
    made_by: "in9-analysis surface",
    names: &["summary.json", "surface.csv", "levels.csv", "answers.csv", "settings.toml"],
};

/// The largest grid: a photograph is shown twice in each cell.
const MOST_CELLS: usize = 10_000;

/// Bias surfaces: accuracy and gap over position × size × edge × likeness of the background
///
/// Every object is pasted in every way of the grid, on the background of its class and on the random one that the dataset's
/// pairings give it. Bands hold together over the cells of a surface.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    in9-analysis surface --weights runs/original --data toy --out surface/original\n  \
    in9-analysis surface --weights runs/original --data toy --sizes own,0.2,0.4,0.6,0.8 --edges 0 --similarities 0 --out sizes")]
pub struct Surface {
    #[command(flatten)]
    target: Target,
    /// Where objects are pasted: own, centre, corner (drawn for each photograph).
    #[arg(long, value_delimiter = ',', default_value = "own,centre,corner")]
    positions: Vec<Position>,
    /// How large: own, or the longer side of the object's bounding box as a share of the picture's side.
    #[arg(long, value_delimiter = ',', default_value = "own,0.3,0.6")]
    sizes: Vec<Side>,
    /// Widths of the soft edge, as shares of the picture's side; 0 is a hard edge.
    #[arg(long, value_delimiter = ',', default_value = "0,0.04", value_parser = share)]
    edges: Vec<f64>,
    /// How near the background's colours are brought to those of the object's own background: 0 as they are, 1 the same
    /// mean and contrast.
    #[arg(long, value_delimiter = ',', default_value = "0,1", value_parser = share)]
    similarities: Vec<f64>,
}

impl Surface {
    pub(super) fn run(self, shell: &Shell) -> Result<Outcome> {
        let grid = self.grid()?;
        let folder = self.target.begin(&OWNER, &[])?;
        let opened = self.target.open(shell)?;
        let images = self.target.on.chosen(&opened.split, "surface-images");
        let [same, rand] = self.target.on.frozen(&opened.split, [View::MixedSame, View::MixedRand])?;
        let partners: Vec<Backgrounds> = images
            .iter()
            .map(|&image| Backgrounds { same: same.0[image as usize], rand: rand.0[image as usize] })
            .collect();
        let progress = shell.progress("surface", "images", images.len() as u64);
        let tell = &mut |done, all| progress.tell("surface", done as u64, all as u64);
        let (seed, batch) = (self.target.on.seed, self.target.on.batch());
        let found = answers(&*opened.seen, &opened.network, &images, &partners, &grid, seed, batch, tell)?;
        progress.finish();
        let bootstrap = Bootstrap { seed, ..Bootstrap::default() };
        let Some(all) = surface(&grid, &found, &bootstrap) else {
            bail!("split {} holds no photograph", opened.source.split);
        };
        let of_class = |class: u16| {
            let own: Vec<Answers> = found.iter().filter(|one| one.class == class).cloned().collect();
            Some((class, surface(&grid, &own, &bootstrap)?))
        };
        let classes = (0..opened.classes.len() as u16).filter_map(of_class).collect();
        let summary = Written { source: opened.source.clone(), grid, seed, all, classes };
        let class = |class: u16| opened.classes[usize::from(class)].clone();
        let surfaces = || {
            let each = summary.classes.iter().map(|(number, surface)| (class(*number), surface));
            [(String::new(), &summary.all)].into_iter().chain(each)
        };
        let ids = |one: &Answers| opened.split.sample(one.image as usize).id.clone();
        folder.write("summary.json", json::pretty(&summary)?)?;
        folder.write("surface.csv", cells_table(surfaces())?)?;
        folder.write("levels.csv", levels_table(surfaces())?)?;
        let rows = found.iter().flat_map(|one| {
            let cells = summary.all.cells.iter().enumerate();
            cells.map(move |(at, (cell, _))| {
                let right = [one.same[at], one.rand[at]].map(|right| u8::from(right).to_string());
                [ids(one), class(one.class)].into_iter().chain(names(cell)).chain(right).collect()
            })
        });
        let header = ["image", "class", "position", "size", "edge", "similarity", "same", "rand"];
        folder.write("answers.csv", encode(&header, rows)?)?;
        folder.write("settings.toml", opened.settings(&settings(&summary.grid)))?;
        folder.finish()?;
        tell_result(shell, &summary)?;
        Ok(Outcome::Done)
    }

    fn grid(&self) -> Result<Grid> {
        let grid = Grid {
            positions: self.positions.clone(),
            sizes: self.sizes.clone(),
            edges: self.edges.clone(),
            similarities: self.similarities.clone(),
        };
        for axis in Axis::ALL {
            let levels = grid.levels(axis);
            let again = levels.iter().enumerate().find(|(at, level)| levels[..*at].contains(level));
            if let Some((_, level)) = again {
                bail!("{}: expected each level once, found {level} twice", axis.name());
            }
        }
        let cells = grid.cells().len();
        ensure!(cells <= MOST_CELLS, "expected at most {MOST_CELLS} cells, found {cells}; give fewer levels");
        Ok(grid)
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(format!("expected a number from 0 to 1, such as 0.04, found {text}")),
    }
}

fn settings(grid: &Grid) -> String {
    let list = |axis: Axis| {
        grid.levels(axis).iter().map(|level| format!("{level:?}")).collect::<Vec<_>>().join(", ")
    };
    Axis::ALL.map(|axis| format!("{} = [{}]\n", axis.name(), list(axis))).concat()
}

fn names(cell: &Cell) -> [String; 4] {
    Axis::ALL.map(|axis| cell.level(axis))
}

/// Each measure with its limits; empty where there is none.
fn numbers(point: Option<&Point>) -> Vec<String> {
    let text = |value: f64| if value.is_nan() { String::new() } else { value.to_string() };
    let limits = |i: &Interval| [i.value, i.low, i.high].map(text);
    match point {
        Some(point) => [&point.same, &point.rand, &point.gap].into_iter().flat_map(limits).collect(),
        None => vec![String::new(); 9],
    }
}

const MEASURES: [&str; 9] =
    ["same", "same_low", "same_high", "rand", "rand_low", "rand_high", "gap", "gap_low", "gap_high"];

/// Every cell over all photographs (no class) and over those of each class.
fn cells_table<'a>(surfaces: impl Iterator<Item = (String, &'a Found)>) -> Result<Vec<u8>> {
    let header =
        [&["class", "photographs", "position", "size", "edge", "similarity"][..], &MEASURES].concat();
    let rows = surfaces.flat_map(|(class, surface)| {
        surface.cells.iter().map(move |(cell, point)| {
            let about = [class.clone(), surface.photographs.to_string()];
            about.into_iter().chain(names(cell)).chain(numbers(Some(point))).collect()
        })
    });
    Ok(encode(&header, rows)?)
}

/// Every level of every axis, and its change from the first.
fn levels_table<'a>(surfaces: impl Iterator<Item = (String, &'a Found)>) -> Result<Vec<u8>> {
    let changes = MEASURES.map(|name| format!("change_{name}"));
    let changes: Vec<&str> = changes.iter().map(String::as_str).collect();
    let header = [&["class", "photographs", "axis", "level"][..], &MEASURES, &changes].concat();
    let rows = surfaces.flat_map(|(class, surface)| {
        surface.levels.iter().map(move |level| {
            let about = [class.clone(), surface.photographs.to_string(), level.axis.name().to_owned()];
            let about = about.into_iter().chain([level.level.clone()]);
            about.chain(numbers(Some(&level.point))).chain(numbers(level.change.as_ref())).collect()
        })
    });
    Ok(encode(&header, rows)?)
}

fn tell_result(shell: &Shell, summary: &Written) -> Result<()> {
    let (source, all) = (&summary.source, &summary.all);
    shell.print(format_args!(
        "{} on {} {}: {} images, each pasted in {} ways on two backgrounds\n\
         axis       level    random background %     gap, points             its change from the first level, points",
        source.model,
        source.dataset,
        source.split,
        all.photographs,
        all.cells.len(),
    ))?;
    for level in &all.levels {
        let change = level.change.as_ref().map_or_else(String::new, |change| points_interval(&change.gap));
        shell.print(format_args!(
            "{:<10} {:<8} {:<23} {:<23} {change}",
            level.axis.name(),
            level.level,
            percent_interval(&level.point.rand),
            points_interval(&level.point.gap),
        ))?;
    }
    Ok(())
}
