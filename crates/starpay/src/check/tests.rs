use super::*;
use clap::ValueEnum;

fn json_of(kind: Kind, text: &str) -> Value {
    judge(kind, text, parse_date("2026-11-22").unwrap()).to_json()
}

fn args(kind: Kind, value: &str) -> Args {
    Args { kind, value: value.to_owned(), today: parse_date("2026-11-22"), json: true }
}

#[test]
fn a_valid_value_is_normalised_masked_and_explained() {
    let report = json_of(Kind::IdCard18, "４40399 20000229 1128");
    assert_eq!(report["valid"], true);
    assert_eq!(report["normalised"], "440399200002291128");
    assert_eq!(report["masked"], "440***********1128");
    assert_eq!(report["details"]["age"], "26");
    assert_eq!(report["reason_code"], Value::Null);
    assert_eq!(json_of(Kind::BankCard, "6200 0000 0000 0013")["masked"], "620000******0013");
    assert_eq!(json_of(Kind::Uscc, "91110199MA0TE5T172")["warning_code"], "org_code_checksum");
}

#[test]
fn a_refused_value_says_why_in_chinese() {
    let report = json_of(Kind::Uscc, "91110199MB0TE5T16Y");
    assert_eq!(report["valid"], false);
    assert_eq!(report["reason_code"], "checksum");
    assert_eq!(report["reason"], "统一社会信用代码校验不通过,可能有一位输错,请对照原件");
    assert_eq!(report["masked"], Value::Null);
    let text = judge(Kind::Mobile, "01088888888", parse_date("2026-11-22").unwrap()).to_text();
    assert!(text.starts_with("mobile: not valid 无效\n  reason_code    landline\n"), "{text}");
}

#[test]
fn the_day_given_decides_the_age() {
    let born_later = judge(Kind::IdCard18, "440399200002291128", parse_date("1999-01-01").unwrap());
    assert_eq!(born_later.refusal.map(|invalid| invalid.reason_code()), Some("bad_date"));
}

#[test]
fn exit_codes_follow_the_verdict() {
    assert!(run(args(Kind::Cnaps, "102100099996")).is_ok());
    assert_eq!(run(args(Kind::Cnaps, "102100099997")).unwrap_err().code(), Failure::FAILED);
}

#[test]
fn every_kind_has_the_name_of_its_group() {
    for kind in Kind::value_variants() {
        let name = kind.to_possible_value().unwrap().get_name().to_owned();
        assert_eq!(json_of(*kind, "")["kind"], name.as_str());
    }
}

#[test]
fn what_would_act_on_a_terminal_is_shown_by_its_number() {
    let text = "\u{1b}[31m12\u{202e}34\u{7}\u{9b}\n";
    let report = judge(Kind::TerminalNo, text, parse_date("2026-11-22").unwrap());
    let shown = report.to_text();
    assert!(shown.contains(r"[31m12\u{202e}34"), "{shown}");
    assert!(shown.chars().all(|c| c == '\n' || !is_hidden(c)), "{shown:?}");
    let json = ascii_where_hidden(&report.to_json().to_string());
    assert!(!json.chars().any(is_hidden), "{json:?}");
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), report.to_json());
    assert_eq!(ascii_where_hidden("\u{e0041}\u{85}"), r"\udb40\udc41\u0085");
    let scans =
        judge(Kind::TerminalSnTusn, "99990004STAR1\r\n99990004STAR1", parse_date("2026-11-22").unwrap());
    assert!(scans.to_text().contains(r"99990004STAR1\u{d}\u{a}99990004STAR1"), "{}", scans.to_text());
}

#[test]
fn other_documents_and_accounts_are_judged_too() {
    assert_eq!(json_of(Kind::HkMacauPermit, "h 12345678")["normalised"], "H12345678");
    assert_eq!(json_of(Kind::HkMacauPermit, "C12345678")["reason_code"], "prefix");
    assert_eq!(json_of(Kind::TaiwanPermit, "01234567")["valid"], true);
    assert_eq!(json_of(Kind::HmtResidence, "81000019881120999X")["valid"], true);
    assert_eq!(json_of(Kind::ForeignPermanent2023, "931840198002140008")["masked"], "9***************08");
    assert_eq!(json_of(Kind::ForeignPermanent2017, "ABC123456789012")["valid"], true);
    assert_eq!(json_of(Kind::Passport, "E1234567")["masked"], "E*****67");
    let account = json_of(Kind::CorporateAccount, "8888—0000 1234");
    assert_eq!(
        (&account["normalised"], &account["masked"]),
        (&json!("8888-00001234"), &json!("*********1234"))
    );
}

#[test]
fn a_foreigners_number_is_sent_to_its_kind() {
    let report = json_of(Kind::IdCard18, "931840198002140008");
    assert_eq!(report["reason_code"], "region");
    assert!(report["hint"].as_str().unwrap().contains("foreign_permanent_2023"));
    assert_eq!(json_of(Kind::IdCard18, "000199199003070011")["hint"], Value::Null);
}
