//! Every message and capture of the shared vectors, field by field and byte for byte.

use serde_json::{Map, Value as Json};
use starpay_iso8583::spec::{Encoding, Kind};
use starpay_iso8583::unionpay::{
    BatchRecords, DetailTags, EntryMode, Field60, Field61, Identified, Role, SecurityControl,
    SettlementResult, SettlementTotals, SignInKeys, Transaction,
};
use starpay_iso8583::{
    Draft, Limits, Link, Message, Mti, OwnedMessage, Reason, Route, UNIONPAY_POS, Value, tlv,
};

const VECTORS: &str = include_str!("../../../../testdata/vectors.json");

pub(crate) fn bytes(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

pub(crate) fn cases() -> Vec<Json> {
    let file: Json = serde_json::from_str(VECTORS).unwrap();
    ["messages", "captures"].iter().flat_map(|list| file[list].as_array().unwrap().clone()).collect()
}

pub(crate) fn frame(id: &str) -> Vec<u8> {
    let case = cases().into_iter().find(|case| case["id"] == id).unwrap();
    bytes(case["hex"].as_str().unwrap())
}

fn message(frame: &[u8]) -> Message<'_> {
    Message::read(&UNIONPAY_POS, Link::UNIONPAY_POS.whole(frame).unwrap().message()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[test]
fn every_message_decodes_to_its_fields() {
    let cases = cases();
    assert_eq!(cases.len(), 24);
    for case in &cases {
        let id = case["id"].as_str().unwrap();
        let wire = bytes(case["hex"].as_str().unwrap());
        let frame = Link::UNIONPAY_POS.whole(&wire).unwrap();
        let read = Message::read(&UNIONPAY_POS, frame.message()).unwrap();
        let fields: &Map<String, Json> = case["fields"].as_object().unwrap();
        let header = [&frame.tpdu().unwrap().bytes(), frame.header()].concat();
        assert_eq!(hex(&header), fields["h"], "{id}");
        assert_eq!(read.mti().to_string(), fields["t"], "{id}");
        assert_eq!(format!("{:016X}", read.bitmap().primary()), fields["p"], "{id}");
        assert_eq!(read.fields().count(), fields.len() - 3, "{id}");
        for field in read.fields() {
            let expected = fields[&field.number().to_string()].as_str().unwrap();
            let given = field.expose();
            let is_text = field.spec().kind() == Kind::Mixed && *expected != given;
            let given = if is_text { field.text().unwrap() } else { given };
            assert_eq!(given, expected, "{id} field {}", field.number());
        }
    }
}

#[test]
fn every_message_is_built_again_byte_for_byte() {
    for case in cases() {
        let id = case["id"].as_str().unwrap();
        let wire = bytes(case["hex"].as_str().unwrap());
        let frame = Link::UNIONPAY_POS.whole(&wire).unwrap();
        let read = Message::read(&UNIONPAY_POS, frame.message()).unwrap();
        let mut again = Vec::new();
        Link::UNIONPAY_POS.write(frame.envelope(), &mut again, |out| read.reencode(out)).unwrap();
        assert_eq!(hex(&again), hex(&wire), "{id}");
        let mut drafted = Draft::new(&UNIONPAY_POS, read.mti());
        // From what the vectors say, last field first: order must not matter.
        for (name, text) in case["fields"].as_object().unwrap().iter().rev() {
            let Ok(number) = name.parse::<u8>() else { continue };
            let text = text.as_str().unwrap();
            let spec = UNIONPAY_POS.field(number).unwrap();
            let decoded;
            let value = match spec.encoding() {
                Encoding::Bcd | Encoding::Nibble => Value::Digits(text),
                Encoding::Ascii | Encoding::Gbk => Value::Text(text),
                Encoding::Binary if number == 59 && text.starts_with("A3") => Value::Text(text),
                Encoding::Binary | Encoding::Hex => {
                    decoded = bytes(text);
                    Value::Bytes(&decoded)
                }
            };
            drafted.set(number, value).unwrap();
        }
        assert_eq!(hex(&drafted.to_bytes().unwrap()), hex(frame.message()), "{id}");
    }
}

#[test]
fn what_is_authenticated_is_what_the_vectors_say() {
    for case in cases() {
        let wire = bytes(case["hex"].as_str().unwrap());
        let read = message(&wire);
        match (case["mac"]["mab"].as_str(), read.authenticated()) {
            (Some(mab), Some((input, code))) => {
                assert_eq!(hex(input), mab, "{}", case["id"]);
                assert_eq!(code.ascii(), case["mac"]["mac_ascii"].as_str());
            }
            (None, None) => {}
            (expected, given) => panic!("{}: {expected:?}, {}", case["id"], given.is_some()),
        }
    }
}

#[test]
fn the_three_speeds_agree() {
    for case in cases() {
        let wire = bytes(case["hex"].as_str().unwrap());
        let body = Link::UNIONPAY_POS.whole(&wire).unwrap().message();
        let route = Route::read(&UNIONPAY_POS, body).unwrap();
        let owned = OwnedMessage::read(&UNIONPAY_POS, body).unwrap();
        let read = owned.message();
        assert_eq!(route.mti, read.mti());
        assert_eq!(route.terminal, read.field(41).and_then(|field| field.ascii()));
        assert_eq!(route.merchant, read.field(42).and_then(|field| field.ascii()));
        let stan = read.field(11).map(|field| field.number_value().unwrap());
        assert_eq!(route.stan.map(u64::from), stan);
    }
}

#[test]
fn every_message_is_recognised() {
    use Role::{Request, Response, Reversal};
    use Transaction as T;
    let expected = [
        ("signin-req-003", T::SignInDouble, Request),
        ("signin-resp-003", T::SignInDouble, Response),
        ("signin-resp-004", T::SignInTrack, Response),
        ("signin-resp-001", T::SignInSingle, Response),
        ("signout-req", T::SignOut, Request),
        ("echo-req", T::EchoTest, Request),
        ("sale-req-mag", T::Sale, Request),
        ("sale-req-ic", T::Sale, Request),
        ("sale-req-mag-enctrack", T::Sale, Request),
        ("sale-resp", T::Sale, Response),
        ("reversal-req", T::Sale, Reversal),
        ("void-req", T::SaleVoid, Request),
        ("refund-req", T::Refund, Request),
        ("preauth-req", T::PreAuthorization, Request),
        ("preauth-complete-req", T::Completion, Request),
        ("preauth-complete-adv", T::CompletionAdvice, Request),
        ("balance-req", T::BalanceInquiry, Request),
        ("qr-sale-req", T::Sale, Request),
        ("settle-req", T::Settlement, Request),
        ("settle-resp", T::Settlement, Response),
        ("batch-up-req", T::BatchStripe, Request),
        ("capk-query", T::CaKeyList, Request),
        ("sale-req-mag-sm4", T::Sale, Request),
        ("capture-signin-1", T::SignInDouble, Response),
    ];
    assert_eq!(expected.len(), cases().len());
    for (id, transaction, role) in expected {
        let wire = frame(id);
        assert_eq!(Identified::read(&message(&wire)), Some(Identified { transaction, role }), "{id}");
    }
}

#[test]
fn working_keys_come_apart_as_the_vectors_say() {
    let mut seen = 0;
    for case in cases() {
        let Some(parts) = case["field62_parts"].as_object() else { continue };
        let wire = bytes(case["hex"].as_str().unwrap());
        let keys = SignInKeys::read(&message(&wire)).unwrap().unwrap();
        for (name, expected) in parts {
            let given = match name.as_str() {
                "pik_cryptogram" => keys.pin.cryptogram(),
                "pik_kcv" => keys.pin.check_value(),
                "mak_slot" => keys.mac.slot(),
                "mak_cryptogram" => keys.mac.cryptogram(),
                "mak_kcv" => keys.mac.check_value(),
                "tdk_cryptogram" => keys.track.unwrap().cryptogram(),
                "tdk_kcv" => keys.track.unwrap().check_value(),
                other => panic!("{other}"),
            };
            assert_eq!(hex(given), *expected, "{} {name}", case["id"]);
            seen += 1;
        }
        if parts.contains_key("mak_slot") {
            assert_eq!(keys.mac.cryptogram().len(), 8, "single length in a place of sixteen");
        }
    }
    assert_eq!(seen, 4 * 4 + 2);
}

#[test]
fn typed_parts_of_the_vectors() {
    let chip = frame("sale-req-ic");
    let sale = message(&chip);
    assert_eq!(EntryMode::read(&sale).unwrap().unwrap().digits().unwrap().as_str(), "051");
    assert_eq!(SecurityControl::read(&sale).unwrap().unwrap().digits().as_str(), "2600000000000000");
    assert_eq!(Field60::read(&sale).unwrap().unwrap().text().unwrap(), "2200000100050");
    let data = sale.field(55).unwrap().expose_wire();
    let amount = tlv::find(data, tlv::Tag::new(0x9F02).unwrap(), tlv::Limits::FIELD_55).unwrap().unwrap();
    assert_eq!(hex(amount), "000000010000");
    let mut again = Vec::new();
    for element in tlv::read(data, tlv::Limits::FIELD_55).unwrap() {
        let element = element.unwrap();
        tlv::write(element.tag, element.value, &mut again).unwrap();
    }
    assert_eq!(again, data);

    let refund = frame("refund-req");
    let original = Field61::read(&message(&refund)).unwrap().unwrap();
    assert_eq!(original.text().unwrap(), "0000010000031122");

    let settled = frame("settle-resp");
    let totals = SettlementTotals::read(&message(&settled)).unwrap().unwrap();
    assert_eq!((totals.domestic.debit_fen, totals.domestic.debit_count), (10_000, 1));
    assert_eq!(totals.foreign.unwrap().result, SettlementResult::Balanced);

    let batch = frame("batch-up-req");
    let records: Vec<_> =
        BatchRecords::read(&message(&batch)).unwrap().unwrap().map(Result::unwrap).collect();
    assert_eq!((records.len(), records[0].pan.expose()), (1, "6225880123456784"));

    let code = frame("qr-sale-req");
    let read = message(&code);
    assert_eq!(DetailTags::read(&read).find(b"A3"), Ok(Some(&b"6222021234567890128"[..])));
    let sm4 = frame("sale-req-mag-sm4");
    assert_eq!(DetailTags::read(&message(&sm4)).find(b"A1").unwrap().unwrap().len(), 16);
}

#[test]
fn every_shortened_message_is_refused_with_a_place() {
    for case in cases() {
        let wire = bytes(case["hex"].as_str().unwrap());
        let body = Link::UNIONPAY_POS.whole(&wire).unwrap().message();
        for end in 0..body.len() {
            let refused = Message::read(&UNIONPAY_POS, &body[..end]).unwrap_err();
            assert!(matches!(refused.reason(), Reason::Truncated { .. }), "{refused}");
            assert!(refused.position() <= end, "{refused}");
        }
        let mut longer = body.to_vec();
        longer.push(0);
        assert_eq!(Message::read(&UNIONPAY_POS, &longer).unwrap_err().reason(), Reason::LeftOver(1));
    }
}

#[test]
fn what_the_dialect_does_not_know_is_refused_with_number_and_place() {
    // Field 5 is not part of UnionPay POS; bit 1 announces a second bitmap, which it never has.
    let unknown = b"\x02\x00\x08\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let refused = Message::read(&UNIONPAY_POS, unknown).unwrap_err();
    assert_eq!((refused.field(), refused.position(), refused.reason()), (Some(5), 10, Reason::Unknown));
    let second = b"\x02\x00\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    assert_eq!(Message::read(&UNIONPAY_POS, second).unwrap_err().reason(), Reason::Unknown);
    let mut draft = Draft::new(&UNIONPAY_POS, Mti::literal(0x0200)).limits(Limits::Tolerated);
    assert!(draft.set(5, Value::Number(1)).is_err());
}
