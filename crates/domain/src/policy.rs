//! 政策表: every statutory number, with its unit, its source and the day it takes effect.
//!
//! No rule function holds such a number. The platform reads the rows of its `policy` table,
//! makes the [`Policy`] in force on a day, and passes it in; a change of law is a new row.

use crate::instant::{Date, parse_date};
use crate::money::Money;
use crate::rate::Rate;

crate::text_enum! {
    /// What the number of a row counts.
    pub enum Unit {
        /// 年.
        Years "years",
        /// 月.
        Months "months",
        /// 自然日.
        Days "days",
        /// 小时.
        Hours "hours",
        /// 个.
        Count "count",
        /// 分.
        Fen "fen",
        /// 费率, as decimal text.
        Rate "rate",
    }
}

/// One row: a number, and why it is that number from that day on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyEntry {
    /// Name of the field of [`Policy`].
    pub key: String,
    /// The number as text.
    pub value: String,
    /// What it counts.
    pub unit: Unit,
    /// The regulation and clause, or 自定 for a house value.
    pub source: String,
    /// First day it holds.
    pub effective_on: Date,
}

/// Rows from which no policy can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// No row of that key is in force on the day asked.
    #[error("policy {key} has no value in force")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// The row's number or unit is not of the field's type.
    #[error("policy {key}: {value:?} is not a number of {}", unit.as_str())]
    Malformed {
        /// The key.
        key: &'static str,
        /// The text found.
        value: String,
        /// The unit wanted.
        unit: Unit,
    },
    /// Two rows of one key begin on the same day.
    #[error("policy {key} has two values from the same day")]
    Ambiguous {
        /// The key.
        key: &'static str,
    },
}

/// A number as it stands in a row.
trait PolicyNumber: Sized {
    fn read(text: &str) -> Option<Self>;
}

impl PolicyNumber for u16 {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl PolicyNumber for Money {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::from_fen).filter(|money| !money.is_negative())
    }
}

impl PolicyNumber for Rate {
    fn read(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

macro_rules! policy {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $value:literal $unit:ident, $source:literal, $from:literal;)+) => {
        /// The numbers in force on one day. Made only from rows, so it is always complete.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Policy { $($(#[$doc])* pub $field: $type),+ }

        impl Policy {
            /// The rows a new platform starts with (domain rules §7.1).
            #[must_use]
            pub fn seed() -> Vec<PolicyEntry> {
                [$((stringify!($field), $value, Unit::$unit, $source, $from)),+]
                    .into_iter()
                    .filter_map(|(key, value, unit, source, from)| Some(PolicyEntry {
                        key: key.to_owned(), value: value.to_owned(), unit, source: source.to_owned(),
                        effective_on: parse_date(from)?,
                    }))
                    .collect()
            }

            /// The policy in force on a day: of each key the row that began last.
            ///
            /// # Errors
            /// When a key has no row yet, two from one day, or a row that is no such number.
            /// Rows of unknown keys are left alone: they belong to a newer version.
            pub fn from_entries(entries: &[PolicyEntry], on: Date) -> Result<Self, PolicyError> {
                Ok(Self { $($field: in_force(entries, on, stringify!($field), Unit::$unit)?),+ })
            }
        }
    };
}

