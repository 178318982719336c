//! A real SMTP listener that keeps what it is given, or misbehaves as asked.

use crate::conformance::Arrived;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use starpay_adapters::mail::Security;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

pub(crate) const USER: &str = "starpay";
pub(crate) const PASSWORD: &str = "样例-password";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conduct {
    Accepts,
    RefusesRecipient,
    IsBusy,
    HangsUpAfterTheMessage,
    SaysNothing,
    SaysNothingAfterTheMessage,
    WantsCredentials,
}

pub(crate) struct SmtpSink {
    pub(crate) port: u16,
    pub(crate) security: Security,
    /// The certificate to trust.
    pub(crate) root_pem: String,
    received: Arc<Mutex<Vec<(String, String)>>>,
}

impl SmtpSink {
    pub(crate) async fn start(security: Security, conduct: Conduct) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let root_pem = key.cert.pem();
        let acceptor = acceptor(&key);
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = received.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let session = Session { conduct, security, kept: kept.clone() };
                tokio::spawn(session.run(socket, acceptor.clone()));
            }
        });
        Self { port, security, root_pem, received }
    }

    /// Everything received, decoded.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.received.lock().unwrap().iter().map(|(to, message)| decode(to, message)).collect()
    }

    /// The headers of the first message as they came over the wire.
    pub(crate) fn first_headers(&self) -> String {
        let received = self.received.lock().unwrap();
        received[0].1.split_once("\r\n\r\n").unwrap().0.to_owned()
    }
}

fn acceptor(key: &rcgen::CertifiedKey<rcgen::KeyPair>) -> TlsAcceptor {
    let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], secret)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// How a stretch of conversation ends.
enum End {
    Closed,
    StartTls,
}

struct Session {
    conduct: Conduct,
    security: Security,
    kept: Arc<Mutex<Vec<(String, String)>>>,
}

impl Session {
    async fn run(self, mut socket: TcpStream, acceptor: TlsAcceptor) {
        if self.security == Security::ImplicitTls {
            if let Ok(mut stream) = acceptor.accept(socket).await {
                let _closed = self.talk(&mut stream, "220 sink\r\n", "250-sink\r\n").await;
            }
            return;
        }
        let starttls = if self.security == Security::StartTls { "250-STARTTLS\r\n" } else { "" };
        let hello = format!("250-sink\r\n{starttls}");
        if let Ok(End::StartTls) = self.talk(&mut socket, "220 sink\r\n", &hello).await
            && let Ok(mut stream) = acceptor.accept(socket).await
        {
            let _closed = self.talk(&mut stream, "", "250-sink\r\n").await;
        }
    }

    async fn talk<S>(&self, stream: &mut S, greeting: &str, hello: &str) -> std::io::Result<End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if self.conduct == Conduct::SaysNothing {
            std::future::pending::<()>().await;
        }
        let mut stream = BufReader::new(stream);
        stream.write_all(greeting.as_bytes()).await?;
        stream.flush().await?;
        let (mut to, mut is_known) = (String::new(), self.conduct != Conduct::WantsCredentials);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(End::Closed);
            }
            let line = line.trim_end();
            let answer = match line.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" => format!("{hello}250 AUTH PLAIN"),
                "STARTTLS" => "220 go on".to_owned(),
                "AUTH" => {
                    let expected = BASE64_STANDARD.encode(format!("\0{USER}\0{PASSWORD}"));
                    is_known = line == format!("AUTH PLAIN {expected}");
                    if is_known { "235 welcome".to_owned() } else { "535 who are you?".to_owned() }
                }
                "MAIL" if !is_known => "530 who are you?".to_owned(),
                "RCPT" if self.conduct == Conduct::RefusesRecipient => format!("550 no such user {line}"),
                "RCPT" if self.conduct == Conduct::IsBusy => format!("451 later, {line}"),
                "RCPT" => {
                    to = line.trim_start_matches("RCPT TO:<").trim_end_matches('>').to_owned();
                    "250 ok".to_owned()
                }
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    stream.flush().await?;
                    let message = read_message(&mut stream).await?;
                    match self.conduct {
                        Conduct::HangsUpAfterTheMessage => return Ok(End::Closed),
                        Conduct::SaysNothingAfterTheMessage => std::future::pending::<()>().await,
                        Conduct::Accepts
                        | Conduct::RefusesRecipient
                        | Conduct::IsBusy
                        | Conduct::SaysNothing
                        | Conduct::WantsCredentials => self.kept.lock().unwrap().push((to.clone(), message)),
                    }
                    format!("250 2.0.0 Ok: queued as 1 for {to}")
                }
                "QUIT" => "221 bye".to_owned(),
                _ => "250 ok".to_owned(),
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
            stream.flush().await?;
            if line == "STARTTLS" {
                return Ok(End::StartTls);
            }
        }
    }
}

async fn read_message(stream: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<String> {
    let mut message = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line == ".\r\n" {
            return Ok(message);
        }
        message.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

fn decode(to: &str, message: &str) -> Arrived {
    let (headers, body) = message.split_once("\r\n\r\n").unwrap();
    let unfolded = headers.replace("\r\n ", " ").replace("\r\n\t", " ");
    let header = |name: &str| {
        let prefix = format!("{name}: ");
        unfolded.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default().to_owned()
    };
    assert_eq!(header("Content-Transfer-Encoding"), "base64");
    assert!(header("Content-Type").to_lowercase().contains("utf-8"));
    let bytes = BASE64_STANDARD.decode(body.replace("\r\n", "")).unwrap();
    let text = String::from_utf8(bytes).unwrap().replace("\r\n", "\n");
    Arrived { to: to.to_owned(), subject: decode_words(&header("Subject")), text }
}

/// Encoded words (RFC 2047): `=?utf-8?b?…?=`. White space counts unless it stands between two.
fn decode_words(header: &str) -> String {
    let mut bytes = Vec::new();
    let mut after_encoded = true;
    for word in header.split(' ') {
        let encoded = word.strip_prefix("=?utf-8?b?").and_then(|word| word.strip_suffix("?="));
        if !(after_encoded && (encoded.is_some() || bytes.is_empty())) {
            bytes.push(b' ');
        }
        after_encoded = encoded.is_some();
        match encoded {
            Some(encoded) => bytes.extend(BASE64_STANDARD.decode(encoded).unwrap()),
            None => bytes.extend(word.as_bytes()),
        }
    }
    String::from_utf8(bytes).unwrap()
}
