//! Kaggle's `LOC_val_solution.csv` and `LOC_train_solution.csv`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use crate::error::Result;
use crate::limits::Limits;
use crate::prepare::PhotoBox;

use super::lines::Lines;

/// Fine label and boxes of each photograph, by its name without extension.
pub(crate) type Solution = HashMap<String, (String, Vec<PhotoBox>)>;

/// Reads the table: `ImageId,PredictionString`, where the string is `wnid x0 y0 x1 y1` repeated.
/// Rows that make no sense become faults.
pub(super) fn read(path: &Path, limits: &Limits, faults: &mut Vec<String>) -> Result<Solution> {
    let text = super::read_text(path, limits)?;
    Ok(parse(&text, path, faults))
}

pub(crate) fn parse(text: &str, path: &Path, faults: &mut Vec<String>) -> Solution {
    let (mut solution, mut lines) = (HashMap::new(), Lines::of(path, faults));
    for (number, line) in (1..).zip(text.lines()).skip(1) {
        if !lines.goes_on(number) {
            break;
        }
        if line.trim().is_empty() || !lines.fits(number, line) {
            continue;
        }
        match row(line) {
            Ok((image, entry)) => match solution.entry(image) {
                Entry::Vacant(place) => {
                    place.insert(entry);
                }
                Entry::Occupied(place) => lines.wrong(number, || {
                    let image = place.key();
                    format!(
                        "repeats a photograph (expected each once, found {image:?} again); delete one of them"
                    )
                }),
            },
            Err(found) => lines.wrong(number, || {
                format!(
                    "makes no sense (expected image,wnid x0 y0 x1 y1 ..., found {found}); mend or delete it"
                )
            }),
        }
    }
    lines.finish();
    solution
}

fn row(line: &str) -> std::result::Result<(String, (String, Vec<PhotoBox>)), String> {
    let excerpt = || format!("{:?}", line.chars().take(60).collect::<String>());
    let (image, rest) = line.split_once(',').ok_or_else(excerpt)?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let (image, fine) = (image.trim(), *words.first().ok_or_else(excerpt)?);
    if image.is_empty() || image.contains(['/', '\\']) {
        return Err(excerpt());
    }
    let mut boxes = Vec::new();
    // A label alone is a photograph without a box.
    if words.len() > 1 {
        for group in words.chunks(5) {
            let [_, corners @ ..] = group else { return Err(excerpt()) };
            let corners: Vec<i64> = corners
                .iter()
                .map(|c| c.parse())
                .collect::<std::result::Result<_, _>>()
                .map_err(|_| excerpt())?;
            let [x0, y0, x1, y1] = corners[..] else { return Err(excerpt()) };
            boxes.push(PhotoBox::new(x0, y0, x1, y1));
        }
    }
    Ok((image.into(), (fine.into(), boxes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_mistakes_are_told_apart() {
        let text = "ImageId,PredictionString\na,n1 1 2 3 4 \nb,n2 1 2 3 4 n2 5 6 7 8\nc,n3\nd\ne,n1 1 2 3\nf,n1 1 2 3 x\na,n9\n";
        let mut faults = Vec::new();
        let solution = parse(text, Path::new("s.csv"), &mut faults);
        assert_eq!(solution["a"], ("n1".into(), vec![PhotoBox::new(1, 2, 3, 4)]));
        assert_eq!((solution["b"].1.len(), solution["c"].1.len(), solution.len()), (2, 0, 3));
        assert_eq!(faults.len(), 4);
        assert!(faults[0].starts_with("s.csv: line 5 makes no sense"), "{}", faults[0]);
        assert!(faults[3].starts_with("s.csv: line 8 repeats a photograph"), "{}", faults[3]);
    }
}
