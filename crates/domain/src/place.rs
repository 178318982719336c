//! Places on the earth, and how far apart they are, in whole numbers.

/// A place: degrees × 10⁶ (WGS 84).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    latitude_e6: i64,
    longitude_e6: i64,
}

impl Place {
    /// A place; `None` outside ±90° and ±180°.
    #[must_use]
    pub fn new(latitude_e6: i64, longitude_e6: i64) -> Option<Self> {
        let there = (-90_000_000..=90_000_000).contains(&latitude_e6)
            && (-180_000_000..=180_000_000).contains(&longitude_e6);
        there.then_some(Self { latitude_e6, longitude_e6 })
    }

    /// Degrees × 10⁶.
    #[must_use]
    pub const fn latitude_e6(self) -> i64 {
        self.latitude_e6
    }

    /// Degrees × 10⁶.
    #[must_use]
    pub const fn longitude_e6(self) -> i64 {
        self.longitude_e6
    }
}

/// Millimetres of one millionth of a degree of latitude (40 007 863 m around the poles).
const MM_PER_MICRODEGREE: i128 = 111;

/// Metres between two places, rounded down, on a sphere flattened around their mean latitude.
/// Good to one part in a hundred below a hundred kilometres, which is what the rules need
/// (300 m for a photo, 500 m for a moved terminal); it only grows with real distance.
#[must_use]
pub fn distance_m(one: Place, other: Place) -> u32 {
    let north = i128::from(one.latitude_e6 - other.latitude_e6) * MM_PER_MICRODEGREE;
    let mut turn = (one.longitude_e6 - other.longitude_e6).abs();
    if turn > 180_000_000 {
        turn = 360_000_000 - turn;
    }
    let mean = (one.latitude_e6 + other.latitude_e6) / 2;
    let east = i128::from(turn) * MM_PER_MICRODEGREE * i128::from(cosine_e6(mean)) / 1_000_000;
    let square = (north * north + east * east).unsigned_abs();
    u32::try_from(square.isqrt() / 1000).unwrap_or(u32::MAX)
}

/// The cosine of an angle within ±90°, times 10⁶, by Bhaskara's formula (error below 0.0017).
fn cosine_e6(angle_e6: i64) -> i64 {
    let square = i128::from(angle_e6) * i128::from(angle_e6);
    let half_turn = 180_000_000_i128 * 180_000_000;
    let cosine = (half_turn - 4 * square) * 1_000_000 / (half_turn + square);
    i64::try_from(cosine.max(0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_known_from_maps() {
        let at = |latitude, longitude| Place::new(latitude, longitude).unwrap();
        assert_eq!(distance_m(at(22_543_096, 114_057_865), at(22_543_096, 114_057_865)), 0);
        // One minute of latitude is a nautical mile.
        let mile = distance_m(at(0, 0), at(16_667, 0));
        assert!((1840..=1860).contains(&mile), "{mile}");
        // Shenzhen city hall to Hong Kong Central: about 30 km.
        let hop = distance_m(at(22_543_096, 114_057_865), at(22_281_900, 114_158_000));
        assert!((30_000..=31_500).contains(&hop), "{hop}");
        // Across the date line the short way round.
        assert!(distance_m(at(0, 179_999_000), at(0, -179_999_000)) < 250);
    }

    #[test]
    fn places_off_the_earth_do_not_exist() {
        assert_eq!(Place::new(90_000_001, 0), None);
        assert_eq!(Place::new(0, -180_000_001), None);
    }
}
