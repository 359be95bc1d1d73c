//! A program that reads pictures on its standard input and writes scores to its standard output (`SCORER.md`).

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{About, Outputs, PIXELS, Scorer, Scores};
use crate::error::{Error, Result};

/// Version of the protocol.
const VERSION: u32 = 1;

/// Longest line of the program's answer to the greeting.
const LONGEST_LINE: u64 = 4 << 20;

/// How long a program may take to end once nothing more is asked.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the program is told at the start.
#[derive(Serialize)]
struct Greeting<'a> {
    #[serde(rename = "in9-scorer")]
    version: u32,
    /// Names of the dataset's classes, in their order.
    classes: &'a [String],
}

/// What it answers.
#[derive(Deserialize)]
struct Reply {
    #[serde(rename = "in9-scorer")]
    version: u32,
    name: String,
    outputs: Outputs,
    #[serde(default)]
    scores: Scores,
    #[serde(default)]
    trained_on: String,
    #[serde(default)]
    arch: String,
    /// Whatever changes with its answers, such as the weights' digest.
    #[serde(default)]
    digest: String,
}

/// What stands before the bytes of a batch.
#[derive(Serialize)]
struct Batch {
    pictures: usize,
    size: usize,
}

/// A running program.
pub struct Program {
    command: String,
    about: About,
    child: Child,
    /// Closed when the program is let go.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Program {
    /// Starts `command`, a line for the system's shell, and greets it with the names of the dataset's classes. What the
    /// program says on its standard error goes to this process's.
    ///
    /// # Errors
    /// [`Error::Scorer`] if it cannot be started, ends, or does not answer as the protocol says.
    pub fn start(command: &str, classes: &[String]) -> Result<Self> {
        let fault = |what: &str, found: String| Error::Scorer {
            command: command.to_owned(),
            what: what.to_owned(),
            found,
        };
        let mut shell = shell(command);
        shell.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = shell.spawn().map_err(|e| fault("cannot be started", e.to_string()))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(fault("cannot be started", "no pipes".to_owned()));
        };
        let about = About {
            name: String::new(),
            trained_on: String::new(),
            arch: String::new(),
            origin: "a scorer program".to_owned(),
            digest: String::new(),
            outputs: Outputs::Count(0),
            scores: Scores::Logits,
            normalization: PIXELS,
            normalization_from: "the scorer itself".to_owned(),
        };
        let (input, output) = (Some(input), BufReader::new(output));
        let mut program = Self { command: command.to_owned(), about, child, input, output };
        let greeting = serde_json::to_vec(&Greeting { version: VERSION, classes });
        let mut greeting = greeting.map_err(|e| fault("cannot be greeted", e.to_string()))?;
        greeting.push(b'\n');
        // One that ends without having read may have said why.
        let sent = program.send(&greeting);
        let mut line = String::new();
        let read = program.output.by_ref().take(LONGEST_LINE).read_line(&mut line);
        match read {
            Ok(0) => return Err(sent.err().unwrap_or_else(|| program.ended())),
            Ok(_) => {}
            Err(e) => return Err(fault("did not answer the greeting with a line of text", e.to_string())),
        }
        let excerpt = || line.trim_end().chars().take(120).collect::<String>();
        let reply: Reply = serde_json::from_str(&line).map_err(|e| {
            fault("did not answer the greeting as SCORER.md says", format!("{e} in {:?}", excerpt()))
        })?;
        if reply.version != VERSION {
            let what = format!("speaks another version of the protocol (expected {VERSION})");
            return Err(fault(&what, reply.version.to_string()));
        }
        sent?;
        let mut digest = blake3::Hasher::new();
        digest.update(command.as_bytes()).update(line.as_bytes()).update(reply.digest.as_bytes());
        program.about = About {
            name: reply.name,
            trained_on: reply.trained_on,
            arch: reply.arch,
            digest: digest.finalize().to_hex().to_string(),
            outputs: reply.outputs,
            scores: reply.scores,
            ..program.about.clone()
        };
        Ok(program)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(input) = &mut self.input else { return Err(self.ended()) };
        match input.write_all(bytes).and_then(|()| input.flush()) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.ended()),
        }
    }

    /// The fault of a program that went away.
    fn ended(&mut self) -> Error {
        self.input = None;
        let found = match self.wait() {
            Some(status) => status.to_string(),
            None => "it closed its output and goes on".to_owned(),
        };
        Error::Scorer {
            command: self.command.clone(),
            what: "ended before it had answered".to_owned(),
            found,
        }
    }

    /// How it ended, if it does so in time.
    fn wait(&mut self) -> Option<std::process::ExitStatus> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Err(_) => return None,
            }
        }
        None
    }
}

