//! Field 48: settlement totals (结算总计) and records of the batch upload.

use super::parts::Digits;
use crate::describe::mask_pan;
use crate::error::{Error, Reason, Result};
use crate::field::FieldRef;
use crate::message::Message;
use std::fmt;

/// Digits of one group of totals: amounts 12, counts 3, twice, and the result.
const GROUP: usize = 31;

/// Whether terminal and host agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SettlementResult {
    /// 0, in requests: not compared yet.
    Request,
    /// 1: balanced.
    Balanced,
    /// 2: not balanced, the terminal uploads its records.
    NotBalanced,
    /// 3: error.
    Error,
}

impl SettlementResult {
    const ALL: [Self; 4] = [Self::Request, Self::Balanced, Self::NotBalanced, Self::Error];

    /// Its digit.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Request => 0,
            Self::Balanced => 1,
            Self::NotBalanced => 2,
            Self::Error => 3,
        }
    }

    /// Its Chinese name.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Request => "请求",
            Self::Balanced => "对账平",
            Self::NotBalanced => "对账不平",
            Self::Error => "出错",
        }
    }
}

/// Totals of one group of cards. Amounts in fen.
///
/// Debit is sale, completion and offline sale; credit is void, completion void and refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Totals {
    /// Sum of debits, in fen: up to twelve digits.
    pub debit_fen: u64,
    /// Number of debits: up to 999.
    pub debit_count: u16,
    /// Sum of credits, in fen: up to twelve digits.
    pub credit_fen: u64,
    /// Number of credits: up to 999.
    pub credit_count: u16,
    /// Whether they agree with the host's.
    pub result: SettlementResult,
}

impl Totals {
    fn read(field: &FieldRef<'_>, from: usize) -> Result<Self> {
        let at = |offset: usize| from.saturating_add(offset);
        let count = |offset: usize| {
            u16::try_from(field.number_in(at(offset), 3)?)
                .map_err(|_| field.refuse(at(offset), Reason::Value))
        };
        let result = SettlementResult::ALL
            .into_iter()
            .find(|result| field.digit(at(30)) == Some(result.code()))
            .ok_or_else(|| field.refuse(at(30), Reason::Value))?;
        Ok(Self {
            debit_fen: field.number_in(at(0), 12)?,
            debit_count: count(12)?,
            credit_fen: field.number_in(at(15), 12)?,
            credit_count: count(27)?,
            result,
        })
    }

    fn write(&self, out: &mut String) -> Result<()> {
        let amount = |fen| Digits::<12>::from_number(fen);
        let count = |count: u16| Digits::<3>::from_number(u64::from(count));
        let refuse = Error::in_field(48, "additional data", out.len(), Reason::Value);
        let parts = (
            amount(self.debit_fen),
            count(self.debit_count),
            amount(self.credit_fen),
            count(self.credit_count),
        );
        let (Some(debit), Some(debits), Some(credit), Some(credits)) = parts else { return Err(refuse) };
        out.push_str(debit.as_str());
        out.push_str(debits.as_str());
        out.push_str(credit.as_str());
        out.push_str(credits.as_str());
        out.push(char::from(b'0' | self.result.code()));
        Ok(())
    }
}

/// Field 48 of a settlement (0500 and 0510).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SettlementTotals {
    /// Cards of China.
    pub domestic: Totals,
    /// Foreign cards; one application sends the domestic group only.
    pub foreign: Option<Totals>,
}

impl SettlementTotals {
    /// Reads field 48 of a settlement; `None` when it is not there.
    ///
    /// # Errors
    /// When it has neither 62 nor 31 digits, or a result that is not defined.
    pub fn read(message: &Message<'_>) -> Result<Option<Self>> {
        let Some(field) = message.field(48) else { return Ok(None) };
        let has_foreign = match field.len() {
            GROUP => false,
            62 => true,
            given if given < 62 => return Err(field.refuse(0, Reason::TooShort { least: 62, given })),
            given => return Err(field.refuse(0, Reason::TooLong { most: 62, given })),
        };
        let domestic = Totals::read(&field, 0)?;
        let foreign = if has_foreign { Some(Totals::read(&field, GROUP)?) } else { None };
        Ok(Some(Self { domestic, foreign }))
    }

