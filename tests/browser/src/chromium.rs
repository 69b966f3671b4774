//! The browser's process, and the connection to it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use chromiumoxide::Browser;
use futures_util::StreamExt as _;
use tempfile::TempDir;

/// How long the browser may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is waited for is looked at this often.
const LOOK: Duration = Duration::from_millis(20);
/// What it may be called.
const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome", "chrome"];

/// Runs the browser and waits for the end of its own standard input, which comes with the end of the
/// test's process at the latest, however that ends; then ends the browser and removes its folder.
const KEEPER: &str = r#"
folder=$1; shift
"$@" >>"$folder/log" 2>&1 </dev/null &
browser=$!
cat >/dev/null
kill "$browser" 2>/dev/null
wait "$browser"
rm -rf "$folder"
"#;

/// Nothing that reaches out by itself, nothing that waits for a person.
const ARGUMENTS: &[&str] = &[
    "--headless",
    "--remote-debugging-port=0",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-default-apps",
    "--no-first-run",
    "--no-default-browser-check",
    "--password-store=basic",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--mute-audio",
    "--lang=en-GB",
];

/// A running browser.
pub(crate) struct Chromium {
    /// The connection to it.
    pub(crate) browser: Browser,
    /// What looks after the process; its input ends with ours.
    _keeper: Child,
}

/// The browser of this process, started by whoever asks first.
pub(crate) fn shared() -> &'static Chromium {
    static SHARED: OnceLock<Chromium> = OnceLock::new();
    SHARED.get_or_init(|| {
        let (keeper, address) = start();
        Chromium { browser: connect(address), _keeper: keeper }
    })
}

/// Starts the process; answers where it is listening.
fn start() -> (Child, String) {
    let folder = tempfile::Builder::new().prefix("groundcontrol-browser-").tempdir();
    let folder = folder.map(TempDir::keep).expect("a temporary folder can be made");
    let mut command = Command::new("sh");
    command.args(["-c", KEEPER, "keeper"]).arg(&folder).arg(program()).args(ARGUMENTS);
    if rustix::process::getuid().is_root() {
        // Its sandbox does not work for root; what it shows here is our own.
        command.arg("--no-sandbox");
    }
    command.arg(format!("--user-data-dir={}", folder.display())).arg("about:blank");
    let keeper = command.stdin(Stdio::piped()).spawn().expect("a shell can be started");
    (keeper, listening(&folder))
}

/// Waits until the browser says where it is listening.
fn listening(folder: &Path) -> String {
    let begun = Instant::now();
    loop {
        let said = std::fs::read_to_string(folder.join("DevToolsActivePort")).unwrap_or_default();
        if let Some((port, path)) = said.split_once('\n') {
            return format!("ws://127.0.0.1:{port}{}", path.trim());
        }
        if begun.elapsed() > PATIENCE {
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            panic!("the browser did not start within {PATIENCE:?}; its log:\n{log}");
        }
        thread::sleep(LOOK);
    }
}

/// Connects, and handles what the browser says on a thread that outlives every test.
fn connect(address: String) -> Browser {
    let (connected, answer) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be built").block_on(async move {
            let (browser, mut handler) =
                Browser::connect(address).await.expect("the browser can be connected to");
            connected.send(browser).expect("somebody waits for the browser");
            // An error is a message that this version of the protocol does not know.
            while handler.next().await.is_some() {}
        });
    });
    answer.recv().expect("the browser is connected to")
}

fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("GROUNDCONTROL_TEST_CHROMIUM") {
        return named.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| NAMES.iter().map(move |name| folder.join(name)))
        .find(|program| program.is_file());
    found.expect(
        "Chromium is missing: install it (on Debian or Ubuntu: apt-get install chromium), name it in \
         GROUNDCONTROL_TEST_CHROMIUM, or run tests/run e2e",
    )
}
