//! Listening: TCP or TLS connections in, requests to the router, an orderly end.
//!
//! Everything that a stranger can make us hold has a limit with a name: connections in all and per
//! address, the time to finish a TLS handshake or a request head, the size of that head, and the
//! time a peer may leave our answer unread. The permit is taken *before* the accept, so that a
//! full server leaves newcomers in the kernel's queue instead of in our memory.

mod address;
mod proxy;

pub(crate) use address::AskedFrom;
pub use proxy::{Network, NetworkError, TrustedProxies};

use crate::connection::{Addresses, Patient};
use crate::tls::PeerCertificate;
use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Open connections in all.
pub const CONNECTIONS_MAX: usize = 4096;
/// Open connections from one address (IPv6: one /64). High enough for a shop's shared address. A
/// trusted proxy is not held to it: it speaks for many.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 512;
/// Time to finish a TLS handshake.
pub const TLS_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time to send a whole request head; also how long an idle connection is kept.
pub const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(20);
/// Header fields in one request.
pub const HEADERS_MAX: usize = 64;
/// Bytes of one request head that has not ended (hyper looks after each read, so a head that arrives
/// whole may be up to twice as long).
pub const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Time a peer may leave our bytes unread before we hang up.
pub const WRITE_STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Time the requests under way get to finish when the server stops.
pub const DRAIN_DEADLINE: Duration = Duration::from_secs(20);
/// Pause after an accept that failed for want of file descriptors or memory.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(200);

/// How bytes travel.
#[derive(Clone)]
pub enum Transport {
    /// Plain TCP: for loopback, or behind a proxy that ends TLS.
    Plain,
    /// TLS with this configuration ([`crate::tls::server_config`]).
    Tls(Arc<rustls::ServerConfig>),
}

/// The address a request came from, as a request extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);

/// The server's stop signal, as a request extension: long answers (server-sent events) end when it
/// is cancelled, so that a graceful stop does not wait for them.
#[derive(Debug, Clone)]
pub struct Stopping(pub CancellationToken);

/// A bound listener, not serving yet.
pub struct Server {
    listener: TcpListener,
    transport: Transport,
    proxies: TrustedProxies,
}

impl Server {
    /// Binds the address; port 0 lets the system choose.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(address: SocketAddr, transport: Transport) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, transport, proxies: TrustedProxies::default() })
    }

    /// The same server behind these proxies, whose word about an address is believed.
    #[must_use]
    pub fn behind(self, proxies: TrustedProxies) -> Self {
        Self { proxies, ..self }
    }

    /// The address bound, with the port the system chose.
    ///
    /// # Errors
    /// When the socket no longer knows.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is cancelled, then lets the requests under way finish for at most
    /// [`DRAIN_DEADLINE`] and closes what is left.
    pub async fn run(self, router: Router, stop: CancellationToken) {
        let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let addresses = Addresses::new(CONNECTIONS_PER_ADDRESS_MAX);
        let mut connections = JoinSet::new();
        while let Some((tcp, peer, permit)) = self.next(&permits, &stop).await {
            while connections.try_join_next().is_some() {}
            let place = addresses.enter(peer.ip());
            if place.is_none() && !self.proxies.believe(peer.ip()) {
                tracing::debug!(peer.address = %peer.ip(), "connection refused: too many from this address");
                continue;
            }
            let connection = Connection {
                peer,
                transport: self.transport.clone(),
                router: router.clone(),
                proxies: self.proxies.clone(),
                stop: stop.clone(),
            };
            connections.spawn(async move {
                connection.run(tcp).await;
                drop((permit, place));
            });
        }
        drop(self.listener);
        let drained =
            tokio::time::timeout(DRAIN_DEADLINE, async { while connections.join_next().await.is_some() {} });
        if drained.await.is_err() {
            tracing::warn!(
                connections = connections.len(),
                "requests still under way at the drain deadline were cut"
            );
            connections.shutdown().await;
        }
    }

    /// The next connection, or `None` once the server stops.
    async fn next(
        &self,
        permits: &Arc<Semaphore>,
        stop: &CancellationToken,
    ) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let permit = tokio::select! {
            () = stop.cancelled() => return None,
            permit = Arc::clone(permits).acquire_owned() => permit.ok()?,
        };
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return None,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((tcp, peer)) => return Some((tcp, peer, permit)),
                Err(error) => {
                    tracing::warn!(error = %error, "accept failed; pausing");
                    tokio::time::sleep(ACCEPT_BACKOFF).await;
                }
            }
        }
    }
}

/// What one connection needs to know.
struct Connection {
    peer: SocketAddr,
    transport: Transport,
    router: Router,
    proxies: TrustedProxies,
    stop: CancellationToken,
}

impl Connection {
    async fn run(self, tcp: TcpStream) {
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(error = %error, "TCP_NODELAY not set");
        }
        match self.transport.clone() {
            Transport::Plain => self.serve(tcp, None).await,
            Transport::Tls(config) => {
                let handshake = TlsAcceptor::from(config).accept(tcp);
                match tokio::time::timeout(TLS_HANDSHAKE_TIMEOUT, handshake).await {
                    Ok(Ok(tls)) => {
                        let certificate = PeerCertificate::of(tls.get_ref().1);
                        if let Some(certificate) = &certificate {
                            tracing::debug!(
                                peer.address = %self.peer.ip(),
                                certificate.serial = %certificate.serial,
                                "a terminal's certificate opened a connection"
                            );
                        }
                        self.serve(tls, certificate).await;
                    }
                    Ok(Err(error)) => tracing::debug!(error = %error, "TLS handshake failed"),
                    Err(_) => tracing::debug!("TLS handshake timed out"),
                }
            }
        }
    }

    async fn serve<S>(self, stream: S, certificate: Option<PeerCertificate>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (peer, stopping) = (PeerAddress(self.peer), Stopping(self.stop.clone()));
        let proxies = self.proxies.clone();
        let asked = Arc::new(AtomicBool::new(false));
        let ask = Arc::clone(&asked);
        let service = self.router.map_request(move |mut request: Request<Incoming>| {
            ask.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(stopping.clone());
            request.extensions_mut().insert(proxies.clone());
            if let Some(certificate) = &certificate {
                request.extensions_mut().insert(certificate.clone());
            }
            request
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_READ_TIMEOUT)
            .max_headers(HEADERS_MAX)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(
                TokioIo::new(Patient::new(stream, WRITE_STALL_TIMEOUT)),
                TowerToHyperService::new(service),
            );
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            // Who has not asked anything yet is not waited for.
            () = self.stop.cancelled() => if asked.load(Ordering::Relaxed) {
                connection.as_mut().graceful_shutdown();
                connection.await
            } else {
                Ok(())
            },
        };
        if let Err(error) = ended {
            tracing::debug!(error = %error, "connection ended early");
        }
    }
}
