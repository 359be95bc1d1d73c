//! The colours of charts on paper: those of the page's light scheme.

/// Name of the CSS variable without its dashes, and its colour. The page's style sheet says the same, which is tested.
pub(crate) const LIGHT: [(&str, &str); 16] = [
    ("ink", "#1c2230"),
    ("soft", "#5b6475"),
    ("sheet", "#ffffff"),
    ("strong", "#ffffff"),
    ("grid", "#e8eaee"),
    ("empty", "#f1f2f4"),
    ("heat", "#2f6fb0"),
    ("s0", "#3566ad"),
    ("s1", "#dd8433"),
    ("s2", "#3f9468"),
    ("s3", "#c24a4a"),
    ("s4", "#7a5fb0"),
    ("s5", "#2a9aa3"),
    ("s6", "#b8648f"),
    ("s7", "#8c8a34"),
    ("s8", "#7b8595"),
];

/// The pale end of the scale of [`heat`].
pub(super) const HEAT_LOW: &str = "#eef4fa";

/// The light scheme's colour of a variable; black for one that there is not.
pub(super) fn light(name: &str) -> &'static str {
    LIGHT.iter().find(|(known, _)| *known == name).map_or("#000000", |(_, colour)| colour)
}

/// A colour between the pale and the strong end of the heat scale, mixed as CSS's `color-mix(in oklab, …)` does.
/// `share` is that of the strong end, in `0..=1`.
pub(super) fn heat(share: f64) -> String {
    let (strong, pale) = (oklab(light("heat")), oklab(HEAT_LOW));
    let mixed = [0, 1, 2].map(|i| share * strong[i] + (1.0 - share) * pale[i]);
    hex(mixed)
}

/// Lightness and the two colour axes of OKLab (Ottosson 2020) of `#rrggbb`.
fn oklab(colour: &str) -> [f64; 3] {
    let channel = |at: usize| {
        let byte = colour.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(0);
        let v = f64::from(byte) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    let [r, g, b] = [1, 3, 5].map(channel);
    let l = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b).cbrt();
    let m = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b).cbrt();
    let s = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b).cbrt();
    [
        0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
        1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
    ]
}

/// OKLab as `#rrggbb`.
fn hex([lightness, a, b]: [f64; 3]) -> String {
    let l = (lightness + 0.3963377774 * a + 0.2158037573 * b).powi(3);
    let m = (lightness - 0.1055613458 * a - 0.0638541728 * b).powi(3);
    let s = (lightness - 0.0894841775 * a - 1.2914855480 * b).powi(3);
    let linear = [
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
    ];
    let byte = |v: f64| {
        let v = v.clamp(0.0, 1.0);
        let v = if v <= 0.0031308 { 12.92 * v } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 };
        (255.0 * v).round() as u8
    };
    let [r, g, b] = linear.map(byte);
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_heat_scale_are_its_colours() {
        assert_eq!(heat(1.0), light("heat"));
        assert_eq!(heat(0.0), HEAT_LOW);
        // As Chromium computes color-mix(in oklab, #2f6fb0 50%, #eef4fa).
        assert_eq!(heat(0.5), "#8fb1d6");
    }

    #[test]
    fn the_page_has_the_same_colours() {
        let style = include_str!("../page/style.css");
        let light_scheme = &style[..style.find("@media").unwrap()];
        for (name, colour) in LIGHT.into_iter().chain([("heat-low", HEAT_LOW)]) {
            assert!(light_scheme.contains(&format!("--{name}:{colour}")), "--{name} is not {colour}");
        }
    }
}
