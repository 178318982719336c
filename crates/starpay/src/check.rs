//! `starpay check`: one identifier, judged by the same code that judges an application.

use crate::Failure;
use serde_json::{Map, Value, json};
use starpay_adapters::clock::SystemClock;
use starpay_app::port::Clock;
use starpay_domain::identifier::{
    BankCard, BusinessRegistration, Cnaps, Invalid, Mobile, ResidentId, TerminalNo, TerminalSerial,
    UnionPayMerchantNo, Uscc,
};
use starpay_domain::instant::{Date, format_date, parse_date};

/// Options of `starpay check`. Exit code 0: valid; 1: not valid; 2: asked wrongly.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What the value claims to be
    #[arg(value_enum)]
    kind: Kind,
    /// The value as typed: full width, blanks and separators are forgiven where the rule allows
    #[arg(allow_hyphen_values = true)]
    value: String,
    /// Judge ages as of this day (YYYY-MM-DD); default: today in Beijing
    #[arg(long, value_name = "DATE", value_parser = date)]
    today: Option<Date>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Kind {
    /// 统一社会信用代码
    Uscc,
    /// 旧版 15 位营业执照注册号
    #[value(name = "bizreg15")]
    BizReg15,
    /// 居民身份证号码
    #[value(name = "idcard18")]
    IdCard18,
    /// 手机号
    Mobile,
    /// 银行卡号
    BankCard,
    /// 联行号
    Cnaps,
    /// 银联商户号
    #[value(name = "unionpay_merchant_no")]
    UnionPayMerchantNo,
    /// 终端号
    TerminalNo,
    /// 终端序列号
    #[value(name = "terminal_sn_tusn")]
    TerminalSnTusn,
}

/// Judges the value and prints what it is.
///
/// # Errors
/// When the value is not valid (exit 1; said on standard output, not again as an error).
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let today = args.today.unwrap_or_else(|| SystemClock.now().beijing_date());
    let report = judge(args.kind, &args.value, today);
    crate::print(&if args.json { format!("{}\n", report.to_json()) } else { report.to_text() })?;
    if report.refusal.is_some() { Err(Failure::told(Failure::FAILED)) } else { Ok(()) }
}

fn date(text: &str) -> Result<Date, String> {
    parse_date(text).ok_or_else(|| "a day is written YYYY-MM-DD".to_owned())
}

/// What is known about a value. `normalised` is what the user typed, in its one form.
struct Report {
    kind: &'static str,
    normalised: String,
    masked: Option<String>,
    refusal: Option<Invalid>,
    warning: Option<(&'static str, &'static str)>,
    details: Vec<(&'static str, String)>,
}

impl Report {
    fn to_json(&self) -> Value {
        let details: Map<String, Value> =
            self.details.iter().map(|(name, text)| ((*name).to_owned(), json!(text))).collect();
        json!({
            "kind": self.kind,
            "valid": self.refusal.is_none(),
            "reason_code": self.refusal.map(|invalid| invalid.reason_code()),
            "reason": self.refusal.map(|invalid| invalid.message()),
            "normalised": self.normalised,
            "masked": self.masked,
            "warning_code": self.warning.map(|(code, _)| code),
            "warning": self.warning.map(|(_, message)| message),
            "details": details,
        })
    }

