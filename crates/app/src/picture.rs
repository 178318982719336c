//! Uploaded pictures: what they are, whether they can be used, and what must not be kept of them.
//!
//! Rules (`domain.md` §2.3): JPEG, PNG or WebP by *content*, at most 10 MB, at least 800
//! pixels on each side; metadata is removed (a photo's EXIF block names place and device).
//! A picture is decoded under hard limits before it is believed: a small file that unfolds into
//! gigabytes is refused by its header. A PDF is refused: it has no pixels to measure, it can hold
//! scripts and the history of its making, and every paper asked for can be photographed.

use crate::error::{Error, ErrorKind};
use image::{ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// Largest upload.
pub const UPLOAD_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Smallest side of a picture.
pub(crate) const SIDE_PIXELS_MIN: u32 = 800;
/// Largest side of a picture.
pub(crate) const SIDE_PIXELS_MAX: u32 = 12_000;
/// Most pixels of a picture.
pub(crate) const PIXELS_MAX: u64 = 50_000_000;
/// Most memory a decoder may take.
const DECODE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A picture that can be used.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    /// By content, not by name.
    pub(crate) media_type: &'static str,
    /// Pixels.
    pub(crate) width: u32,
    /// Pixels.
    pub(crate) height: u32,
    /// The bytes without metadata.
    pub(crate) bytes: Vec<u8>,
}

crate::redacted_debug!(Picture { media_type, width, height } hides { bytes });

/// Checks an upload and strips its metadata. Costs a full decode: never call it on a writer.
///
/// # Errors
/// `file_empty`, `too_large`, `unsupported_media`, `image_too_large`, `image_too_small`,
/// `image_unreadable`.
pub(crate) fn examine(bytes: &[u8]) -> Result<Picture, Error> {
    if bytes.len() > UPLOAD_BYTES_MAX {
        return Err(Error::new(ErrorKind::TooLarge, "too_large").about("body"));
    }
    if bytes.is_empty() {
        return Err(Error::invalid("file_empty", "body"));
    }
    let (format, media_type) = match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => (ImageFormat::Jpeg, "image/jpeg"),
        Ok(ImageFormat::Png) => (ImageFormat::Png, "image/png"),
        Ok(ImageFormat::WebP) => (ImageFormat::WebP, "image/webp"),
        Ok(_) | Err(_) => {
            return Err(Error::new(ErrorKind::Unsupported, "unsupported_media").about("body"));
        }
    };
    let (width, height) = ImageReader::with_format(Cursor::new(bytes), format)
        .into_dimensions()
        .map_err(|_| Error::invalid("image_unreadable", "body"))?;
    if width > SIDE_PIXELS_MAX
        || height > SIDE_PIXELS_MAX
        || u64::from(width) * u64::from(height) > PIXELS_MAX
    {
        return Err(Error::new(ErrorKind::TooLarge, "image_too_large").about("body"));
    }
    if width < SIDE_PIXELS_MIN || height < SIDE_PIXELS_MIN {
        return Err(Error::invalid("image_too_small", "body"));
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_PIXELS_MAX);
    limits.max_image_height = Some(SIDE_PIXELS_MAX);
    limits.max_alloc = Some(DECODE_BYTES_MAX);
    reader.limits(limits);
    reader.decode().map_err(|_| Error::invalid("image_unreadable", "body"))?;
    let stripped = match format {
        ImageFormat::Jpeg => strip_jpeg(bytes),
        ImageFormat::Png => strip_png(bytes),
        _ => strip_webp(bytes),
    };
    let bytes = stripped.ok_or_else(|| Error::invalid("image_unreadable", "body"))?;
    Ok(Picture { media_type, width, height, bytes })
}

/// `None` for a picture that was cut off: decoders fill in what is missing, and half a licence
/// would pass for a whole one.
///
/// Leaves out APP1..APP15 and comments: EXIF, XMP, IPTC, thumbnails; and whatever stands behind the
/// end of the picture, where cameras put second pictures with an EXIF block of their own. APP0
/// (density) and APP14 (colour transform, needed to show the picture right) stay.
fn strip_jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = bytes.get(..2)?.to_vec();
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        if *bytes.get(at)? != 0xff {
            return None;
        }
        if marker == 0xff {
            at += 1;
            continue;
        }
        if marker == 0xd9 {
            break;
        }
        let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
        let mut end = at + 2 + length;
        if marker == 0xda {
            end = end_of_scan(bytes, end);
        }
        let segment = bytes.get(at..end)?;
        let metadata = matches!(marker, 0xe1..=0xed | 0xef | 0xfe);
        if !metadata {
            out.extend_from_slice(segment);
        }
        at = end;
    }
    out.extend_from_slice(&[0xff, 0xd9]);
    Some(out)
}

/// Where a scan's entropy-coded bytes end: at the next marker that is neither a stuffed zero nor a
/// restart.
fn end_of_scan(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    loop {
        match bytes.get(at..) {
            Some([0xff, 0x00 | 0xd0..=0xd7, ..]) => at += 2,
            Some([0xff, _, ..]) => return at,
            Some([_, ..]) => at += 1,
            Some([]) | None => return at,
        }
    }
}

