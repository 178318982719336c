//! 短信与邮件.

use super::{AdapterName, Answer};
use secrecy::SecretString;

/// One SMS.
#[derive(Debug, Clone)]
pub struct Sms {
    /// Our message id: the idempotency key at the provider.
    pub reference: String,
    /// Mobile number, 11 digits.
    pub to: SecretString,
    /// Text, already in the reader's language.
    pub text: SecretString,
}

/// 短信.
pub trait SmsSender: Send + Sync {
    /// Who sends.
    fn adapter(&self) -> AdapterName;
    /// Sends one SMS and answers the provider's reference.
    fn send(&self, sms: Sms) -> Answer<'_, String>;
}

/// One e-mail.
#[derive(Debug, Clone)]
pub struct Email {
    /// Our message id, becomes the Message-ID.
    pub reference: String,
    /// Address.
    pub to: SecretString,
    /// Subject.
    pub subject: String,
    /// Plain text body.
    pub text: SecretString,
}

/// 邮件.
pub trait Mailer: Send + Sync {
    /// Who sends.
    fn adapter(&self) -> AdapterName;
    /// Sends one e-mail and answers the server's reference.
    fn send(&self, email: Email) -> Answer<'_, String>;
}
