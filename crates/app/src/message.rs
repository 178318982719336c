//! 短信与邮件: written in the transaction that causes them, sent afterwards.
//!
//! A message is one sealed row plus one outbox row. The outbox is emptied by a job, at least
//! once; the message id is the provider's idempotency key.

use crate::error::{Error, ErrorKind};
use crate::platform::Platform;
use crate::port::{Email, PortError, Sms};
use crate::step::{PLATFORM, Step};
use crate::{Action, Actor};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use starpay_domain::id::{MerchantId, MessageId, TypedId};
use starpay_domain::text_enum;
use starpay_store::message::{self, MessageRow};
use starpay_store::work::{self, NewWork, OUTBOX};
use starpay_text::{Language, fl, texts};

/// Topic of the outbox rows that mean "send this message".
pub(crate) const TOPIC: &str = "message";

text_enum! {
    /// What a message says; `message-<name>` in the catalogue.
    pub enum Template {
        /// 登录验证码.
        OneTimeCode "one_time_code",
        /// 签约口令.
        SignLink "sign_link",
        /// 签约验证码.
        SignCode "sign_code",
        /// 激活码.
        ActivationCode "activation_code",
        /// 需要补充资料.
        NeedsInfo "needs_info",
        /// 审核通过.
        Approved "approved",
        /// 暂不能受理.
        Rejected "rejected",
        /// 核对中: on hold while we look into it. Never says what for.
        OnHold "on_hold",
        /// 已发货.
        Shipped "shipped",
        /// 已激活.
        Activated "activated",
        /// 到期提醒.
        Reminder "reminder",
    }
}

text_enum! {
    /// How a message travels.
    pub enum Channel {
        /// 短信.
        Sms "sms",
        /// 邮件.
        Email "email",
    }
}

/// What a message tells besides its template.
#[derive(Default)]
pub(crate) struct News<'n> {
    /// A number to quote, for example a tracking number.
    pub(crate) code: &'n str,
    /// The terminal it is about.
    pub(crate) serial: &'n str,
    /// A count, where the text has one.
    pub(crate) count: usize,
}

/// A message to write.
pub(crate) struct Notice<'n> {
    /// Whose message it is.
    pub(crate) merchant: Option<MerchantId>,
    /// How.
    pub(crate) channel: Channel,
    /// What.
    pub(crate) template: Template,
    /// Mobile number or address.
    pub(crate) to: &'n str,
    /// The code, link or number it carries.
    pub(crate) code: &'n str,
    /// The terminal it is about.
    pub(crate) serial: &'n str,
    /// A count, where the text has one.
    pub(crate) count: usize,
}

impl<'n> Notice<'n> {
    /// An SMS of this template to this number.
    pub(crate) fn sms(merchant: Option<MerchantId>, template: Template, to: &'n str, code: &'n str) -> Self {
        Self { merchant, channel: Channel::Sms, template, to, code, serial: "", count: 0 }
    }

    fn text(&self, language: Language) -> String {
        let texts = texts(language);
        match self.template {
            Template::OneTimeCode => fl!(texts, "message-one_time_code", code = self.code),
            Template::SignLink => fl!(texts, "message-sign_link", code = self.code),
            Template::SignCode => fl!(texts, "message-sign_code", code = self.code),
            Template::ActivationCode => {
                fl!(texts, "message-activation_code", code = self.code, serial = self.serial)
            }
            Template::NeedsInfo => fl!(texts, "message-needs_info", count = self.count),
            Template::Approved => fl!(texts, "message-approved"),
            Template::Rejected => fl!(texts, "message-rejected"),
            Template::OnHold => fl!(texts, "message-on_hold"),
            Template::Shipped => fl!(texts, "message-shipped", code = self.code),
            Template::Activated => fl!(texts, "message-activated", serial = self.serial),
            Template::Reminder => fl!(texts, "message-reminder"),
        }
    }
}

/// What a message row holds, sealed.
#[derive(Serialize, Deserialize)]
struct Body {
    text: String,
    /// The bare code or link, so that the sandbox's outbox page can offer it by itself.
    code: String,
}

impl Step<'_> {
    /// Tells a merchant's owner something that is no secret: by SMS, and by e-mail where there is
    /// an address (R14: what matters goes two ways).
    pub(crate) fn tell(
        &mut self,
        merchant: MerchantId,
        template: Template,
        news: News<'_>,
    ) -> Result<(), Error> {
        let (_, contact) = self.contact_of(merchant)?;
        let News { code, serial, count } = news;
        let sms = Notice { serial, count, ..Notice::sms(Some(merchant), template, &contact.mobile, code) };
        self.notify(&sms)?;
        if let Some(email) = &contact.email {
            self.notify(&Notice { channel: Channel::Email, to: email, ..sms })?;
        }
        Ok(())
    }

    /// Writes a message and the order to send it.
    pub(crate) fn notify(&mut self, notice: &Notice<'_>) -> Result<MessageId, Error> {
        let id: MessageId = self.new_id();
        let owner = notice.merchant.map_or(PLATFORM, TypedId::uuid);
        let body = Body { text: notice.text(Language::ZhCn), code: notice.code.to_owned() };
        let recipient = self.seal(owner, &context("recipient", id), notice.to.as_bytes())?;
        let body = self.seal(owner, &context("body", id), &serde_json::to_vec(&body)?)?;
        message::insert(
            self.tx,
            &MessageRow {
                id: id.uuid(),
                merchant_id: notice.merchant.map(TypedId::uuid),
                channel: notice.channel.as_str().to_owned(),
                template: notice.template.as_str().to_owned(),
                recipient,
                body,
                state: "waiting".to_owned(),
                attempts: 0,
                created_at: self.at,
                sent_at: None,
            },
        )?;
        work::put(
            self.tx,
            &OUTBOX,
            &NewWork {
                // The message id again: whoever delivers twice can tell.
                id: id.uuid(),
                merchant_id: owner,
                topic: TOPIC.to_owned(),
                subject: id.uuid(),
                version: 1,
                payload: Vec::new(),
                dedup: None,
                due_at: self.at,
                created_at: self.at,
            },
        )?;
        Ok(id)
    }
}

