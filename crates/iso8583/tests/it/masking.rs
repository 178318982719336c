//! No printer shows a card number, a track, a PIN block, chip data or keys.

use super::vectors::{bytes, cases, frame};
use starpay_iso8583::{
    Draft, ISO_1987_ASCII, Link, Message, Mti, OwnedMessage, UNIONPAY_POS, Value, Writer, mask_pan,
};

/// Everything that can be printed of a message.
fn printed(message: &Message<'_>) -> String {
    let fields: Vec<String> = message.fields().map(|field| format!("{field:?}")).collect();
    let owned: OwnedMessage = message.to_owned_message();
    format!("{}\n{}\n{message:?}\n{owned:?}\n{fields:?}", message.describe(), message.dump())
}

/// The printed text without blanks and line numbers, so that nothing hides behind a line break.
fn squeezed(message: &Message<'_>) -> String {
    let dump: String = message.dump().lines().flat_map(|line| line[4..].chars()).collect();
    (printed(message) + &dump).replace([' ', '\n'], "").to_uppercase()
}

#[test]
fn nothing_private_of_any_vector_is_printed() {
    let mut seen = 0;
    for case in cases() {
        let wire = bytes(case["hex"].as_str().unwrap());
        let message =
            Message::read(&UNIONPAY_POS, Link::UNIONPAY_POS.whole(&wire).unwrap().message()).unwrap();
        let shown = squeezed(&message);
        for number in [2, 35, 48, 52, 55, 59, 62] {
            let Some(field) = message.field(number) else { continue };
            let secret = field.expose();
            // The query's position and an empty PIN block are in many a message.
            if ["313030", "0000000000000000"].contains(&&*secret) {
                continue;
            }
            assert!(!shown.contains(&secret.to_uppercase()), "{} field {number}", case["id"]);
            seen += 1;
        }
        for secret in
            ["6225880123456784", "62220212345678", "F2A02122A13BC11F", "336BBD65EA481327", "FEDCBA98"]
        {
            assert!(!shown.contains(secret), "{} shows {secret}", case["id"]);
        }
        let frame = format!("{:?}", Link::UNIONPAY_POS.whole(&wire).unwrap());
        assert!(frame.len() < 100, "{frame}");
    }
    assert_eq!(seen, 39);
}

#[test]
fn a_card_number_shows_six_and_four() {
    let wire = frame("sale-req-ic");
    let message = Message::read(&UNIONPAY_POS, Link::UNIONPAY_POS.whole(&wire).unwrap().message()).unwrap();
    let shown = printed(&message);
    assert!(shown.contains("622588******6784"), "{shown}");
    assert!(squeezed(&message).contains("16622588******678400"), "{shown}");
    assert!(shown.contains("**** (34)") && shown.contains("金额"), "{shown}");
    assert_eq!(mask_pan("622588012345678"), "622588*****5678");
    assert_eq!(mask_pan("622588012345"), "************");
}

#[test]
fn odd_and_short_card_numbers_are_masked_in_the_dump_too() {
    for (pan, shown) in [("6225880123456784019", "62 25 88 ** ** ** ** 40 19"), ("62258", "** ** *0")] {
        let mut draft = Draft::new(&UNIONPAY_POS, Mti::literal(0x0200));
        draft.set(2, Value::Digits(pan)).unwrap();
        let bytes = draft.to_bytes().unwrap();
        let dump = Message::read(&UNIONPAY_POS, &bytes).unwrap().dump();
        let flat: String = dump.lines().map(|line| line[6..].to_owned() + " ").collect();
        let masked = flat.trim_end().strip_prefix("02 00 40 00 00 00 00 00 00 00 ").unwrap()[3..].to_owned();
        if pan.len() == 19 {
            assert_eq!(masked, "62 25 88 ** ** ** ** *4 01 90", "{shown}");
        } else {
            assert_eq!(masked, shown);
        }
    }
    let mut draft = Draft::new(&ISO_1987_ASCII, Mti::literal(0x0200));
    draft.set(2, Value::Digits("6225880123456784")).unwrap();
    draft.set(52, Value::Bytes(&[0xAB; 8])).unwrap();
    let bytes = draft.to_bytes().unwrap();
    let shown = squeezed(&Message::read(&ISO_1987_ASCII, &bytes).unwrap());
    // 0 in ASCII is 30: the six hidden digits are ** twice.
    assert!(shown.contains("363232353838************36373834"), "{shown}");
    assert!(!shown.contains("ABAB") && !shown.contains("4142"));
}

#[test]
fn a_message_half_written_shows_how_long_it_is_and_no_more() {
    let mut buffer = Vec::new();
    let mut writer = Writer::start(&UNIONPAY_POS, Mti::literal(0x0200), &mut buffer);
    writer.set(2, Value::Digits("6225880123456784")).unwrap();
    assert_eq!(format!("{writer:?}"), "Writer { bytes: 19, last_field: 2, .. }");
}

#[test]
fn control_characters_are_not_printed() {
    let mut draft =
        Draft::new(&UNIONPAY_POS, Mti::literal(0x0210)).limits(starpay_iso8583::Limits::Tolerated);
    draft.set(63, Value::Bytes(b"CUP\x1B[31mred\r\n")).unwrap();
    let bytes = draft.to_bytes().unwrap();
    let shown = Message::read(&UNIONPAY_POS, &bytes).unwrap().describe();
    for field in &shown.fields {
        assert!(!field.shown.contains(char::is_control));
        assert!(field.details.iter().all(|detail| !detail.shown.contains(char::is_control)));
    }
}
