//! What somebody who misspelt a name may have meant.

/// The end of an error message about `name`, which is none of `known`: the name that is nearest to it, or else
/// all that there are, if these are few.
pub(super) fn meant(name: &str, known: &[&str]) -> String {
    let near = known.iter().map(|other| (strsim::damerau_levenshtein(name, other), *other)).min();
    match near {
        Some((away, other)) if away <= 1 + name.chars().count() / 4 => format!(" (did you mean {other}?)"),
        Some(_) if known.len() <= 12 => format!(" (there are: {})", known.join(", ")),
        Some(_) => format!(" (there are, for example: {})", known[..4].join(", ")),
        None => " (there are none)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_proposed_where_one_is_near() {
        assert_eq!(meant("epcohs", &["lr", "epochs"]), " (did you mean epochs?)");
        assert_eq!(meant("colour", &["lr", "epochs"]), " (there are: lr, epochs)");
        assert_eq!(meant("x", &[]), " (there are none)");
    }
}