    /// The digits of the field.
    ///
    /// # Errors
    /// [`Reason::Value`] when an amount or count has more digits than its place: settle earlier.
    pub fn text(&self) -> Result<String> {
        let mut out = String::new();
        self.domestic.write(&mut out)?;
        if let Some(foreign) = &self.foreign {
            foreign.write(&mut out)?;
        }
        Ok(out)
    }
}

/// A card number in twenty digits, zeros before it. `Debug` and `Display` show six and four digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BatchPan(Digits<20>);

impl BatchPan {
    /// From a card number of up to nineteen digits.
    #[must_use]
    pub fn parse(pan: &str) -> Option<Self> {
        let is_pan = !pan.is_empty() && pan.len() <= 19;
        is_pan.then(|| Digits::parse(&format!("{pan:0>20}"))).flatten().map(Self)
    }

    /// The card number in the clear, without the zeros.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_str().trim_start_matches('0')
    }
}

impl fmt::Display for BatchPan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask_pan(self.expose()))
    }
}

impl fmt::Debug for BatchPan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A stripe record of the batch upload.
///
/// The layout comes from one source; the official text was not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchRecord {
    /// Card group.
    pub card_group: Digits<2>,
    /// The transaction's trace number.
    pub trace: Digits<6>,
    /// The card number.
    pub pan: BatchPan,
    /// Its amount, in fen.
    pub amount_fen: Digits<12>,
}

/// Digits of one record.
const RECORD: usize = 40;

/// Records of field 48 in a batch upload of stripe transactions: a count of two digits, then 40
/// digits each.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "they hold card numbers")]
pub struct BatchRecords<'a> {
    field: FieldRef<'a>,
    at: usize,
    left: usize,
}

impl<'a> BatchRecords<'a> {
    /// Reads field 48 of a batch upload; `None` when it is not there.
    ///
    /// # Errors
    /// When the count and the length do not belong together.
    pub fn read(message: &Message<'a>) -> Result<Option<Self>> {
        let Some(field) = message.field(48) else { return Ok(None) };
        let count = field.number_in(0, 2)?;
        let left = usize::try_from(count).map_err(|_| field.refuse(0, Reason::Value))?;
        let needed = left.saturating_mul(RECORD).saturating_add(2);
        if field.len() < needed {
            return Err(field.refuse(0, Reason::TooShort { least: needed, given: field.len() }));
        }
        if field.len() > needed {
            return Err(field.refuse(needed, Reason::TooLong { most: needed, given: field.len() }));
        }
        Ok(Some(Self { field, at: 2, left }))
    }

    /// The digits of field 48 for these records: at most eight fit.
    ///
    /// # Errors
    /// [`Reason::TooLong`] for more.
    pub fn text(records: &[BatchRecord]) -> Result<String> {
        if records.len() > 8 {
            let reason = Reason::TooLong { most: 8, given: records.len() };
            return Err(Error::in_field(48, "additional data", 0, reason));
        }
        let mut out = format!("{:02}", records.len());
        for record in records {
            for part in [
                record.card_group.as_str(),
                record.trace.as_str(),
                record.pan.0.as_str(),
                record.amount_fen.as_str(),
            ] {
                out.push_str(part);
            }
        }
        Ok(out)
    }
}

impl Iterator for BatchRecords<'_> {
    type Item = Result<BatchRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let from = self.at;
        self.at = from.saturating_add(RECORD);
        let read = || {
            Ok(BatchRecord {
                card_group: Digits::at(&self.field, from)?,
                trace: Digits::at(&self.field, from.saturating_add(2))?,
                pan: BatchPan(Digits::at(&self.field, from.saturating_add(8))?),
                amount_fen: Digits::at(&self.field, from.saturating_add(28))?,
            })
        };
        Some(read())
    }
}

/// Field 48 of the end of a batch upload: how many records were sent. From memory, no source read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BatchEnd {
    /// Number of records: up to 9,999.
    pub records: u16,
}

