//! 标识: every number that names a business, a person, an account or a machine.
//!
//! Each identifier has one file and one type. A value that exists has passed its rule: the only
//! way in is `parse`, which first brings what people type or scan to one form. A refusal is an
//! [`Invalid`] with the stable reason code of `testdata/identifiers.json` and a Chinese sentence.
//! When several things are wrong the first of these is reported: one digit repeated, length,
//! alphabet, structure (prefix, region, date …), check digit.
//!
//! Numbers that are secrets (of persons, cards, accounts; activation codes) have no `Display`, a
//! redacted `Debug`, are wiped when dropped, and give their text only through `expose()`.

mod activation_code;
mod bank_card;
mod business_registration;
mod check_digit;
mod cnaps;
mod corporate_account;
mod invalid;
mod mcc;
mod mobile;
mod normalise;
mod other_id_document;
mod resident_id;
mod subject_type;
mod terminal_no;
mod terminal_serial;
mod unionpay_merchant_no;
mod uscc;
mod verdict;

pub use activation_code::ActivationCode;
pub use bank_card::{BankCard, CardNetwork};
pub use business_registration::{BusinessRegistration, LicenceHolder};
pub use cnaps::Cnaps;
pub use corporate_account::CorporateAccount;
pub use invalid::{IdentifierKind, Invalid, Reason};
pub use mcc::Mcc;
pub use mobile::{Mobile, MobileCarrier};
pub use other_id_document::{OtherIdDocument, OtherIdKind};
pub use resident_id::{ResidentId, ResidentIdKind, Sex};
pub use subject_type::SubjectType;
pub use terminal_no::TerminalNo;
pub use terminal_serial::{DeviceType, TerminalSerial};
pub use unionpay_merchant_no::UnionPayMerchantNo;
pub use uscc::{Uscc, UsccWarning};
pub use verdict::{Conflict, Verdict};

/// The text access of an identifier that may be shown to anybody.
macro_rules! open_identifier {
    ($name:ident) => {
        impl $name {
            /// The canonical text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl $crate::fact::FactValue for $name {
            fn to_fact(&self) -> Option<String> {
                Some(self.0.clone())
            }
            fn from_fact(fact: Option<&str>) -> Option<Self> {
                Self::parse(fact?).ok()
            }
        }
    };
}

/// The text access of a secret identifier: only by a word that can be searched for.
macro_rules! secret_identifier {
    ($name:ident) => {
        impl $name {
            /// The canonical text. Callers must seal it, send it where it belongs, or forget it.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.text
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
}

use {open_identifier, secret_identifier};

/// The first `head` and last `tail` characters of an ASCII text with asterisks between. A text
/// too short for both shows nothing.
fn mask(text: &str, head: usize, tail: usize) -> String {
    let hidden = text.len().saturating_sub(head.saturating_add(tail));
    match (text.get(..head), text.get(text.len().saturating_sub(tail)..)) {
        (Some(first), Some(last)) if hidden > 0 => format!("{first}{}{last}", "*".repeat(hidden)),
        _ => "*".repeat(text.len()),
    }
}

#[cfg(test)]
mod tests;
