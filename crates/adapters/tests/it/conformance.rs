//! What every mailer must do, whoever it is. The sandbox and SMTP both pass.

use crate::smtp_sink::{Conduct, SmtpSink};
use crate::{Stage, smtp};
use secrecy::{ExposeSecret as _, SecretString};
use starpay_adapters::mail::Security;
use starpay_adapters::sandbox::{DevOutbox, SandboxMailer};
use starpay_app::port::{Email, Mailer, PortError};

const SUBJECT: &str = "星支付：您的激活码已寄出，请勿转告他人 — Starpay";
const BODY: &str = "林样例，您好：\n终端 99990004STAR00000001 已激活。\n.\nA line after a dot.\n";

/// What arrived at the far end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
}

fn email(reference: &str, to: &str) -> Email {
    Email {
        reference: reference.to_owned(),
        to: SecretString::from(to.to_owned()),
        subject: SUBJECT.to_owned(),
        text: SecretString::from(BODY.to_owned()),
    }
}

/// A mailer at a far end that answers properly, and what that far end received.
async fn delivers_whole(mailer: &dyn Mailer, arrived: impl Fn() -> Vec<Arrived>) {
    let answer = mailer.send(email("msg_1", "lin@example.test")).await.unwrap();
    assert!(!answer.is_empty() && !answer.contains("lin@"), "{answer}");
    let expected =
        Arrived { to: "lin@example.test".to_owned(), subject: SUBJECT.to_owned(), text: BODY.to_owned() };
    assert_eq!(arrived(), [expected]);
}

async fn refuses_what_is_no_address(mailer: &dyn Mailer, arrived: impl Fn() -> Vec<Arrived>) {
    for address in ["nobody", "a@b\r\nRCPT TO:<c@d>", ""] {
        let outcome = mailer.send(email("msg_2", address)).await;
        assert!(matches!(outcome, Err(PortError::Refused { .. })), "{address}: {outcome:?}");
    }
    assert!(arrived().is_empty());
}

/// The three failures, each from a mailer whose far end behaves that way, without naming anyone.
async fn fails_in_its_class(refusing: &dyn Mailer, busy: &dyn Mailer, silent: &dyn Mailer, to: [&str; 3]) {
    let refused = refusing.send(email("msg_3", to[0])).await.unwrap_err();
    let unavailable = busy.send(email("msg_4", to[1])).await.unwrap_err();
    let unknown = silent.send(email("msg_5", to[2])).await.unwrap_err();
    assert!(matches!(refused, PortError::Refused { .. }), "{refused}");
    assert!(matches!(unavailable, PortError::Unavailable { .. }), "{unavailable}");
    assert!(matches!(unknown, PortError::Unknown { .. }), "{unknown}");
    for error in [refused, unavailable, unknown] {
        assert!(!error.to_string().contains("example.test"), "{error}");
    }
}

#[tokio::test]
async fn the_sandbox_mailer_conforms() {
    let stage = Stage::new();
    let mailer = |outbox: &DevOutbox| SandboxMailer::new(stage.world(), outbox.clone());
    let arrived = |outbox: &DevOutbox| {
        let of = |message: &starpay_adapters::sandbox::SentMessage| Arrived {
            to: message.to.expose_secret().to_owned(),
            subject: message.subject.clone(),
            text: message.text.expose_secret().to_owned(),
        };
        outbox.messages().iter().map(of).collect()
    };
    let (first, second) = (DevOutbox::default(), DevOutbox::default());
    delivers_whole(&mailer(&first), || arrived(&first)).await;
    refuses_what_is_no_address(&mailer(&second), || arrived(&second)).await;
    let any = mailer(&second);
    let addresses = ["bounce@example.test", "busy@example.test", "lost@example.test"];
    fails_in_its_class(&any, &any, &any, addresses).await;
}

#[tokio::test]
async fn the_smtp_mailer_conforms() {
    let sink = SmtpSink::start(Security::None, Conduct::Accepts).await;
    delivers_whole(&smtp::mailer(&sink), || sink.arrived()).await;
    let other = SmtpSink::start(Security::None, Conduct::Accepts).await;
    refuses_what_is_no_address(&smtp::mailer(&other), || other.arrived()).await;
    let refusing = SmtpSink::start(Security::None, Conduct::RefusesRecipient).await;
    let busy = SmtpSink::start(Security::None, Conduct::IsBusy).await;
    let silent = SmtpSink::start(Security::None, Conduct::HangsUpAfterTheMessage).await;
    let mailers = [&refusing, &busy, &silent].map(smtp::mailer);
    fails_in_its_class(&mailers[0], &mailers[1], &mailers[2], ["lin@example.test"; 3]).await;
}
