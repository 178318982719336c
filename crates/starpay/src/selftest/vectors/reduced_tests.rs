//! "Some cases give fewer inputs or outputs: check what is given."

use super::*;
use serde_json::json;

/// Passed, failed, not run: exactly one of them is one.
fn counts(kind: &str, input: Value, expected: Value) -> (u64, u64, u64) {
    let file = json!({"crypto": [{"id": "x", "kind": kind, "input": input, "expected": expected}]});
    let mut tally = Tally::default();
    run(&file, &mut tally);
    (tally.run() - tally.failed(), tally.failed(), tally.not_run_count())
}

const PASSED: (u64, u64, u64) = (1, 0, 0);
const FAILED: (u64, u64, u64) = (0, 1, 0);
const NOT_RUN: (u64, u64, u64) = (0, 0, 1);

/// The shared case with this id.
fn shared(id: &str) -> (String, Value, Value) {
    let file = parse(super::super::VECTORS).unwrap();
    let case = file["crypto"].as_array().unwrap().iter().find(|case| case["id"] == id).unwrap().clone();
    (case["kind"].as_str().unwrap().to_owned(), case["input"].clone(), case["expected"].clone())
}

/// Takes values of a shared case by name, from its inputs and its expectations.
fn with(id: &str, inputs: &[&str], expected: &[&str]) -> (String, Value, Value) {
    let (kind, all, outputs) = shared(id);
    let pick = |names: &[&str]| -> Value {
        let value = |name: &str| all.get(name).or(outputs.get(name)).cloned().unwrap();
        names.iter().map(|name| ((*name).to_owned(), value(name))).collect::<Map<_, _>>().into()
    };
    (kind, pick(inputs), pick(expected))
}

/// Every text with its last digit changed, one after the other.
fn changes(object: &Value) -> Vec<Value> {
    let changed = |text: &str| {
        let (start, last) = text.split_at(text.len() - 1);
        format!("{start}{}", if last == "1" { "2" } else { "1" })
    };
    let texts = object.as_object().unwrap().iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    texts
        .map(|(name, text)| {
            let mut other = object.clone();
            other[name] = changed(text).into();
            other
        })
        .collect()
}

#[test]
fn the_other_way_round_is_computed_too() {
    for (id, inputs, expected) in [
        ("pin-iso0-tdes", &["pan", "pik", "field52"][..], &["pin", "clear_block"][..]),
        ("pin-iso0-tdes", &["pin", "pan"], &["pan_part", "clear_block"]),
        ("pin-x98-nopan", &["pik", "field52"], &["pin"]),
        ("pin-x98-nopan", &["pin"], &["clear_block"]),
        ("pin-iso4-x924", &["pan", "key", "field52_128"], &["pin", "pan_field"]),
        ("pin-sm4-16", &["pan", "pik", "field52_128"], &["pin", "clear_block"]),
        ("pin-sm4-16", &["pin", "pan"], &["pin_part", "clear_block"]),
        ("sm4-gbt32907", &["key", "cipher"], &["plain"]),
        ("wk-pik", &["tmk", "cryptogram"], &["clear_key", "kcv8"]),
        ("wk-sm4-pik", &["tmk", "cryptogram"], &["clear_key"]),
        ("t2-full-tdes", &["tdk", "cipher"], &["track2", "padded"]),
        ("t2-full-sm4", &["tdk", "cipher"], &["track2"]),
        ("t2-tdb-even", &["tdk", "field35_data", "field35_len"], &["track2"]),
        ("t2-tdb-even", &["tdk", "field35_data"], &["track2", "packed"]),
        ("dukpt-aes-1-1000", &["bdk", "ikid"], &["initial_key"]),
        ("dukpt-aes-1-1000", &["bdk", "ksn"], &["initial_key", "intermediate_key"]),
        ("dukpt-aes-1-1000", &["initial_key", "ksn", "usage"], &["working_key"]),
        ("emv-arqc-emv-csk", &["imk", "pan", "psn", "atc"], &["icc_mk", "session_key"]),
        ("emv-arqc-emv-csk", &["icc_mk", "atc", "ac_data"], &["arqc", "session_key"]),
        ("emv-arqc-emv-csk", &["icc_mk", "session_key", "ac_data"], &["arqc", "tag91"]),
        ("emv-arqc-emv-csk", &["session_key", "ac_fields"], &["arqc"]),
        ("emv-arqc-emv-csk", &["session_key", "arqc"], &["arpc", "tag91"]),
    ] {
        let (kind, input, expected) = with(id, inputs, expected);
        assert_eq!(counts(&kind, input.clone(), expected.clone()), PASSED, "{id} {inputs:?}");
        for wrong in changes(&expected) {
            assert_eq!(counts(&kind, input.clone(), wrong.clone()), FAILED, "{id} {wrong}");
        }
        assert_eq!(counts(&kind, input, json!({"error": "must be refused"})), FAILED, "{id}");
    }
}

