//! The exact sentence of a refusal, where more is known of what is wrong than its code says.
//!
//! The facts come from the domain (what was looked for, how much of it was found, never the value
//! itself); the words come from the catalogue, in the reader's language.

use starpay_app::{Particular, Unit};
use starpay_domain::identifier::{IdentifierKind, Invalid, Reason};
use starpay_text::{Language, fl, lookup, texts};

/// Characters beyond which an identifier is not counted to its end.
const COUNTED_MAX: usize = 128;

/// What exactly is wrong; `None` where the code's own words say as much.
pub(crate) fn message(language: Language, code: &str, particular: Particular) -> Option<String> {
    let texts = texts(language);
    match particular {
        Particular::Identifier(invalid) => identifier(language, invalid),
        Particular::Long { found, most } => {
            Some(fl!(texts, "wrong-long", most = most.to_string(), found = found.to_string()))
        }
        Particular::Number { least, most, .. } => (code == "range")
            .then(|| fl!(texts, "wrong-range", least = least.to_string(), most = most.to_string())),
    }
}

/// What to do about it; `None` where the code's own words say as much.
pub(crate) fn remedy(language: Language, particular: Particular) -> Option<String> {
    match particular {
        Particular::Number { unit: Unit::Fen, .. } => Some(fl!(texts(language), "unit-fen")),
        Particular::Number { unit: Unit::Microdegree, .. } => Some(fl!(texts(language), "unit-microdegree")),
        Particular::Identifier(_) | Particular::Long { .. } => None,
    }
}

/// That a step cannot be taken in this state, and which state it is.
pub(crate) fn out_of_turn(language: Language, machine: &str, state: &str) -> Option<String> {
    let named = starpay_text::state(language, machine, state)?;
    let name = starpay_text::machine(language, machine)?;
    let texts = texts(language);
    Some(if when_over(language, machine, state).is_some() {
        fl!(texts, "illegal-over", machine = name, state = named)
    } else {
        fl!(texts, "illegal-now", machine = name, state = named)
    })
}

/// What is left to do where a thing is over; `None` while it can still go on.
pub(crate) fn when_over(language: Language, machine: &str, state: &str) -> Option<String> {
    lookup(language, &format!("over-{machine}-{state}"))
}

/// What to do after the last try.
pub(crate) fn when_spent(language: Language, code: &str) -> Option<String> {
    lookup(language, &format!("spent-{code}"))
}

/// What to do, and how long to wait before.
pub(crate) fn wait(language: Language, remedy: String, seconds: i64) -> String {
    fl!(texts(language), "with-wait", remedy = remedy, seconds = seconds.to_string())
}

/// A sentence about a field: its label first; an identifier's name where the field has none.
pub(crate) fn about(
    language: Language,
    field: &str,
    particular: Option<Particular>,
    message: String,
) -> String {
    let named = match particular {
        Some(Particular::Identifier(invalid)) if starpay_text::field(language, field).is_none() => {
            lookup(language, &format!("identifier-{}", invalid.kind.as_str()))
        }
        Some(_) | None => None,
    };
    match named {
        Some(name) => fl!(texts(language), "why-field", field = name, message = message),
        None => starpay_text::about(language, field, message),
    }
}

fn identifier(language: Language, invalid: Invalid) -> Option<String> {
    let texts = texts(language);
    let wanted = |what: &str| lookup(language, &format!("{what}-{}", invalid.kind.as_str()));
    match invalid.reason {
        // A number of a machine or a fixed line, a check digit: the code says all there is.
        Reason::Iot | Reason::Landline | Reason::Checksum | Reason::Luhn | Reason::MccProhibited => None,
        Reason::Length { found, .. } if found > COUNTED_MAX => {
            let most = COUNTED_MAX.to_string();
            Some(fl!(texts, "wrong-length-endless", wanted = wanted("length")?, most = most))
        }
        Reason::Length { found, .. } => {
            Some(fl!(texts, "wrong-length", wanted = wanted("length")?, found = found.to_string()))
        }
        Reason::Charset { position, .. } => {
            let wanted = wanted("charset")?;
            Some(fl!(texts, "wrong-charset", position = position.to_string(), wanted = wanted))
        }
        Reason::Prefix { .. } | Reason::Pattern { .. } => wanted("begins"),
        Reason::Degenerate => Some(fl!(texts, "wrong-degenerate")),
        Reason::RegDept => Some(fl!(texts, "wrong-reg_dept")),
        Reason::OrgKind => Some(fl!(texts, "wrong-org_kind")),
        Reason::Region => (invalid.kind == IdentifierKind::ResidentId).then(|| fl!(texts, "wrong-region")),
        Reason::BadDate => Some(fl!(texts, "wrong-birth")),
        Reason::BornLater => Some(fl!(texts, "wrong-birth-later")),
        Reason::TooOld => Some(fl!(texts, "wrong-birth-old")),
        Reason::DeviceType => Some(fl!(texts, "wrong-device_type")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;
    use starpay_app::Error;
    use starpay_domain::identifier::{Mobile, TerminalSerial, Uscc};

    fn said(language: Language, invalid: Invalid, field: &str) -> String {
        Problem::from(Error::identifier(invalid, field)).render(language, "r").error.message
    }

    #[test]
    fn a_refused_identifier_says_what_it_should_have_and_has() {
        let short = Mobile::parse("1540000000").unwrap_err();
        assert_eq!(said(Language::ZhCn, short, "mobile"), "手机号：应为 11 位，现在是 10 位。");
        let english = said(Language::En, short, "mobile");
        assert_eq!(english, "Mobile number: It should have 11 digits, but it has 10.");
        let endless = Uscc::parse(&"9".repeat(200)).unwrap_err();
        assert!(said(Language::ZhCn, endless, "licence.uscc").ends_with("应为 18 位，现在超过 128 位。"));
        let stranger = Uscc::parse("9I440399MA5DEM039F").unwrap_err();
        assert!(said(Language::ZhCn, stranger, "licence.uscc").contains("第 2 位只能是数字或大写字母"));
        // A field without a label of its own is called what it holds.
        let serial = TerminalSerial::parse("9999").unwrap_err();
        assert!(said(Language::ZhCn, serial, "serial").starts_with("终端序列号：应为 9–50 位"));
    }

    /// Identity documents of other countries are not asked for in any field.
    #[test]
    fn every_identifier_that_is_asked_for_has_its_form_in_words() {
        let wanted = "";
        for kind in IdentifierKind::ALL.iter().filter(|kind| **kind != IdentifierKind::OtherIdDocument) {
            for reason in [Reason::Length { found: 1, wanted }, Reason::Charset { position: 1, wanted }] {
                for language in Language::ALL {
                    let words = identifier(*language, Invalid { kind: *kind, reason });
                    assert!(words.is_some(), "{kind:?} {reason:?} {language:?}");
                }
            }
        }
        for kind in [IdentifierKind::Mobile, IdentifierKind::BankCard] {
            let invalid = Invalid { kind, reason: Reason::Prefix { wanted } };
            assert!(
                Language::ALL.iter().all(|language| identifier(*language, invalid).is_some()),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_number_names_its_unit_and_its_range() {
        let number = Particular::Number { unit: Unit::Fen, least: 0, most: 900 };
        let refused =
            |code| Error { particular: Some(Box::new(number)), ..Error::invalid(code, "shop.latitude") };
        let render = |code| Problem::from(refused(code)).render(Language::ZhCn, "r").error;
        assert!(render("whole_number").remedy.contains("单位是分"));
        assert!(render("range").message.contains("应在 0 到 900 之间"), "{}", render("range").message);
    }
}