impl BatchEnd {
    /// Reads field 48 of the end of a batch upload; `None` when it is not there.
    ///
    /// # Errors
    /// When it has not four digits.
    pub fn read(message: &Message<'_>) -> Result<Option<Self>> {
        let Some(field) = message.field(48) else { return Ok(None) };
        if field.len() > 4 {
            return Err(field.refuse(4, Reason::TooLong { most: 4, given: field.len() }));
        }
        let records = u16::try_from(field.number_in(0, 4)?).map_err(|_| field.refuse(0, Reason::Value))?;
        Ok(Some(Self { records }))
    }

    /// The four digits; `None` above 9,999.
    #[must_use]
    pub fn digits(self) -> Option<Digits<4>> {
        Digits::from_number(u64::from(self.records))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Mti, UNIONPAY_POS, Value};

    fn with_48(text: &str) -> Vec<u8> {
        let mut draft = Draft::new(&UNIONPAY_POS, Mti::literal(0x0510));
        draft.set(48, Value::Digits(text)).unwrap();
        draft.to_bytes().unwrap()
    }

    #[test]
    fn totals_come_back_and_what_has_no_place_is_refused() {
        let domestic = Totals {
            debit_fen: 999_999_999_999,
            debit_count: 999,
            credit_fen: 1,
            credit_count: 2,
            result: SettlementResult::NotBalanced,
        };
        for foreign in [None, Some(Totals { result: SettlementResult::Error, ..domestic })] {
            let totals = SettlementTotals { domestic, foreign };
            let bytes = with_48(&totals.text().unwrap());
            let read = SettlementTotals::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap());
            assert_eq!(read, Ok(Some(totals)));
        }
        let above = Totals { debit_count: 1000, ..domestic };
        assert!(SettlementTotals { domestic: above, foreign: None }.text().is_err());
        let above = Totals { credit_fen: 1_000_000_000_000, ..domestic };
        assert!(SettlementTotals { domestic: above, foreign: None }.text().is_err());
        for (text, position) in [("0".repeat(30), 12), (format!("{}4", "0".repeat(30)), 27)] {
            let bytes = with_48(&text);
            let refused = SettlementTotals::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap());
            assert_eq!(refused.unwrap_err().position(), position);
        }
    }

    #[test]
    fn batch_records_come_back_and_a_wrong_count_is_refused() {
        let record = BatchRecord {
            card_group: Digits::parse("00").unwrap(),
            trace: Digits::parse("000003").unwrap(),
            pan: BatchPan::parse("6225880123456784").unwrap(),
            amount_fen: Digits::parse("000000010000").unwrap(),
        };
        let text = BatchRecords::text(&[record; 8]).unwrap();
        let bytes = with_48(&text);
        let message = Message::read(&UNIONPAY_POS, &bytes).unwrap();
        let read: Vec<_> = BatchRecords::read(&message).unwrap().unwrap().map(Result::unwrap).collect();
        assert_eq!(read, [record; 8]);
        assert_eq!(
            (read[0].pan.expose(), read[0].pan.to_string()),
            ("6225880123456784", "622588******6784".into())
        );
        assert!(!format!("{read:?}").contains("880123"));
        assert_eq!(
            [BatchPan::parse(""), BatchPan::parse("62258x"), BatchPan::parse(&"6".repeat(20))],
            [None; 3]
        );
        assert!(BatchRecords::text(&[record; 9]).is_err());
        for text in ["0200", "00000"] {
            let bytes = with_48(text);
            assert!(BatchRecords::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap()).is_err());
        }
    }

    #[test]
    fn the_end_of_a_batch_says_how_many_records_went() {
        for (records, text) in [(0, "0000"), (7, "0007"), (9_999, "9999")] {
            assert_eq!(BatchEnd { records }.digits().unwrap().as_str(), text);
            let bytes = with_48(text);
            let read = BatchEnd::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap());
            assert_eq!(read, Ok(Some(BatchEnd { records })));
        }
        assert_eq!(BatchEnd { records: 10_000 }.digits(), None);
        for wrong in ["000", "00001"] {
            let bytes = with_48(wrong);
            assert!(BatchEnd::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap()).is_err());
        }
    }
}
