//! One tab in a context of its own: what a person does there, and what they see.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chromiumoxide::cdp::browser_protocol::log::EventEntryAdded;
use chromiumoxide::cdp::browser_protocol::network::{EnableParams, EventRequestWillBeSent};
use chromiumoxide::cdp::browser_protocol::target::{
    CreateBrowserContextParams, CreateTargetParams,
};
use chromiumoxide::cdp::js_protocol::runtime::{
    EvaluateParams, EventConsoleApiCalled, EventExceptionThrown,
};
use chromiumoxide::layout::Point;
use chromiumoxide::page::ScreenshotParams;
use chromiumoxide::types::MethodId;
use chromiumoxide::{Command, Method, Page};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::chromium::shared;

/// How long anything may take: generous, because the machine may be busy, and only ever spent where a
/// test fails.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(25);

/// Finds what a person would point at: what `what` selects, is visible, and is named or says `text`.
const FINDER: &str = r#"
(what, text) => {
  const name = (one) => one.getAttribute("aria-label") ?? (one.labels?.length ? one.labels[0].textContent : one.textContent);
  const open = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document;
  const found = [...open.querySelectorAll(what)].filter((one) => one.checkVisibility() && name(one).trim().startsWith(text));
  const one = found[0];
  if (!one) return null;
  one.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
  const box = one.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const hit = document.elementFromPoint(x, y);
  if (one.disabled || !hit || !(one.contains(hit) || hit.contains(one))) return null;
  return [x, y];
}
"#;

/// How a page looks: its size in CSS pixels, and the theme that the system asks for.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// Whether the system prefers dark colours.
    pub dark: bool,
}

/// A tab.
pub struct Tab {
    page: Page,
    requests: Arc<Mutex<Vec<String>>>,
    complaints: Arc<Mutex<Vec<String>>>,
}

impl Tab {
    /// A tab in a new context, which knows nothing of any other.
    pub async fn new() -> Self {
        let browser = &shared().browser;
        let context = browser.create_browser_context(CreateBrowserContextParams::default()).await;
        let context = context.expect("the browser makes a context");
        let target = CreateTargetParams::builder().url("about:blank").browser_context_id(context);
        let page = browser.new_page(target.build().expect("a target has a URL")).await;
        let page = page.expect("the browser opens a tab");
        page.execute(EnableParams::default()).await.expect("requests can be watched");
        page.enable_log().await.expect("the log can be watched");
        page.enable_runtime().await.expect("the console can be watched");
        let tab = Self { page, requests: Arc::default(), complaints: Arc::default() };
        tab.watch().await;
        tab.look(Look { width: 1280, height: 800, dark: false }).await;
        tab
    }

