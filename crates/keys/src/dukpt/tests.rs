use proptest::prelude::*;

use super::*;
use crate::mac;

const ID: InitialKeyId = [0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56];

fn bdk() -> BaseDerivationKey {
    let bytes = hex::decode("FEDCBA9876543210F1F1F1F1F1F1F1F1").unwrap();
    BaseDerivationKey::from_bytes(&bytes).unwrap()
}

fn hex_of(keys: &TransactionKeys, usage: Usage) -> String {
    hex::encode_upper(&*keys.derive(usage, KeyType::Aes128).unwrap())
}

/// Values published with X9.24-3-2017.
#[test]
fn keys_are_the_published_ones_on_host_and_terminal() {
    let initial = bdk().initial_key(ID).unwrap();
    assert_eq!(hex::encode_upper(initial.expose()), "1273671EA26AC29AFA4D1084127652A1");
    let published = [
        (1, "4F21B565BAD9835E112B6465635EAE44", Usage::PinEncryption, "AF8CB133A78F8DC2D1359F18527593FB"),
        (1, "4F21B565BAD9835E112B6465635EAE44", Usage::MacGeneration, "A2DC23DE6FDE0824A2BC321E08E4B8B7"),
        (1, "4F21B565BAD9835E112B6465635EAE44", Usage::DataEncryption, "A35C412EFD41FDB98B69797C02DCD08F"),
        (1, "4F21B565BAD9835E112B6465635EAE44", Usage::KeyEncryption, "36A724B7BEFA5A25F5E7B5782A4554A2"),
        (2, "2F34D68DE10F68D38091A73B9E7C437C", Usage::PinEncryption, "D30BDC73EC9714B000BEC66BDB7B6D09"),
        (4, "0EEFC7ADA628BA68878DA9165A8A1887", Usage::MacGeneration, "E6E4679647D8A9057C1FC15537CB4C4E"),
        (8, "718EE6CF0B27E53D5F7AF99C4D8146A2", Usage::PinEncryption, "4D9DF3FBEE3448FC3E676D04320A90F5"),
    ];
    let mut device = Device::load(initial).unwrap();
    let transactions: Vec<Transaction> = (0..8).map(|_| device.next_transaction().unwrap()).collect();
    for (counter, intermediate, usage, working) in published {
        let host = bdk().transaction(Ksn::new(ID, counter).unwrap()).unwrap();
        let terminal = transactions.iter().find(|one| one.ksn.counter() == counter).unwrap();
        for keys in [&host, &terminal.keys] {
            assert_eq!(hex::encode_upper(keys.expose_intermediate()), intermediate);
            assert_eq!(hex_of(keys, usage), working);
        }
    }
}

/// Walks past the first counters with seventeen bits and compares with the host around them.
#[test]
fn a_terminal_leaves_out_counters_with_more_than_sixteen_bits() {
    let mut device = Device::load(bdk().initial_key(ID).unwrap()).unwrap();
    let mut counters = Vec::new();
    let mut last = LastCounter::default();
    while device.next_counter().is_some_and(|next| next < 0x0002_0010) {
        let Transaction { ksn, keys } = device.next_transaction().unwrap();
        last = last.accept(ksn).unwrap();
        let counter = ksn.counter();
        counters.push(counter);
        if counter < 64 || (0xFFF0..0x1_0010).contains(&counter) || counter > 0x1_FFF0 {
            let host = bdk().transaction(ksn).unwrap();
            assert_eq!(host.expose_intermediate(), keys.expose_intermediate(), "{counter:X}");
        }
    }
    let expected: Vec<u32> = (1..0x0002_0010_u32).filter(|counter| counter.count_ones() <= 16).collect();
    assert_eq!(counters, expected);
    assert!(!counters.contains(&0x1_FFFF));
}

#[test]
fn the_last_counter_is_the_last() {
    let initial = bdk().initial_key(ID).unwrap();
    // The state a terminal is in when only its highest counters are left: register i holds
    // the key of the next counter with lowest bit i.
    let mut state = Device::load(initial).unwrap().to_state().to_vec();
    let counter = 0xFFFE_8000_u32;
    state.truncate(8);
    state.extend_from_slice(&counter.to_be_bytes());
    state.push(16);
    for place in 0..32_u32 {
        let next = match place {
            15 => Some(counter),
            16 => Some(0xFFFF_0000),
            _ => None,
        };
        match next {
            Some(next) => {
                state.push(1);
                let keys = bdk().transaction(Ksn::new(ID, next).unwrap()).unwrap();
                state.extend_from_slice(keys.expose_intermediate());
            }
            None => state.push(0),
        }
    }
    let mut device = Device::from_state(&state).unwrap();
    let used: Vec<u32> =
        std::iter::from_fn(|| device.next_transaction().ok().map(|one| one.ksn.counter())).collect();
    assert_eq!(used, [0xFFFE_8000, 0xFFFF_0000]);
    assert_eq!(device.next_transaction().err(), Some(DukptError::Exhausted));
    assert_eq!(device.keys_held(), 0);
}