#[test]
fn what_is_given_twice_must_agree() {
    for (id, inputs, expected) in [
        ("pin-iso0-tdes", &["pin", "pan", "pik", "field52"][..], "clear_block"),
        ("wk-pik", &["tmk", "clear_key", "cryptogram"], "kcv8"),
        ("sm4-gbt32907", &["key", "plain", "cipher"], "cipher"),
        ("t2-full-tdes", &["tdk", "track2", "cipher"], "padded"),
        ("dukpt-aes-1-1000", &["bdk", "ikid", "initial_key"], "initial_key"),
        ("emv-arqc-emv-csk", &["session_key", "ac_data", "arqc"], "arpc"),
        ("emv-arqc-emv-csk", &["session_key", "ac_fields", "atc"], "arqc"),
    ] {
        let (kind, input, expected) = with(id, inputs, &[expected]);
        assert_eq!(counts(&kind, input.clone(), expected.clone()), PASSED, "{id}");
        let refused = json!({"error": "must be refused"});
        let changed = changes(&input);
        let last = changed.last().unwrap();
        assert_eq!(counts(&kind, last.clone(), refused), PASSED, "{id} {last}");
        assert_eq!(counts(&kind, last.clone(), expected), FAILED, "{id} {last}");
    }
}

#[test]
fn what_does_not_reach_what_is_expected_is_not_run() {
    for (id, inputs, expected) in [
        ("pin-iso0-tdes", &["pan", "field52"][..], &["pin"][..]),
        ("pin-iso0-tdes", &["pin", "pan"], &["field52"]),
        ("dukpt-aes-1-1000", &["bdk", "ikid"], &["working_key"]),
        ("dukpt-aes-1-1000", &["bdk"], &["initial_key"]),
        ("emv-arqc-emv-csk", &["imk", "pan", "psn", "atc"], &["arqc"]),
        ("emv-arqc-emv-csk", &["ac_data"], &["arqc"]),
        ("t2-full-tdes", &["tdk"], &["cipher"]),
    ] {
        let (kind, input, expected) = with(id, inputs, expected);
        assert_eq!(counts(&kind, input, expected), NOT_RUN, "{id} {inputs:?}");
    }
}

#[test]
fn absent_or_worded_padding_is_settled() {
    let (kind, mut input, expected) = shared("emv-arqc-emv-csk");
    for words in ["0x80 then zeros", "append 80, then zeros", "Method 2"] {
        input["padding"] = words.into();
        assert_eq!(counts(&kind, input.clone(), expected.clone()), PASSED, "{words}");
    }
    input["padding"] = "zeros".into();
    assert_eq!(counts(&kind, input.clone(), expected.clone()), FAILED);
    input["padding"] = "as agreed".into();
    assert_eq!(counts(&kind, input.clone(), expected.clone()), NOT_RUN);
    input["padding"] = Value::Null;
    assert_eq!(counts(&kind, input.clone(), expected.clone()), PASSED);
    input.as_object_mut().unwrap().remove("padding");
    assert_eq!(counts(&kind, input.clone(), expected.clone()), PASSED);
    for wrong in changes(&expected) {
        assert_eq!(counts(&kind, input.clone(), wrong), FAILED);
    }
    assert_eq!(counts(&kind, input.clone(), json!({"error": "x"})), FAILED);
    input["ac_fields"] = "nonsense".into();
    assert_eq!(counts(&kind, input, expected), NOT_RUN);
}

