//! Chromium, driven over a pipe by its DevTools protocol.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longest time that anything in the browser may take: a machine that compiles beside it is slow, not broken.
const PATIENCE: Duration = Duration::from_secs(180);

/// Whether the page shows what its address asks for, with every picture of it loaded, drawn, or said to be missing.
const SHOWN: &str = "(() => { const main = document.querySelector('main'); \
    return document.readyState === 'complete' && !!main && !main.hasAttribute('aria-busy') && \
    (main.dataset.shown === location.hash || main.dataset.shown === 'nothing') && \
    [...document.images].every((i) => i.complete) && \
    [...document.querySelectorAll('canvas.picture')].every((c) => c.dataset.drawn === 'yes'); })()";

/// A browser without a window.
pub struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    last: u64,
    /// Events that came while an answer was waited for.
    events: Vec<Value>,
    _profile: tempfile::TempDir,
}

/// The browser's program: `IN9_CHROMIUM`, or one of the usual names on the search path.
fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("IN9_CHROMIUM") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let all: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().flat_map(|name| all.iter().map(move |folder| folder.join(name))).find(|at| at.is_file())
}

/// A folder for what the browser keeps. The browser lives until the process ends, when nobody is left to remove its
/// folder; so those of earlier runs are removed here.
fn profile() -> tempfile::TempDir {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with("chromium-");
        let age = entry.metadata().and_then(|m| m.modified()).ok().and_then(|at| at.elapsed().ok());
        if ours && age.is_some_and(|age| age > Duration::from_secs(3600)) {
            // Another run may remove it at the same time.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    tempfile::Builder::new().prefix("chromium-").tempdir_in(place).unwrap()
}

impl Browser {
    /// Starts the browser; `None` if there is none on this machine.
    pub fn start() -> Option<Self> {
        let program = program()?;
        let profile = profile();
        // DevTools' pipe is descriptors 3 (in) and 4 (out).
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "sh"])
            .arg(program)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--remote-debugging-pipe",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args(["--disable-dev-shm-usage", "--hide-scrollbars", "--disable-extensions", "--mute-audio"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            while output.read_until(0, &mut bytes).is_ok_and(|n| n > 0) {
                bytes.pop();
                let message = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
                bytes.clear();
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Some(Self { child, input, messages, last: 0, events: Vec::new(), _profile: profile })
    }

    fn call(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Value {
        self.ask(session, method, parameters).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// What the browser answers: a result, or an error of its own.
    fn ask(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Result<Value, Value> {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let sent =
            self.input.write_all(message.to_string().as_bytes()).and_then(|()| self.input.write_all(b"\0"));
        sent.map_err(|error| json!(error.to_string()))?;
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let answer = self.messages.recv_timeout(left).map_err(|_| json!("no answer"))?;
            if answer["id"] == self.last {
                let error = &answer["error"];
                return if error.is_null() { Ok(answer["result"].clone()) } else { Err(error.clone()) };
            }
            self.events.push(answer);
        }
    }

    /// A page in a context of its own, as in a new private window.
    pub fn page(&mut self) -> Page<'_> {
        let context = self.call(None, "Target.createBrowserContext", json!({}))["browserContextId"].clone();
        let target = json!({ "url": "about:blank", "browserContextId": context });
        let target = self.call(None, "Target.createTarget", target)["targetId"].clone();
        let attached =
            self.call(None, "Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        let session = attached["sessionId"].as_str().unwrap().to_owned();
        self.events.clear();
        let mut page = Page { browser: self, session, context };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        // Without a window no page has the focus, and what has the focus would not show it.
        page.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": true }));
        page.size(1280, 900);
        page
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A page of the browser.
pub struct Page<'b> {
    browser: &'b mut Browser,
    session: String,
    context: Value,
}

impl Page<'_> {
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.browser.call(Some(&self.session), method, parameters)
    }

    /// The browser's process.
    pub fn process(&self) -> u32 {
        self.browser.child.id()
    }

    /// The window's size in CSS pixels.
    pub fn size(&mut self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// What the system is said to prefer: `light` or `dark`.
    pub fn scheme(&mut self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", features);
    }

    /// Opens an address and waits until the page has drawn it.
    pub fn open(&mut self, address: &str) {
        // Another address with the same path would be a step within the page that is open.
        self.call("Page.navigate", json!({ "url": "about:blank" }));
        self.until("location.href === 'about:blank'");
        let answer = self.call("Page.navigate", json!({ "url": address }));
        assert!(answer["errorText"].is_null(), "{address}: {}", answer["errorText"]);
        self.ready();
    }

    /// Waits until the page has drawn what its address asks for, pictures included.
    pub fn ready(&mut self) {
        self.until(SHOWN);
    }

    /// Goes to an address within the page.
    pub fn go(&mut self, hash: &str) {
        self.read(&format!("location.hash = {}", json!(hash)));
        self.ready();
    }

    /// The value of an expression; promises are waited for.
    pub fn read(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", parameters);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    pub fn text(&mut self, expression: &str) -> String {
        self.read(expression).as_str().unwrap_or_else(|| panic!("{expression} is no text")).to_owned()
    }

    pub fn number(&mut self, expression: &str) -> usize {
        self.read(expression).as_u64().unwrap_or_else(|| panic!("{expression} is no number")) as usize
    }

    /// Waits until an expression is true.
    pub fn until(&mut self, expression: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            // A page that is being left has nothing to read in for a moment.
            let parameters = json!({ "expression": expression, "returnByValue": true });
            let answer = self.browser.ask(Some(&self.session), "Runtime.evaluate", parameters);
            let value = answer.as_ref().ok().filter(|answer| answer["exceptionDetails"].is_null());
            if value.is_some_and(|answer| answer["result"]["value"] == true) {
                return;
            }
            assert!(Instant::now() < end, "never true: {expression}: {answer:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses and releases a key, with the text that it types if it types any.
    pub fn key(&mut self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            " " => (32, " "),
            "Tab" => (9, ""),
            "Escape" => (27, ""),
            "PageUp" => (33, ""),
            "PageDown" => (34, ""),
            "End" => (35, ""),
            "Home" => (36, ""),
            "ArrowLeft" => (37, ""),
            "ArrowUp" => (38, ""),
            "ArrowRight" => (39, ""),
            "ArrowDown" => (40, ""),
            key => (0, key),
        };
        let down = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        let event = |kind: &str| json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
        self.call("Input.dispatchKeyEvent", event(down));
        self.call("Input.dispatchKeyEvent", event("keyUp"));
    }

    /// Presses the left button on the middle of an element, as a hand would.
    pub fn click(&mut self, selector: &str) {
        let place = self.read(&format!(
            "(() => {{ const e = document.querySelector({0}); e.scrollIntoView({{block: 'center'}}); \
             const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})()",
            json!(selector)
        ));
        for (kind, buttons) in [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let event = json!({
                "type": kind, "x": place[0], "y": place[1], "button": button, "buttons": buttons, "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Presses the button or link of the grid's actions that says this.
    pub fn action(&mut self, text: &str) {
        let pressed = self.read(&format!(
            "(() => {{ const all = [...document.querySelectorAll('.actions button, .actions a')]; \
             const it = all.find((b) => b.textContent === {}); if (it) it.click(); return !!it; }})()",
            json!(text)
        ));
        assert_eq!(pressed, true, "no action {text}");
    }

    /// Chooses an option of the control with this label, as a hand would, and waits for the page.
    pub fn choose(&mut self, label: &str, value: &str) {
        let changed = self.read(&format!(
            "(() => {{ const s = [...document.querySelectorAll('select,input')].find((e) => e.getAttribute('aria-label') === {0}); \
             s.value = {1}; const is = s.value; s.dispatchEvent(new Event('change', {{bubbles: true}})); return is === {1}; }})()",
            json!(label),
            json!(value)
        ));
        assert_eq!(changed, true, "{label} has no {value}");
        self.ready();
    }

    /// What Chromium traces of its frames while something is done.
    pub fn traced(&mut self, work: impl FnOnce(&mut Self)) -> Vec<Value> {
        let categories = json!({ "includedCategories": [
            "devtools.timeline", "devtools.timeline.frame", "disabled-by-default-devtools.timeline.frame", "cc", "benchmark",
        ] });
        self.browser.call(None, "Tracing.start", json!({ "traceConfig": categories }));
        work(self);
        self.browser.call(None, "Tracing.end", json!({}));
        let end = Instant::now() + PATIENCE;
        let of = |event: &Value, method: &str| event["method"] == method;
        while !self.browser.events.iter().any(|event| of(event, "Tracing.tracingComplete")) {
            let left = end.saturating_duration_since(Instant::now());
            self.browser.events.push(self.browser.messages.recv_timeout(left).expect("the trace ends"));
        }
        let events = std::mem::take(&mut self.browser.events);
        let (trace, others) = events.into_iter().partition(|event| of(event, "Tracing.dataCollected"));
        self.browser.events = others;
        self.browser.events.retain(|event| !of(event, "Tracing.tracingComplete"));
        let batches: Vec<Value> = trace;
        batches.iter().filter_map(|batch| batch["params"]["value"].as_array()).flatten().cloned().collect()
    }

    /// Where downloads go from now on.
    pub fn downloads_to(&mut self, folder: &Path) {
        let parameters = json!({
            "behavior": "allow", "browserContextId": self.context, "downloadPath": folder.display().to_string(),
        });
        self.browser.call(None, "Browser.setDownloadBehavior", parameters);
    }

    /// The bytes of a download, when it is whole: the browser gives it its name only then.
    pub fn saved(&self, path: &Path) -> Vec<u8> {
        let end = Instant::now() + PATIENCE;
        loop {
            match std::fs::read(path) {
                Ok(bytes) if !bytes.is_empty() => return bytes,
                _ => assert!(Instant::now() < end, "{} was not saved", path.display()),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A picture of the page (PNG), when everything stands where it will stay.
    ///
    /// Two frames later at the earliest: the first may have been on its way already.
    pub fn picture(&mut self) -> Vec<u8> {
        use base64::Engine as _;
        self.read(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))",
        );
        let answer = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        base64::engine::general_purpose::STANDARD.decode(answer["data"].as_str().unwrap()).unwrap()
    }

    /// Everything that the browser complained of since the page was opened: errors of scripts, of the policy, of loading.
    pub fn complaints(&mut self) -> Vec<String> {
        // An answer to a question that comes last comes after every event before it.
        self.read("new Promise((done) => setTimeout(done, 50))");
        let of = |event: &Value| match event["method"].as_str()? {
            "Runtime.exceptionThrown" => Some(event["params"]["exceptionDetails"].to_string()),
            "Log.entryAdded" => Some(event["params"]["entry"].to_string()),
            "Runtime.consoleAPICalled" => Some(event["params"]["args"].to_string()),
            "Network.loadingFailed" if event["params"]["canceled"] != true => {
                Some(event["params"].to_string())
            }
            "Page.javascriptDialogOpening" => Some("a dialog was opened".to_owned()),
            _ => None,
        };
        self.events().filter_map(of).collect()
    }

    /// What the browser told of this page; a page that a failed test has left may still tell of itself.
    fn events(&self) -> impl Iterator<Item = &Value> {
        self.browser.events.iter().filter(|event| event["sessionId"] == self.session)
    }

    /// Passes over what the browser has complained of, where a test asked for what is not there.
    pub fn forget(&mut self) {
        self.read("new Promise((done) => setTimeout(done, 50))");
        self.browser.events.clear();
    }

    /// Addresses of everything that was loaded, data inside addresses left out.
    pub fn requests(&self) -> Vec<String> {
        let events = self.events().filter(|event| event["method"] == "Network.requestWillBeSent");
        let urls = events.filter_map(|event| event["params"]["request"]["url"].as_str().map(str::to_owned));
        urls.filter(|url| !url.starts_with("data:")).collect()
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        // A browser that does not answer any more fails the next test by itself.
        let _ = self.browser.ask(
            None,
            "Target.disposeBrowserContext",
            json!({ "browserContextId": self.context.clone() }),
        );
    }
}