#[test]
fn a_used_key_is_gone_and_a_restart_goes_on() {
    let mut device = Device::load(bdk().initial_key(ID).unwrap()).unwrap();
    for _ in 0..1000 {
        let Transaction { keys, .. } = device.next_transaction().unwrap();
        let state = device.to_state();
        let used = keys.expose_intermediate();
        assert!(!state.windows(used.len()).any(|window| window == used));
        assert!(state.len() <= STATE_BYTES_MAX);
    }
    let mut resumed = Device::from_state(&device.to_state()).unwrap();
    let (one, other) = (device.next_transaction().unwrap(), resumed.next_transaction().unwrap());
    assert_eq!(one.ksn, other.ksn);
    assert_eq!(one.keys.expose_intermediate(), other.keys.expose_intermediate());
    let state = device.to_state();
    for cut in 0..state.len() {
        assert!(Device::from_state(&state[..cut]).is_err(), "{cut}");
    }
    assert!(Device::from_state(&[&state[..], &[0]].concat()).is_err());
}

#[test]
fn counters_no_terminal_uses_and_replays_are_refused() {
    assert_eq!(Ksn::new(ID, 0), Err(DukptError::Counter(0)));
    assert_eq!(Ksn::new(ID, 0x1_FFFF), Err(DukptError::Counter(0x1_FFFF)));
    assert_eq!(Ksn::parse(&[1; 11]), Err(DukptError::KsnLength(11)));
    assert_eq!(Ksn::parse(&[1; 3]), Err(DukptError::KsnLength(3)));
    let ksn = Ksn::new(ID, 0xFFFF).unwrap();
    assert_eq!(Ksn::parse(&ksn.to_bytes()), Ok(ksn));
    let last = LastCounter::new(7);
    assert_eq!(last.accept(Ksn::new(ID, 9).unwrap()), Ok(LastCounter::new(9)));
    for replayed in [1, 6, 7] {
        let refused = last.accept(Ksn::new(ID, replayed).unwrap());
        assert_eq!(refused, Err(DukptError::Replayed { given: replayed, last: 7 }));
    }
}

#[test]
fn working_keys_are_no_stronger_than_the_base_key() {
    let keys = bdk().transaction(Ksn::new(ID, 1).unwrap()).unwrap();
    assert_eq!(keys.derive(Usage::MacBoth, KeyType::Aes256).err(), Some(DukptError::KeyType));
    assert_eq!(keys.derive(Usage::MacBoth, KeyType::Tdes3).unwrap().len(), 24);
    assert_eq!(keys.tdes_pin_key(KeyType::Aes128).err(), Some(DukptError::KeyType));
    assert!(BaseDerivationKey::from_bytes(&[1; 8]).is_err());
    for length in [16, 24, 32] {
        let base = BaseDerivationKey::from_bytes(&vec![7; length]).unwrap();
        let keys = base.transaction(Ksn::new(ID, 3).unwrap()).unwrap();
        assert_eq!(keys.pin_key().unwrap().expose().len(), length);
        let (one, other) =
            (keys.mac_key(Direction::Request).unwrap(), keys.mac_key(Direction::Both).unwrap());
        assert_ne!(mac::aes_cmac_of(&one, b"x"), mac::aes_cmac_of(&other, b"x"));
    }
}

#[test]
fn every_usage_has_its_own_key_and_number() {
    let keys = bdk().transaction(Ksn::new(ID, 1).unwrap()).unwrap();
    let mut seen: Vec<String> = Usage::ALL.iter().map(|usage| hex_of(&keys, *usage)).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), Usage::ALL.len());
    for usage in Usage::ALL {
        assert_eq!(Usage::from_number(usage.number()), Some(usage));
    }
    assert_eq!(Usage::from_number(0x4000), None);
    assert!(!format!("{keys:?} {:?}", bdk()).contains("4F21"));
}

proptest! {
    #[test]
    fn no_bytes_make_reading_a_state_panic(state in proptest::collection::vec(any::<u8>(), 0..700)) {
        let _sound = Device::from_state(&state).map(|mut device| device.next_transaction().is_ok());
    }
}
