//! Pictures of the pages for README and review: `cargo xtask screens [FOLDER]`.
//!
//! Plays the demonstration to its end on a fresh data folder, then photographs the pages. The folder is `docs/screens` unless another is named.

use starpay_e2e::browser::{Browser, BrowserError, Extent, Outcome, Scheme, Screen};
use starpay_e2e::demo::{Demo, Engine};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Name, path, screen, scheme. Few on purpose: every change of a page changes them all in the history.
const PICTURES: &[(&str, &str, Screen, Scheme)] = &[
    ("home-desk-light", "/?lang=zh-CN", Screen::DESK, Scheme::Light),
    ("home-desk-dark", "/?lang=zh-CN", Screen::DESK, Scheme::Dark),
    ("home-phone-light", "/?lang=zh-CN", Screen::PHONE, Scheme::Light),
    ("home-phone-dark", "/?lang=zh-CN", Screen::PHONE, Scheme::Dark),
    ("home-en-desk-light", "/?lang=en", Screen::DESK, Scheme::Light),
    ("outbox-phone-light", "/dev/outbox?lang=zh-CN", Screen::PHONE, Scheme::Light),
];

#[tokio::main]
async fn main() -> Result<(), BrowserError> {
    let folder = env::args_os().nth(1).map_or_else(|| PathBuf::from("docs/screens"), PathBuf::from);
    fs::create_dir_all(&folder).map_err(|cause| said(&folder, &cause))?;
    let data = tempfile::tempdir().map_err(|cause| said(Path::new("a temporary folder"), &cause))?;
    let demo = Demo::new(data.path(), Engine::Sqlite);
    let mut running = demo.start();
    demo.wait_until_active(&mut running);
    let browser = Browser::start("zh-CN").await?;
    let taken = take_all(&browser, &demo, &folder).await;
    browser.close().await?;
    running.kill();
    taken
}

async fn take_all(browser: &Browser, demo: &Demo, folder: &Path) -> Outcome {
    for (name, path, screen, scheme) in PICTURES {
        browser.look(*screen, *scheme).await?;
        browser.open(&demo.address(path)).await?;
        let file = folder.join(format!("{name}.png"));
        let picture = browser.picture(Extent::Screen).await?;
        fs::write(&file, &picture).map_err(|cause| said(&file, &cause))?;
        let line = format!("{} {} KiB\n", file.display(), picture.len() / 1024);
        io::stdout().lock().write_all(line.as_bytes()).map_err(|cause| said(&file, &cause))?;
    }
    Ok(())
}

fn said(path: &Path, cause: &io::Error) -> BrowserError {
    BrowserError(format!("{}: {cause}", path.display()))
}
