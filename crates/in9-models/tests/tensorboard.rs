//! Event files, read by TensorBoard itself where it is installed.

use std::path::Path;
use std::process::Command;

use in9_models::train::EventFile;

#[test]
fn tensorboard_reads_our_scalars() {
    let dir = tempfile::tempdir().unwrap();
    let mut events = EventFile::create(dir.path()).unwrap();
    events.scalars(1, &[("train/loss", 2.5), ("train/lr", 0.125)]).unwrap();
    events.scalars(300, &[("train/loss", -0.75)]).unwrap();
    events.flush().unwrap();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracles/read_events.py");
    if !script.is_file() {
        println!("skipped: the script is in the repository, not in the package");
        return;
    }
    let python = std::env::var("IN9_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = match Command::new(&python).arg(script).arg(dir.path()).output() {
        Ok(output) if output.status.code() != Some(77) => output,
        _ => {
            println!("skipped: {python} has no tensorboard; set IN9_PYTHON to one that has");
            return;
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = "train/loss 1 2.5\ntrain/loss 300 -0.75\ntrain/lr 1 0.125\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}
