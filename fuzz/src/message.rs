//! Any bytes as a message of either dialect: no panic; what is read is built again byte for byte
//! and says nothing private.

use crate::Reached;
use starpay_iso8583::unionpay::{
    AccountBalance, BatchEnd, BatchRecords, CaKeyList, ChipRecord, DetailTags, EntryMode, Field60, Field61,
    Field63, Identified, Institutions, Parameters, ResponseCode, SecurityControl, SettlementTotals,
    SignInKeys,
};
use starpay_iso8583::{Dialect, ISO_1987_ASCII, Message, OwnedMessage, Route, UNIONPAY_POS};

/// Tracks 2 and 3.
const TRACKS: [u8; 2] = [35, 36];

/// The property.
pub fn holds(input: &[u8]) -> Reached {
    match (holds_in(&UNIONPAY_POS, input), holds_in(&ISO_1987_ASCII, input)) {
        (Reached::Refused, Reached::Refused) => Reached::Refused,
        (Reached::Inside, _) | (_, Reached::Inside) => Reached::Inside,
    }
}

fn holds_in(dialect: &'static Dialect, input: &[u8]) -> Reached {
    let route = Route::read(dialect, input).map(|route| route.mti);
    let Ok(message) = Message::read(dialect, input) else { return Reached::Refused };
    assert_eq!(route, Ok(message.mti()));
    let mut again = Vec::new();
    message.reencode(&mut again).expect("a message that was read can be built");
    assert!(again.eq_ignore_ascii_case(input));
    let owned = OwnedMessage::read(dialect, input).expect("read once, read again");
    let page = message.describe();
    assert_eq!(owned.message().describe(), page);
    for number in TRACKS {
        let Some(track) = message.field(number).filter(|track| track.len() > 12) else { continue };
        let tells = page.fields.iter().filter(|line| line.shown.contains(&*track.expose()));
        for line in tells {
            // An open field may hold the same digits by itself; a track never shows its own.
            let own = message.field(line.number).is_some_and(|own| own.expose().contains(&*track.expose()));
            assert!(own && !TRACKS.contains(&line.number), "field {} tells field {number}", line.number);
        }
    }
    if let Some((covered, code)) = message.authenticated() {
        assert_eq!([covered, code.expose_wire()].concat(), input);
    }
    parts(&message);
    Reached::Inside
}

/// What a field means is asked of anything, whatever the message says it is: it may be refused,
/// and that is all.
fn parts(message: &Message<'_>) {
    let _ = (message.dump(), Identified::read(message), Institutions::read(message));
    let _ = (EntryMode::read(message), SecurityControl::read(message), AccountBalance::read(message));
    let _ = (Field60::read(message), Field61::read(message), Field63::read(message));
    let _ = (SettlementTotals::read(message), SignInKeys::read(message), ChipRecord::read(message));
    let _ = BatchEnd::read(message);
    let _ = message.field(39).map(|code| ResponseCode::parse(&code.expose()));
    let most = message.expose_bytes().len();
    assert!(DetailTags::read(message).count() <= most);
    assert!(BatchRecords::read(message).ok().flatten().map_or(0, Iterator::count) <= most);
    assert!(CaKeyList::read(message).ok().flatten().map_or(0, Iterator::count) <= most);
    let parameters = Parameters::read(message).ok().flatten().and_then(|parameters| parameters.found);
    assert!(parameters.map_or(0, Iterator::count) <= most);
}
