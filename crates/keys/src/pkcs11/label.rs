//! The labels by which a token's keys are known to be ours.

use crate::hsm::{KeyDescription, KeyPurpose};
use crate::pkcs11::PURPOSES;
use crate::seal::KeyId;

const OWNER: &str = "starpay";

/// The label of a key: `starpay <purpose> v<version> <made at, Unix seconds>`.
pub(super) fn of(purpose: KeyPurpose, version: u32, created_at_s: i64) -> String {
    format!("{OWNER} {purpose} v{version} {created_at_s}")
}

/// What label and id say of a key; `None` when it is not one of ours.
pub(super) fn read(label: &[u8], id: &[u8]) -> Option<KeyDescription> {
    let id: KeyId = id.try_into().ok()?;
    let text = std::str::from_utf8(label).ok()?;
    let mut words = text.strip_prefix(OWNER)?.strip_prefix(' ')?.split(' ');
    let (purpose, version, created_at_s) = (words.next()?, words.next()?, words.next()?);
    let description = KeyDescription {
        id,
        purpose: PURPOSES.into_iter().find(|known| known.word() == purpose)?,
        version: version.strip_prefix('v')?.parse().ok().filter(|version| *version > 0)?,
        created_at_s: created_at_s.parse().ok()?,
    };
    // One spelling only: a label that says the same in other words is somebody else's.
    (of(description.purpose, description.version, description.created_at_s) == text).then_some(description)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_says_what_its_key_is() {
        for purpose in PURPOSES {
            let label = of(purpose, 7, 1_795_000_000);
            let read = read(label.as_bytes(), &[3; 16]).unwrap();
            assert_eq!(
                read,
                KeyDescription { id: [3; 16], purpose, version: 7, created_at_s: 1_795_000_000 }
            );
        }
        assert_eq!(of(KeyPurpose::KeyEncryption, 1, 5), "starpay key-encryption v1 5");
    }

    #[test]
    fn the_keys_of_others_are_left_alone() {
        let ours = "starpay key-encryption v1 5";
        assert!(read(ours.as_bytes(), &[3; 15]).is_none());
        assert!(read(&[0xFF, 0xFE], &[3; 16]).is_none());
        for label in [
            "",
            "starpay",
            "starpay ",
            "starpay pepper v1 5",
            "starpay key-encryption 1 5",
            "starpay key-encryption v0 5",
            "starpay key-encryption v01 5",
            "starpay key-encryption v1 5 ",
            "starpay key-encryption v1 5 x",
            "starpay  key-encryption v1 5",
            "Starpay key-encryption v1 5",
            "mystarpay key-encryption v1 5",
        ] {
            assert!(read(label.as_bytes(), &[3; 16]).is_none(), "{label:?}");
        }
    }
}
