//! The kinds of work that are measured, each one message's worth.

use crate::Failure;
use serde::Serialize;
use starpay_iso8583::unionpay::{Identified, Role, Transaction};
use starpay_iso8583::{
    Frame, Link, Message, OwnedMessage, Result as Codec, Route, UNIONPAY_POS, Value, Writer,
};
use starpay_keys::mac::{FIELD_64_BYTES, MacRule, Mak, unionpay_ecb_sm4, unionpay_ecb_tdes, verify_field_64};
use starpay_keys::working_key::{Sm4Mak, TdesMak};
use std::hint::black_box;

const VECTORS: &str = include_str!("../../../../../testdata/vectors.json");
const SALE: &str = "sale-req-ic";

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Work {
    /// MTI, terminal, merchant, trace number
    Route,
    /// Every field in place
    Borrow,
    /// Every field, kept
    Own,
    /// The answer alone, from values
    Build,
    /// Frame to frame: read everything, answer
    Answer,
    /// The request's MAC under a single-length key: DES
    MacDes,
    /// The request's MAC under a double-length key: TDES
    MacTdes,
    /// The request's MAC under an SM4 key
    MacSm4,
}

impl Work {
    pub(super) const ALL: [Self; 8] = [
        Self::Route,
        Self::Borrow,
        Self::Own,
        Self::Build,
        Self::Answer,
        Self::MacDes,
        Self::MacTdes,
        Self::MacSm4,
    ];

    /// As the command line spells it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Borrow => "borrow",
            Self::Own => "own",
            Self::Build => "build",
            Self::Answer => "answer",
            Self::MacDes => "mac-des",
            Self::MacTdes => "mac-tdes",
            Self::MacSm4 => "mac-sm4",
        }
    }

    /// Does it once. A MAC is verified of a message already read: what it costs on top of reading.
    #[inline]
    pub(super) fn run(self, sale: &Sale, out: &mut Vec<u8>) -> Result<(), Failure> {
        let frame = &sale.frame;
        let done = match self {
            Self::Route => read(frame, |message| Route::read(&UNIONPAY_POS, message)),
            Self::Borrow => read(frame, |message| Message::read(&UNIONPAY_POS, message)),
            Self::Own => read(frame, |message| OwnedMessage::read(&UNIONPAY_POS, message)),
            Self::Build => received(frame).and_then(|received| build(&received, out)),
            Self::Answer => received(frame).and_then(|received| answer(&received, out)),
            Self::MacDes => return sale.des.verify(&sale.covered),
            Self::MacTdes => return sale.tdes.verify(&sale.covered),
            Self::MacSm4 => return sale.sm4.verify(&sale.covered),
        };
        done.map_err(refused)
    }
}

#[inline]
fn received(frame: &[u8]) -> Codec<Frame<'_>> {
    Link::UNIONPAY_POS.whole(black_box(frame))
}

#[inline]
fn read<'a, T>(frame: &'a [u8], how: impl FnOnce(&'a [u8]) -> Codec<T>) -> Codec<()> {
    black_box(how(received(frame)?.message())?);
    Ok(())
}

/// What the work is done on: the chip sale, and its MAC under three keys.
pub(super) struct Sale {
    pub(super) frame: Vec<u8>,
    /// What the MAC covers: from the message type to the byte before field 64.
    covered: Vec<u8>,
    des: Signed,
    tdes: Signed,
    sm4: Signed,
}

impl Sale {
    /// Takes message and keys from the built-in vectors. The MAC under the single-length key is
    /// the vector's own; the other two are made here.
    pub(super) fn from_vectors() -> Result<Self, Failure> {
        let broken = || Failure::failed(format!("the built-in vectors have no message {SALE} with its keys"));
        let file: serde_json::Value = serde_json::from_str(VECTORS).map_err(|_| broken())?;
        let bytes = |text: &serde_json::Value| text.as_str().and_then(|text| hex::decode(text).ok());
        let case = file["messages"].as_array().and_then(|cases| cases.iter().find(|case| case["id"] == SALE));
        let frame = case.and_then(|case| bytes(&case["hex"])).ok_or_else(broken)?;
        let key = |name: &str| bytes(&file["test_keys"][name]).ok_or_else(broken);
        let tdes = |name: &str| TdesMak::from_bytes(&key(name)?).map_err(|_| broken());

        let received = Link::UNIONPAY_POS.whole(&frame).map_err(refused)?;
        let message = Message::read(&UNIONPAY_POS, received.message()).map_err(refused)?;
        let (covered, code) = message.authenticated().ok_or_else(broken)?;
        let code = code.expose_wire().try_into().map_err(|_| broken())?;
        let (double, sm4) =
            (tdes("mak_double")?, Sm4Mak::from_bytes(&key("sm4_mak")?).map_err(|_| broken())?);
        let covered = covered.to_vec();
        Ok(Self {
            des: Signed { code, mak: Mak::Tdes(tdes("mak_single")?) },
            tdes: Signed { code: unionpay_ecb_tdes(&double, &covered).field_64(), mak: Mak::Tdes(double) },
            sm4: Signed { code: unionpay_ecb_sm4(&sm4, &covered).field_64(), mak: Mak::Sm4(sm4) },
            frame,
            covered,
        })
    }
}

