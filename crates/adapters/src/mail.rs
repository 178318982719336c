//! 邮件: the real mailer, SMTP (RFC 5321) with implicit TLS, STARTTLS or none.
//!
//! The steps of a delivery are taken one by one, because they decide what a failure means: before
//! the message's last dot nothing was sent; after it, silence means that nobody knows.

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use secrecy::{ExposeSecret as _, SecretString};
use starpay_app::port::{AdapterName, Answer, Clock, Email, Mailer, PortError, Simulated};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

const NAME: AdapterName = AdapterName { name: "smtp", simulated: Simulated::Live };

/// What is kept of the server's acknowledgement.
const ACKNOWLEDGEMENT_CHARS_MAX: usize = 120;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (port 465).
    ImplicitTls,
    /// In clear until STARTTLS, which the server must offer (port 587).
    StartTls,
    /// In clear: only for a relay on the same host. No credentials are sent this way.
    None,
}

/// Where and as whom mail is sent.
#[derive(Debug, Clone)]
pub struct SmtpConfig {
    /// Host name, also the name its certificate must bear.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Protection of the connection.
    pub security: Security,
    /// User name and password, when the server asks for them.
    pub credentials: Option<(String, SecretString)>,
    /// Sender, for example `星支付 <no-reply@example.test>`.
    pub from: String,
    /// Longest time for one message, connection included.
    pub timeout_ms: u32,
    /// A root certificate (PEM) to trust beside the public ones.
    pub root_certificate_pem: Option<String>,
}

/// A configuration that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmtpConfigError {
    /// The sender is not a mailbox.
    #[error("mail.from is not a mailbox such as `Name <user@host>`")]
    From,
    /// A password would travel in clear.
    #[error("mail.credentials need TLS: set mail.security to implicit_tls or start_tls")]
    CredentialsInClear,
    /// The root certificate does not read.
    #[error("mail.root_certificate is not a PEM certificate")]
    RootCertificate,
}

/// The SMTP adapter.
pub struct SmtpMailer {
    host: String,
    port: u16,
    tls: Option<TlsParameters>,
    security: Security,
    credentials: Option<Credentials>,
    from: Mailbox,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl SmtpMailer {
    /// Checks the configuration; connects only when there is something to send.
    ///
    /// # Errors
    /// When the configuration cannot work.
    pub fn new(config: SmtpConfig, clock: Arc<dyn Clock>) -> Result<Self, SmtpConfigError> {
        if config.security == Security::None && config.credentials.is_some() {
            return Err(SmtpConfigError::CredentialsInClear);
        }
        let tls = match config.security {
            Security::None => None,
            Security::ImplicitTls | Security::StartTls => {
                let mut tls = TlsParameters::builder(config.host.clone());
                if let Some(pem) = &config.root_certificate_pem {
                    // A text without any certificate reads as an empty list, which trusts nobody new.
                    if !pem.contains("-----BEGIN CERTIFICATE-----") {
                        return Err(SmtpConfigError::RootCertificate);
                    }
                    let root = Certificate::from_pem(pem.as_bytes())
                        .map_err(|_| SmtpConfigError::RootCertificate)?;
                    tls = tls.add_root_certificate(root);
                }
                Some(tls.build().map_err(|_| SmtpConfigError::RootCertificate)?)
            }
        };
        Ok(Self {
            from: config.from.parse().map_err(|_| SmtpConfigError::From)?,
            credentials: config
                .credentials
                .map(|(user, password)| Credentials::new(user, password.expose_secret().to_owned())),
            timeout: Duration::from_millis(u64::from(config.timeout_ms)),
            host: config.host,
            port: config.port,
            security: config.security,
            tls,
            clock,
        })
    }

    /// The message as it goes over the wire.
    fn compose(&self, email: &Email) -> Result<Message, PortError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.';
        if email.reference.is_empty() || !email.reference.chars().all(plain) {
            return Err(refused("the reference cannot be a Message-ID"));
        }
        let to: lettre::Address =
            email.to.expose_secret().parse().map_err(|_| refused("the address is not one"))?;
        let now = u64::try_from(self.clock.now().micros()).unwrap_or(0);
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&email.subject)
            .date(UNIX_EPOCH + Duration::from_micros(now))
            .message_id(Some(format!("<{}@{}>", email.reference, self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(email.text.expose_secret().to_owned())
            .map_err(|_| refused("the message cannot be composed"))
    }

    /// A connection on which a message may be sent. Whatever goes wrong here, nothing was sent,
    /// and a wrong password is the operator's to mend, not this message's fault.
    async fn connect(&self) -> Result<AsyncSmtpConnection, PortError> {
        let hello = ClientId::default();
        let implicit = if self.security == Security::ImplicitTls { self.tls.clone() } else { None };
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            (self.host.as_str(), self.port),
            Some(self.timeout),
            &hello,
            implicit,
            None,
        )
        .await
        .map_err(|error| unavailable("connecting", &error))?;
        if let (Security::StartTls, Some(tls)) = (self.security, &self.tls) {
            connection
                .starttls(tls.clone(), &hello)
                .await
                .map_err(|error| unavailable("STARTTLS", &error))?;
        }
        if let Some(credentials) = &self.credentials {
            connection
                .auth(DEFAULT_MECHANISMS, credentials)
                .await
                .map_err(|error| unavailable("authentication", &error))?;
        }
        Ok(connection)
    }

    async fn deliver(&self, message: &Message, stage: &Stage) -> Result<String, PortError> {
        let envelope = message.envelope();
        let bytes = message.formatted();
        let mut connection = self.connect().await?;
        let commands = async {
            connection.command(Mail::new(envelope.from().cloned(), Vec::new())).await?;
            for to in envelope.to() {
                connection.command(Rcpt::new(to.clone(), Vec::new())).await?;
            }
            connection.command(Data).await
        };
        if let Err(error) = commands.await {
            connection.abort().await;
            return Err(not_sent(&error));
        }
        stage.enter_data();
        let answer = connection.message(&bytes).await.map_err(|error| match error.status() {
            Some(_) => not_sent(&error),
            None => unknown("the connection broke after the message"),
        })?;
        // The message is the server's now; a failed farewell changes nothing.
        let _farewell = connection.quit().await;
        Ok(acknowledgement(&answer))
    }
}

impl Mailer for SmtpMailer {
    fn adapter(&self) -> AdapterName {
        NAME
    }

