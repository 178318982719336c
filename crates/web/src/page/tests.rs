//! Every page in every shape and language, as a visitor's browser gets it.

use super::journey::Snapshot;
use super::journey::Stage;
use super::*;
use axum::body::to_bytes;
use axum::response::Response;
use futures_util::future::BoxFuture;
use http::{Request, StatusCode};
use starpay_text::Language;
use tokio::sync::watch;
use tower::ServiceExt as _;

const PAGE_BYTES_MAX: usize = 1 << 20;

struct Fixed(watch::Sender<Arc<Snapshot>>);

impl Fixed {
    fn at(version: u64, view: JourneyView) -> Arc<Self> {
        Arc::new(Self(watch::channel(Arc::new(Snapshot::new(version, view))).0))
    }
}

impl JourneySource for Fixed {
    fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.0.subscribe()
    }
}

struct Kept(OutboxView);

impl OutboxSource for Kept {
    fn messages(&self) -> BoxFuture<'_, OutboxView> {
        let view = self.0.clone();
        Box::pin(async move { view })
    }
}

fn deployment(mode: Mode) -> Deployment {
    let acquirer = match mode {
        Mode::Sandbox => None,
        Mode::Live => Some(Acquirer {
            name: "样例支付服务有限公司".to_owned(),
            licence_no: "Z2000000000000".to_owned(),
        }),
    };
    Deployment { mode, acquirer, version: "0.1.0".to_owned() }
}

fn playing(view: JourneyView) -> Router {
    let outbox = OutboxView::samples().pop().unwrap().1;
    let source = Fixed::at(0, view);
    router(PageState::new(deployment(Mode::Sandbox), Some(source), Some(Arc::new(Kept(outbox)))))
}

fn quiet() -> Router {
    router(PageState::new(deployment(Mode::Live), None, None))
}

#[tokio::test]
async fn an_address_that_leads_nowhere_says_so_to_people_and_to_programs() {
    let site = quiet();
    let ask = |path: &str, accepts: &str| {
        let request = Request::get(path).header("accept", accepts).body(axum::body::Body::empty()).unwrap();
        site.clone().oneshot(request)
    };
    let page = ask("//elsewhere.test/x?lang=en", "text/html,*/*").await.unwrap();
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    let html = String::from_utf8(to_bytes(page.into_body(), PAGE_BYTES_MAX).await.unwrap().to_vec()).unwrap();
    assert!(html.contains("does not exist") && !html.contains("elsewhere.test"), "{html}");
    for (path, accepts) in [("/x", "*/*"), ("/api/v1/x", "text/html")] {
        let refusal = ask(path, accepts).await.unwrap();
        assert_eq!(refusal.status(), StatusCode::NOT_FOUND);
        assert!(refusal.extensions().get::<crate::Problem>().is_some(), "{path}");
    }
}

async fn get(site: &Router, path: &str) -> Response {
    site.clone().oneshot(Request::get(path).body(axum::body::Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), PAGE_BYTES_MAX).await.unwrap().to_vec()).unwrap()
}

async fn page(site: &Router, path: &str) -> String {
    let response = get(site, path).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    text(response).await
}

#[tokio::test]
async fn every_sample_renders_in_both_languages() {
    for (name, view) in JourneyView::samples() {
        let finished = view.stage == Stage::Finished;
        let site = playing(view);
        for language in Language::ALL {
            let html = page(&site, &format!("/?lang={}", language.tag())).await;
            assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())), "{name}");
            assert!(html.contains("沙箱"), "{name}: the sandbox mark is missing");
            assert!(!html.contains("No localization"), "{name}: a text is missing");
            let active = if *language == Language::En { ">Active<" } else { ">已激活<" };
            assert_eq!(html.contains(&format!("terminal-status\"{active}")), finished, "{name}");
        }
    }
}

#[tokio::test]
async fn no_code_reaches_a_page_without_words() {
    let codes = |html: &str| {
        let bare = html.split(['>', '<']).filter(|part| part.contains('_') && !part.contains(' '));
        bare.map(str::to_owned).collect::<Vec<_>>()
    };
    for (name, view) in JourneyView::samples() {
        let html = page(&playing(view), "/?lang=en").await;
        assert_eq!(codes(&html), Vec::<String>::new(), "{name}");
    }
}

