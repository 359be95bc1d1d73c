//! Chromium, driven over a pipe by its DevTools protocol.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longest time that anything in the browser may take.
const PATIENCE: Duration = Duration::from_secs(60);

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

impl Browser {
    /// Starts the browser; `None` if there is none on this machine.
    pub fn start() -> Option<Self> {
        let program = program()?;
        let profile = tempfile::tempdir().unwrap();
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
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        self.input.write_all(message.to_string().as_bytes()).unwrap();
        self.input.write_all(b"\0").unwrap();
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let answer = self.messages.recv_timeout(left).unwrap_or_else(|_| panic!("no answer to {method}"));
            if answer["id"] == self.last {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
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
        self.call("Page.navigate", json!({ "url": "about:blank" }));
        self.call("Page.navigate", json!({ "url": address }));
        self.ready();
    }

    /// Waits until the page has drawn what its address asks for, pictures included.
    pub fn ready(&mut self) {
        self.until(
            "(() => { const main = document.querySelector('main'); \
             return !!main && (!!main.dataset.ready || !!main.querySelector('[role=alert]')) && \
             [...document.images].every((i) => i.complete); })()",
        );
    }

    /// Goes to an address within the page.
    pub fn go(&mut self, hash: &str) {
        let turn = self.read("document.querySelector('main').dataset.ready || ''");
        self.read(&format!("location.hash = {}", json!(hash)));
        self.until(&format!("document.querySelector('main').dataset.ready !== {turn}"));
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
        while self.read(expression) != true {
            assert!(Instant::now() < end, "never true: {expression}");
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
        for kind in ["mousePressed", "mouseReleased"] {
            let event =
                json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Chooses an option of the control with this label, as a hand would, and waits for the page.
    pub fn choose(&mut self, label: &str, value: &str) {
        let turn = self.read("document.querySelector('main').dataset.ready");
        let changed = self.read(&format!(
            "(() => {{ const s = [...document.querySelectorAll('select,input')].find((e) => e.getAttribute('aria-label') === {0}); \
             s.value = {1}; s.dispatchEvent(new Event('change', {{bubbles: true}})); return s.value === {1}; }})()",
            json!(label),
            json!(value)
        ));
        assert_eq!(changed, true, "{label} has no {value}");
        self.until(&format!("document.querySelector('main').dataset.ready !== {turn}"));
        self.ready();
    }

    /// Where downloads go from now on.
    pub fn downloads_to(&mut self, folder: &Path) {
        let parameters = json!({
            "behavior": "allow", "browserContextId": self.context, "downloadPath": folder.display().to_string(),
        });
        self.browser.call(None, "Browser.setDownloadBehavior", parameters);
    }

    /// A picture of the page (PNG).
    pub fn picture(&mut self) -> Vec<u8> {
        use base64::Engine as _;
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
        self.browser.events.iter().filter_map(of).collect()
    }

    /// Passes over what the browser has complained of, where a test asked for what is not there.
    pub fn forget(&mut self) {
        self.read("new Promise((done) => setTimeout(done, 50))");
        self.browser.events.clear();
    }

    /// Addresses of everything that was loaded, data inside addresses left out.
    pub fn requests(&mut self) -> Vec<String> {
        let events =
            self.browser.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        let urls = events.filter_map(|event| event["params"]["request"]["url"].as_str().map(str::to_owned));
        urls.filter(|url| !url.starts_with("data:")).collect()
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let context = self.context.clone();
            self.browser.call(None, "Target.disposeBrowserContext", json!({ "browserContextId": context }));
        }
    }
}