    fn to_text(&self) -> String {
        let verdict = if self.refusal.is_none() { "valid 有效" } else { "not valid 无效" };
        let mut lines = vec![format!("{}: {verdict}", self.kind)];
        let mut line = |name: &str, text: &str| lines.push(format!("  {name:<14} {text}"));
        if let Some(invalid) = self.refusal {
            line("reason_code", invalid.reason_code());
            line("reason", &invalid.message());
        }
        line("normalised", &self.normalised);
        if let Some(masked) = &self.masked {
            line("masked", masked);
        }
        if let Some((code, message)) = self.warning {
            line("warning_code", code);
            line("warning", message);
        }
        for (name, text) in &self.details {
            line(name, text);
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// A report on a parsed value; `accept` says what a valid one shows.
fn report<T>(
    kind: &'static str,
    normalised: &str,
    parsed: Result<T, Invalid>,
    accept: impl FnOnce(&T, &mut Report),
) -> Report {
    let mut report = Report {
        kind,
        normalised: normalised.to_owned(),
        masked: None,
        refusal: None,
        warning: None,
        details: Vec::new(),
    };
    match parsed {
        Ok(value) => accept(&value, &mut report),
        Err(invalid) => report.refusal = Some(invalid),
    }
    report
}

fn judge(kind: Kind, text: &str, today: Date) -> Report {
    match kind {
        Kind::Uscc => uscc(text),
        Kind::BizReg15 => bizreg15(text),
        Kind::IdCard18 => idcard18(text, today),
        Kind::Mobile => mobile(text),
        Kind::BankCard => bank_card(text),
        Kind::Cnaps => cnaps(text),
        Kind::UnionPayMerchantNo => unionpay_merchant_no(text),
        Kind::TerminalNo => {
            report("terminal_no", &TerminalNo::normalise(text), TerminalNo::parse(text), |number, report| {
                report.masked = Some(number.to_string());
            })
        }
        Kind::TerminalSnTusn => terminal_sn_tusn(text),
    }
}

fn uscc(text: &str) -> Report {
    report("uscc", &Uscc::normalise(text), Uscc::parse(text), |code, report| {
        report.masked = Some(code.to_string());
        report.warning = code.warning().map(|warning| (warning.reason_code(), warning.message()));
        report.details = vec![
            ("subject_type", code.subject_type().as_str().to_owned()),
            ("reg_dept", code.reg_dept().to_owned()),
            ("org_kind", code.org_kind().to_owned()),
            ("region", code.region().to_owned()),
        ];
    })
}

fn bizreg15(text: &str) -> Report {
    let parsed = BusinessRegistration::parse(text);
    report("bizreg15", &BusinessRegistration::normalise(text), parsed, |number, report| {
        report.masked = Some(number.to_string());
        report.details = vec![
            ("holder", number.holder().as_str().to_owned()),
            ("sequence_first", number.sequence_first().to_owned()),
        ];
    })
}

fn idcard18(text: &str, today: Date) -> Report {
    report("idcard18", &ResidentId::normalise(text), ResidentId::parse(text, today), |id, report| {
        report.masked = Some(id.masked());
        report.details = vec![
            ("kind", id.kind().as_str().to_owned()),
            ("birth", format_date(id.birth())),
            ("sex", id.sex().as_str().to_owned()),
            ("age", id.age_on(today).to_string()),
        ];
    })
}

fn mobile(text: &str) -> Report {
    report("mobile", &Mobile::normalise(text), Mobile::parse(text), |number, report| {
        report.masked = Some(number.masked());
        report.details = vec![("carrier", number.carrier().as_str().to_owned())];
    })
}

fn bank_card(text: &str) -> Report {
    report("bank_card", &BankCard::normalise(text), BankCard::parse(text), |card, report| {
        report.masked = Some(card.masked());
        report.details =
            vec![("network", card.network().as_str().to_owned()), ("length", card.length().to_string())];
    })
}

fn cnaps(text: &str) -> Report {
    report("cnaps", &Cnaps::normalise(text), Cnaps::parse(text), |code, report| {
        report.masked = Some(code.to_string());
        report.details = vec![
            ("bank_code", code.bank_code().to_owned()),
            ("area_code", code.area_code().to_owned()),
            ("branch", code.branch().to_owned()),
        ];
    })
}

fn unionpay_merchant_no(text: &str) -> Report {
    let parsed = UnionPayMerchantNo::parse(text);
    report("unionpay_merchant_no", &UnionPayMerchantNo::normalise(text), parsed, |number, report| {
        report.masked = Some(number.to_string());
        report.details = vec![
            ("inst", number.institution().to_owned()),
            ("area", number.area().to_owned()),
            ("mcc", number.mcc().to_string()),
            ("seq", number.sequence().to_owned()),
        ];
    })
}

fn terminal_sn_tusn(text: &str) -> Report {
    let parsed = TerminalSerial::parse(text);
    report("terminal_sn_tusn", &TerminalSerial::normalise(text), parsed, |serial, report| {
        report.masked = Some(serial.to_string());
        report.details = vec![
            ("vendor", serial.vendor().to_owned()),
            ("device_type", serial.device_type().as_str().to_owned()),
        ];
    })
}

#[cfg(test)]
mod tests {
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
}
