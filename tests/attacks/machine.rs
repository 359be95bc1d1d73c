//! The machine and the network: rows 12, 16, 17, 19 and 20. Row 5, the kills, is `tests/kill.rs`; row 15 and 18 are
//! tests of `in9-models` and `in9-data`, which lie where the readers are.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::world::{World, done, refused, seen};

/// `command` after a line of the shell that limits it.
fn limited(limit: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("{limit} && exec \"$@\""), "sh"])
        .arg(command.get_program())
        .args(command.get_args());
    shell
}

#[test]
fn row_12_a_fault_of_the_machine_is_not_one_of_the_photographs() {
    let world = World::new();
    let build = world
        .call("in9-data", "build --source toy --taxonomy toy --size 32 --root @photos --out @made --jobs 2");
    for limit in ["ulimit -n 5", "ulimit -n 9", "ulimit -f 8"] {
        let ended = seen(&format!("row 12, {limit}"), &mut limited(limit, &build));
        assert_ne!(ended.code, Some(0), "{}", ended.said);
        assert_ne!(ended.code, Some(3), "{}", ended.said);
        assert!(!world.at("made").exists());
    }
    let mut again =
        world.call("in9-data", "build --source toy --taxonomy toy --size 32 --root @photos --out @made");
    done("row 12, and again", &mut again);
    for name in ["samples.csv", "rejected.csv"] {
        let read = |folder: &str| fs::read(world.at(folder).join(name)).unwrap();
        assert!(read("made") == read("data"), "{name}");
    }
}

/// A server that says how long its body is, sends some of it, and then nothing more.
fn stalling() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 14000000\r\n\r\nsome bytes");
            held.push(stream);
        }
    });
    port
}

/// Waits for half a minute, which is what a silent server is given; the second one would then try it for itself.
#[test]
fn row_16_a_download_that_stalls_is_given_up_and_a_second_one_says_that_it_waits() {
    let world = World::new();
    let words = format!("fetch mobilenet_v2 --cache @cache --mirror http://127.0.0.1:{}", stalling());
    let first =
        world.call("in9-models", &words).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    while !fs::read_dir(world.at("cache")).is_ok_and(|mut entries| entries.next().is_some()) {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let mut second =
        world.call("in9-models", &words).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(second.stderr.take().unwrap()).read_line(&mut line).unwrap();
    println!("row 16, the second: {}", line.trim_end());
    assert!(line.contains("another"), "{line}");
    second.kill().unwrap();
    second.wait().unwrap();
    let first = first.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&first.stderr).into_owned();
    println!(
        "row 16, the first: exit {:?}: {}",
        first.status.code(),
        said.lines().last().unwrap_or_default()
    );
    assert_eq!(first.status.code(), Some(1), "{said}");
}

#[test]
fn row_17_absurd_numbers_are_capped_or_refused() {
    let world = World::new();
    let score = "score @pred.csv --out @scores";
    done("row 17, --jobs", &mut world.call("in9-analysis", &format!("{score} --jobs 1000000000")));
    let mut by_environment = world.call("in9-analysis", score);
    done("row 17, RAYON_NUM_THREADS", by_environment.env("RAYON_NUM_THREADS", "1000000000"));
    let train =
        "train --arch resnet-tiny --view original --preset small --batch-size 4 --data @data --out @new";
    for (more, flag) in [
        ("--epochs 2147483648", "--epochs"),
        ("--epochs 1 --attack l2 --epsilon 0.5 --attack-steps 2147483648", "--attack-steps"),
        ("--epochs 0", "--epochs"),
    ] {
        let mut command = world.call("in9-models", &format!("{train} {more}"));
        let ended = seen(&format!("row 17, {more}"), &mut command);
        assert!(matches!(ended.code, Some(1 | 2)), "{}", ended.said);
        assert!(ended.said.contains(flag), "{}", ended.said);
        assert!(!world.at("new").exists());
    }
}

#[test]
fn row_19_closed_pipes_full_disks_and_impossible_numbers_panic_nowhere() {
    let world = World::new();
    let (recipe, out) = (world.at("recipe.toml"), world.at("o"));
    fs::write(&recipe, world.recipe()).unwrap();
    let mut dry = world.reproduce(&recipe, &out);
    dry.arg("--dry-run");
    let mut status = world.call("xtask", "status --recipe @recipe.toml --programs @programs --out @o");
    for (what, command) in [("--dry-run", &mut dry), ("status", &mut status)] {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        println!("row 19, {what} into a closed pipe: exit {:?}", output.status.code());
        assert!(output.status.success() && !said.contains("panicked"), "{said}");
    }
    // Standard error on a full disk.
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let train =
        "train --arch resnet-tiny --view original --preset small --epochs 1 --batch-size 4 --data @data";
    let mut train = world.call("in9-models", &format!("{train} --out @full"));
    let ended = train.stderr(full).stdout(Stdio::null()).status().unwrap();
    println!("row 19, standard error on a full disk: {ended}");
    assert!(ended.success());
    let read = |run: &str| fs::read(world.at(run).join("model.safetensors")).unwrap();
    assert!(read("full") == read("run"));
    // Pictures of no height.
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 0, 32), }";
    let header = format!("{header:<117}\n");
    let npy = [b"\x93NUMPY\x01\x00\x76\x00", header.as_bytes()].concat();
    fs::write(world.at("flat.npy"), npy).unwrap();
    let forward = "forward --weights @run --input @flat.npy --output @answers.npy";
    refused("row 19, forward on height 0", &mut world.call("in9-models", forward), &[]);
    // Losses at the end of the scale.
    fs::write(
        world.at("run/log.csv"),
        "epoch,train_loss,train_accuracy\n0,-1e308,1e308\n1,1e308,-1e308\n1e308,inf,NaN\n",
    )
    .unwrap();
    let spec =
        "title = \"t\"\n[[predictions]]\npath = \"pred.csv\"\n[[run]]\nname = \"run\"\npath = \"run\"\n";
    fs::write(world.at("report.toml"), spec).unwrap();
    let report = seen(
        "row 19, losses of 1e308",
        &mut world.call("in9-report", "report --spec @report.toml --out @page"),
    );
    assert!(matches!(report.code, Some(0 | 3)), "{}", report.said);
    assert!(!fs::read_to_string(world.at("page/index.html")).unwrap().contains("NaN"));
}