    /// Keeps what the page asks for, and what it or the browser complains of.
    async fn watch(&self) {
        let keep = |place: &Arc<Mutex<Vec<String>>>| {
            let place = Arc::clone(place);
            move |text: String| place.lock().expect("no test panicked here").push(text)
        };
        let listening = "the tab can be listened to";
        let mut sent = self.page.event_listener::<EventRequestWillBeSent>().await.expect(listening);
        let mut thrown = self.page.event_listener::<EventExceptionThrown>().await.expect(listening);
        let mut called =
            self.page.event_listener::<EventConsoleApiCalled>().await.expect(listening);
        let mut logged = self.page.event_listener::<EventEntryAdded>().await.expect(listening);
        let (request, complain) = (keep(&self.requests), keep(&self.complaints));
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    Some(event) = sent.next() => request(event.request.url.clone()),
                    Some(event) = thrown.next() => complain(format!("{:?}", event.exception_details)),
                    Some(event) = called.next() => complain(format!("{:?}", event.args)),
                    Some(event) = logged.next() => {
                        let entry = &event.entry;
                        complain(format!("{:?} {:?}: {}", entry.source, entry.level, entry.text));
                    }
                    else => return,
                }
            }
        });
    }

    /// Gives the page a size and a theme.
    pub async fn look(&self, look: Look) {
        let size = json!({"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": false});
        self.command("Emulation.setDeviceMetricsOverride", size).await;
        let theme = if look.dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": theme}]});
        self.command("Emulation.setEmulatedMedia", features).await;
    }

    /// Goes to `url`.
    pub async fn go(&self, url: &str) {
        self.command("Page.navigate", json!({"url": url})).await;
    }

    /// Loads the page anew.
    pub async fn reload(&self) {
        self.command("Page.reload", json!({})).await;
    }

    /// What a JavaScript expression, which may be a promise, is in the page.
    ///
    /// # Panics
    /// Where it throws, or is something else than was expected.
    pub async fn eval<T: DeserializeOwned>(&self, expression: &str) -> T {
        self.try_eval(expression).await.unwrap_or_else(|why| panic!("{expression}: {why}"))
    }

    async fn try_eval<T: DeserializeOwned>(&self, expression: &str) -> Result<T, String> {
        let asked = EvaluateParams::builder()
            .expression(expression)
            .await_promise(true)
            .return_by_value(true)
            .build()?;
        let answer =
            self.page.evaluate_expression(asked).await.map_err(|error| error.to_string())?;
        let value = answer.value().cloned().unwrap_or(Value::Null);
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    /// Waits until an expression is neither false nor null, and answers it. A page that is just being
    /// loaded answers nothing.
    pub async fn until<T: DeserializeOwned>(&self, what: &str, expression: &str) -> T {
        let begun = Instant::now();
        let mut last = String::new();
        while begun.elapsed() < PATIENCE {
            match self.try_eval::<Value>(expression).await {
                Ok(Value::Null | Value::Bool(false)) => {}
                Ok(value) => {
                    return serde_json::from_value(value).expect("it is what was expected");
                }
                Err(why) => last = why,
            }
            sleep(PAUSE).await;
        }
        let shown: String = self.try_eval("document.body.innerText").await.unwrap_or_default();
        panic!("waited {PATIENCE:?} in vain: {what} {last}\n--- the page\n{shown}");
    }

    /// Waits until the page shows `text`.
    pub async fn shows(&self, text: &str) {
        let expression = format!("document.body.innerText.includes({})", json!(text));
        let _: bool = self.until(&format!("the page shows {text:?}"), &expression).await;
    }

    /// Whether the page shows `text` now.
    pub async fn is_showing(&self, text: &str) -> bool {
        self.eval(&format!("document.body.innerText.includes({})", json!(text))).await
    }

    /// Clicks, with the mouse, on what `selector` finds whose name begins with `name`, once it is there.
    pub async fn click(&self, selector: &str, name: &str) {
        let point = self.find(selector, name).await;
        self.page.click(point).await.expect("the mouse can be clicked");
    }

    /// Moves the mouse there.
    pub async fn point_at(&self, selector: &str, name: &str) {
        let point = self.find(selector, name).await;
        self.page.move_mouse(point).await.expect("the mouse can be moved");
    }

    async fn find(&self, selector: &str, name: &str) -> Point {
        let finder = format!("({FINDER})({}, {})", json!(selector), json!(name));
        let what = format!("{selector} named {name:?} can be clicked");
        let (x, y): (f64, f64) = self.until(&what, &finder).await;
        Point::new(x, y)
    }

    /// Writes into the field with this label, in place of what is there.
    pub async fn fill(&self, label: &str, text: &str) {
        self.click("input, textarea", label).await;
        let _: Value = self.eval("document.activeElement.select()").await;
        self.command("Input.insertText", json!({"text": text})).await;
    }

    /// Presses a key, such as `Tab`, `Enter` or `Escape`.
    pub async fn press(&self, key: &str) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            other => panic!("the key {other} is not known here"),
        };
        for kind in ["rawKeyDown", "keyUp"] {
            let event =
                json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            self.command("Input.dispatchKeyEvent", event).await;
            if kind == "rawKeyDown" && key == "Enter" {
                self.command("Input.dispatchKeyEvent", json!({"type": "char", "text": "\r"})).await;
            }
        }
    }

    /// A picture of what is in sight, as PNG.
    pub async fn picture(&self) -> Vec<u8> {
        let taken = self.page.screenshot(ScreenshotParams::default()).await;
        taken.expect("the browser takes a picture")
    }

    /// All URLs that were asked for so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no test panicked here").clone()
    }

    /// What the page threw or wrote to the console, and what the browser complained of.
    pub fn complaints(&self) -> Vec<String> {
        self.complaints.lock().expect("no test panicked here").clone()
    }

    /// Any command of the DevTools protocol, whatever this library makes of its answer.
    pub async fn command(&self, method: &'static str, params: Value) -> Value {
        let answered = self.page.execute(Raw { method, params }).await;
        answered.unwrap_or_else(|error| panic!("{method}: {error}")).result
    }
}

/// A command as JSON: browsers are newer than libraries.
struct Raw {
    method: &'static str,
    params: Value,
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.params.serialize(serializer)
    }
}

impl Method for Raw {
    fn identifier(&self) -> MethodId {
        self.method.into()
    }
}

impl Command for Raw {
    type Response = Value;
}