/// ARPC method 2 of this case, made by an independent library.
#[test]
fn a_status_update_is_answered_by_the_second_method() {
    let input = json!({"session_key": "854CDA948C3D31F72F103BAD54619BD0", "arqc": "F2A02122A13BC11F", "csu": "00800000"});
    let expected = json!({"arpc": "13C52E3E", "tag91": "13C52E3E00800000"});
    assert_eq!(counts("emv-arqc-arpc", input.clone(), expected.clone()), PASSED);
    for wrong in changes(&expected) {
        assert_eq!(counts("emv-arqc-arpc", input.clone(), wrong), FAILED);
    }
}

#[test]
fn a_response_code_is_characters_or_their_bytes() {
    let session = json!({"session_key": "854CDA948C3D31F72F103BAD54619BD0", "arqc": "F2A02122A13BC11F"});
    let tag_91 = json!({"tag91": "D60708BCAD1871163030"});
    for (name, code, counted) in [
        ("arc", "00", PASSED),
        ("response_code", "3030", PASSED),
        ("arc", "05", FAILED),
        ("arc", "5", NOT_RUN),
    ] {
        let mut input = session.clone();
        input[name] = code.into();
        assert_eq!(counts("emv-arqc-arpc", input, tag_91.clone()), counted, "{code}");
    }
}

/// A track's separator may be written either way; other characters are compared as they are.
#[test]
fn characters_are_compared_exactly_and_hex_is_not() {
    let (kind, input, mut expected) = with("t2-full-tdes", &["tdk", "cipher"], &["track2"]);
    expected["track2"] = expected["track2"].as_str().unwrap().replace('=', "D").into();
    assert_eq!(counts(&kind, input, expected), PASSED);
    let (kind, input, mut expected) = shared("mac-ecb-published");
    for name in ["xor_block", "enc_hex", "field64"] {
        expected[name] = expected[name].as_str().unwrap().to_lowercase().into();
    }
    assert_eq!(counts(&kind, input.clone(), expected.clone()), PASSED);
    expected["mac_ascii"] = "8a9e91b8".into();
    assert_eq!(counts(&kind, input, expected), FAILED);
    for (name, wrong) in
        [("usage", "k1"), ("mode", "d"), ("version", "d"), ("algorithm", "a"), ("exportability", "n")]
    {
        let (kind, input, _) = shared("tr31-d-tmk");
        assert_eq!(counts(&kind, input, json!({name: wrong})), FAILED, "{name}");
    }
}

#[test]
fn an_envelope_without_aad_has_an_empty_one() {
    let (kind, input, expected) = shared("hpke-x25519-base");
    assert_eq!(counts(&kind, input.clone(), expected.clone()), PASSED);
    for absent in ["info", "aad"] {
        let mut fewer = input.clone();
        let was_empty = fewer.as_object_mut().unwrap().remove(absent).unwrap() == "";
        let counted = if was_empty { PASSED } else { FAILED };
        assert_eq!(counts(&kind, fewer, expected.clone()), counted, "{absent}");
    }
}

/// Made by an independent program: AES-256 throughout.
#[test]
fn a_longer_base_key_may_have_working_keys_as_long() {
    let input = json!({
        "bdk": "180EDCFA56E6B50EE0C7621134B63F0C7DBB635D11F1D9C2A3B7DF15D825B9E7",
        "ksn": "8DBB17642816726300000002",
        "usage": "2002",
    });
    let long = json!({"working_key": "47C4537ED25DA2EF3F83FC91E5B91D38B9A3E7DCF418FEC2A71F465B7E745E4D"});
    assert_eq!(counts("dukpt-aes128", input.clone(), long.clone()), PASSED);
    for wrong in changes(&long) {
        assert_eq!(counts("dukpt-aes128", input.clone(), wrong), FAILED);
    }
    assert_eq!(counts("dukpt-aes128", input, json!({"error": "must be refused"})), FAILED);
}