/// What a killed program leaves goes at its next run; `tests/kill.rs` and `tests/faults.rs` do this at every moment.
#[test]
fn row_20_leftovers_of_killed_programs_go_at_the_next_run() {
    let world = World::new();
    fs::write(world.at(".in9-dead.partial"), "x").unwrap();
    fs::create_dir(world.at(".in9-dead-folder.partial")).unwrap();
    fs::write(world.at(".in9-dead-folder.partial/half"), "x").unwrap();
    fs::write(world.at("run/.in9-dead.partial"), "x").unwrap();
    done(
        "row 20, predict",
        &mut world.call("in9-models", "predict --views original --weights @run --data @data --out @p.csv"),
    );
    assert!(!world.at(".in9-dead.partial").exists() && !world.at(".in9-dead-folder.partial").exists());
    fs::create_dir(world.at(".in9-dead-folder.partial")).unwrap();
    let toy = "toy --train-per-class 1 --test-per-class 1 --out @world";
    done("row 20, toy", &mut world.call("in9-data", toy));
    assert!(!world.at(".in9-dead-folder.partial").exists());
    fs::create_dir(world.at(".in9-dead-folder.partial")).unwrap();
    let probe = "counterfactual --limit 2 --partners 2 --weights @run --data @data --out @effects";
    done("row 20, a probe", &mut world.call("in9-analysis", probe));
    assert!(!world.at(".in9-dead-folder.partial").exists());
    let train =
        "train --arch resnet-tiny --view original --preset small --epochs 1 --batch-size 4 --data @data";
    done("row 20, train", &mut world.call("in9-models", &format!("{train} --resume --out @run")));
    assert!(!world.at("run/.in9-dead.partial").exists());
}

#[test]
fn unclear_memory_that_is_refused_is_one_line_and_exit_1() {
    let world = World::new();
    let predict = world
        .call("in9-models", "predict --views original --weights @run --data @data --out @p.csv --jobs 1");
    let limit = |megabytes: u32| format!("ulimit -v {}", megabytes << 10);
    // What the system needs to load the program grows with what is built into it; below that nothing can be said.
    let version = world.call("in9-models", "--version");
    let begins = (28..400).step_by(4).find(|megabytes| {
        let mut command = limited(&limit(*megabytes), &version);
        seen("unclear, the beginning", command.env_remove("RUST_BACKTRACE")).code == Some(0)
    });
    let begins = begins.expect("a program that begins");
    let (mut failed, mut worked) = (0, 0);
    for more in (4..48).step_by(4).chain((48..372).step_by(36)) {
        let megabytes = begins + more;
        let mut command = limited(&limit(megabytes), &predict);
        let ended =
            seen(&format!("unclear, {megabytes} MB of address space"), command.env_remove("RUST_BACKTRACE"));
        match ended.code {
            Some(0) => worked += 1,
            Some(1) => {
                failed += 1;
                let faults = ended.said.lines().filter(|line| !line.starts_with("resnet-tiny-original: "));
                assert_eq!(faults.count(), 1, "{}", ended.said);
            }
            other => panic!("{megabytes} MB: {other:?}: {}", ended.said),
        }
    }
    println!("unclear, memory: {failed} ended with one line, {worked} had enough");
    assert!(worked > 0 && failed > 0);
}

#[test]
fn unclear_an_unfinished_download_that_is_a_link_is_not_written_to() {
    let world = World::new();
    fs::write(world.at("victim"), "precious").unwrap();
    fs::create_dir(world.at("cache")).unwrap();
    let list = done("unclear, list", &mut world.call("in9-models", "list --long mobilenet_v2"));
    let file = list.out.split_whitespace().find(|word| word.ends_with(".pth")).unwrap();
    let part = format!("cache/{}.part", file.rsplit('/').next().unwrap());
    std::os::unix::fs::symlink(world.at("victim"), world.at(&part)).unwrap();
    let words = format!("fetch mobilenet_v2 --cache @cache --mirror http://127.0.0.1:{}", stalling());
    refused("unclear, a link in the place of a download", &mut world.call("in9-models", &words), &["link"]);
    assert_eq!(fs::read_to_string(world.at("victim")).unwrap(), "precious");
}
