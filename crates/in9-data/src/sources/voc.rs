//! PASCAL-VOC annotations, as ILSVRC has them.

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::prepare::PhotoBox;

/// Deepest nesting that is followed; real files have five levels.
const MAX_DEPTH: usize = 32;
/// Most boxes of one photograph; ILSVRC's greatest number is below 200.
const MAX_BOXES: usize = 10_000;

const LACKS: &str = "expected xmin, ymin, xmax and ymax in a bndbox, found that it lacks one";

/// What an annotation says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Annotation {
    /// Width and height of the photograph, if given.
    pub(crate) size: Option<(u32, u32)>,
    /// Boxes in the file's order.
    pub(crate) boxes: Vec<PhotoBox>,
    /// Name of the first object: a WordNet id.
    pub(crate) name: Option<String>,
}

impl Annotation {
    /// Reads an XML file. Entities are not expanded and no other file is opened; the error says in
    /// a few words what is wrong.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|e| format!("expected UTF-8, found: {e}"))?;
        let mut reader = Reader::from_str(text);
        let mut annotation = Self::default();
        let mut path: Vec<String> = Vec::new();
        let (mut size, mut corners) = ([None; 2], [None; 4]);
        let mut closed_root = false;
        loop {
            match reader.read_event().map_err(|e| format!("expected well-formed XML, found: {e}"))? {
                Event::Start(tag) => {
                    if path.len() == MAX_DEPTH {
                        return Err(format!(
                            "nested deeper than the expected {MAX_DEPTH} levels: found a {}th",
                            MAX_DEPTH + 1
                        ));
                    }
                    path.push(tag.local_name().as_ref().to_string());
                }
                Event::End(_) => {
                    if path.last().is_some_and(|tag| tag == "bndbox") {
                        let [Some(xmin), Some(ymin), Some(xmax), Some(ymax)] = corners else {
                            return Err(LACKS.into());
                        };
                        if annotation.boxes.len() == MAX_BOXES {
                            return Err(format!("expected at most {MAX_BOXES} boxes, found more than that"));
                        }
                        annotation.boxes.push(PhotoBox::new(xmin, ymin, xmax, ymax));
                        corners = [None; 4];
                    }
                    path.pop();
                    closed_root |= path.is_empty();
                }
                Event::Empty(tag) if tag.local_name().as_ref() == "bndbox" => return Err(LACKS.into()),
                Event::Text(text) => {
                    let text = text.trim();
                    let tags: Vec<&str> = path.iter().map(String::as_str).collect();
                    match tags[..] {
                        [.., "size", "width"] => size[0] = Some(number(text)?),
                        [.., "size", "height"] => size[1] = Some(number(text)?),
                        [.., "object", "name"] if annotation.name.is_none() => {
                            annotation.name = Some(text.into())
                        }
                        [.., "bndbox", corner] => {
                            if let Some(at) =
                                ["xmin", "ymin", "xmax", "ymax"].iter().position(|c| *c == corner)
                            {
                                corners[at] = Some(number(text)?);
                            }
                        }
                        _ => {}
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        if !closed_root || !path.is_empty() {
            return Err("the XML is cut short: expected its last end tag, found the end of the file".into());
        }
        if let [Some(width), Some(height)] = size {
            let side = |value: i64| {
                u32::try_from(value).map_err(|_| format!("expected a size in pixels, found {value}"))
            };
            annotation.size = Some((side(width)?, side(height)?));
        }
        Ok(annotation)
    }
}

/// A whole number; fractions (some tools write them) are rounded.
fn number(text: &str) -> Result<i64, String> {
    let parsed = text.parse::<i64>().ok().or_else(|| {
        let value = text.parse::<f64>().ok().filter(|v| v.abs() < 1e9)?;
        Some(value.round() as i64)
    });
    parsed.ok_or_else(|| format!("expected a number, found {:?}", text.chars().take(20).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "<annotation><folder>val</folder><size><width>500</width><height>375</height></size>\
        <object><name>n01751748</name><bndbox><xmin>111</xmin><ymin>108</ymin><xmax>441</xmax><ymax>193.0</ymax></bndbox>\
        </object></annotation>";

    #[test]
    fn an_annotation_is_read() {
        let annotation = Annotation::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(annotation.size, Some((500, 375)));
        assert_eq!(annotation.boxes, [PhotoBox::new(111, 108, 441, 193)]);
        assert_eq!(annotation.name.as_deref(), Some("n01751748"));
    }

    #[test]
    fn every_truncation_is_noticed() {
        for end in 0..GOOD.len() {
            assert!(Annotation::parse(&GOOD.as_bytes()[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn bombs_are_harmless() {
        let deep = "<a>".repeat(100_000);
        assert!(Annotation::parse(deep.as_bytes()).unwrap_err().contains("nested deeper"));
        let laughs = "<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;&b;&b;'>]><annotation><size><width>&c;</width></size></annotation>";
        assert!(Annotation::parse(laughs.as_bytes()).is_ok_and(|a| a.size.is_none()));
        let many = format!(
            "<annotation>{}</annotation>",
            GOOD[GOOD.find("<object>").unwrap()..].replace("</annotation>", "").repeat(20_000)
        );
        assert!(Annotation::parse(many.as_bytes()).unwrap_err().contains("at most 10000 boxes"));
        for lacking in
            ["<a><bndbox><xmin>1</xmin></bndbox></a>", "<a><bndbox/></a>", "<a><bndbox></bndbox></a>"]
        {
            assert!(Annotation::parse(lacking.as_bytes()).unwrap_err().contains("lacks"), "{lacking}");
        }
        assert!(
            Annotation::parse(b"<a><size><width>wide</width></size></a>")
                .unwrap_err()
                .contains("expected a number")
        );
    }
}
