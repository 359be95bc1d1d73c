//! The report's page, whose photographs lead into the explorer.
//!
//! The report names what belongs to a passage by an address of the explorer (`<a data-see="photograph?…">`), which is no
//! link as long as nothing stands beside it that could be linked to. Here it becomes one.

use std::path::Path;

use in9_base::files;

use crate::error::Result;

/// A page larger than this is none of ours.
const LARGEST: u64 = 256 << 20;

/// The page at `path` with links to the explorer at `explorer`, an address without its part after `#`.
pub(crate) fn linked(path: &Path, explorer: &str) -> Result<String> {
    let page = files::read_text(path, LARGEST)?;
    // Names from files have no quotation mark of their own in the page, so this stands in no text.
    Ok(page.replace("<a data-see=\"", &format!("<a href=\"{explorer}#/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_become_links_and_texts_stay_texts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index.html");
        let page = "<p>&#60;a data-see=&#34;x</p><a data-see=\"photograph?set=a%2Fb&#38;id=1\">dog</a>";
        std::fs::write(&path, page).unwrap();
        let expected = "<p>&#60;a data-see=&#34;x</p><a href=\"/#/photograph?set=a%2Fb&#38;id=1\">dog</a>";
        assert_eq!(linked(&path, "/").unwrap(), expected);
        assert!(linked(&dir.path().join("absent"), "/").is_err());
    }
}
