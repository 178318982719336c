//! The pages with sample data, for whoever works on their looks: `cargo run -p starpay-web --example pages`.
//!
//! Prints one address for each sample, and one where the journey plays itself again and again.

use axum::Router;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use starpay_web::PAGE_POLICY;
use starpay_web::page::journey::Snapshot;
use starpay_web::page::{
    Deployment, JourneySource, JourneyView, Mode, OutboxSource, OutboxView, PageState, router,
};
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::set_header::SetResponseHeaderLayer;

const STEP: Duration = Duration::from_millis(500);
const REST: Duration = Duration::from_secs(5);

struct Shown(watch::Sender<Arc<Snapshot>>);

impl Shown {
    fn at(version: u64, view: JourneyView) -> Arc<Self> {
        Arc::new(Self(watch::channel(Arc::new(Snapshot::new(version, view))).0))
    }
}

impl JourneySource for Shown {
    fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.0.subscribe()
    }
}

struct Messages;

impl OutboxSource for Messages {
    fn messages(&self) -> BoxFuture<'_, OutboxView> {
        Box::pin(async { OutboxView::samples().pop().map(|(_, view)| view).unwrap_or_default() })
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    for (name, view) in JourneyView::samples() {
        serve(name, Shown::at(0, view)).await?;
    }
    let playing = Shown::at(0, JourneyView::played(0));
    serve("playing", Arc::<Shown>::clone(&playing) as Arc<dyn JourneySource>).await?;
    for version in 1.. {
        let done = usize::try_from(version).unwrap_or_default() % (JourneyView::STEPS_PLAYED + 1);
        let rests = done == 1 || done == 0;
        tokio::time::sleep(if rests { REST } else { STEP }).await;
        playing.0.send_replace(Arc::new(Snapshot::new(version, JourneyView::played(done))));
    }
    Ok(())
}

async fn serve(name: &str, journey: Arc<dyn JourneySource>) -> io::Result<()> {
    let deployment = Deployment { mode: Mode::Sandbox, acquirer: None, version: "0.1.0".to_owned() };
    let policy = HeaderValue::from_static(PAGE_POLICY);
    let site: Router = router(PageState::new(deployment, Some(journey), Some(Arc::new(Messages))))
        .layer(SetResponseHeaderLayer::overriding(CONTENT_SECURITY_POLICY, policy));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(io::stdout().lock(), "{name:9} http://{}/", listener.local_addr()?)?;
    tokio::spawn(async move { axum::serve(listener, site).await });
    Ok(())
}
