//! Sealing what is too long to hold in memory: documents and backup archives.

use std::io::{self, Read, Write};

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::random::{self, Random};
use crate::seal::{DataKey, KeyId, STREAM_VERSION};

/// Clear bytes in one chunk of a stream.
pub const CHUNK_BYTES: usize = 64 * 1024;
const SALT_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
const HEAD_BYTES: usize = 1 + 16 + SALT_BYTES;

/// Why a stream did not seal or open.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// Reading or writing failed.
    #[error("the stream could not be read or written")]
    Io(#[from] io::Error),
    /// The head is missing or of another layout.
    #[error("this is not a sealed stream")]
    Malformed,
    /// Another key or context, or bytes changed, moved, repeated, added or cut off.
    #[error("the sealed stream does not open: other key, other context, changed or cut off")]
    Refused,
    /// More than 2³² chunks (256 TiB).
    #[error("the stream is too long to be sealed")]
    TooLong,
}

/// Is this chunk the last one? Part of its nonce, which is what shows a truncation.
#[derive(Clone, Copy)]
enum Place {
    Inner,
    Last,
}

/// The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): every chunk's nonce
/// carries its number and whether it is the last, under a key made for this stream alone.
struct Chunks {
    cipher: Aes256Gcm,
    aad: Vec<u8>,
    next: Option<u32>,
}

impl Chunks {
    fn new(key: &DataKey, head: &[u8; HEAD_BYTES], context: &[u8]) -> Self {
        let aad = [head.as_slice(), context].concat();
        let mut stream_key = Zeroizing::new([0_u8; 32]);
        let (_, salt) = head.split_at(HEAD_BYTES - SALT_BYTES);
        #[expect(clippy::expect_used, reason = "32 bytes are within HKDF-SHA256's 8160")]
        Hkdf::<Sha256>::new(Some(salt), key.expose())
            .expand(b"starpay stream v1", stream_key.as_mut())
            .expect("32 bytes are within HKDF-SHA256's 8160");
        Self { cipher: Aes256Gcm::new((&*stream_key).into()), aad, next: Some(0) }
    }

    fn nonce(&mut self, place: Place) -> Result<[u8; 12], StreamError> {
        let number = self.next.ok_or(StreamError::TooLong)?;
        self.next = number.checked_add(1);
        let [a, b, c, d] = number.to_be_bytes();
        let last = match place {
            Place::Inner => 0,
            Place::Last => 1,
        };
        Ok([0, 0, 0, 0, 0, 0, 0, a, b, c, d, last])
    }

    fn seal(&mut self, plain: &[u8], place: Place) -> Result<Vec<u8>, StreamError> {
        let nonce = self.nonce(place)?;
        self.cipher
            .encrypt(&nonce.into(), Payload { msg: plain, aad: &self.aad })
            .map_err(|_| StreamError::TooLong)
    }

    fn open(&mut self, sealed: &[u8], place: Place) -> Result<Zeroizing<Vec<u8>>, StreamError> {
        let nonce = self.nonce(place)?;
        self.cipher
            .decrypt(&nonce.into(), Payload { msg: sealed, aad: &self.aad })
            .map(Zeroizing::new)
            .map_err(|_| StreamError::Refused)
    }
}

/// Seals everything a reader gives, in chunks of [`CHUNK_BYTES`]; answers the clear length.
///
/// The stream's own key is HKDF-SHA256 (RFC 5869) of the data key and a random salt; head and
/// context are bound to every chunk.
///
/// # Errors
/// [`StreamError::Io`] when reading or writing fails, [`StreamError::TooLong`] beyond 256 TiB.
pub fn seal_stream(
    key: &DataKey,
    key_id: KeyId,
    context: &[u8],
    reader: &mut dyn Read,
    writer: &mut dyn Write,
    random: &dyn Random,
) -> Result<u64, StreamError> {
    let salt: [u8; SALT_BYTES] = random::array(random);
    let mut head = [0_u8; HEAD_BYTES];
    for (to, from) in head.iter_mut().zip([STREAM_VERSION].iter().chain(&key_id).chain(&salt)) {
        *to = *from;
    }
    writer.write_all(&head)?;
    let mut chunks = Chunks::new(key, &head, context);
    let mut clear = 0_u64;
    each_chunk(reader, CHUNK_BYTES, |chunk, place| {
        clear += chunk.len() as u64;
        writer.write_all(&chunks.seal(chunk, place)?)?;
        Ok(())
    })?;
    Ok(clear)
}

