//! The nine kinds of object, each with three sub-kinds.
//!
//! A kind is a shape family; colours and patterns come from a [`Livery`] that knows nothing of it.

mod balloon;
mod butterfly;
mod cactus;
mod car;
mod fish;
mod mushroom;
mod penguin;
mod rocket;
mod vessel;

use super::dice::Dice;
use super::figure::Figure;
use super::paint::Livery;
use super::scenes::Scene;

/// A kind of object: a class of the toy taxonomy.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// The class's short name.
    pub(crate) name: &'static str,
    /// The kind of scene it belongs in.
    pub(crate) home: Scene,
    /// Names of its sub-kinds, the fine labels.
    pub(crate) fine: [&'static str; 3],
    /// Draws sub-kind 0, 1 or 2 in object space.
    pub(crate) draw: fn(usize, &Livery, &mut Dice) -> Figure,
    /// Largest turn to either side, in turns.
    pub(crate) lean: f32,
}

/// The nine kinds in class order; `KINDS[i].home` is `Scene::ALL[i]`.
pub(crate) const KINDS: [Kind; 9] = [
    Kind {
        name: "butterfly",
        home: Scene::Meadow,
        fine: ["monarch", "swallowtail", "moth"],
        draw: butterfly::draw,
        lean: 0.14,
    },
    Kind {
        name: "fish",
        home: Scene::Sea,
        fine: ["trout", "reef fish", "angelfish"],
        draw: fish::draw,
        lean: 0.07,
    },
    Kind {
        name: "cactus",
        home: Scene::Desert,
        fine: ["saguaro", "barrel cactus", "prickly pear"],
        draw: cactus::draw,
        lean: 0.04,
    },
    Kind {
        name: "mushroom",
        home: Scene::Forest,
        fine: ["toadstool", "chanterelle", "ink cap"],
        draw: mushroom::draw,
        lean: 0.05,
    },
    Kind {
        name: "car",
        home: Scene::City,
        fine: ["saloon car", "bus", "lorry"],
        draw: car::draw,
        lean: 0.03,
    },
    Kind {
        name: "penguin",
        home: Scene::Snow,
        fine: ["emperor penguin", "penguin chick", "rockhopper"],
        draw: penguin::draw,
        lean: 0.05,
    },
    Kind {
        name: "vessel",
        home: Scene::Room,
        fine: ["teapot", "mug", "jug"],
        draw: vessel::draw,
        lean: 0.04,
    },
    Kind {
        name: "rocket",
        home: Scene::Night,
        fine: ["slim rocket", "stout rocket", "booster rocket"],
        draw: rocket::draw,
        lean: 0.12,
    },
    Kind {
        name: "balloon",
        home: Scene::Mountain,
        fine: ["hot-air balloon", "airship", "party balloon"],
        draw: balloon::draw,
        lean: 0.05,
    },
];

/// The synset id of a sub-kind (0, 1, 2) of a class (0…8): `n900000CS`, S from 1.
pub(crate) fn wnid(class: usize, fine: usize) -> String {
    format!("n900000{class}{}", fine + 1)
}
