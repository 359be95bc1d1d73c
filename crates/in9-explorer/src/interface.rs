//! The page: HTML, style and script, embedded in the program.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The page's frame; in it stand the names of what a server or an export puts there.
const PAGE: &str = include_str!("../web/index.html");

/// The page's style.
pub(crate) const STYLE: &str = include_str!("../web/style.css");

/// The page's icon, an SVG.
pub(crate) const ICON: &str = include_str!("../web/icon.svg");

/// The page's script: one scope, its parts in the order in which they build on each other.
pub(crate) const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("../web/js/dom.js"),
    include_str!("../web/js/words.js"),
    include_str!("../web/js/columns.js"),
    include_str!("../web/js/source.js"),
    include_str!("../web/js/address.js"),
    include_str!("../web/js/picture.js"),
    include_str!("../web/js/chart.js"),
    include_str!("../web/js/filter.js"),
    include_str!("../web/js/download.js"),
    include_str!("../web/js/overview.js"),
    include_str!("../web/js/controls.js"),
    include_str!("../web/js/grid.js"),
    include_str!("../web/js/photograph.js"),
    include_str!("../web/js/mixer.js"),
    include_str!("../web/js/compare.js"),
    include_str!("../web/js/keys.js"),
    include_str!("../web/js/main.js"),
    "})();\n",
);

/// The page that reads from a server.
pub(crate) fn served() -> String {
    PAGE.replace("<!--POLICY-->", "")
        .replace("<!--STYLE-->", r#"<link rel="stylesheet" href="/style.css">"#)
        .replace("<!--ICON-->", r#"<link rel="icon" href="/icon.svg">"#)
        .replace("<!--DATA-->", "")
        .replace("<!--SCRIPT-->", r#"<script src="/script.js" defer></script>"#)
}

/// The page with `data` (JSON) inside it, which needs no server. `pictures` are the sources that its policy allows
/// pictures to come from.
pub(crate) fn standalone(data: &str, pictures: &str) -> String {
    // Scripts and styles are allowed by their hashes, so that nothing in the data can ever run.
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())));
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; img-src {pictures}; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    // Inside a script element only `<` could end it.
    let data = data.replace('<', "\\u003c");
    let icon = format!("data:image/svg+xml;base64,{}", STANDARD.encode(ICON));
    // The data goes in last: it may hold any of the other names.
    PAGE.replace(
        "<!--POLICY-->",
        &format!(r#"<meta http-equiv="Content-Security-Policy" content="{policy}">"#),
    )
    .replace("<!--STYLE-->", &format!("<style>{STYLE}</style>"))
    .replace("<!--ICON-->", &format!(r#"<link rel="icon" href="{icon}">"#))
    .replace("<!--SCRIPT-->", &format!("<script>{SCRIPT}</script>"))
    .replace("<!--DATA-->", &format!(r#"<script type="application/json" id="data">{data}</script>"#))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_end_its_element() {
        let page = standalone(r#"{"a":"</script><script>alert(1)</script><!--SCRIPT-->"}"#, "data:");
        assert_eq!(page.matches("<script").count(), 2);
        assert!(page.contains(r"\u003c/script>\u003cscript>alert(1)"));
    }

    #[test]
    fn the_page_holds_no_script_or_style_of_its_own() {
        // The policy allows neither, so they would silently not work.
        for page in [served(), standalone("{}", "data:")] {
            assert!(!page.contains(" style=") && !page.contains(" onclick="), "inline style or handler");
        }
        assert!(
            !SCRIPT.contains("innerHTML")
                && !SCRIPT.contains("outerHTML")
                && !SCRIPT.contains("document.write")
        );
        // A script element ends at the first such text, wherever it stands.
        assert!(!SCRIPT.contains("</script") && !STYLE.contains("</style"));
    }
}
