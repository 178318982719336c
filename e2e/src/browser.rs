//! A real Chromium: exact screen sizes, light and dark, pictures, and axe as the judge of accessibility.
//!
//! Everything goes through the DevTools protocol, because a window's size is not a page's size: only
//! `Emulation.setDeviceMetricsOverride` gives exactly 390 × 844.

use crate::group::Group;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fmt, fs};
use thirtyfour::prelude::*;

/// Why the browser could not do what was asked.
#[derive(Debug)]
pub struct BrowserError(pub String);

impl fmt::Display for BrowserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BrowserError {}

impl From<WebDriverError> for BrowserError {
    fn from(cause: WebDriverError) -> Self {
        Self(format!("WebDriver: {cause}"))
    }
}

/// What a browser step answers.
pub type Outcome<T = ()> = Result<T, BrowserError>;

fn failed(what: &str, cause: impl fmt::Display) -> BrowserError {
    BrowserError(format!("{what}: {cause}"))
}

/// A size of screen that pages are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Its name in the names of pictures.
    pub name: &'static str,
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
}

impl Screen {
    /// A phone held upright.
    pub const PHONE: Self = Self { name: "phone", width: 390, height: 844 };
    /// A desk.
    pub const DESK: Self = Self { name: "desk", width: 1440, height: 900 };
    /// Both.
    pub const ALL: [Self; 2] = [Self::PHONE, Self::DESK];
}

/// The visitor's colour scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Scheme {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Light, Self::Dark];

    /// Its name in CSS and in the names of pictures.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// How much of a page a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What is seen without scrolling.
    Screen,
    /// The whole page.
    Page,
}

/// A driver with one browser session. [`Browser::close`] ends both; dropping it kills both.
pub struct Browser {
    driver: WebDriver,
    group: Group,
}

/// How long the driver may take to say which port it listens on.
const START: Duration = Duration::from_secs(30);

const FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
];

impl Browser {
    /// Starts `chromedriver` on a free port and one headless session in `language` (a BCP 47 tag).
    ///
    /// # Errors
    /// When the driver or the browser is not installed or does not start.
    pub async fn start(language: &str) -> Outcome<Self> {
        let (group, port) = start_driver().await?;
        let mut capabilities = DesiredCapabilities::chrome();
        for flag in FLAGS {
            capabilities.add_arg(flag)?;
        }
        capabilities.add_arg(&format!("--lang={language}"))?;
        let preferences = json!({ "intl.accept_languages": language });
        capabilities.add_experimental_option("prefs", preferences)?;
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await?;
        Ok(Self { driver, group })
    }

    /// Ends the session and the driver.
    ///
    /// # Errors
    /// When the session could not be ended.
    pub async fn close(self) -> Outcome {
        let Self { driver, mut group } = self;
        let quit = driver.quit().await;
        group.kill();
        Ok(quit?)
    }

