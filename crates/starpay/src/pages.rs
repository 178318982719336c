//! What this binary tells the pages: the deployment, and the messages that a sandbox keeps.

use crate::wiring::Assembled;
use axum::Router;
use futures_util::future::BoxFuture;
use starpay_app::{DevMessage, Platform};
use starpay_domain::instant::Timestamp;
use starpay_text::Language;
use starpay_web::Web;
use starpay_web::page::outbox::{Channel, OutboxMessage};
use starpay_web::page::{
    self, Acquirer, Deployment, JourneySource, Mode, OutboxSource, OutboxView, PageState,
};
use std::sync::Arc;

/// The pages of this deployment, with a journey to show when one is played.
pub(crate) fn router(assembled: &Assembled, journey: Option<Arc<dyn JourneySource>>) -> Router<Web> {
    let deployment = assembled.platform.deployment();
    let acquirer = deployment.acquirer_name.clone().zip(deployment.licence_no.clone());
    let (mode, outbox) = match deployment.mode {
        starpay_app::Mode::Live => (Mode::Live, None),
        starpay_app::Mode::Sandbox => {
            let outbox: Arc<dyn OutboxSource> = Arc::new(Outbox(assembled.platform.clone()));
            (Mode::Sandbox, Some(outbox))
        }
    };
    let shown = Deployment {
        mode,
        acquirer: acquirer.map(|(name, licence_no)| Acquirer { name, licence_no }),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    page::router(PageState::new(shown, journey, outbox))
}

/// The sandbox's outbox.
struct Outbox(Platform);

impl OutboxSource for Outbox {
    fn messages(&self) -> BoxFuture<'_, OutboxView> {
        Box::pin(async move {
            let messages = self.0.dev_outbox().await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the outbox could not be read");
                Vec::new()
            });
            OutboxView { messages: messages.iter().rev().take(OutboxView::MESSAGES_MAX).map(shown).collect() }
        })
    }
}

fn shown(message: &DevMessage) -> OutboxMessage {
    let (channel, subject) = match message.channel.as_str() {
        "email" => (Channel::Email, starpay_text::lookup(Language::ZhCn, "message-subject")),
        _ => (Channel::Sms, None),
    };
    OutboxMessage {
        id: message.id.clone(),
        channel,
        to: masked(&message.to),
        subject,
        body: message.text.clone(),
        at: message.at.clone(),
        at_text: beijing(&message.at),
        delivery: match message.state.as_str() {
            "waiting" => "queued".to_owned(),
            other => other.to_owned(),
        },
    }
}

/// An address with its middle hidden.
fn masked(address: &str) -> String {
    let (person, host) =
        address.split_once('@').map_or((address, None), |(person, host)| (person, Some(host)));
    let letters: Vec<char> = person.chars().collect();
    match host {
        Some(host) => format!("{}***@{host}", letters.first().copied().unwrap_or('*')),
        None if letters.len() > 7 => {
            let ends = |range: &[char]| range.iter().collect::<String>();
            let (head, rest) = letters.split_at(3);
            let (_, tail) = rest.split_at(rest.len() - 4);
            format!("{}****{}", ends(head), ends(tail))
        }
        None => "****".to_owned(),
    }
}

/// An RFC 3339 moment as Beijing reads it.
fn beijing(moment: &str) -> String {
    let Some(at) = Timestamp::parse(moment) else { return moment.to_owned() };
    at.beijing_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_masked_and_moments_are_beijings() {
        assert_eq!(masked("15400000001"), "154****0001");
        assert_eq!(masked("lin@example.test"), "l***@example.test");
        assert_eq!(masked("123"), "****");
        assert_eq!(beijing("2026-11-23T02:42:08.123456Z"), "2026-11-23 10:42:08");
    }
}
