//! The pages in a real Chromium: live, accessible, at both sizes, light and dark, without script.

use starpay_e2e::browser::{Browser, Outcome, Scheme, Screen, Scripts};
use starpay_e2e::demo::{Demo, Engine, JOURNEY_WITHIN, READY_WITHIN};
use starpay_e2e::group::{Group, starpay};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Where set-up puts axe, from this crate.
fn axe() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../var/axe.min.js")
}

const STATUS: &str = "document.querySelector('.terminal-status').textContent";
/// Texts that are a bare code: something whose words the catalogue lacks.
const BARE_CODES: &str =
    "[...document.querySelectorAll('main *')].flatMap((element) => [...element.childNodes])
    .filter((node) => node.nodeType === 3).map((node) => node.data.trim())
    .filter((text) => /^[a-z]+(_[a-z]+)+$/.test(text)).join()";
/// Layout shift that visitors do not notice is under 0.1 (the web vitals' own limit).
const SHIFT_MAX: f64 = 0.1;

/// Runs a check in a browser of its own and closes it whatever came out.
async fn in_a_browser(check: impl AsyncFnOnce(&Browser) -> Outcome) {
    let browser = Browser::start("zh-CN").await.unwrap();
    let outcome = check(&browser).await;
    browser.close().await.unwrap();
    outcome.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_open_page_follows_the_journey_to_an_active_terminal_without_jumping() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::new(folder.path(), Engine::Sqlite);
    let mut running = demo.start();
    demo.wait_until_ready(&mut running);
    in_a_browser(async |browser| {
        browser.look(Screen::DESK, Scheme::Light).await?;
        browser.open(&demo.address("/")).await?;
        browser
            .evaluate(
                "window.shift = 0; window.errors = []; window.here = document.getElementById('terminal-screen');
                 addEventListener('error', (event) => errors.push(event.message));
                 new PerformanceObserver((list) => list.getEntries().forEach((entry) => { shift += entry.value; }))
                   .observe({ type: 'layout-shift', buffered: true }); true",
            )
            .await?;
        browser.wait_until(&format!("{STATUS} === '已激活'"), JOURNEY_WITHIN).await?;
        browser.wait_until("document.querySelectorAll('.why-list li:not(.leaving)').length === 0", JOURNEY_WITHIN).await?;
        assert_eq!(browser.evaluate("errors.join()").await?, "");
        assert_eq!(browser.evaluate("here === document.getElementById('terminal-screen')").await?, true, "reloaded");
        let shift = browser.evaluate("shift").await?.as_f64().unwrap();
        assert!(shift < SHIFT_MAX, "the page jumped by {shift}");
        Ok(())
    })
    .await;
}

/// Looks at each page at both sizes, light and dark.
async fn examine(browser: &Browser, addresses: &[String]) -> Outcome {
    for address in addresses {
        for (screen, scheme) in Screen::ALL.into_iter().flat_map(|one| Scheme::ALL.map(|two| (one, two))) {
            browser.look(screen, scheme).await?;
            browser.open(address).await?;
            let place = format!("{address} on {} in {}", screen.name, scheme.name());
            let size = browser.evaluate("[innerWidth, innerHeight].join('x')").await?;
            assert_eq!(size, format!("{}x{}", screen.width, screen.height), "{place}");
            let found = browser.accessibility(&axe()).await?;
            assert!(found.is_empty(), "{place}:\n{}", found.join("\n"));
            assert_eq!(browser.overflow().await?, 0, "{place} is wider than the screen");
            assert_eq!(browser.evaluate(BARE_CODES).await?, "", "{place} shows codes");
            let marked = "document.querySelector('.sandbox').innerText.includes('沙箱')";
            assert_eq!(browser.evaluate(marked).await?, true, "{place} does not say that it is a sandbox");
        }
    }
    Ok(())
}

/// Longer than anybody looks: before each step of a journey that stands still.
const STANDSTILL: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread")]
async fn a_journey_under_way_and_a_platform_without_one_are_accessible_and_fit() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::new(folder.path(), Engine::Sqlite);
    let mut running = demo.start_once();
    demo.wait_until_step(&mut running, "submit");
    running.kill();
    // Taken up again and held before its next step, so that the pages stand still as well.
    let mut held = demo.start_slowly(STANDSTILL);
    demo.wait_until_ready(&mut held);
    in_a_browser(async |browser| {
        browser.open(&demo.address("/")).await?;
        browser.wait_until("document.querySelector('.step.now') !== null", READY_WITHIN).await?;
        examine(browser, &["/?lang=zh-CN", "/en"].map(|path| demo.address(path))).await?;
        assert_eq!(browser.evaluate("document.querySelector('.step.now') !== null").await?, true);
        held.kill();

        let (serving, port) = serve(folder.path());
        let address = |path: &str| format!("http://127.0.0.1:{port}{path}");
        examine(browser, &["/?lang=zh-CN", "/en"].map(address)).await?;
        assert_eq!(browser.evaluate("document.querySelector('.absent') !== null").await?, true);
        drop(serving);
        Ok(())
    })
    .await;
}

/// `starpay serve` over the data of a demo: the group, and where it listens.
fn serve(folder: &Path) -> (Group, u16) {
    let data = serde_json::json!(folder.join("platform").to_str().unwrap());
    let config = folder.join("starpay.toml");
    std::fs::write(&config, format!("[data]\nfolder = {data}\n\n[listen]\naddress = \"127.0.0.1:0\"\n"))
        .unwrap();
    let mut serving = Group::start(Command::new(starpay()).arg("serve").arg("--config").arg(&config));
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        if let Some(port) = serving.errors().iter().find_map(|line| port_in(line)) {
            return (serving, port);
        }
        assert!(serving.is_running() && Instant::now() < deadline, "{}", serving.errors().join("\n"));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Where a log line says that it serves.
fn port_in(line: &str) -> Option<u16> {
    let logged: serde_json::Value = serde_json::from_str(line).ok()?;
    let text = logged.to_string();
    let (_, rest) = text.split_once("\"listen.address\":\"127.0.0.1:")?;
    rest.split_once('"')?.0.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_accessible_and_fits_at_both_sizes_in_both_schemes_and_languages() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::new(folder.path(), Engine::Sqlite);
    let mut running = demo.start();
    demo.wait_until_active(&mut running);
    in_a_browser(async |browser| {
        let pages = [
            "/?lang=zh-CN",
            "/en",
            "/dev/outbox?lang=zh-CN",
            "/dev/outbox?lang=en",
            "/no?lang=zh-CN",
            "/no?lang=en",
        ];
        examine(browser, &pages.map(|path| demo.address(path))).await?;
        browser.scripts(Scripts::Off).await?;
        browser.open(&demo.address("/")).await?;
        let html = browser.html().await?;
        assert!(html.contains("terminal-status\">已激活<"), "a plain reload shows the end of the journey");
        Ok(())
    })
    .await;
}
