//! Any bytes as a stream of frames: what is taken out goes back in, and every step moves on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use starpay_iso8583::frame::Addressing;
use starpay_iso8583::{Link, Next};

fuzz_target!(|input: &[u8]| {
    let Some((choice, mut rest)) = input.split_first() else { return };
    let addressing = if choice & 0x80 == 0 { Addressing::Tpdu } else { Addressing::None };
    let Ok(link) = Link::new(addressing, choice & 0x7F, 4096) else { return };
    while let Ok(Next::Frame { frame, used }) = link.next(rest) {
        let mut again = Vec::new();
        link.write(frame.envelope(), &mut again, |out| {
            out.extend_from_slice(frame.message());
            Ok(())
        })
        .expect("a frame that was read can be written");
        let (taken, left) = rest.split_at(used);
        assert_eq!(again, taken);
        assert!(used > 2 && !frame.message().is_empty());
        rest = left;
    }
});
