//! `starpay serve`: the platform with its doors open, until it is told to stop.
//!
//! Order of the end: no new connections; requests under way finish; the job runner finishes what
//! it holds; the store closes. A second signal ends the process at once.

use crate::config::{Config, EXAMPLE, Listen};
use crate::control::Control;
use crate::wiring::{self, Assembled};
use crate::{Failure, backup, gauges, keys, pages, print, telemetry};
use axum::Extension;
use prometheus_client::registry::Registry;
use starpay_adapters::sandbox::Pace;
use starpay_keys::random;
use starpay_store::Engine;
use starpay_web::page::JourneySource;
use starpay_web::server::{Server, Transport, TrustedProxies};
use starpay_web::tls::{PlatformTime, server_config};
use starpay_web::{Metrics, RequestIds, Telemetry};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Options of `starpay serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The configuration file [default: starpay.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print an example configuration with every key, and exit
    #[arg(long)]
    print_config: bool,
}

/// Serves until SIGTERM or SIGINT.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    if args.print_config {
        return print(EXAMPLE);
    }
    let config = Config::load(args.config.as_deref())?;
    telemetry::install(&config.logs)?;
    let assembled = wiring::assemble(&config, Pace::Documented)?;
    runtime()?.block_on(async {
        let stop = CancellationToken::new();
        // Before it says that it serves: whoever reads that may stop it at once.
        stop_on_signal(stop.clone())?;
        let mut serving = Serving::start(&config, &assembled, stop).await?;
        tracing::info!(
            listen.address = %serving.address,
            deployment.mode = assembled.platform.deployment().mode.as_str(),
            "serving"
        );
        serving.finish().await;
        tracing::info!("stopped");
        Ok(())
    })
}

/// The runtime of this process.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("runtime: {error}")))
}

/// A platform that serves.
pub(crate) struct Serving {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    tasks: JoinSet<()>,
    jobs: watch::Sender<bool>,
    runner: JoinSet<()>,
    _control: Control,
}

impl Serving {
    /// Binds, starts the job runner, and writes the control file.
    ///
    /// # Errors
    /// When an address cannot be bound or a TLS file cannot be used.
    pub(crate) async fn start(
        config: &Config,
        assembled: &Assembled,
        stop: CancellationToken,
    ) -> Result<Self, Failure> {
        Self::start_with_journey(config, assembled, None, stop).await
    }

    /// As [`Serving::start`], with a journey for the first page to show.
    ///
    /// # Errors
    /// As [`Serving::start`].
    pub(crate) async fn start_with_journey(
        config: &Config,
        assembled: &Assembled,
        journey: Option<Arc<dyn JourneySource>>,
        stop: CancellationToken,
    ) -> Result<Self, Failure> {
        let listen = &config.listen;
        let server = Server::bind(listen.address, transport(listen, assembled)?).await.map_err(|error| {
            Failure::failed(format!("listen.address {}: {error}", listen.address))
                .remedy("another program may use this port: name another one, or 0 for any")
        })?;
        let server = server.behind(TrustedProxies::new(&listen.trusted_proxies));
        let bound = |error| Failure::failed(format!("listen.address: {error}"));
        let address = server.local_address().map_err(bound)?;
        let door =
            Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)), Transport::Plain).await.map_err(bound)?;
        let control =
            Control::open(&config.data.folder, door.local_address().map_err(bound)?, &*assembled.random)?;

        let platform = &assembled.platform;
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let queues = gauges::register(&mut registry, platform);
        let ids = RequestIds::new(random::array(&*assembled.random));
        let telemetry = Telemetry { ids, metrics, registry: Arc::new(registry) };
        let router = starpay_web::router(platform.clone(), telemetry, pages::router(assembled, journey));
        let inner = backup::router(assembled, &config.data.folder)
            .merge(keys::router(assembled))
            .merge(router.clone())
            .layer(Extension(control.door()));
        let mut tasks = JoinSet::new();
        tasks.spawn(server.run(router, stop.clone()));
        tasks.spawn(door.run(inner, stop.clone()));
        tasks.spawn(queues.watch(platform.clone(), stop.clone()));
        let current = platform.clone();
        tasks.spawn(async move { current.keep_current(stop.cancelled()).await });
        let (jobs, stop_jobs) = watch::channel(false);
        let mut runner = JoinSet::new();
        let platform = platform.clone();
        // The embedded store has one process at a time: it takes up what a killed one held.
        let name = match platform.db().engine() {
            Engine::Sqlite => "embedded".to_owned(),
            Engine::Postgres => format!("node-{}", hex::encode(random::array::<8>(&*assembled.random))),
        };
        runner.spawn(async move { platform.run_jobs(name, stop_jobs).await });
        Ok(Self { address, tasks, jobs, runner, _control: control })
    }

    /// Waits for the stop, then ends in order.
    pub(crate) async fn finish(&mut self) {
        while self.tasks.join_next().await.is_some() {}
        self.jobs.send_replace(true);
        while self.runner.join_next().await.is_some() {}
    }
}

fn transport(listen: &Listen, assembled: &Assembled) -> Result<Transport, Failure> {
    let Some(tls) = &listen.tls else { return Ok(Transport::Plain) };
    let read = |path: &std::path::Path, key: &str| {
        std::fs::read(path).map_err(|error| {
            Failure::usage(format!("{key} {}: {error}", path.display()))
                .remedy("name a PEM file that the server's user can read")
        })
    };
    let key = tls.key.as_deref().ok_or_else(|| Failure::usage("listen.tls.key: absent"))?;
    let (certificate, key) =
        (read(&tls.certificate, "listen.tls.certificate")?, read(key, "listen.tls.key")?);
    let keystore = Arc::clone(&assembled.keystore);
    let roots = move || keystore.root_certificates().iter().map(|root| root.der().to_vec()).collect();
    let time = PlatformTime(Arc::clone(&assembled.clock));
    server_config(&certificate, &key, Some(Arc::new(roots)), time).map(Transport::Tls).map_err(|error| {
        Failure::usage(format!("listen.tls: {error}"))
            .remedy("name a PEM certificate chain and the private key that belongs to it")
    })
}

/// Waits for SIGTERM or SIGINT, which stop in order; a second one ends the process.
///
/// # Errors
/// When signals cannot be listened to.
pub(crate) async fn wait_for_signal(stop: CancellationToken) -> Result<(), Failure> {
    stop_on_signal(stop.clone())?;
    stop.cancelled().await;
    Ok(())
}

fn stop_on_signal(stop: CancellationToken) -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|error| Failure::failed(format!("signals: {error}")));
    let (mut term, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    tokio::spawn(async move {
        for again in [false, true] {
            tokio::select! {
                _ = term.recv() => {}
                _ = interrupt.recv() => {}
            }
            if again {
                std::process::exit(130);
            }
            tracing::info!("stopping: requests under way finish first");
            stop.cancel();
        }
    });
    Ok(())
}
