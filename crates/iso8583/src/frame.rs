//! Frames: length, TPDU, header, message. No socket: bytes in, bytes out.
//!
//! Source: captured live messages and several public implementations agree; how certain the header's
//! parts are, says `docs/protocol/iso8583.md`.

use crate::digits;
use crate::error::{Error, Place, Reason, Result};
use std::fmt;

/// Bytes of the length in front of every frame: big-endian, counts what follows it.
pub const LENGTH_BYTES: usize = 2;
/// Bytes of a TPDU: an identifier, a destination, a source.
pub const TPDU_BYTES: usize = 5;
/// The longest header a link may have.
pub const HEADER_MAX: u8 = 64;

/// Whether frames carry transport addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// Five bytes of TPDU come first.
    Tpdu,
    /// The header comes first.
    None,
}

/// How one link frames its messages.
///
/// The header's length is a setting of the link: the six bytes of the standard are replaced by
/// other prefixes on some direct connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    addressing: Addressing,
    header_bytes: u8,
    frame_max: u16,
}

impl Link {
    /// UnionPay POS: TPDU, six bytes of header, frames of at most 4,096 bytes.
    pub const UNIONPAY_POS: Self = Self { addressing: Addressing::Tpdu, header_bytes: 6, frame_max: 4096 };

    /// A link with a header of `header_bytes` and frames of at most `frame_max` bytes after the
    /// length.
    ///
    /// # Errors
    /// When the header is longer than [`HEADER_MAX`], or a frame could hold no message.
    pub fn new(addressing: Addressing, header_bytes: u8, frame_max: u16) -> Result<Self> {
        if header_bytes > HEADER_MAX {
            let reason = Reason::TooLong { most: usize::from(HEADER_MAX), given: usize::from(header_bytes) };
            return Err(Error::new(Place::Header, 0, reason));
        }
        let link = Self { addressing, header_bytes, frame_max };
        if usize::from(frame_max) <= link.prefix() {
            let reason =
                Reason::TooShort { least: link.prefix().saturating_add(1), given: usize::from(frame_max) };
            return Err(Error::new(Place::Frame, 0, reason));
        }
        Ok(link)
    }

    /// Bytes between length and message.
    const fn prefix(self) -> usize {
        let tpdu = match self.addressing {
            Addressing::Tpdu => TPDU_BYTES,
            Addressing::None => 0,
        };
        // A cast-free u8 → usize: `usize::from` is not const.
        let [low] = self.header_bytes.to_le_bytes();
        tpdu.saturating_add(usize::from_le_bytes([low, 0, 0, 0, 0, 0, 0, 0]))
    }

    /// How many bytes the announced frame has. Ask before allocating anything for it.
    ///
    /// # Errors
    /// When it is longer than the link allows, or too short to hold a message.
    pub fn announced(&self, length: [u8; LENGTH_BYTES]) -> Result<usize> {
        let given = u16::from_be_bytes(length);
        if given > self.frame_max {
            let reason = Reason::TooLong { most: usize::from(self.frame_max), given: usize::from(given) };
            return Err(Error::new(Place::Frame, 0, reason));
        }
        let given = usize::from(given);
        if given <= self.prefix() {
            let reason = Reason::TooShort { least: self.prefix().saturating_add(1), given };
            return Err(Error::new(Place::Frame, 0, reason));
        }
        Ok(given)
    }

