//! Any bytes as an image, a box or trimap and parameters: an error or a mask, never a panic.
#![no_main]

use grabcut::{Init, Label, Params, Rect, RgbView, Workspace, segment};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((head, rest)) = input.split_first_chunk::<12>() else { return };
    let (width, height) = (usize::from(head[0] % 40), usize::from(head[1] % 40));
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
            0 => Label::Background,
            1 => Label::Foreground,
            2 => Label::MaybeBackground,
            _ => Label::MaybeForeground,
        })
        .collect();
    let [x0, y0, x1, y1] = [head[7], head[8], head[9], head[10]].map(u32::from);
    let init = if head[11] % 2 == 0 {
        Init::Box(Rect { x0, y0, x1, y1 })
    } else {
        Init::Trimap(&labels)
    };
    let mut workspace = Workspace::new();
    if let Ok(result) = segment(image, init, &params, &mut workspace) {
        assert_eq!(result.mask().len(), pixels);
        assert!(result.mask().iter().all(|&m| m <= 1));
        assert!(result.energies().windows(2).all(|e| e[1] < e[0]));
    }
});
