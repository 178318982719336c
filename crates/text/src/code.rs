//! From a code to its text.
//!
//! Codes belong to the crates that declare them; here is only the rule by which a code becomes a key:
//! `state-<machine>-<state>`, `error-<code>`, `requirement-<code>`, `reason-<code>`, `party-<name>` …

use crate::catalogue::{attribute, lookup, texts};
use crate::language::Language;
use i18n_embed_fl::fl;

/// What happened and what to do about it. No code is shown to a person without a remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What happened, and why.
    pub message: String,
    /// What to do next.
    pub remedy: String,
}

fn advice(language: Language, kind: &str, code: &str) -> Option<Advice> {
    let key = format!("{kind}-{code}");
    Some(Advice { message: lookup(language, &key)?, remedy: attribute(language, &key, "remedy")? })
}

/// The answer to a failed request, by error code.
#[must_use]
pub fn error(language: Language, code: &str) -> Option<Advice> {
    advice(language, "error", code)
}

/// An open requirement ("why not yet"), by its code.
#[must_use]
pub fn requirement(language: Language, code: &str) -> Option<Advice> {
    advice(language, "requirement", code)
}

/// Why a value or a document was refused, by reason code.
#[must_use]
pub fn reason(language: Language, code: &str) -> Option<Advice> {
    advice(language, "reason", code)
}

/// A state of a machine, for example `state(language, "device", "active")` = 已激活.
#[must_use]
pub fn state(language: Language, machine: &str, state: &str) -> Option<String> {
    lookup(language, &format!("state-{machine}-{state}"))
}

macro_rules! plain {
    ($($(#[$doc:meta])* $name:ident $prefix:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(language: Language, code: &str) -> Option<String> {
            lookup(language, &format!(concat!($prefix, "-{}"), code))
        }
    )+};
}

plain! {
    /// A machine's name, for example `application` = 进件申请.
    machine "machine",
    /// A capability, for example `accept_card` = 刷卡收款.
    capability "capability",
    /// Who has to act, seen from the merchant: `merchant`, `us`, `third_party`, `device`.
    party "party",
    /// The desk on our side, or the third party, that has the matter.
    desk "desk",
    /// The role in which somebody acted.
    role "role",
    /// A step of the journey, from the first contact to the active terminal.
    step "step",
    /// A part of the journey: several steps.
    phase "phase",
    /// A kind of document, for example `id_front` = 身份证人像面.
    document "document",
    /// What to do about a refusal in a few words, as on a button.
    remedy "remedy",
    /// What became of a message.
    delivery "delivery",
    /// What is to be sent instead of a value of the wrong type, for example `text` = 加双引号的文字.
    expected "expected",
}

/// The label of a field of the application form, by its path: `licence.uscc` = 统一社会信用代码.
#[must_use]
pub fn field(language: Language, path: &str) -> Option<String> {
    lookup(language, &format!("field-{}", path.replace('.', "-")))
}

/// A sentence about a field, its label first: 「统一社会信用代码：…」. A path without a label (a header, a
/// step) stays out of the sentence: no bare code reaches a person.
#[must_use]
pub fn about(language: Language, path: &str, message: String) -> String {
    match field(language, path) {
        Some(label) => fl!(texts(language), "why-field", field = label, message = message),
        None => message,
    }
}

/// What to do when only these roles may do something: go to one of them. `None` when none is named.
#[must_use]
pub fn only_for(language: Language, roles: &[&str]) -> Option<String> {
    let names = roles.iter().filter_map(|name| role(language, name)).collect::<Vec<_>>();
    let between = match language {
        Language::ZhCn => "、",
        Language::En => ", ",
    };
    (!names.is_empty()).then(|| fl!(texts(language), "only-for", roles = names.join(between)))
}

/// The keys among `keys` that a language lacks. A key `x.remedy` asks for the attribute `remedy` of `x`.
/// For the tests of the crates that own the codes.
#[must_use]
pub fn missing<'a>(language: Language, keys: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    keys.into_iter()
        .filter(|key| match key.split_once('.') {
            None => lookup(language, key).is_none(),
            Some((message, name)) => attribute(language, message, name).is_none(),
        })
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_finds_its_text_in_both_languages() {
        assert_eq!(state(Language::ZhCn, "device", "active").as_deref(), Some("已激活"));
        assert_eq!(state(Language::En, "device", "active").as_deref(), Some("Active"));
        let advice = error(Language::ZhCn, "pin_weak").unwrap();
        assert!(advice.message.contains("密码") && !advice.remedy.is_empty());
    }

    #[test]
    fn a_sentence_about_a_field_begins_with_its_label() {
        let said = |path| about(Language::ZhCn, path, "位数不对".to_owned());
        assert_eq!(said("licence.uscc"), "统一社会信用代码：位数不对");
        assert_eq!(said("If-Match"), "位数不对");
    }

    #[test]
    fn who_may_is_named_in_words() {
        let said = only_for(Language::En, &["reviewer", "admin"]).unwrap();
        assert!(said.contains("Reviewer, Administrator"), "{said}");
        let said = only_for(Language::ZhCn, &["reviewer", "admin"]).unwrap();
        assert!(said.contains("审核员、管理员"), "{said}");
        assert_eq!(only_for(Language::En, &[]), None);
    }

    #[test]
    fn an_unknown_code_has_no_text() {
        assert_eq!(state(Language::ZhCn, "device", "melted"), None);
        assert_eq!(error(Language::En, "no_such_code"), None);
        let asked = ["state-device-active", "error-internal.remedy", "error-internal.cause", "nowhere"];
        assert_eq!(missing(Language::En, asked), ["error-internal.cause", "nowhere"]);
    }
}
