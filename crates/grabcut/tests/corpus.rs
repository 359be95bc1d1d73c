//! Replays what the fuzz target has found worth keeping.

mod replay;

#[test]
fn every_input_of_the_corpus_gives_an_error_or_a_mask() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
    let (mut inputs, mut masks) = (0, 0);
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let path = entry.expect("a folder that can be listed").path();
        let input = std::fs::read(&path).expect("a file that can be read");
        replay::replay(&input, |result| masks += usize::from(result.foreground_pixels() > 0));
        inputs += 1;
    }
    assert!(inputs >= 50, "{inputs} inputs");
    assert!(masks >= 10, "{masks} of {inputs} inputs give a mask that is not empty");
}