/// Opens what [`seal_stream`] made; answers the clear length in bytes.
///
/// Each chunk is written once it is verified, but only `Ok` says that the end was reached: on
/// an error the caller must throw away what was written.
///
/// # Errors
/// [`StreamError::Malformed`] when the head is none, [`StreamError::Refused`] when a chunk does not open
/// or the end is missing, [`StreamError::Io`] when reading or writing fails.
pub fn open_stream(
    key: &DataKey,
    context: &[u8],
    reader: &mut dyn Read,
    writer: &mut dyn Write,
) -> Result<u64, StreamError> {
    let mut head = [0_u8; HEAD_BYTES];
    if read_up_to(reader, &mut head)? != HEAD_BYTES || head.first() != Some(&STREAM_VERSION) {
        return Err(StreamError::Malformed);
    }
    let mut chunks = Chunks::new(key, &head, context);
    let mut clear = 0_u64;
    each_chunk(reader, CHUNK_BYTES + TAG_BYTES, |chunk, place| {
        let plain = chunks.open(chunk, place)?;
        clear += plain.len() as u64;
        writer.write_all(&plain)?;
        Ok(())
    })?;
    Ok(clear)
}

/// Cuts what a reader gives into pieces of `size`, one ahead so that the last is known as such.
/// An empty input is one empty last piece.
fn each_chunk(
    reader: &mut dyn Read,
    size: usize,
    mut take: impl FnMut(&[u8], Place) -> Result<(), StreamError>,
) -> Result<(), StreamError> {
    let mut present = Zeroizing::new(vec![0_u8; size]);
    let mut following = Zeroizing::new(vec![0_u8; size]);
    let mut filled = read_up_to(reader, &mut present)?;
    loop {
        let next = if filled == size { read_up_to(reader, &mut following)? } else { 0 };
        let place = if next == 0 { Place::Last } else { Place::Inner };
        take(present.get(..filled).unwrap_or_default(), place)?;
        if next == 0 {
            return Ok(());
        }
        std::mem::swap(&mut present, &mut following);
        filled = next;
    }
}

/// Reads until the buffer is full or the input ends.
fn read_up_to(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seal;
    use crate::testing::Sequence;

    fn key() -> DataKey {
        DataKey::from_bytes([9; 32])
    }

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let length =
            seal_stream(&key(), [5; 16], b"doc 1", &mut &*plain, &mut out, &Sequence::new(3)).unwrap();
        assert_eq!(length, plain.len() as u64);
        out
    }

    fn opened(sealed: &[u8]) -> Result<Vec<u8>, StreamError> {
        let mut out = Vec::new();
        open_stream(&key(), b"doc 1", &mut &*sealed, &mut out).map(|_| out)
    }

    #[test]
    fn lengths_around_the_chunk_border_round_trip() {
        for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES] {
            let plain: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let bytes = sealed(&plain);
            assert_eq!(seal::key_id(&bytes), Some([5; 16]));
            assert_eq!(opened(&bytes).unwrap(), plain, "{length}");
        }
    }

    #[test]
    fn cutting_adding_moving_or_repeating_chunks_is_refused() {
        let bytes = sealed(&vec![1; 3 * CHUNK_BYTES + 10]);
        let chunk = CHUNK_BYTES + TAG_BYTES;
        let piece = |number: usize| &bytes[HEAD_BYTES + number * chunk..HEAD_BYTES + (number + 1) * chunk];
        for cut in [HEAD_BYTES, HEAD_BYTES + chunk, HEAD_BYTES + 2 * chunk, bytes.len() - 1] {
            assert!(matches!(opened(&bytes[..cut]), Err(StreamError::Refused)), "cut at {cut}");
        }
        let head = &bytes[..HEAD_BYTES];
        let tail = &bytes[HEAD_BYTES + 3 * chunk..];
        for order in [[1, 0, 2].as_slice(), &[0, 0, 2], &[0, 2], &[0, 1, 2, 2], &[0, 1, 1]] {
            let mut changed = head.to_vec();
            order.iter().for_each(|number| changed.extend_from_slice(piece(*number)));
            changed.extend_from_slice(tail);
            assert!(matches!(opened(&changed), Err(StreamError::Refused)), "{order:?}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(matches!(opened(&longer), Err(StreamError::Refused)));
    }

    #[test]
    fn every_flipped_byte_is_refused() {
        let bytes = sealed(b"a short document");
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x40;
            assert!(opened(&changed).is_err(), "byte {at}");
        }
    }

    #[test]
    fn another_context_does_not_open() {
        let bytes = sealed(b"x");
        let answer = open_stream(&key(), b"doc 2", &mut bytes.as_slice(), &mut Vec::new());
        assert!(matches!(answer, Err(StreamError::Refused)));
    }

    proptest! {
        #[test]
        fn opens_what_it_sealed(plain: Vec<u8>) {
            prop_assert_eq!(opened(&sealed(&plain)).unwrap(), plain);
        }
    }
}