    /// Looks for a whole frame at the start of what was received.
    ///
    /// # Errors
    /// As [`announced`](Self::announced): the connection cannot be read any further then.
    pub fn next<'a>(&self, received: &'a [u8]) -> Result<Next<'a>> {
        let Some(length) = received.first_chunk::<LENGTH_BYTES>() else {
            return Ok(Next::Incomplete { missing: LENGTH_BYTES.saturating_sub(received.len()) });
        };
        let end = LENGTH_BYTES.saturating_add(self.announced(*length)?);
        match received.get(LENGTH_BYTES..end) {
            Some(content) => Ok(Next::Frame { frame: self.split(content)?, used: end }),
            None => Ok(Next::Incomplete { missing: end.saturating_sub(received.len()) }),
        }
    }

    /// A frame that stands alone, with its length and nothing behind it.
    ///
    /// # Errors
    /// As [`announced`](Self::announced), and when bytes are missing or left over.
    pub fn whole<'a>(&self, bytes: &'a [u8]) -> Result<Frame<'a>> {
        match self.next(bytes)? {
            Next::Frame { frame, used } if used == bytes.len() => Ok(frame),
            Next::Frame { used, .. } => {
                let more = bytes.len().saturating_sub(used);
                Err(Error::new(Place::Tail, used, Reason::LeftOver(more)))
            }
            Next::Incomplete { missing } => {
                let needed = bytes.len().saturating_add(missing);
                let reason = Reason::Truncated { needed, present: bytes.len() };
                Err(Error::new(Place::Frame, bytes.len(), reason))
            }
        }
    }

    /// Splits what follows the length.
    ///
    /// # Errors
    /// When it is too short to hold a message.
    pub fn split<'a>(&self, content: &'a [u8]) -> Result<Frame<'a>> {
        let (tpdu, rest) = match self.addressing {
            Addressing::Tpdu => match content.split_first_chunk::<TPDU_BYTES>() {
                Some((tpdu, rest)) => (Some(Tpdu(*tpdu)), rest),
                None => {
                    let reason = Reason::Truncated { needed: TPDU_BYTES, present: content.len() };
                    return Err(Error::new(Place::Tpdu, LENGTH_BYTES, reason));
                }
            },
            Addressing::None => (None, content),
        };
        let header = usize::from(self.header_bytes);
        match rest.split_at_checked(header) {
            Some((header, message)) => Ok(Frame { tpdu, header, message }),
            None => {
                let position = LENGTH_BYTES.saturating_add(content.len().saturating_sub(rest.len()));
                let reason = Reason::Truncated { needed: header, present: rest.len() };
                Err(Error::new(Place::Header, position, reason))
            }
        }
    }

    /// The byte of a frame, counted from its length, at which the message begins.
    #[must_use]
    pub const fn message_position(&self) -> usize {
        LENGTH_BYTES.saturating_add(self.prefix())
    }

    /// Appends a frame whose message `write` puts behind the header. When that fails, or the frame
    /// gets too long, the buffer is as it was before.
    ///
    /// # Errors
    /// What `write` refuses; [`Reason::TooLong`] above the link's limit; [`Reason::Value`] when
    /// TPDU or header are not of this link.
    pub fn write(
        &self,
        envelope: Envelope<'_>,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let start = out.len();
        let outcome = self.append(envelope, start, out, write);
        if outcome.is_err() {
            out.truncate(start);
        }
        outcome
    }

    fn append(
        &self,
        envelope: Envelope<'_>,
        start: usize,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        out.extend_from_slice(&[0; LENGTH_BYTES]);
        match (self.addressing, envelope.tpdu) {
            (Addressing::Tpdu, Some(tpdu)) => out.extend_from_slice(&tpdu.0),
            (Addressing::None, None) => {}
            (Addressing::Tpdu, None) => return Err(Error::new(Place::Tpdu, 0, Reason::Missing)),
            (Addressing::None, Some(_)) => return Err(Error::new(Place::Tpdu, 0, Reason::Value)),
        }
        if envelope.header.len() != usize::from(self.header_bytes) {
            return Err(Error::new(Place::Header, 0, Reason::Value));
        }
        out.extend_from_slice(envelope.header);
        write(out)?;
        let length = out.len().saturating_sub(start).saturating_sub(LENGTH_BYTES);
        let too_long = Reason::TooLong { most: usize::from(self.frame_max), given: length };
        let announced = u16::try_from(length)
            .ok()
            .filter(|length| *length <= self.frame_max)
            .ok_or(Error::new(Place::Frame, 0, too_long))?;
        if let Some(place) = out.get_mut(start..start.saturating_add(LENGTH_BYTES)) {
            place.copy_from_slice(&announced.to_be_bytes());
        }
        Ok(())
    }
}