/// Keeps the chunks that draw the picture and drops texts, times and EXIF.
fn strip_png(bytes: &[u8]) -> Option<Vec<u8>> {
    const DRAWS: [&[u8; 4]; 10] =
        [b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"iCCP"];
    let mut out = bytes.get(..8)?.to_vec();
    let mut at = 8;
    while at < bytes.len() {
        let length = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
        let end = at.checked_add(12)?.checked_add(usize::try_from(length).ok()?)?;
        let chunk = bytes.get(at..end)?;
        let kind = chunk.get(4..8)?;
        if DRAWS.iter().any(|name| name.as_slice() == kind) {
            out.extend_from_slice(chunk);
        }
        at = end;
        if kind == b"IEND" {
            return Some(out);
        }
    }
    None
}

/// Keeps the chunks of a WebP that draw the picture (no EXIF, no XMP, nothing unknown, nothing
/// behind its end) and mends its header. `None` when it was cut off.
fn strip_webp(bytes: &[u8]) -> Option<Vec<u8>> {
    const DRAWS: [&[u8; 4]; 7] = [b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"];
    let declared = usize::try_from(u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?)).ok()?;
    let bytes = bytes.get(..declared.checked_add(8)?)?;
    let mut body = b"WEBP".to_vec();
    let mut at = 12;
    while at + 8 <= bytes.len() {
        let kind = bytes.get(at..at + 4)?;
        let length = usize::try_from(u32::from_le_bytes(bytes.get(at + 4..at + 8)?.try_into().ok()?)).ok()?;
        let whole = at.checked_add(8)?.checked_add(length)?;
        if whole > bytes.len() {
            return None;
        }
        let end = (whole + length % 2).min(bytes.len());
        let mut chunk = bytes.get(at..end)?.to_vec();
        if kind == b"VP8X" {
            // Clear the flags that announce EXIF (bit 3) and XMP (bit 2).
            *chunk.get_mut(8)? &= !0x0c;
        }
        if DRAWS.iter().any(|name| name.as_slice() == kind) {
            body.extend_from_slice(&chunk);
        }
        at = end;
    }
    let mut out = b"RIFF".to_vec();
    out.extend_from_slice(&u32::try_from(body.len()).ok()?.to_le_bytes());
    out.extend_from_slice(&body);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, RgbImage};

    fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(RgbImage::new(width, height)).write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    #[test]
    fn good_pictures_pass_and_still_decode_after_stripping() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let picture = examine(&encoded(900, 820, format)).unwrap();
            assert_eq!((picture.width, picture.height), (900, 820));
            assert!(image::load_from_memory(&picture.bytes).is_ok(), "{format:?}");
        }
    }

    #[test]
    fn exif_does_not_survive() {
        let plain = encoded(800, 800, ImageFormat::Jpeg);
        let mut tagged = plain[..2].to_vec();
        let exif = b"Exif\0\0GPS 22.543096,114.057865";
        tagged.extend_from_slice(&[0xff, 0xe1]);
        tagged.extend_from_slice(&u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
        tagged.extend_from_slice(exif);
        tagged.extend_from_slice(&plain[2..]);
        let picture = examine(&tagged).unwrap();
        assert_eq!(picture.bytes, plain);
    }

    #[test]
    fn nothing_survives_behind_the_end_of_a_picture() {
        const TRAILER: &[u8] = b"\xff\xd8\xff\xe1Exif GPS 22.543096,114.057865<script>";
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let plain = encoded(800, 800, format);
            let picture = examine(&[&plain, TRAILER].concat()).unwrap();
            assert_eq!(picture.bytes, plain, "{format:?}");
        }
        let mut unknown = encoded(800, 800, ImageFormat::WebP);
        let plain = unknown.clone();
        unknown.extend_from_slice(b"junk\x04\0\0\0text");
        let size = u32::try_from(unknown.len() - 8).unwrap();
        unknown[4..8].copy_from_slice(&size.to_le_bytes());
        assert_eq!(examine(&unknown).unwrap().bytes, plain);
    }

    #[test]
    fn a_picture_that_was_cut_off_is_refused() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let plain = encoded(800, 800, format);
            for left in [3, plain.len() / 2, plain.len() - 2, plain.len() - 1] {
                let code = examine(&plain[..left]).unwrap_err().code;
                assert!(
                    ["image_unreadable", "unsupported_media"].contains(&code),
                    "{format:?} {left}: {code}"
                );
            }
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_reason() {
        let png = encoded(900, 900, ImageFormat::Png);
        let code = |bytes: &[u8]| examine(bytes).unwrap_err().code;
        assert_eq!(code(&png[..png.len() / 2]), "image_unreadable");
        assert_eq!(code(b""), "file_empty");
        assert_eq!(code(b"GIF89a......"), "unsupported_media");
        assert_eq!(code(b"hello"), "unsupported_media");
        assert_eq!(code(&encoded(640, 900, ImageFormat::Png)), "image_too_small");
        assert_eq!(code(&vec![0; UPLOAD_BYTES_MAX + 1]), "too_large");
        assert_eq!(code(b"%PDF-1.7\n%%EOF\n"), "unsupported_media");
    }

    #[test]
    fn a_picture_that_claims_to_be_huge_is_refused_by_its_header() {
        let mut bomb = encoded(900, 900, ImageFormat::Png);
        // IHDR width and height, then its CRC (not checked before the size is).
        bomb[16..20].copy_from_slice(&60_000u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&60_000u32.to_be_bytes());
        let crc = crc32(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(examine(&bomb).unwrap_err().code, "image_too_large");
    }

    fn crc32(bytes: &[u8]) -> u32 {
        let mut crc = u32::MAX;
        for byte in bytes {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            }
        }
        !crc
    }
}
