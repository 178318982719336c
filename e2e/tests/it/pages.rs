//! The pages in a real Chromium: live, accessible, at both sizes, light and dark, without script.

use starpay_e2e::browser::{Browser, Outcome, Scheme, Screen, Scripts};
use starpay_e2e::demo::{Demo, Engine, JOURNEY_WITHIN};
use std::path::{Path, PathBuf};

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

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_accessible_and_fits_at_both_sizes_in_both_schemes_and_languages() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::new(folder.path(), Engine::Sqlite);
    let mut running = demo.start();
    demo.wait_until_active(&mut running);
    in_a_browser(async |browser| {
        for path in ["/?lang=zh-CN", "/en", "/dev/outbox?lang=zh-CN", "/dev/outbox?lang=en"] {
            for (screen, scheme) in Screen::ALL.into_iter().flat_map(|one| Scheme::ALL.map(|two| (one, two)))
            {
                browser.look(screen, scheme).await?;
                browser.open(&demo.address(path)).await?;
                let place = format!("{path} on {} in {}", screen.name, scheme.name());
                let size = browser.evaluate("[innerWidth, innerHeight].join('x')").await?;
                assert_eq!(size, format!("{}x{}", screen.width, screen.height), "{place}");
                let found = browser.accessibility(&axe()).await?;
                assert!(found.is_empty(), "{place}:\n{}", found.join("\n"));
                assert_eq!(browser.overflow().await?, 0, "{place} is wider than the screen");
                assert_eq!(browser.evaluate(BARE_CODES).await?, "", "{place} shows codes");
                let marked = "document.querySelector('.sandbox').innerText.includes('沙箱')";
                assert_eq!(
                    browser.evaluate(marked).await?,
                    true,
                    "{place} does not say that it is a sandbox"
                );
            }
        }
        browser.scripts(Scripts::Off).await?;
        browser.open(&demo.address("/")).await?;
        let html = browser.html().await?;
        assert!(html.contains("terminal-status\">已激活<"), "a plain reload shows the end of the journey");
        Ok(())
    })
    .await;
}