/// A field 64 and the key it is to be verified with.
struct Signed {
    code: [u8; FIELD_64_BYTES],
    mak: Mak,
}

impl Signed {
    #[inline]
    fn verify(&self, covered: &[u8]) -> Result<(), Failure> {
        verify_field_64(MacRule::UnionPayEcb, &self.mak, black_box(covered), &self.code)
            .map_err(|error| Failure::failed(format!("the chip sale of the vectors: {error}")))
    }
}

fn refused(error: starpay_iso8583::Error) -> Failure {
    Failure::failed(format!("the chip sale of the vectors: {error}"))
}

/// What a host does with a sale but for its code: read all, look at the amount, answer in kind.
fn answer(received: &Frame<'_>, out: &mut Vec<u8>) -> Codec<()> {
    let sale = Message::read(&UNIONPAY_POS, received.message())?;
    let amount = sale.require(4)?.number_value()?;
    let code = if black_box(amount) == 0 { "13" } else { "00" };
    let mti = sale.mti().response().unwrap_or(sale.mti());
    out.clear();
    Link::UNIONPAY_POS.write(received.answer(), out, |out| {
        let mut writer = Writer::start(&UNIONPAY_POS, mti, out);
        for number in [2, 3, 4, 11] {
            writer.copy(&sale, number)?;
        }
        writer.set(12, Value::Number(101_530))?.set(13, Value::Number(1122))?.copy(&sale, 14)?;
        writer.set(15, Value::Number(1123))?.copy(&sale, 25)?.set(32, Value::Digits("48021000"))?;
        writer.set(37, Value::Text("260000000003"))?.set(38, Value::Text("123456"))?;
        writer.set(39, Value::Text(code))?.copy(&sale, 41)?.copy(&sale, 42)?;
        writer.set(44, Value::Text("01030000   48021000   "))?;
        for number in [49, 53, 60] {
            writer.copy(&sale, number)?;
        }
        writer.set(63, Value::Text("CUP"))?;
        black_box(writer.authenticated(64)?);
        writer.set(64, Value::Bytes(&[0; 8]))?;
        writer.finish()
    })
}

/// The same answer with every field from a value.
fn build(received: &Frame<'_>, out: &mut Vec<u8>) -> Codec<()> {
    let mti = Identified { transaction: Transaction::Sale, role: Role::Response };
    let mti = mti.mti()?;
    out.clear();
    Link::UNIONPAY_POS.write(received.answer(), out, |out| {
        let mut writer = Writer::start(&UNIONPAY_POS, mti, out);
        writer.set(2, Value::Digits("6225880123456784"))?.set(3, Value::Number(0))?;
        writer.set(4, Value::Number(10_000))?.set(11, Value::Number(3))?.set(12, Value::Number(101_530))?;
        writer.set(13, Value::Number(1122))?.set(14, Value::Number(3012))?.set(15, Value::Number(1123))?;
        writer.set(25, Value::Number(0))?.set(32, Value::Digits("48021000"))?;
        writer.set(37, Value::Text("260000000003"))?.set(38, Value::Text("123456"))?;
        writer.set(39, Value::Text("00"))?.set(41, Value::Text("12345678"))?;
        writer.set(42, Value::Text("898310058120001"))?.set(44, Value::Text("01030000   48021000   "))?;
        writer.set(49, Value::Text("156"))?.set(53, Value::Digits("2600000000000000"))?;
        writer.set(60, Value::Digits("2200000100050"))?.set(63, Value::Text("CUP"))?;
        writer.set(64, Value::Bytes(&[0; 8]))?;
        writer.finish()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_work_does_the_vector() {
        let sale = Sale::from_vectors().unwrap();
        let mut out = Vec::new();
        for work in Work::ALL {
            work.run(&sale, &mut out).unwrap();
        }
        Work::Answer.run(&sale, &mut out).unwrap();
        let answered = out.clone();
        Work::Build.run(&sale, &mut out).unwrap();
        assert_eq!(answered, out, "built from values or copied, the answer is the same");
        let answer = Link::UNIONPAY_POS.whole(&out).unwrap();
        let read = Message::read(&UNIONPAY_POS, answer.message()).unwrap();
        assert_eq!(read.fields().count(), 21);
    }

    #[test]
    fn a_changed_message_or_another_key_is_not_verified() {
        let mut sale = Sale::from_vectors().unwrap();
        std::mem::swap(&mut sale.des.mak, &mut sale.tdes.mak);
        assert!(Work::MacDes.run(&sale, &mut Vec::new()).is_err());
        let mut sale = Sale::from_vectors().unwrap();
        sale.covered[30] ^= 1;
        for work in [Work::MacDes, Work::MacTdes, Work::MacSm4] {
            assert!(work.run(&sale, &mut Vec::new()).is_err(), "{}", work.name());
        }
    }

    #[test]
    fn the_command_line_and_the_table_spell_alike() {
        use clap::ValueEnum as _;
        for work in Work::ALL {
            assert_eq!(work.to_possible_value().unwrap().get_name(), work.name());
        }
    }
}
