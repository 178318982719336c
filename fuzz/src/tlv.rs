//! Any bytes as BER-TLV: no panic, no more steps than bytes, each element within its parent; what
//! is written comes back.

use crate::Reached;
use starpay_iso8583::tlv::{DEPTH_MAX, Limits, read, write};

/// The property.
pub fn holds(input: &[u8]) -> Reached {
    let limits = Limits { bytes: 4096, elements: 4096, depth: DEPTH_MAX };
    let Ok(elements) = read(input, limits) else { return Reached::Refused };
    let mut reached = Reached::Refused;
    let mut steps = 0;
    for element in elements {
        steps += 1;
        assert!(steps <= input.len() + 1);
        let Ok(element) = element else { continue };
        reached = Reached::Inside;
        assert!(element.depth <= DEPTH_MAX);
        let mut again = Vec::new();
        write(element.tag, element.value, &mut again).expect("an element that was read can be written");
        let first = read(&again, limits).expect("within limits").next();
        let first = first.expect("there is one").expect("it can be read");
        assert_eq!((first.tag, first.value), (element.tag, element.value));
    }
    reached
}