policy! {
    /// 成年: full years from which a person may apply.
    adult_age_years: u16 = "18" Years, "民法典第 17 条", "2021-01-01";
    /// 客户身份资料与交易记录保存.
    record_retention_years: u16 = "10" Years, "反洗钱法(2024 修订);尽调办法(令〔2025〕11 号)", "2025-01-01";
    /// T+0/D+0: days since going live.
    instant_settlement_onboarded_days: u16 = "90" Days, "银发〔2016〕261 号", "2016-12-01";
    /// T+0/D+0: days of continuous normal trading since going live.
    instant_settlement_trading_days: u16 = "30" Days, "银发〔2016〕261 号", "2016-12-01";
    /// 最迟结算 after the payment instruction.
    settlement_latest_days: u16 = "30" Days, "收单业务管理办法", "2013-07-05";
    /// 小微: credit card takings per person, acquirer and day.
    micro_daily_limit: Money = "100000" Fen, "银发〔2017〕281、296 号", "2018-04-01";
    /// 小微: credit card takings per person, acquirer and month.
    micro_monthly_limit: Money = "1000000" Fen, "银发〔2017〕281、296 号", "2018-04-01";
    /// 小微 merchants of one person at one acquirer.
    micro_per_acquirer_count: u16 = "2" Count, "银联、网联小微商户规则", "2024-08-15";
    /// 小微 merchants of one person at all acquirers.
    micro_total_count: u16 = "5" Count, "银联、网联小微商户规则", "2024-08-15";
    /// 商户信息报送 after going live, a change or the end.
    merchant_report_days: u16 = "2" Days, "银发〔2021〕259 号", "2022-03-01";
    /// 终端注销报送 after the terminal's functions were closed.
    terminal_closure_report_days: u16 = "2" Days, "银发〔2021〕259 号", "2022-03-01";
    /// 黑名单清退 after being listed.
    blacklist_exit_days: u16 = "10" Days, "银发〔2016〕261 号(原文待核)", "2016-12-01";
    /// 无交易: months after which a terminal's merchant is verified again.
    inactivity_reverify_months: u16 = "3" Months, "巡检指引〔2021〕161 号", "2022-03-01";
    /// 无交易: months after which service stops.
    inactivity_stop_months: u16 = "12" Months, "巡检指引〔2021〕161 号", "2022-03-01";
    /// 费用调整公示 before it takes effect.
    fee_notice_days: u16 = "30" Days, "支付条例实施细则第 62 条", "2024-07-09";
    /// 协议变更公告.
    agreement_notice_days: u16 = "30" Days, "非银行支付机构监督管理条例第 20 条", "2024-05-01";
    /// 洗钱风险管控异议 to be answered.
    aml_objection_reply_days: u16 = "15" Days, "反洗钱法第 39 条;尽调办法第 28 条", "2025-01-01";
    /// 投诉 to be answered.
    complaint_reply_days: u16 = "15" Days, "令〔2020〕5 号第 43 条", "2020-11-01";
    /// 复杂投诉 to be answered at the latest.
    complaint_extended_days: u16 = "60" Days, "令〔2020〕5 号第 43 条", "2020-11-01";
    /// 信息泄露 to be reported.
    breach_report_hours: u16 = "72" Hours, "令〔2020〕5 号第 34 条", "2020-11-01";
    /// 最高洗钱风险等级 to be reviewed again.
    highest_risk_review_months: u16 = "12" Months, "尽调办法(令〔2025〕11 号)第 25 条", "2026-01-01";
    /// 固定场所商户 to be inspected on site again.
    site_inspection_months: u16 = "12" Months, "收单风险管理通知(85 号文)", "2019-06-01";
    /// 借记卡发卡行服务费.
    issuer_debit_rate: Rate = "0.0035" Rate, "发改价格〔2016〕557 号", "2016-09-06";
    /// 借记卡发卡行服务费单笔封顶.
    issuer_debit_cap: Money = "1300" Fen, "发改价格〔2016〕557 号", "2016-09-06";
    /// 贷记卡发卡行服务费, without a cap.
    issuer_credit_rate: Rate = "0.0045" Rate, "发改价格〔2016〕557 号", "2016-09-06";
    /// 网络服务费, the acquirer's half.
    network_acquirer_rate: Rate = "0.000325" Rate, "发改价格〔2016〕557 号", "2016-09-06";
    /// 网络服务费单笔封顶, the acquirer's half.
    network_acquirer_cap: Money = "325" Fen, "发改价格〔2016〕557 号", "2016-09-06";
    /// 身份证件到期提醒.
    id_reminder_days: u16 = "90" Days, "自定", "2020-01-01";
    /// 执照到期提醒.
    licence_reminder_days: u16 = "30" Days, "自定", "2020-01-01";
    /// 核实预约: how far ahead a visit may be booked.
    visit_booking_days: u16 = "30" Days, "自定", "2020-01-01";
}

fn in_force<T: PolicyNumber>(
    entries: &[PolicyEntry],
    on: Date,
    key: &'static str,
    unit: Unit,
) -> Result<T, PolicyError> {
    let rows = || entries.iter().filter(|entry| entry.key == key && entry.effective_on <= on);
    let row = rows().max_by_key(|entry| entry.effective_on).ok_or(PolicyError::Missing { key })?;
    if rows().filter(|entry| entry.effective_on == row.effective_on).count() > 1 {
        return Err(PolicyError::Ambiguous { key });
    }
    let number = if row.unit == unit { T::read(&row.value) } else { None };
    number.ok_or_else(|| PolicyError::Malformed { key, value: row.value.clone(), unit })
}

#[cfg(test)]
pub(crate) fn in_force_today() -> Policy {
    Policy::from_entries(&Policy::seed(), parse_date("2026-11-22").unwrap()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    #[test]
    fn the_seed_makes_a_policy_and_names_its_sources() {
        let policy = in_force_today();
        assert_eq!(policy.record_retention_years, 10);
        assert_eq!(policy.micro_monthly_limit, Money::from_fen(1_000_000));
        assert_eq!(policy.network_acquirer_rate.to_string(), "0.000325");
        assert_eq!(Policy::seed().len(), 30);
        assert!(Policy::seed().iter().all(|entry| !entry.source.is_empty()));
    }

    #[test]
    fn a_new_row_counts_from_its_day() {
        let mut entries = Policy::seed();
        let row = |value: &str, from| PolicyEntry {
            key: "blacklist_exit_days".into(),
            value: value.into(),
            unit: Unit::Days,
            source: "新规".into(),
            effective_on: day(from),
        };
        entries.push(row("7", "2027-01-01"));
        let on = |entries: &[PolicyEntry], date| {
            Policy::from_entries(entries, day(date)).map(|p| p.blacklist_exit_days)
        };
        assert_eq!(on(&entries, "2026-12-31"), Ok(10));
        assert_eq!(on(&entries, "2027-01-01"), Ok(7));
        entries.push(row("8", "2027-01-01"));
        assert_eq!(on(&entries, "2027-01-01"), Err(PolicyError::Ambiguous { key: "blacklist_exit_days" }));
    }

    #[test]
    fn a_missing_or_wrong_row_is_an_error() {
        let mut entries = Policy::seed();
        assert!(matches!(
            Policy::from_entries(&entries, day("2015-01-01")),
            Err(PolicyError::Missing { key: "adult_age_years" })
        ));
        for (value, unit) in [("-1", Unit::Years), ("10", Unit::Days), ("ten", Unit::Years)] {
            entries[1].value = value.into();
            entries[1].unit = unit;
            let wrong = Policy::from_entries(&entries, day("2026-11-22")).unwrap_err();
            assert!(matches!(wrong, PolicyError::Malformed { key: "record_retention_years", .. }), "{wrong}");
        }
    }
}
