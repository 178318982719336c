//! `starpay check`: one identifier, judged by the same code that judges an application.

#[cfg(test)]
mod tests;

use crate::Failure;
use serde_json::{Map, Value, json};
use starpay_adapters::clock::SystemClock;
use starpay_app::port::Clock;
use starpay_domain::identifier::{
    BankCard, BusinessRegistration, Cnaps, CorporateAccount, Invalid, Mobile, OtherIdDocument, OtherIdKind,
    Reason, ResidentId, TerminalNo, TerminalSerial, UnionPayMerchantNo, Uscc,
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
    /// 台湾居民来往大陆通行证
    TaiwanPermit,
    /// 港澳居民来往内地通行证
    HkMacauPermit,
    /// 港澳台居民居住证
    HmtResidence,
    /// 外国人永久居留身份证(2023 版)
    #[value(name = "foreign_permanent_2023")]
    ForeignPermanent2023,
    /// 外国人永久居留身份证(2017 版)
    #[value(name = "foreign_permanent_2017")]
    ForeignPermanent2017,
    /// 护照
    Passport,
    /// 手机号
    Mobile,
    /// 银行卡号
    BankCard,
    /// 对公账号
    CorporateAccount,
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
    let json = || format!("{}\n", ascii_where_hidden(&report.to_json().to_string()));
    crate::print(&if args.json { json() } else { report.to_text() })?;
    if report.refusal.is_some() { Err(Failure::told(Failure::FAILED)) } else { Ok(()) }
}

fn date(text: &str) -> Result<Date, String> {
    parse_date(text).ok_or_else(|| "a day is written YYYY-MM-DD".to_owned())
}

/// Whether a character would act on the terminal that shows it, or not be seen there: controls,
/// marks that turn the direction of writing, marks of no width.
fn is_hidden(c: char) -> bool {
    let is_mark = matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    );
    is_mark || c.is_control()
}

/// The text as a terminal may show it: hidden characters by their number.
pub(crate) fn visible(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if is_hidden(c) {
            shown.extend(c.escape_unicode())
        } else {
            shown.push(c)
        }
        shown
    })
}

/// The same JSON with hidden characters escaped: they stand only inside of its texts.
fn ascii_where_hidden(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut shown, c| {
        if is_hidden(c) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| shown.push_str(&format!("\\u{unit:04x}")));
        } else {
            shown.push(c);
        }
        shown
    })
}

/// What is known about a value. `normalised` is what the user typed, in its one form.
struct Report {
    kind: &'static str,
    normalised: String,
    masked: Option<String>,
    refusal: Option<Invalid>,
    /// What the value may be instead.
    hint: Option<&'static str>,
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
            "hint": self.hint,
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
        let mut line = |name: &str, text: &str| lines.push(format!("  {name:<14} {}", visible(text)));
        if let Some(invalid) = self.refusal {
            line("reason_code", invalid.reason_code());
            line("reason", &invalid.message());
        }
        if let Some(hint) = self.hint {
            line("hint", hint);
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
        hint: None,
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
        Kind::TaiwanPermit => other_document(OtherIdKind::TaiwanPermit, text, today),
        Kind::HkMacauPermit => other_document(OtherIdKind::HkMacauPermit, text, today),
        Kind::HmtResidence => other_document(OtherIdKind::HmtResidence, text, today),
        Kind::ForeignPermanent2023 => other_document(OtherIdKind::ForeignPermanent2023, text, today),
        Kind::ForeignPermanent2017 => other_document(OtherIdKind::ForeignPermanent2017, text, today),
        Kind::Passport => other_document(OtherIdKind::Passport, text, today),
        Kind::Mobile => mobile(text),
        Kind::BankCard => bank_card(text),
        Kind::CorporateAccount => corporate_account(text),
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
    let parsed = ResidentId::parse(text, today);
    let mut report = report("idcard18", &ResidentId::normalise(text), parsed, |id, report| {
        report.masked = Some(id.masked());
        report.details = vec![
            ("kind", id.kind().as_str().to_owned()),
            ("birth", format_date(id.birth())),
            ("sex", id.sex().as_str().to_owned()),
            ("age", id.age_on(today).to_string()),
        ];
    });
    let is_of_no_region = report.refusal.is_some_and(|invalid| invalid.reason == Reason::Region);
    if is_of_no_region && OtherIdDocument::parse(OtherIdKind::ForeignPermanent2023, text, today).is_ok() {
        report.hint = Some("像是外国人永久居留身份证号码,请按 foreign_permanent_2023 检查");
    }
    report
}

fn other_document(kind: OtherIdKind, text: &str, today: Date) -> Report {
    let parsed = OtherIdDocument::parse(kind, text, today);
    report(kind.as_str(), &OtherIdDocument::normalise(text), parsed, |document, report| {
        report.masked = Some(document.masked());
    })
}

fn corporate_account(text: &str) -> Report {
    let parsed = CorporateAccount::parse(text);
    report("corporate_account", &CorporateAccount::normalise(text), parsed, |account, report| {
        report.masked = Some(account.masked());
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
