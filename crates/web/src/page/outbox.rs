//! `/dev/outbox`: the messages a sandbox did not send. It exists in sandboxes only, and says so.

use super::PageState;
use super::frame::{Asked, Frame};
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use http::StatusCode;
use starpay_text::{Language, fl};

/// Where the outbox page reads its messages.
pub trait OutboxSource: Send + Sync {
    /// The latest messages, newest first, at most [`OutboxView::MESSAGES_MAX`].
    fn messages(&self) -> BoxFuture<'_, OutboxView>;
}

/// The way a message would have gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// 短信.
    Sms,
    /// 邮件.
    Email,
}

/// One message, as it would have been received.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Its id.
    pub id: String,
    /// SMS or e-mail.
    pub channel: Channel,
    /// The recipient, already masked.
    pub to: String,
    /// Subject of an e-mail.
    pub subject: Option<String>,
    /// The whole text.
    pub body: String,
    /// When it was made: RFC 3339, UTC.
    pub at: String,
    /// When it was made, Beijing time, for people.
    pub at_text: String,
    /// What became of it: `queued`, `sent`, `failed`.
    pub delivery: String,
}

starpay_app::redacted_debug!(OutboxMessage { id, channel, at, at_text, delivery } hides { to, subject, body });

/// The page's messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutboxView {
    /// Newest first.
    pub messages: Vec<OutboxMessage>,
}

impl OutboxView {
    /// Messages on the page.
    pub const MESSAGES_MAX: usize = 100;

    /// An empty outbox and one with both kinds of message.
    #[must_use]
    pub fn samples() -> Vec<(&'static str, Self)> {
        let message =
            |id: &str, channel, to: &str, subject: Option<&str>, body: &str, minute: u8| OutboxMessage {
                id: id.to_owned(),
                channel,
                to: to.to_owned(),
                subject: subject.map(str::to_owned),
                body: body.to_owned(),
                at: format!("2026-11-23T02:{minute:02}:08Z"),
                at_text: format!("2026-11-23 10:{minute:02}:08"),
                delivery: "sent".to_owned(),
            };
        let messages = vec![
            message(
                "msg_3",
                Channel::Sms,
                "154****0001",
                None,
                "【星支付】激活码 7K2M9-QX4TD，72 小时内有效，仅用于终端 STAR00000001。请勿告诉他人，我们不会向您索要。",
                42,
            ),
            message(
                "msg_2",
                Channel::Email,
                "l**@example.test",
                Some("您的申请已通过审核，请签署受理协议"),
                "林样例，您好：\n\n深圳市样例区星光小面馆的申请已通过审核。\n下一步：请经营者本人签署受理协议，链接 7 日内有效。\n\n星支付",
                38,
            ),
            message(
                "msg_1",
                Channel::Sms,
                "154****0001",
                None,
                "【星支付】验证码 402816，10 分钟内有效。",
                31,
            ),
        ];
        vec![("empty", Self::default()), ("messages", Self { messages })]
    }
}

/// The page.
#[derive(Template)]
#[template(path = "outbox.html")]
pub struct OutboxPage {
    /// What every page has.
    pub frame: Frame,
    /// The messages.
    pub outbox: OutboxView,
}

impl OutboxPage {
    fn delivery(&self, message: &OutboxMessage) -> String {
        starpay_text::delivery(self.frame.language, &message.delivery)
            .unwrap_or_else(|| message.delivery.clone())
    }
}

/// `GET /dev/outbox`.
pub(super) async fn show(State(state): State<PageState>, Asked(language): Asked) -> Response {
    let Some(source) = &state.outbox else { return StatusCode::NOT_FOUND.into_response() };
    let outbox = source.messages().await;
    let page = OutboxPage { frame: Frame::new(&state, language, "/dev/outbox"), outbox };
    page.frame.answer(page.render())
}