#[tokio::test]
async fn pages_hold_nothing_inline_and_nothing_from_elsewhere() {
    let site = playing(JourneyView::samples().remove(3).1);
    for path in ["/", "/en", "/dev/outbox"] {
        let html = page(&site, path).await;
        for forbidden in
            ["style=\"", "<style", "onclick", "onload=", "http://", "https://", "//cdn", "javascript:"]
        {
            assert!(!html.contains(forbidden), "{path} holds {forbidden}");
        }
        assert_eq!(
            html.matches("<script").count(),
            html.matches("<script type=\"module\" src=\"/assets/").count()
        );
    }
}

#[tokio::test]
async fn every_asset_a_page_names_is_served_for_ever() {
    let site = playing(JourneyView::samples().remove(0).1);
    let html = format!("{}{}", page(&site, "/").await, page(&site, "/dev/outbox").await);
    let names: Vec<&str> = html.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert!(names.len() > 8, "{names:?}");
    for name in names {
        let response = get(&site, name).await;
        assert_eq!(response.status(), StatusCode::OK, "{name}");
        assert_eq!(response.headers()["cache-control"], "public, max-age=31536000, immutable");
    }
    assert_eq!(
        get(&site, "/assets/base.css").await.status(),
        StatusCode::NOT_FOUND,
        "only under its hashed name"
    );
}

#[tokio::test]
async fn the_language_is_the_visitors() {
    let site = playing(JourneyView::samples().remove(1).1);
    let accept = |header: &'static str| {
        let request =
            Request::get("/").header("accept-language", header).body(axum::body::Body::empty()).unwrap();
        site.clone().oneshot(request)
    };
    assert_eq!(accept("en-GB,en;q=0.9").await.unwrap().headers()["content-language"], "en");
    assert_eq!(accept("fr").await.unwrap().headers()["content-language"], "zh-CN");
    assert_eq!(get(&site, "/").await.headers()["content-language"], "zh-CN");
    assert_eq!(get(&site, "/en").await.headers()["content-language"], "en");
    assert_eq!(get(&site, "/?lang=xx").await.headers()["content-language"], "zh-CN");
    let english = page(&site, "/en").await;
    assert!(english.contains("href=\"/?lang=zh-CN\""), "the way back to Chinese leads to /");
}

#[tokio::test]
async fn a_live_deployment_names_its_institution_and_has_no_outbox() {
    let site = quiet();
    let html = page(&site, "/").await;
    assert!(html.contains("样例支付服务有限公司") && html.contains("Z2000000000000"));
    assert!(!html.contains("沙箱") && !html.contains("/dev/outbox") && !html.contains("<script"));
    assert_eq!(get(&site, "/dev/outbox").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(get(&site, "/journey/events").await.status(), StatusCode::NOT_FOUND);
    let demo = page(&playing(JourneyView::samples().remove(0).1), "/").await;
    assert!(demo.contains("未配置"), "a deployment without an institution says so");
}

#[tokio::test]
async fn what_came_from_outside_is_escaped() {
    let mut view = JourneyView::samples().remove(1).1;
    view.merchant_name = "<img src=x onerror=1>".to_owned();
    let html = page(&playing(view), "/").await;
    assert!(!html.contains("<img") && html.contains("&#60;img"));
}

#[tokio::test]
async fn the_stream_says_the_present_and_then_each_change() {
    use futures_util::StreamExt as _;
    let view = JourneyView::samples().remove(3).1;
    let source = Fixed::at(7, view.clone());
    let state = PageState::new(
        deployment(Mode::Sandbox),
        Some(Arc::<Fixed>::clone(&source) as Arc<dyn JourneySource>),
        None,
    );
    let response = get(&router(state), "/journey/events?lang=en").await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body().into_data_stream();
    let first = String::from_utf8(body.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(first.starts_with("event: journey") && first.contains("id: 7"), "{first}");
    assert!(first.contains("data: <section id=\"terminal\"") && first.contains("Active"));
    source.0.send_replace(Arc::new(Snapshot::new(8, view)));
    let second = String::from_utf8(body.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(second.contains("id: 8"));
}

#[tokio::test]
async fn one_stream_too_many_is_asked_to_come_back() {
    let source = Fixed::at(0, JourneyView::samples().remove(0).1);
    let state = PageState::new(deployment(Mode::Sandbox), Some(source), None);
    let taken =
        state.streams.clone().acquire_many_owned(u32::try_from(PageState::STREAMS_MAX).unwrap()).await;
    let response = get(&router(state), "/journey/events").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    drop(taken);
}

#[test]
fn the_outbox_prints_no_message_by_accident() {
    let shown = format!("{:?}", OutboxView::samples());
    assert!(shown.contains("msg_3") && !shown.contains("7K2M9") && !shown.contains("林样例"), "{shown}");
}