/// What stands at the start of what was received.
#[derive(Debug, Clone, Copy)]
pub enum Next<'a> {
    /// A whole frame.
    Frame {
        /// The frame.
        frame: Frame<'a>,
        /// How many bytes it took, its length included.
        used: usize,
    },
    /// Not all of a frame yet.
    Incomplete {
        /// At least this many bytes are still to come.
        missing: usize,
    },
}

/// A frame taken apart.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    tpdu: Option<Tpdu>,
    header: &'a [u8],
    message: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The transport addresses, on links that have them.
    #[must_use]
    pub const fn tpdu(&self) -> Option<Tpdu> {
        self.tpdu
    }

    /// The header as it came. Its digits may be hexadecimal, so it is opaque and echoed.
    #[must_use]
    pub const fn header(&self) -> &'a [u8] {
        self.header
    }

    /// The message: from the message type on.
    #[must_use]
    pub const fn message(&self) -> &'a [u8] {
        self.message
    }

    /// The envelope of the answer: addresses swapped, header echoed.
    #[must_use]
    pub fn answer(&self) -> Envelope<'a> {
        Envelope { tpdu: self.tpdu.map(Tpdu::swapped), header: self.header }
    }

    /// The envelope as it came.
    #[must_use]
    pub const fn envelope(&self) -> Envelope<'a> {
        Envelope { tpdu: self.tpdu, header: self.header }
    }
}

/// Masked: the message is shown by its length.
impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = digits::hex(self.header);
        write!(f, "Frame {{ tpdu: {:?}, header: {header}, {} bytes }}", self.tpdu, self.message.len())
    }
}

/// What stands between a frame's length and its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Transport addresses, on links that have them.
    pub tpdu: Option<Tpdu>,
    /// The header.
    pub header: &'a [u8],
}

/// Transport addresses (TPDU): `60`, destination, source.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tpdu([u8; TPDU_BYTES]);

impl Tpdu {
    /// From its five bytes.
    #[must_use]
    pub const fn new(bytes: [u8; TPDU_BYTES]) -> Self {
        Self(bytes)
    }

    /// Its five bytes.
    #[must_use]
    pub const fn bytes(self) -> [u8; TPDU_BYTES] {
        self.0
    }

    /// Destination and source exchanged, as an answer has them.
    #[must_use]
    pub const fn swapped(self) -> Self {
        let [identifier, d0, d1, s0, s1] = self.0;
        Self([identifier, s0, s1, d0, d1])
    }
}

impl fmt::Debug for Tpdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&digits::hex(&self.0))
    }
}

/// The header's six bytes as the UnionPay specification divides them, to be read by a person or
/// set by a host that uses them (报文头).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnionPayHeader {
    /// Application class: `60` card payment, `61` chip.
    pub class: u8,
    /// Overall software version: `31`, `32`.
    pub version: u8,
    /// Terminal state: 0 normal, anything else test. One source.
    pub terminal_state: u8,
    /// What the host asks the terminal to do next: 0 nothing, 3 sign in again. One source.
    pub processing_request: u8,
    /// Sub-version of the application; its digits may be hexadecimal.
    pub sub_version: [u8; 3],
}

impl UnionPayHeader {
    /// Takes a six-byte header apart; `None` for another length.
    #[must_use]
    pub fn read(header: &[u8]) -> Option<Self> {
        let [class, version, state, s0, s1, s2] = <[u8; 6]>::try_from(header).ok()?;
        let (terminal_state, processing_request) = (state >> 4, state & 0x0F);
        Some(Self { class, version, terminal_state, processing_request, sub_version: [s0, s1, s2] })
    }

