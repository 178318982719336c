//! Any bytes as a stream of frames: what is taken out goes back in, and every step moves on.
//!
//! The first byte of the input is the link: bit 7 for no addresses, the rest for the header's
//! length.

use crate::Reached;
use starpay_iso8583::frame::Addressing;
use starpay_iso8583::{Link, Next};

const FRAME_MAX: u16 = 4096;

/// The property.
pub fn holds(input: &[u8]) -> Reached {
    let Some((choice, mut rest)) = input.split_first() else { return Reached::Refused };
    let addressing = if choice & 0x80 == 0 { Addressing::Tpdu } else { Addressing::None };
    let Ok(link) = Link::new(addressing, choice & 0x7F, FRAME_MAX) else { return Reached::Refused };
    let mut reached = Reached::Refused;
    while let Ok(Next::Frame { frame, used }) = link.next(rest) {
        reached = Reached::Inside;
        let mut again = Vec::new();
        link.write(frame.envelope(), &mut again, |out| {
            out.extend_from_slice(frame.message());
            Ok(())
        })
        .expect("a frame that was read can be written");
        let (taken, left) = rest.split_at(used);
        assert_eq!(again, taken);
        assert_eq!(link.whole(taken).expect("it stands alone too").message(), frame.message());
        assert!(used > 2 && used <= 2 + usize::from(FRAME_MAX) && !frame.message().is_empty());
        rest = left;
    }
    reached
}