/// The system's shell with a line for it, which gives way to the program where it can.
fn shell(line: &str) -> Command {
    if cfg!(windows) {
        let mut shell = Command::new("cmd");
        shell.args(["/C", line]);
        return shell;
    }
    let mut shell = Command::new("sh");
    shell.args(["-c", line]);
    shell
}

impl Scorer for Program {
    fn about(&self) -> &About {
        &self.about
    }

    fn score(&mut self, planes: &[f32], count: usize, size: usize) -> Result<Vec<f32>> {
        let head = serde_json::to_vec(&Batch { pictures: count, size });
        let mut head = head.map_err(|e| Error::Scorer {
            command: self.command.clone(),
            what: "cannot be asked".to_owned(),
            found: e.to_string(),
        })?;
        head.push(b'\n');
        self.send(&head)?;
        self.send(&bytes(planes, size))?;
        let mut bytes = vec![0; 4 * count * self.about.outputs.len()];
        if self.output.read_exact(&mut bytes).is_err() {
            return Err(self.ended());
        }
        Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }
}

impl Drop for Program {
    /// Closes the program's input, which ends it; one that does not end is killed.
    fn drop(&mut self) {
        self.input = None;
        if self.wait().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The bytes of pictures whose planes are in `0..=1`, pixel by pixel.
fn bytes(planes: &[f32], size: usize) -> Vec<u8> {
    let plane = size * size;
    let mut rgb = vec![0; planes.len()];
    for (picture, out) in planes.chunks_exact(3 * plane).zip(rgb.chunks_exact_mut(3 * plane)) {
        for (pixel, out) in out.chunks_exact_mut(3).enumerate() {
            for (channel, byte) in out.iter_mut().enumerate() {
                *byte = (picture[channel * plane + pixel] * 255.0).round().clamp(0.0, 255.0) as u8;
            }
        }
    }
    rgb
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn classes() -> Vec<String> {
        vec!["a".to_owned(), "b".to_owned()]
    }

    #[test]
    fn pictures_arrive_as_the_bytes_that_they_were() {
        let all: Vec<u8> = (0..=255).chain(0..=255).chain(0..=255).collect();
        let planes: Vec<f32> = (0..3)
            .flat_map(|c| all.iter().skip(c).step_by(3).map(|&b| f32::from(b) / 255.0).collect::<Vec<_>>())
            .collect();
        assert_eq!(bytes(&planes, 16), all);
    }

    #[test]
    fn a_program_is_greeted_and_asked() {
        // Answers every batch of one picture of one pixel with the numbers 1 and −2.
        let script = r#"read -r greeting; printf '{"in9-scorer":1,"name":"sh","outputs":2}\n';
            while read -r head; do head -c 3 >/dev/null; printf '\000\000\200\077\000\000\000\300'; done"#;
        let mut program = Program::start(script, &classes()).unwrap();
        assert_eq!((program.about().name.as_str(), program.about().outputs.len()), ("sh", 2));
        // `read` of a shell takes byte by byte, so the pixels stay where `head` finds them.
        for _ in 0..2 {
            assert_eq!(program.score(&[0.1, 0.2, 0.3], 1, 1).unwrap(), [1.0, -2.0]);
        }
    }

    #[test]
    fn what_a_program_does_wrong_is_named() {
        let said = |script: &str| match Program::start(script, &classes()) {
            Ok(mut program) => program.score(&[0.0; 3], 1, 1).unwrap_err().to_string(),
            Err(error) => error.to_string(),
        };
        assert!(said("exit 7").contains("exit status: 7"), "{}", said("exit 7"));
        assert!(said("echo hello").contains("hello"));
        assert!(said(r#"echo '{"in9-scorer":2,"name":"n","outputs":2}'"#).contains("expected 1"));
        let short = r#"read -r g; echo '{"in9-scorer":1,"name":"n","outputs":2}'; read -r b; printf 'abc'"#;
        assert!(said(short).contains("ended before it had answered"), "{}", said(short));
        assert!(said("/no/such/program").contains("127"));
    }
}
