//! 短信与邮件: both end in a development outbox that the demo shows as a page.
//!
//! The outbox lives in memory, bounded, and is never written to disk: what it holds (codes,
//! links) is in clear. The platform's own record of a message is sealed in the database. On disk
//! the provider remembers under our reference that it delivered, so that the same message handed
//! over again, also after a crash, is one message.

use super::memory::{Facts, Remembered};
use super::table::{Reads, Table, row};
use super::{Fault, World, forgetful, sandbox};
use secrecy::{ExposeSecret as _, SecretString};
use starpay_app::port::{AdapterName, Answer, Email, Mailer, PortError, Sms, SmsSender};
use starpay_domain::instant::Timestamp;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Messages kept; the oldest goes first.
const MESSAGES_MAX: usize = 1000;

/// What happens to a message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sending {
    /// It arrives.
    Arrives,
    /// No answer.
    Fails(Fault),
}

impl Sending {
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::Arrives => "arrives in the development outbox",
            Self::Fails(fault) => fault.meaning(),
        }
    }
}

pub(super) const SMS_OUTCOMES: Table<Sending> = Table {
    port: "SMS 短信 (`sandbox-sms`)",
    input: "mobile number",
    reads: Reads::LastFourDigits,
    delay: "until the answer",
    rows: &[
        row("9001", Sending::Fails(Fault::SaysNo), 0),
        row("9002", Sending::Fails(Fault::Closed), 0),
        row("9003", Sending::Fails(Fault::AnswerLost), 0),
        row("9004", Sending::Fails(Fault::RequestLost), 0),
    ],
    otherwise: row("", Sending::Arrives, 0),
};

pub(super) const EMAIL_OUTCOMES: Table<Sending> = Table {
    port: "E-mail 邮件 (`sandbox-mail`)",
    input: "address",
    reads: Reads::LocalPart,
    delay: "until the answer",
    rows: &[
        row("bounce", Sending::Fails(Fault::SaysNo), 0),
        row("busy", Sending::Fails(Fault::Closed), 0),
        row("lost-answer", Sending::Fails(Fault::AnswerLost), 0),
        row("lost", Sending::Fails(Fault::RequestLost), 0),
    ],
    otherwise: row("", Sending::Arrives, 0),
};

/// By which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// 短信.
    Sms,
    /// 邮件.
    Email,
}

/// One message in the outbox.
#[derive(Debug, Clone)]
pub struct SentMessage {
    /// Our message id.
    pub reference: String,
    /// SMS or e-mail.
    pub channel: Channel,
    /// To whom.
    pub to: SecretString,
    /// Subject of an e-mail; empty for an SMS.
    pub subject: String,
    /// The text.
    pub text: SecretString,
    /// When it arrived.
    pub at: Timestamp,
}

/// 开发发件箱: what would have been sent.
#[derive(Debug, Clone, Default)]
pub struct DevOutbox(Arc<Mutex<VecDeque<SentMessage>>>);

impl DevOutbox {
    /// Everything that arrived, newest first.
    #[must_use]
    pub fn messages(&self) -> Vec<SentMessage> {
        self.lock().iter().rev().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<SentMessage>> {
        // A panic while the lock was held cannot leave a half-written entry behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(&self, message: SentMessage) {
        let mut messages = self.lock();
        if messages.len() >= MESSAGES_MAX {
            messages.pop_front();
        }
        messages.push_back(message);
    }
}

/// Puts a message into the outbox, once per reference.
fn accept_once(
    world: &World,
    outbox: &DevOutbox,
    adapter: &'static str,
    message: SentMessage,
) -> Result<(), PortError> {
    let kind = match message.channel {
        Channel::Sms => "sms",
        Channel::Email => "email",
    };
    let facts = Facts::from([("delivered_at".to_owned(), message.at.micros().to_string())]);
    let delivered = world.memory.remember(kind, &message.reference, &facts).map_err(forgetful(adapter))?;
    if delivered == Remembered::New {
        outbox.accept(message);
    }
    Ok(())
}

/// Delivers to the outbox, or fails, as the table says.
async fn deliver(
    world: &World,
    outbox: &DevOutbox,
    table: &Table<Sending>,
    adapter: &'static str,
    message: SentMessage,
) -> Result<String, PortError> {
    let row = table.decide(message.to.expose_secret());
    world.wait(row.delay_ms).await;
    let reference = format!("{adapter}-{}", message.reference);
    match row.behaviour {
        Sending::Arrives => accept_once(world, outbox, adapter, message).map(|()| reference),
        Sending::Fails(fault) => {
            if fault.is_done() {
                accept_once(world, outbox, adapter, message)?;
            }
            Err(fault.error(adapter))
        }
    }
}

/// The simulated SMS provider.
#[derive(Clone)]
pub struct SandboxSms {
    world: World,
    outbox: DevOutbox,
}

impl SandboxSms {
    /// In that world, into that outbox.
    #[must_use]
    pub const fn new(world: World, outbox: DevOutbox) -> Self {
        Self { world, outbox }
    }
}

const SMS: AdapterName = sandbox("sandbox-sms");

impl SmsSender for SandboxSms {
    fn adapter(&self) -> AdapterName {
        SMS
    }

    fn send(&self, sms: Sms) -> Answer<'_, String> {
        Box::pin(async move {
            let message = SentMessage {
                reference: sms.reference,
                channel: Channel::Sms,
                to: sms.to,
                subject: String::new(),
                text: sms.text,
                at: self.world.clock.now(),
            };
            deliver(&self.world, &self.outbox, &SMS_OUTCOMES, SMS.name, message).await
        })
    }
}

/// The simulated mail server.
#[derive(Clone)]
pub struct SandboxMailer {
    world: World,
    outbox: DevOutbox,
}

impl SandboxMailer {
    /// In that world, into that outbox.
    #[must_use]
    pub const fn new(world: World, outbox: DevOutbox) -> Self {
        Self { world, outbox }
    }
}

const MAIL: AdapterName = sandbox("sandbox-mail");

impl Mailer for SandboxMailer {
    fn adapter(&self) -> AdapterName {
        MAIL
    }

    fn send(&self, email: Email) -> Answer<'_, String> {
        Box::pin(async move {
            let address = email.to.expose_secret();
            if address.parse::<lettre::Address>().is_err() {
                let why = "the address is not one".to_owned();
                return Err(PortError::Refused { adapter: MAIL.name, why });
            }
            let message = SentMessage {
                reference: email.reference,
                channel: Channel::Email,
                to: email.to,
                subject: email.subject,
                text: email.text,
                at: self.world.clock.now(),
            };
            deliver(&self.world, &self.outbox, &EMAIL_OUTCOMES, MAIL.name, message).await
        })
    }
}
