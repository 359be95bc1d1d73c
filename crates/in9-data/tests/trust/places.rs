//! Places that cannot be written or read: full disks, missing permissions, files where folders belong.

use std::path::Path;
use std::process::Command;

use super::common;
use super::run::{fails, program, run};

fn build(limits: &str, world: &Path, out: &Path) -> Command {
    let mut command = program(limits);
    command.args(["build", "--source", "toy", "--masks", "exact", "--size", "64", "--root"]);
    command.arg(world).arg("--out").arg(out);
    command
}

#[test]
fn a_full_disk_is_an_error_and_the_build_goes_on_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let world = common::world(dir.path(), 3, 1);
    let whole = dir.path().join("whole");
    assert_eq!(run(&mut build("", &world, &whole)).0, 0);
    let expected = common::contents(&whole);
    let out = dir.path().join("out");
    // A file may grow to so many blocks of 512 bytes and no further, as on a disk without room. The first
    // stops chunks, the others the shards, for which the chunks are kept.
    for blocks in [1, 16, 200, 1100] {
        let line =
            fails(&mut build(&format!("trap '' XFSZ; ulimit -f {blocks};"), &world, &out), "out.building");
        assert!(line.contains("cannot write"), "{line}");
        assert!(!out.exists());
    }
    assert_eq!(run(&mut build("", &world, &out)).0, 0);
    assert!(common::contents(&out) == expected);
    // Exports and contact sheets, too.
    for arguments in [
        vec!["--view", "original", "--format", "npy"],
        vec!["--view", "mixed-rand", "--format", "webdataset"],
        vec!["--view", "only-fg", "--format", "folder"],
    ] {
        let place = dir.path().join("export");
        let mut command = program("trap '' XFSZ; ulimit -f 1;");
        command.arg("export").arg(&out).args(&arguments).args(["--split", "train", "--out"]).arg(&place);
        fails(&mut command, "export");
    }
    let mut command = program("trap '' XFSZ; ulimit -f 1;");
    let line =
        fails(command.arg("show").arg(&out).arg("--png").arg(dir.path().join("sheet.png")), "sheet.png");
    assert!(line.contains("cannot write"), "{line}");
    assert!(!dir.path().join("sheet.png").exists());
}

#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    if !Path::new("/dev/full").exists() {
        return println!("skipped: no /dev/full");
    }
    let dir = tempfile::tempdir().unwrap();
    let world = common::world(dir.path(), 1, 1);
    let out = dir.path().join("out");
    let mut first = build("exec >/dev/full;", &world, &out);
    fails(&mut first, "standard output");
    for arguments in [vec!["show"], vec!["verify"]] {
        let mut command = program("exec >/dev/full;");
        fails(command.args(arguments).arg(&out), "");
    }
    let mut command = program("exec >/dev/full;");
    fails(command.args(["taxonomy", "imagenet-9"]), "standard output");
}

#[test]
fn places_without_permission_or_of_another_kind_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let world = common::world(dir.path(), 1, 1);
    let file = dir.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    fails(&mut build("", &world, &file.join("out")), "file");
    fails(&mut build("", &world, &file), "file");
    fails(&mut build("", &file, &dir.path().join("out")), "file");
    fails(&mut build("", &dir.path().join("nowhere"), &dir.path().join("out")), "nowhere");
    // Nobody may write there, not even root.
    if Path::new("/proc/self").exists() {
        fails(&mut build("", &world, Path::new("/proc/out")), "/proc/out");
    }
    let mut command = program("");
    fails(
        command.args(["toy", "--train-per-class", "1", "--test-per-class", "1", "--out"]).arg(file.join("w")),
        "file",
    );
    let mut command = program("");
    fails(command.arg("verify").arg(&file), "file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let closed = dir.path().join("closed");
        std::fs::create_dir(&closed).unwrap();
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
        match std::fs::read_dir(&closed) {
            Ok(_) => println!("skipped: permissions do not bind this user"),
            Err(_) => {
                fails(&mut build("", &world, &closed.join("out")), "closed");
                fails(&mut build("", &closed, &dir.path().join("out")), "closed");
            }
        }
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}