    /// The six bytes.
    #[must_use]
    pub const fn bytes(&self) -> [u8; 6] {
        let [s0, s1, s2] = self.sub_version;
        let state = (self.terminal_state << 4) | (self.processing_request & 0x0F);
        [self.class, self.version, state, s0, s1, s2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Link = Link::UNIONPAY_POS;

    fn content(message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let header = [0x60, 0x31, 0x00, 0x31, 0x11, 0x0E];
        let tpdu = Some(Tpdu::new([0x60, 0x00, 0x03, 0x00, 0x07]));
        LINK.write(Envelope { tpdu, header: &header }, &mut out, |out| {
            out.extend_from_slice(message);
            Ok(())
        })
        .unwrap();
        out
    }

    #[test]
    fn a_frame_is_found_only_when_all_of_it_is_there() {
        let mut bytes = content(b"message");
        bytes.extend_from_slice(b"next");
        for end in 0..20 {
            let Next::Incomplete { missing } = LINK.next(&bytes[..end]).unwrap() else { panic!("{end}") };
            assert!(missing > 0 && end + missing <= 20);
        }
        let Next::Frame { frame, used } = LINK.next(&bytes).unwrap() else { panic!() };
        assert_eq!((frame.message(), used), (&b"message"[..], 20));
        assert_eq!(frame.header(), [0x60, 0x31, 0x00, 0x31, 0x11, 0x0E]);
        assert_eq!(frame.answer().tpdu.unwrap().bytes(), [0x60, 0x00, 0x07, 0x00, 0x03]);
        assert!(matches!(LINK.whole(&bytes).unwrap_err().reason(), Reason::LeftOver(4)));
        assert!(matches!(LINK.whole(&bytes[..9]).unwrap_err().reason(), Reason::Truncated { .. }));
        assert_eq!(LINK.message_position(), 13);
    }

    #[test]
    fn a_length_is_refused_before_anything_is_allocated_for_it() {
        assert_eq!(LINK.announced([0x10, 0x00]), Ok(4096));
        assert!(matches!(LINK.announced([0x10, 0x01]).unwrap_err().reason(), Reason::TooLong { .. }));
        assert!(matches!(LINK.announced([0xFF, 0xFF]).unwrap_err().reason(), Reason::TooLong { .. }));
        assert!(matches!(LINK.announced([0, 11]).unwrap_err().reason(), Reason::TooShort { .. }));
        assert_eq!(LINK.announced([0, 12]), Ok(12));
    }

    #[test]
    fn each_link_has_its_own_header() {
        assert!(Link::new(Addressing::Tpdu, HEADER_MAX + 1, 4096).is_err());
        assert!(Link::new(Addressing::Tpdu, 14, 19).is_err());
        let ani = Link::new(Addressing::Tpdu, 14, 2048).unwrap();
        assert_eq!(ani.split(&[7; 30]).unwrap().message().len(), 11);
        assert!(ani.split(&[7; 18]).is_err() && ani.split(&[7; 4]).is_err());
        let bare = Link::new(Addressing::None, 0, 2048).unwrap();
        assert_eq!(bare.split(b"0800").unwrap().message(), b"0800");
    }

    #[test]
    fn a_frame_that_gets_too_long_leaves_the_buffer_alone() {
        let link = Link::new(Addressing::None, 2, 10).unwrap();
        let envelope = Envelope { tpdu: None, header: b"hh" };
        let mut out = b"before".to_vec();
        let refused = link.write(envelope, &mut out, |out| {
            out.extend_from_slice(&[1; 9]);
            Ok(())
        });
        assert!(matches!(refused.unwrap_err().reason(), Reason::TooLong { most: 10, given: 11 }));
        assert_eq!(out, b"before");
        let wrong = Envelope { tpdu: None, header: b"h" };
        assert!(link.write(wrong, &mut out, |_| Ok(())).is_err());
        assert_eq!(out, b"before");
    }

    #[test]
    fn the_six_bytes_of_the_header_come_apart_and_together() {
        let header = [0x60, 0x31, 0x03, 0x31, 0x11, 0x0E];
        let parts = UnionPayHeader::read(&header).unwrap();
        assert_eq!((parts.class, parts.terminal_state, parts.processing_request), (0x60, 0, 3));
        assert_eq!(parts.bytes(), header);
        assert_eq!(UnionPayHeader::read(&header[1..]), None);
    }
}
