//! Whatever the bytes are: no panic, and what is read can be built again.

use super::vectors::{bytes, cases};
use proptest::prelude::*;
use starpay_iso8583::unionpay::{
    AccountBalance, BatchEnd, BatchRecords, CaKeyList, ChipRecord, DetailTags, EntryMode, Field60, Field61,
    Field63, Identified, Institutions, Parameters, SecurityControl, SettlementTotals, SignInKeys,
};
use starpay_iso8583::{
    Description, Dialect, ISO_1987_ASCII, Link, Message, Next, OwnedMessage, Route, UNIONPAY_POS, tlv,
};

/// Asks a message everything there is to ask.
fn ask(dialect: &'static Dialect, input: &[u8]) {
    let route = Route::read(dialect, input);
    let part = Description::of_part(dialect, input);
    let Ok(message) = Message::read(dialect, input) else { return };
    assert_eq!(route.map(|route| route.mti), Ok(message.mti()));
    let mut again = Vec::new();
    message.reencode(&mut again).unwrap();
    // Hexadecimal letters may have come in lower case.
    assert!(again.eq_ignore_ascii_case(input));
    let _ = (message.describe().to_string(), message.dump(), message.authenticated().is_some());
    let _ = (Identified::read(&message), EntryMode::read(&message), Institutions::read(&message));
    let _ = (SettlementTotals::read(&message), SecurityControl::read(&message), Field60::read(&message));
    let _ = (Field61::read(&message), Field63::read(&message), SignInKeys::read(&message));
    let _ = (ChipRecord::read(&message), AccountBalance::read(&message).is_ok());
    let _ = CaKeyList::read(&message).ok().flatten().map(Iterator::count);
    let _ = BatchRecords::read(&message).ok().flatten().map(Iterator::count);
    let _ = (DetailTags::read(&message).count(), BatchEnd::read(&message));
    let parameters = Parameters::read(&message).ok().flatten().and_then(|parameters| parameters.found);
    let _ = parameters.map(Iterator::count);
    assert_eq!(part, Some(message.describe()));
    let owned = OwnedMessage::read(dialect, input).unwrap();
    assert_eq!(owned.message().describe(), message.describe());
}

/// A message of the vectors with some bytes changed: gets further than noise does.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let frames: Vec<Vec<u8>> = cases().iter().map(|case| bytes(case["hex"].as_str().unwrap())).collect();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (prop::sample::select(frames), changes).prop_map(|(mut frame, changes)| {
        for (at, byte) in changes {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        frame
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn noise_is_read_or_refused(input in prop::collection::vec(any::<u8>(), 0..600)) {
        ask(&UNIONPAY_POS, &input);
        ask(&ISO_1987_ASCII, &input);
        let elements = tlv::read(&input, tlv::Limits { bytes: 600, ..tlv::Limits::FIELD_55 }).unwrap();
        // One error ends it, so there are no more steps than bytes.
        prop_assert!(elements.count() <= input.len() + 1);
        prop_assert!(DetailTags::inside(&input).count() <= input.len() + 1);
    }

    #[test]
    fn a_damaged_message_is_read_or_refused(frame in damaged()) {
        if let Ok(Next::Frame { frame, .. }) = Link::UNIONPAY_POS.next(&frame) {
            ask(&UNIONPAY_POS, frame.message());
        }
        ask(&UNIONPAY_POS, frame.get(13..).unwrap_or_default());
    }
}
