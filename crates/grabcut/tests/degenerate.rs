//! Input at the edge of what makes sense: a typed error or a sensible mask, never a panic.

use grabcut::{Error, Init, Label, Params, Rect, RgbView, Workspace, segment};

fn run(data: &[u8], width: usize, init: Init) -> Result<Vec<u8>, Error> {
    let image = RgbView::new(data, width, data.len() / 3 / width)?;
    segment(image, init, &Params::default(), &mut Workspace::new()).map(|s| s.mask().to_vec())
}

fn rect(x0: u32, y0: u32, x1: u32, y1: u32) -> Init<'static> {
    Init::Box(Rect { x0, y0, x1, y1 })
}

/// A white square of columns and rows 3..7 on black, 10 × 10 pixels.
fn square() -> Vec<u8> {
    (0..100)
        .flat_map(|i| [if (3..7).contains(&(i % 10)) && (3..7).contains(&(i / 10)) { 255 } else { 0 }; 3])
        .collect()
}

fn square_mask() -> Vec<u8> {
    square().chunks_exact(3).map(|p| u8::from(p[0] == 255)).collect()
}

#[test]
fn a_square_is_found() {
    assert_eq!(run(&square(), 10, rect(2, 2, 8, 8)), Ok(square_mask()));
}

#[test]
fn a_box_that_overhangs_is_clipped() {
    assert_eq!(run(&square(), 10, rect(2, 2, 99, 8)), Ok(square_mask()));
}

#[test]
fn a_box_without_pixels_is_an_error() {
    for init in [rect(5, 5, 5, 9), rect(6, 2, 3, 8), rect(10, 0, 20, 5), rect(0, u32::MAX, 5, u32::MAX)] {
        assert!(matches!(run(&square(), 10, init), Err(Error::EmptyBox { .. })), "{init:?}");
    }
}

#[test]
fn a_box_over_everything_leaves_no_background() {
    assert_eq!(run(&square(), 10, rect(0, 0, 10, 10)), Err(Error::NoBackground));
    assert_eq!(run(&[1, 2, 3], 1, rect(0, 0, 1, 1)), Err(Error::NoBackground));
}

#[test]
fn a_uniform_image_has_a_mask_inside_its_box() {
    let mask = run(&[77; 300], 10, rect(2, 2, 8, 8)).expect("valid input");
    for (i, &m) in mask.iter().enumerate() {
        let inside = (2..8).contains(&(i % 10)) && (2..8).contains(&(i / 10));
        assert!(m <= u8::from(inside));
    }
}

#[test]
fn colours_whose_covariance_has_no_volume() {
    // One colour a side, colours on a line, colours in a plane; the object is 4 × 4 pixels.
    let colours: [fn(bool, u8) -> [u8; 3]; 3] = [
        |inside, _| if inside { [255, 0, 0] } else { [0, 0, 255] },
        |inside, v| if inside { [200 + v; 3] } else { [v; 3] },
        |inside, v| if inside { [200 + v, 255 - v, 40] } else { [v / 2, v, 40] },
    ];
    for colour in colours {
        let truth = square_mask();
        let data: Vec<u8> =
            (0..100).flat_map(|i: u8| colour(truth[usize::from(i)] == 1, i.wrapping_mul(7) % 32)).collect();
        assert_eq!(run(&data, 10, rect(2, 2, 8, 8)), Ok(truth));
    }
}

#[test]
fn a_box_of_one_pixel() {
    let mut data = vec![0; 300];
    data[3 * 44..3 * 45].fill(255);
    let mask = run(&data, 10, rect(4, 4, 5, 5)).expect("valid input");
    assert!(mask.iter().enumerate().all(|(i, &m)| m == 0 || i == 44));
}

#[test]
fn sides_of_one_pixel() {
    for width in [1, 30] {
        let data: Vec<u8> =
            (0..30_u8).flat_map(|i| [if (10..20).contains(&i) { 250 } else { i }; 3]).collect();
        let init = if width == 1 { rect(0, 8, 1, 22) } else { rect(8, 0, 22, 1) };
        let mask = run(&data, width, init).expect("valid input");
        assert_eq!(mask[10..20], [1; 10]);
        assert_eq!(mask[..8], [0; 8]);
    }
}

#[test]
fn trimaps_without_one_of_the_labels() {
    use Label::{Background, Foreground, MaybeBackground, MaybeForeground};
    let all = |label| vec![label; 100];
    for (labels, error) in [
        (all(Background), Error::NoForeground),
        (all(MaybeBackground), Error::NoForeground),
        (all(Foreground), Error::NoBackground),
        (all(MaybeForeground), Error::NoBackground),
    ] {
        assert_eq!(run(&square(), 10, Init::Trimap(&labels)), Err(error));
    }
    let short = vec![Background; 99];
    let error = Error::TrimapSize { expected: 100, found: 99 };
    assert_eq!(run(&square(), 10, Init::Trimap(&short)), Err(error));

    // Everything is known: the mask is the trimap.
    let labels: Vec<Label> = (0..100).map(|i| if i % 3 == 0 { Foreground } else { Background }).collect();
    let mask = run(&square(), 10, Init::Trimap(&labels)).expect("valid input");
    assert!(mask.iter().enumerate().all(|(i, &m)| (m == 1) == (i % 3 == 0)));

    // No certain pixel at all.
    let truth = square_mask();
    let labels: Vec<Label> =
        truth.iter().map(|&m| if m == 1 { MaybeForeground } else { MaybeBackground }).collect();
    assert_eq!(run(&square(), 10, Init::Trimap(&labels)), Ok(truth));
}

#[test]
fn certain_labels_are_kept() {
    let mut labels = vec![Label::MaybeBackground; 100];
    labels[44] = Label::Foreground;
    labels[33] = Label::Background;
    labels[0] = Label::Background;
    labels[99] = Label::Foreground;
    let mask = run(&square(), 10, Init::Trimap(&labels)).expect("valid input");
    assert_eq!([mask[44], mask[33], mask[0], mask[99]], [1, 0, 0, 1]);
}

#[test]
fn limits_and_parameters_are_enforced() {
    let data = square();
    let image = RgbView::new(&data, 10, 10).expect("sizes match");
    let mut workspace = Workspace::new();
    let small = Params { max_pixels: 99, ..Params::default() };
    assert_eq!(
        segment(image, rect(2, 2, 8, 8), &small, &mut workspace).map(|_| ()),
        Err(Error::TooManyPixels { pixels: 100, limit: 99 })
    );
    for components in [0, 9] {
        let params = Params { components, ..Params::default() };
        let result = segment(image, rect(2, 2, 8, 8), &params, &mut workspace).map(|_| ());
        assert!(matches!(result, Err(Error::Parameter { name: "components", .. })));
    }
    for gamma in [0.0, 1e-300, 1000.0] {
        let params = Params { gamma, ..Params::default() };
        assert!(segment(image, rect(2, 2, 8, 8), &params, &mut workspace).is_ok());
    }
}
