//! Any bytes as a message of either dialect: no panic; what is read is built again byte for byte
//! and says nothing private.
#![no_main]

use libfuzzer_sys::fuzz_target;
use starpay_iso8583::unionpay::{BatchRecords, CaKeyList, DetailTags, Field60, Field61, Identified, SettlementTotals};
use starpay_iso8583::{Dialect, ISO_1987_ASCII, Message, OwnedMessage, Route, UNIONPAY_POS};

fn ask(dialect: &'static Dialect, input: &[u8]) {
    let route = Route::read(dialect, input).map(|route| route.mti);
    let Ok(message) = Message::read(dialect, input) else { return };
    assert_eq!(route, Ok(message.mti()));
    let mut again = Vec::new();
    message.reencode(&mut again).expect("a message that was read can be built");
    assert!(again.eq_ignore_ascii_case(input));
    let owned = OwnedMessage::read(dialect, input).expect("read once, read again");
    let page = message.describe();
    assert_eq!(owned.message().describe(), page);
    for track in [35, 36] {
        if let Some(track) = message.field(track).filter(|track| track.len() > 12) {
            assert!(!page.fields.iter().any(|line| line.shown.contains(&*track.expose())));
        }
    }
    let _ = (message.dump(), Identified::read(&message), SettlementTotals::read(&message));
    let _ = (Field60::read(&message), Field61::read(&message), DetailTags::read(&message).count());
    let _ = BatchRecords::read(&message).ok().flatten().map(Iterator::count);
    let _ = CaKeyList::read(&message).ok().flatten().map(Iterator::count);
}

fuzz_target!(|input: &[u8]| {
    ask(&UNIONPAY_POS, input);
    ask(&ISO_1987_ASCII, input);
});
