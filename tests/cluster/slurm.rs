//! A Slurm of one node, and what it is put through.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use in9_tests::{expect, program};

use super::support::{
    Mortal, alone, assert_same, cluster_file, only_the_broken_piece_is_left, reproduce, retry, status,
    wait_for,
};

/// The daemons of a one-node Slurm, which end with this.
struct Slurm {
    folder: tempfile::TempDir,
    node: Option<Child>,
    others: Vec<Child>,
}

impl Slurm {
    /// Starts it; `None`, with one line, where it is not installed.
    fn start() -> Option<Self> {
        for name in ["munged", "slurmctld", "slurmd", "sbatch"] {
            let found =
                ["/usr/sbin", "/usr/bin", "/sbin"].iter().any(|folder| Path::new(folder).join(name).exists());
            if !found {
                println!("skipped: Slurm is not installed (no {name})");
                return None;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let mut slurm = Self { folder, node: None, others: Vec::new() };
        slurm.configure();
        let at = |name: &str| slurm.folder.path().join(name);
        let mut munged = Command::new("/usr/sbin/munged");
        munged.args(["--foreground", "--force"]).arg("--key-file").arg(at("munge.key"));
        munged.arg("--socket").arg(at("munge.sock")).arg("--pid-file").arg(at("munged.pid"));
        munged.arg("--log-file").arg(at("munged.log")).arg("--seed-file").arg(at("seed"));
        let socket = at("munge.sock");
        slurm.others.push(quiet(&mut munged));
        wait_for("munge", || socket.exists());
        let mut controller = Command::new("/usr/sbin/slurmctld");
        controller.args(["-D", "-f"]).arg(slurm.folder.path().join("slurm.conf"));
        slurm.others.push(quiet(&mut controller));
        slurm.start_node();
        wait_for("Slurm", || {
            let mut sinfo = slurm.client("sinfo");
            sinfo
                .args(["--noheader", "--format=%T"])
                .output()
                .is_ok_and(|said| said.stdout.starts_with(b"idle"))
        });
        Some(slurm)
    }

    fn configure(&self) {
        use std::os::unix::fs::PermissionsExt as _;
        let here = self.folder.path().display();
        let port = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
        let user = user.trim();
        let text = format!(
            "ClusterName=local\nSlurmctldHost=localhost\nSlurmUser={user}\nSlurmdUser={user}\n\
             SlurmctldPort={}\nSlurmdPort={}\nAuthType=auth/munge\n\
             AuthInfo=socket={here}/munge.sock,cred_expire=3\nCryptoType=crypto/munge\n\
             StateSaveLocation={here}/state\nSlurmdSpoolDir={here}/spool\n\
             SlurmctldPidFile={here}/ctld.pid\nSlurmdPidFile={here}/slurmd.pid\n\
             SlurmctldLogFile={here}/ctld.log\nSlurmdLogFile={here}/slurmd.log\n\
             ProctrackType=proctrack/pgid\nTaskPlugin=task/none\nMpiDefault=none\nSwitchType=switch/none\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\n\
             JobAcctGatherType=jobacct_gather/none\nAccountingStorageType=accounting_storage/none\n\
             ReturnToService=2\nMaxArraySize=3\nKillWait=2\nSlurmdTimeout=10\n\
             SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0\n\
             SlurmdParameters=config_overrides\n\
             NodeName=localhost CPUs=2 RealMemory=4000 State=UNKNOWN\n\
             PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP\n",
            port(),
            port()
        );
        std::fs::write(self.folder.path().join("slurm.conf"), text).unwrap();
        let key: Vec<u8> = (0..1024u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let path = self.folder.path().join("munge.key");
        std::fs::write(&path, key).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        for name in ["state", "spool"] {
            std::fs::create_dir(self.folder.path().join(name)).unwrap();
        }
    }

    fn start_node(&mut self) {
        let mut node = Command::new("/usr/sbin/slurmd");
        node.args(["-D", "-N", "localhost", "-f"]).arg(self.folder.path().join("slurm.conf"));
        self.node = Some(quiet(&mut node));
    }

    /// Ends the node with all that runs on it, as when its power fails.
    fn lose_node(&mut self) {
        if let Some(mut node) = self.node.take() {
            node.kill().unwrap();
            node.wait().unwrap();
        }
        // Whatever was started with this configuration and is none of the daemons.
        let conf = format!("SLURM_CONF={}", self.conf().display());
        let others: Vec<u32> = self.others.iter().map(Child::id).collect();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            let ours = environment.split(|byte| *byte == 0).any(|variable| variable == conf.as_bytes());
            let step = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let of_job =
                environment.split(|byte| *byte == 0).any(|variable| variable.starts_with(b"SLURM_JOB_ID="));
            if ours && !others.contains(&id) && (of_job || step.starts_with(b"slurmstepd")) {
                let _ = Command::new("kill").args(["-9", &id.to_string()]).stderr(Stdio::null()).status();
            }
        }
    }

    fn conf(&self) -> PathBuf {
        self.folder.path().join("slurm.conf")
    }

    fn client(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.env("SLURM_CONF", self.conf()).stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn environment(&self) -> Vec<(String, String)> {
        vec![("SLURM_CONF".to_owned(), self.conf().display().to_string())]
    }

    /// The states of the jobs that have not ended.
    fn queue(&self) -> Vec<String> {
        let said = self.client("squeue").args(["--noheader", "--format=%T"]).output().unwrap();
        String::from_utf8_lossy(&said.stdout).lines().map(str::to_owned).collect()
    }

    fn wait(&self) {
        wait_for("the queue", || self.queue().is_empty());
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        self.lose_node();
        for mut daemon in self.others.drain(..).rev() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn quiet(command: &mut Command) -> Child {
    let folder = command.get_args().last().and_then(|conf| Path::new(conf).parent()).map(Path::to_owned);
    if let Some(folder) = folder {
        command.env("SLURM_CONF", folder.join("slurm.conf"));
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn slurm_gives_the_same_bytes_whatever_is_killed() {
    let _alone = alone();
    let Some(mut slurm) = Slurm::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (out, cluster) = (folder.path().join("out"), folder.path().join("cluster.toml"));
    let scratch = folder.path().join("scratch");
    std::fs::create_dir(&scratch).unwrap();
    cluster_file(&cluster, Some(&scratch));
    let mortal = Mortal::new(true);
    mortal.breaks(true);
    let file = cluster.display().to_string();
    let submit = || {
        let mut command = reproduce(mortal.programs(), &out, &["--executor", "slurm", "--cluster", &file]);
        command.envs(slurm.environment());
        command
    };
    let (planned, _) = expect(submit().arg("--dry-run"), 0);
    assert!(planned.contains("--array=1-3%2") && planned.contains("--dependency=afterok:"), "{planned}");
    assert!(!out.exists());

    // Whoever submits is killed in the middle of it; the same command submits the rest.
    let mut child = submit().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the first job", || out.join(".cluster/jobs.json").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let (printed, said) = expect(&mut submit(), 0);
    assert!(said.contains("under way; submitted"), "{said}");
    println!("after the submitting process was killed: {} jobs more", printed.lines().count());

    // Every kind of stage is killed once; each time what was done is kept, and the rest is submitted again.
    let mut retries = 0;
    loop {
        slurm.wait();
        let states = status(&out, &slurm.environment());
        if only_the_broken_piece_is_left(&states) {
            break;
        }
        retries += 1;
        assert!(retries < 15, "{states:?}");
        retry(&out, &[], &slurm.environment());
    }
    // The report waits for the broken piece and was not begun.
    assert_eq!(mortal.killed(), 9);

    // Its node is lost while it runs again: Slurm starts it again by itself.
    mortal.breaks(false);
    let printed = retry(&out, &[], &slurm.environment());
    assert!(printed.contains("pieces 2 of 3"), "exactly what is missing: {printed}");
    wait_for("a running job", || slurm.queue().iter().any(|state| state == "RUNNING"));
    slurm.lose_node();
    slurm.start_node();
    slurm.wait();
    // The report's first run is killed like all others.
    retries += usize::from(status(&out, &slurm.environment())["report"].0 != "done");
    retry(&out, &[], &slurm.environment());
    slurm.wait();
    assert_same(&out);
    let logs = std::fs::read_dir(out.join("logs")).unwrap().count();
    println!("{} kinds of stages killed, {retries} retries, {logs} logs: the same bytes", mortal.killed());
}

/// A job whose time is up keeps what it has made and goes on from there in another.
#[test]
fn slurm_goes_on_where_the_time_was_up_and_says_where_a_disk_is_full() {
    let _alone = alone();
    let Some(slurm) = Slurm::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (out, cluster) = (folder.path().join("out"), folder.path().join("cluster.toml"));
    let small = folder.path().join("small");
    std::fs::create_dir(&small).unwrap();
    let tmpfs = Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "none"]).arg(&small).output();
    if !tmpfs.is_ok_and(|mount| mount.status.success()) {
        println!("skipped: no file system can be mounted here");
        return;
    }
    let _mounted = Mounted(small.clone());
    cluster_file(&cluster, Some(&small));
    let mortal = Mortal::new(false);
    let file = cluster.display().to_string();
    let only =
        ["--executor", "slurm", "--cluster", &file, "--only", "render", "--only", "build", "--only", "train"];
    let mut submit = reproduce(mortal.programs(), &out, &only);
    expect(submit.envs(slurm.environment()), 0);
    slurm.wait();
    assert_eq!(status(&out, &slurm.environment())["render/world"].0, "to do");
    let log = std::fs::read_to_string(out.join("logs/render~world.slurm")).unwrap();
    assert!(log.contains("free some space"), "{log}");
    assert_eq!(std::fs::read_dir(&small).unwrap().count(), 0, "what was made there goes");

    // With room it goes on; a training is told that its time is up.
    cluster_file(&cluster, None);
    retry(&out, &["--cluster", &file], &slurm.environment());
    let training = "train/world/resnet-tiny-original-s0";
    let running = |name: &str| -> Option<String> {
        let mut squeue = slurm.client("squeue");
        squeue.args(["--noheader", "--states=RUNNING", "--format=%A", "--name"]).arg(format!("in9:{name}"));
        let said = String::from_utf8(squeue.output().unwrap().stdout).unwrap();
        said.lines().next().map(|id| id.trim().to_owned())
    };
    let mut job = None;
    wait_for("a training", || {
        job = running(training);
        job.is_some()
    });
    let log = out.join(format!("logs/{}.log", training.replace('/', "~")));
    wait_for("its program", || std::fs::read(&log).is_ok_and(|log| !log.is_empty()));
    let mut warn = slurm.client("scancel");
    assert!(warn.args(["--batch", "--signal=USR1"]).arg(job.unwrap()).status().unwrap().success());
    slurm.wait();
    let said =
        std::fs::read_to_string(out.join(format!("logs/{}.slurm", training.replace('/', "~")))).unwrap();
    assert!(said.contains("its time is up; it goes on in another job"), "{said}");
    assert_eq!(said.matches("start  ").count(), 2, "{said}");

    // And the rest on this machine.
    expect(program("in9").args(["pieces", "status"]).arg(&out).envs(slurm.environment()), 0);
    expect(&mut reproduce(in9_tests::programs(), &out, &[]), 0);
    assert_same(&out);
}

/// A file system that goes with this.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}