    fn send(&self, email: Email) -> Answer<'_, String> {
        Box::pin(async move {
            let message = self.compose(&email)?;
            let stage = Stage::default();
            match tokio::time::timeout(self.timeout, self.deliver(&message, &stage)).await {
                Ok(outcome) => outcome,
                Err(_) if stage.is_data() => Err(unknown("no answer in time after the message")),
                Err(_) => Err(PortError::Unavailable {
                    adapter: NAME.name,
                    why: "no answer in time before the message".to_owned(),
                }),
            }
        })
    }
}

/// Whether the message itself has been begun, also for the one who looks at the clock.
#[derive(Default)]
struct Stage(std::sync::atomic::AtomicBool);

impl Stage {
    fn enter_data(&self) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
    }

    fn is_data(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::SeqCst)
    }
}

// The server's own words may repeat the address, so only its code is passed on.

fn refused(why: &str) -> PortError {
    PortError::Refused { adapter: NAME.name, why: why.to_owned() }
}

fn unknown(why: &str) -> PortError {
    PortError::Unknown { adapter: NAME.name, why: why.to_owned() }
}

fn unavailable(step: &str, error: &SmtpError) -> PortError {
    let why = match error.status() {
        Some(code) => format!("{step}: the server answered {code}"),
        None if error.is_timeout() => format!("{step}: no answer in time"),
        None if error.is_tls() => format!("{step}: TLS failed"),
        None => format!("{step}: no connection"),
    };
    PortError::Unavailable { adapter: NAME.name, why }
}

/// A refusal before the message was the server's: 5xx is for good, everything else for now.
fn not_sent(error: &SmtpError) -> PortError {
    match error.status() {
        Some(code) if error.is_permanent() => refused(&format!("the server answered {code}")),
        Some(_) | None => unavailable("sending", error),
    }
}

/// The first line of the server's answer, without words that look like an address.
fn acknowledgement(answer: &Response) -> String {
    let line = answer.first_line().unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().filter(|word| !word.contains('@')).collect();
    words.join(" ").chars().take(ACKNOWLEDGEMENT_CHARS_MAX).collect()
}
