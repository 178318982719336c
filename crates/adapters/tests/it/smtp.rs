//! SMTP against a real listener: protection of the connection, credentials, time limits.

use crate::START;
use crate::smtp_sink::{Conduct, PASSWORD, SmtpSink, USER};
use secrecy::SecretString;
use starpay_adapters::clock::ManualClock;
use starpay_adapters::mail::{Security, SmtpConfig, SmtpConfigError, SmtpMailer};
use starpay_app::port::{Email, Mailer as _, PortError};
use starpay_domain::instant::Timestamp;
use std::sync::Arc;

fn config(sink: &SmtpSink) -> SmtpConfig {
    SmtpConfig {
        host: "localhost".to_owned(),
        port: sink.port,
        security: sink.security,
        credentials: None,
        from: "星支付 <no-reply@starpay.example>".to_owned(),
        timeout_ms: 5000,
        root_certificate_pem: Some(sink.root_pem.clone()),
    }
}

fn build(config: SmtpConfig) -> SmtpMailer {
    SmtpMailer::new(config, Arc::new(ManualClock::at(Timestamp::from_micros(START)))).unwrap()
}

pub(crate) fn mailer(sink: &SmtpSink) -> SmtpMailer {
    build(config(sink))
}

fn email(subject: &str) -> Email {
    Email {
        reference: "msg_0190".to_owned(),
        to: SecretString::from("lin@example.test".to_owned()),
        subject: subject.to_owned(),
        text: SecretString::from("您好".to_owned()),
    }
}

fn credentials(password: &str) -> Option<(String, SecretString)> {
    Some((USER.to_owned(), SecretString::from(password.to_owned())))
}

#[tokio::test]
async fn mail_goes_through_tls_from_the_first_byte_and_after_starttls() {
    for security in [Security::ImplicitTls, Security::StartTls] {
        let sink = SmtpSink::start(security, Conduct::WantsCredentials).await;
        let mailer = build(SmtpConfig { credentials: credentials(PASSWORD), ..config(&sink) });
        mailer.send(email("密")).await.unwrap();
        assert_eq!(sink.arrived().len(), 1);
    }
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_is_not_trusted() {
    let sink = SmtpSink::start(Security::ImplicitTls, Conduct::Accepts).await;
    let mailer = build(SmtpConfig { root_certificate_pem: None, ..config(&sink) });
    let outcome = mailer.send(email("密")).await;
    assert!(matches!(outcome, Err(PortError::Unavailable { .. })), "{outcome:?}");
    assert!(sink.arrived().is_empty());
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing() {
    let sink = SmtpSink::start(Security::None, Conduct::Accepts).await;
    let outcome = build(SmtpConfig { security: Security::StartTls, ..config(&sink) }).send(email("密")).await;
    assert!(matches!(outcome, Err(PortError::Unavailable { .. })), "{outcome:?}");
    assert!(sink.arrived().is_empty());
}

#[tokio::test]
async fn a_wrong_password_does_not_condemn_the_message() {
    let sink = SmtpSink::start(Security::StartTls, Conduct::WantsCredentials).await;
    let mailer = build(SmtpConfig { credentials: credentials("wrong"), ..config(&sink) });
    let outcome = mailer.send(email("密")).await;
    assert!(matches!(outcome, Err(PortError::Unavailable { .. })), "{outcome:?}");
}

#[tokio::test]
async fn silence_is_unavailable_before_the_message_and_unknown_after_it() {
    let quick = |sink: &SmtpSink| build(SmtpConfig { timeout_ms: 300, ..config(sink) });
    let mute = SmtpSink::start(Security::None, Conduct::SaysNothing).await;
    let before = quick(&mute).send(email("一")).await;
    assert!(matches!(before, Err(PortError::Unavailable { .. })), "{before:?}");
    let absent = SmtpSink::start(Security::None, Conduct::SaysNothingAfterTheMessage).await;
    let after = quick(&absent).send(email("一")).await;
    assert!(matches!(after, Err(PortError::Unknown { .. })), "{after:?}");
}

#[tokio::test]
async fn nobody_listening_is_unavailable() {
    let sink = SmtpSink::start(Security::None, Conduct::Accepts).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let outcome = build(SmtpConfig { port: closed, ..config(&sink) }).send(email("一")).await;
    assert!(matches!(outcome, Err(PortError::Unavailable { .. })), "{outcome:?}");
}

#[tokio::test]
async fn headers_name_us_and_a_line_break_in_a_subject_adds_none() {
    let sink = SmtpSink::start(Security::None, Conduct::Accepts).await;
    mailer(&sink).send(email("一\r\nBcc: other@example.test")).await.unwrap();
    let headers = sink.first_headers();
    assert!(headers.contains("Message-ID: <msg_0190@starpay.example>"), "{headers}");
    assert!(headers.contains("Date: Mon, 23 Nov 2026 00:00:00 +0000"), "{headers}");
    assert!(!headers.lines().any(|line| line.starts_with("Bcc")), "{headers}");
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_refused_at_once() {
    let sink = SmtpSink::start(Security::None, Conduct::Accepts).await;
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(START)));
    let refusal = |config| SmtpMailer::new(config, clock.clone()).err();
    let in_clear = SmtpConfig { credentials: credentials(PASSWORD), ..config(&sink) };
    assert_eq!(refusal(in_clear), Some(SmtpConfigError::CredentialsInClear));
    let nobody = SmtpConfig { from: "nobody".to_owned(), ..config(&sink) };
    assert_eq!(refusal(nobody), Some(SmtpConfigError::From));
    let root = SmtpConfig {
        security: Security::ImplicitTls,
        root_certificate_pem: Some("not a certificate".to_owned()),
        ..config(&sink)
    };
    assert_eq!(refusal(root), Some(SmtpConfigError::RootCertificate));
}
