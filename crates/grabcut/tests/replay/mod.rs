//! What the fuzz target runs on any bytes: an image, a box or trimap and parameters in, an error or
//! a mask out, never a panic.
//!
//! Bytes 0 and 1 give the sides, 2 to 6 the parameters, 7 to 10 the box, 11 its kind; colours and
//! labels follow, zeros where the input ends.

use grabcut::{Init, Label, Params, Rect, RgbView, Segmentation, Workspace, segment};

/// Segments what `input` describes, checks the result and hands it to `see`.
pub(crate) fn replay(input: &[u8], see: impl FnOnce(&Segmentation)) {
    let Some((head, rest)) = input.split_first_chunk::<12>() else { return };
    // Sides over 64 make pictures that start from smaller ones.
    let (width, height) = (usize::from(head[0] % 100), usize::from(head[1] % 100));
    let pixels = width * height;
    let mut data = rest.iter().copied().chain(std::iter::repeat(0));
    let colours: Vec<u8> = data.by_ref().take(3 * pixels).collect();
    let Ok(image) = RgbView::new(&colours, width, height) else { return };
    let params = Params {
        iterations: usize::from(head[2] % 9),
        gamma: f64::from(head[3]) * f64::from(head[4]) / 50.0,
        components: usize::from(head[5] % 10),
        seed: u64::from(head[6]),
        ..Params::default()
    };
    let labels: Vec<Label> = data
        .take(pixels)
        .map(|b| match b % 4 {
            0 => Label::MaybeForeground,
            1 => Label::MaybeBackground,
            2 => Label::Background,
            _ => Label::Foreground,
        })
        .collect();
    let [x0, y0, x1, y1] = [head[7], head[8], head[9], head[10]].map(u32::from);
    let init = match head[11] % 2 {
        0 => Init::Box(Rect { x0, y0, x1, y1 }),
        _ => Init::Trimap(&labels),
    };
    let mut workspace = Workspace::new();
    if let Ok(result) = segment(image, init, &params, &mut workspace) {
        assert_eq!(result.mask().len(), pixels);
        assert!(result.mask().iter().all(|&m| m <= 1));
        assert!(result.energies().windows(2).all(|e| e[1] < e[0]), "{:?}", result.energies());
        for (i, (&m, label)) in result.mask().iter().zip(&labels).enumerate() {
            let (x, y) = ((i % width) as u32, (i / width) as u32);
            let fixed = match init {
                Init::Box(_) => (!((x0..x1).contains(&x) && (y0..y1).contains(&y))).then_some(0),
                Init::Trimap(_) => match label {
                    Label::Background => Some(0),
                    Label::Foreground => Some(1),
                    Label::MaybeBackground | Label::MaybeForeground => None,
                },
            };
            assert!(fixed.is_none_or(|fixed| m == fixed), "pixel ({x}, {y}) was known");
        }
        see(&result);
    }
}