    /// Sets screen size, colour scheme and, so that pictures do not differ, no motion.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn look(&self, screen: Screen, scheme: Scheme) -> Outcome {
        let metrics = json!({
            "width": screen.width, "height": screen.height, "deviceScaleFactor": 1,
            "mobile": screen == Screen::PHONE,
        });
        self.send("Emulation.setDeviceMetricsOverride", metrics).await?;
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme.name() },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]});
        self.send("Emulation.setEmulatedMedia", features).await?;
        Ok(())
    }

    /// Switches scripts off (or on again), for the promise that every page works without.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn scripts(&self, scripts: Scripts) -> Outcome {
        let disabled = scripts == Scripts::Off;
        self.send("Emulation.setScriptExecutionDisabled", json!({ "value": disabled })).await?;
        Ok(())
    }

    /// Opens an address and waits until it is loaded.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn open(&self, url: &str) -> Outcome {
        Ok(self.driver.goto(url).await?)
    }

    /// The value of a script expression, awaited when it is a promise.
    ///
    /// # Errors
    /// When the expression throws.
    pub async fn evaluate(&self, expression: &str) -> Outcome<Value> {
        let call = json!({
            "expression": expression, "awaitPromise": true, "returnByValue": true,
            "allowUnsafeEvalBlockedByCSP": true,
        });
        let mut answer = self.send("Runtime.evaluate", call).await?;
        if let Some(exception) = answer.get("exceptionDetails") {
            return Err(BrowserError(format!("script failed: {exception}")));
        }
        Ok(answer["result"]["value"].take())
    }

    /// Asks `expression` until it is true.
    ///
    /// # Errors
    /// When it is not within `patience`.
    pub async fn wait_until(&self, expression: &str, patience: Duration) -> Outcome {
        let started = Instant::now();
        while self.evaluate(expression).await? != Value::Bool(true) {
            if started.elapsed() > patience {
                return Err(BrowserError(format!("not true within {patience:?}: {expression}")));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// A picture as PNG bytes.
    ///
    /// # Errors
    /// When the browser cannot take it.
    pub async fn picture(&self, extent: Extent) -> Outcome<Vec<u8>> {
        let beyond = extent == Extent::Page;
        let mut call = json!({ "format": "png", "captureBeyondViewport": beyond, "optimizeForSpeed": false });
        if beyond {
            let layout = self.send("Page.getLayoutMetrics", json!({})).await?;
            let size = &layout["cssContentSize"];
            call["clip"] =
                json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
        }
        let answer = self.send("Page.captureScreenshot", call).await?;
        let text =
            answer["data"].as_str().ok_or_else(|| BrowserError("a picture without data".to_owned()))?;
        STANDARD.decode(text).map_err(|cause| failed("picture", cause))
    }

    /// What axe (WCAG 2.2 A and AA) finds wrong on the page, one line each: rule, help, where.
    ///
    /// # Errors
    /// When axe cannot be read (`cargo xtask setup` fetches it) or does not run.
    pub async fn accessibility(&self, axe: &Path) -> Outcome<Vec<String>> {
        let script = fs::read_to_string(axe).map_err(|cause| failed(&axe.display().to_string(), cause))?;
        self.evaluate(&format!("{script}\n;true")).await?;
        let found = self
            .evaluate(
                "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
                 .then(r => r.violations.flatMap(v => v.nodes.map(n => `${v.id}: ${v.help}: ${n.target.join(' ')}`)))",
            )
            .await?;
        let lines = found.as_array().ok_or_else(|| BrowserError("axe gave no answer".to_owned()))?;
        Ok(lines.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// How many CSS pixels the page is wider than the screen: 0 on a page that fits.
    ///
    /// # Errors
    /// When the page cannot be asked.
    pub async fn overflow(&self) -> Outcome<i64> {
        let wider = self.evaluate("document.documentElement.scrollWidth - window.innerWidth").await?;
        wider.as_i64().map(|pixels| pixels.max(0)).ok_or_else(|| BrowserError("no width".to_owned()))
    }

    /// The page's HTML as it stands, also when scripts are off.
    ///
    /// # Errors
    /// When the browser does not give it.
    pub async fn html(&self) -> Outcome<String> {
        let document = self.send("DOM.getDocument", json!({ "depth": 0 })).await?;
        let node = json!({ "nodeId": document["root"]["nodeId"] });
        let answer = self.send("DOM.getOuterHTML", node).await?;
        answer["outerHTML"].as_str().map(str::to_owned).ok_or_else(|| BrowserError("no document".to_owned()))
    }

    async fn send(&self, method: &str, parameters: Value) -> Outcome<Value> {
        Ok(self.driver.cdp().send_raw(method, parameters).await?)
    }
}

/// Whether a page's scripts run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    /// They run.
    On,
    /// They do not.
    Off,
}

/// Starts the driver on a port of its own choice and reads the port from what it prints.
async fn start_driver() -> Outcome<(Group, u16)> {
    let group = Group::start(Command::new("chromedriver").arg("--port=0"));
    let started = Instant::now();
    loop {
        let said = group.output();
        let port =
            said.iter().find_map(|line| line.rsplit_once("successfully on port ")).map(|(_, port)| port);
        if let Some(port) = port {
            let port =
                port.trim_end_matches('.').parse().map_err(|cause| failed("chromedriver's port", cause))?;
            return Ok((group, port));
        }
        if started.elapsed() > START {
            return Err(BrowserError(format!("chromedriver does not say its port: {said:?}")));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
