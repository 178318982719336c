//! Tracks: from track to cryptogram, or from cryptogram to track, whichever is given.

use super::{
    Found, Input, Outcome, Readings, Stop, bytes, has, optional_bytes, optional_text, refused, text,
};
use serde_json::Value;
use starpay_keys::track::{TrackDigits, TrackError};
use starpay_keys::working_key::{Sm4Tdk, TdesTdk};

/// The track, however it is given. Given in both ways, it must be the same.
fn settled(
    track: Option<&str>,
    cipher: Option<&[u8]>,
    open: impl Fn(&[u8]) -> Result<TrackDigits, TrackError>,
    seal: impl Fn(&TrackDigits) -> Result<Vec<u8>, TrackError>,
) -> Result<(TrackDigits, Vec<u8>), String> {
    let track = match (track, cipher) {
        (Some(track), _) => TrackDigits::parse(track).map_err(refused)?,
        (None, Some(cipher)) => open(cipher).map_err(refused)?,
        (None, None) => return Err("no track".to_owned()),
    };
    let sealed = seal(&track).map_err(refused)?;
    if cipher.is_some_and(|cipher| cipher != sealed) || open(&sealed).map_err(refused)? != track {
        return Err("the cryptogram is of another track".to_owned());
    }
    Ok((track, sealed))
}

fn shown(track: &TrackDigits) -> Found {
    Found::Track(track.expose().to_string())
}

/// Track and cryptogram of a case, of which one must be there.
fn given<'a>(input: &'a Input, cipher: &str) -> Result<(Option<&'a str>, Option<Vec<u8>>), Stop> {
    let cipher = optional_bytes(input, cipher)?;
    if cipher.is_some() {
        return Ok((optional_text(input, "track2")?, cipher));
    }
    text(input, "track2").map(|track| (Some(track), None))
}

/// Classic track encryption: the eight bytes before the last one. The packed field does not say
/// whether its last nibble counts; where the case does not either, both readings are open.
pub(super) fn tail_tdes(input: &Input) -> Result<Readings, Stop> {
    let tdk = bytes(input, "tdk")?;
    let (track, field) = given(input, if has(input, "field35_data") { "field35_data" } else { "cipher" })?;
    let stated = match input.get("field35_len") {
        None | Some(Value::Null) => None,
        Some(count) => Some(
            super::count(count)
                .ok_or_else(|| Stop::NotRun("input field35_len is not a number".to_owned()))?,
        ),
    };
    let counts = match (track, stated, &field) {
        (Some(track), stated, _) => vec![stated.unwrap_or(track.len())],
        (None, Some(stated), _) => vec![stated],
        (None, None, field) => {
            let nibbles = field.as_ref().map_or(0, Vec::len).saturating_mul(2);
            vec![nibbles, nibbles.saturating_sub(1)]
        }
    };
    let read = |count: usize| -> Outcome {
        let tdk = TdesTdk::from_bytes(&tdk).map_err(refused)?;
        let open = |field: &[u8]| TrackDigits::open_tail_tdes(field, count, &tdk);
        let (track, field) = settled(track, field.as_deref(), open, |track| track.seal_tail_tdes(&tdk))?;
        Ok(vec![
            ("track2", shown(&track)),
            ("packed", Found::bytes(&*track.packed())),
            ("tdb", Found::bytes(*track.tail().map_err(refused)?)),
            ("field35_len", Found::Count(track.count())),
            ("field35_data", Found::bytes(&field)),
            ("cipher", Found::bytes(field)),
        ])
    };
    Ok(counts.into_iter().map(read).collect())
}

/// A whole track under TDES.
pub(super) fn whole_tdes(input: &Input) -> Result<Outcome, Stop> {
    let ((track, cipher), tdk) = (given(input, "cipher")?, bytes(input, "tdk")?);
    Ok((|| {
        let tdk = TdesTdk::from_bytes(&tdk).map_err(refused)?;
        let open = |cipher: &[u8]| TrackDigits::open_tdes(cipher, &tdk);
        let (track, cipher) = settled(track, cipher.as_deref(), open, |track| Ok(track.seal_tdes(&tdk)))?;
        let padded = Found::bytes(&*track.filled::<8>());
        Ok(vec![("track2", shown(&track)), ("padded", padded), ("cipher", Found::bytes(cipher))])
    })())
}

/// A whole track under SM4.
pub(super) fn whole_sm4(input: &Input) -> Result<Outcome, Stop> {
    let ((track, cipher), tdk) = (given(input, "cipher")?, bytes(input, "tdk")?);
    Ok((|| {
        let tdk = Sm4Tdk::from_bytes(&tdk).map_err(refused)?;
        let open = |cipher: &[u8]| TrackDigits::open_sm4(cipher, &tdk);
        let (track, cipher) = settled(track, cipher.as_deref(), open, |track| Ok(track.seal_sm4(&tdk)))?;
        let padded = Found::bytes(&*track.filled::<16>());
        Ok(vec![("track2", shown(&track)), ("padded", padded), ("cipher", Found::bytes(cipher))])
    })())
}