fn context(part: &str, id: MessageId) -> String {
    format!("message|{part}|{id}")
}

/// A message as the sandbox's outbox page shows it.
#[derive(Clone, Serialize, Deserialize)]
pub struct DevMessage {
    /// `msg_…`
    pub id: String,
    /// `sms` or `email`.
    pub channel: String,
    /// Template name.
    pub template: String,
    /// Recipient, in clear: sandbox only.
    pub to: String,
    /// Text, in clear: sandbox only.
    pub text: String,
    /// The bare code it carries.
    pub code: String,
    /// `waiting`, `sent`, `failed`.
    pub state: String,
    /// When it was written.
    pub at: String,
}

crate::redacted_debug!(DevMessage { id, channel, template, state, at } hides { to, text, code });

/// Most messages shown on the sandbox's outbox page.
const DEV_MESSAGES_MAX: i64 = 100;

impl Platform {
    /// The newest messages, oldest first, in clear. Exists in the sandbox only.
    ///
    /// # Errors
    /// `not_found` in a live deployment.
    pub async fn dev_outbox(&self) -> Result<Vec<DevMessage>, Error> {
        if self.shared.deployment.mode != crate::Mode::Sandbox {
            return Err(Error::not_found());
        }
        self.look(&Actor::system("dev-outbox"), |step| {
            let mut rows = message::list_newest(step.tx, DEV_MESSAGES_MAX)?;
            rows.reverse();
            let shown = rows.into_iter().map(|row| opened(step, row));
            // An erased merchant's messages cannot be opened any more.
            let kept =
                |seen: &Result<_, Error>| !matches!(seen, Err(error) if error.kind == ErrorKind::NotFound);
            shown.filter(kept).collect()
        })
        .await
    }

    /// Sends one message of the outbox. `Ok` means settled: sent, or refused for good.
    pub(crate) async fn send_message(&self, actor: &Actor, id: MessageId) -> Result<(), Error> {
        actor.may(Action::RunJobs)?;
        let seen = self
            .look(actor, move |step| {
                let row = message::get(step.tx, id.uuid())?;
                if row.state != "waiting" {
                    return Ok(None);
                }
                match opened(step, row) {
                    // Its merchant was erased meanwhile: there is nothing to send any more.
                    Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
                    seen => seen.map(Some),
                }
            })
            .await?;
        let Some(letter) = seen else { return Ok(()) };
        let to = SecretString::from(letter.to);
        let text = SecretString::from(letter.text);
        let reference = id.to_string();
        let sent = match Channel::parse(&letter.channel) {
            Some(Channel::Sms) => self.shared.ports.sms.send(Sms { reference, to, text }).await,
            Some(Channel::Email) => {
                let subject = fl!(texts(Language::ZhCn), "message-subject");
                self.shared.ports.mail.send(Email { reference, to, subject, text }).await
            }
            None => return Err(Error::internal("a stored message has no channel")),
        };
        let state = match sent {
            Ok(_) => "sent",
            Err(PortError::Refused { .. }) => "failed",
            // Sending twice is better than not at all, and the provider knows the reference.
            Err(error @ (PortError::Unavailable { .. } | PortError::Unknown { .. })) => {
                return Err(error.into());
            }
        };
        self.apply(actor, move |step| {
            let mut row = message::get(step.tx, id.uuid())?;
            row.state = state.to_owned();
            row.attempts = row.attempts.saturating_add(1);
            row.sent_at = Some(step.at);
            message::update(step.tx, &row).map_err(Error::from)
        })
        .await
    }
}

fn opened(step: &mut Step<'_>, row: MessageRow) -> Result<DevMessage, Error> {
    let id = MessageId::from_uuid(row.id);
    let owner = row.merchant_id.unwrap_or(PLATFORM);
    let to = step.open(owner, &context("recipient", id), &row.recipient)?;
    let body = step.open(owner, &context("body", id), &row.body)?;
    let body: Body = serde_json::from_slice(&body)?;
    Ok(DevMessage {
        id: id.to_string(),
        channel: row.channel,
        template: row.template,
        to: String::from_utf8_lossy(&to).into_owned(),
        text: body.text,
        code: body.code,
        state: row.state,
        at: row.created_at.to_string(),
    })
}
