use super::*;
use serde_json::json;

fn shared() -> Value {
    parse(super::super::VECTORS).unwrap()
}

fn tallied(file: &Value) -> Tally {
    let mut tally = Tally::default();
    run(file, &mut tally);
    tally
}

/// One case of a kind: how often it failed, when it ran at all.
fn failed(kind: &str, input: Value, expected: Value) -> u64 {
    let file = json!({"crypto": [{"id": "x", "kind": kind, "input": input, "expected": expected}]});
    let tally = tallied(&file);
    assert_eq!(tally.not_run_count(), 0, "{file}");
    tally.failed()
}

/// The cases that have a kind.
fn crypto(file: &mut Value) -> &mut Vec<Value> {
    file["crypto"].as_array_mut().unwrap()
}

#[test]
fn every_shared_case_runs_and_passes() {
    let file = shared();
    let tally = tallied(&file);
    assert_eq!(tally.failed_ids(), [("", ""); 0]);
    assert!(tally.malformed_places().is_empty());
    assert_eq!((tally.run(), tally.not_run_count()), (count(&file), 0));
    assert_eq!(count(&file), 64);
}

/// Each value of a message that is compared, changed by one character, fails that message alone.
#[test]
fn every_changed_value_of_a_message_fails() {
    let mut changed = 0;
    for list in ["messages", "captures"] {
        for at in 0..shared()[list].as_array().unwrap().len() {
            let case = shared()[list][at].clone();
            let inside = |object: &str, skipped: &[&str]| -> Vec<String> {
                let names = case[object].as_object().into_iter().flat_map(|object| object.keys());
                names
                    .filter(|name| !skipped.contains(&name.as_str()))
                    .map(|name| format!("/{object}/{name}"))
                    .collect()
            };
            // Another algorithm's name is no wrong value: no rule is known for it.
            let places = [
                vec!["/hex".to_owned()],
                inside("fields", &[]),
                inside("mac", &["algorithm"]),
                inside("field62_parts", &[]),
            ];
            for place in places.concat() {
                let mut file = shared();
                let value = file[list][at].pointer_mut(&place).unwrap();
                let text = value.as_str().unwrap();
                let first = if text.starts_with('1') { "2" } else { "1" };
                *value = format!("{first}{}", &text[1..]).into();
                let tally = tallied(&file);
                assert_eq!(tally.failed_ids(), [(list, case["id"].as_str().unwrap())], "{place}");
                changed += 1;
            }
        }
    }
    assert!(changed > 300, "{changed}");
}

fn count(file: &Value) -> u64 {
    LISTS.iter().map(|list| file[list].as_array().unwrap().len() as u64).sum()
}

/// The value with its first digit changed.
fn changed(value: &Value) -> Value {
    match value.as_str() {
        Some(text) => {
            let other = if text.starts_with('0') { "1" } else { "0" };
            format!("{other}{}", &text[1..]).into()
        }
        None => (value.as_u64().unwrap() + 1).into(),
    }
}

#[test]
fn every_changed_expectation_fails_its_case_alone() {
    let pristine = shared();
    let mut changes = 0;
    for (at, case) in pristine["crypto"].as_array().unwrap().iter().enumerate() {
        for name in case["expected"].as_object().unwrap().keys() {
            let mut file = shared();
            let expected = &mut crypto(&mut file)[at]["expected"];
            if name == "error" {
                *expected = json!({"usage": "K0"});
            } else {
                expected[name] = changed(&case["expected"][name]);
            }
            let tally = tallied(&file);
            let failed: Vec<&str> = tally.failed_ids().iter().map(|(_, id)| *id).collect();
            assert_eq!(failed, [case["id"].as_str().unwrap()], "{name}");
            changes += 1;
        }
    }
    assert!(changes > 100, "{changes}");
}

/// Another key, PIN, card number or message must not give the same answer.
#[test]
fn every_changed_input_fails_its_case_alone() {
    let pristine = shared();
    for (at, case) in pristine["crypto"].as_array().unwrap().iter().enumerate() {
        if case["expected"].get("error").is_some() {
            continue;
        }
        for (name, value) in case["input"].as_object().unwrap() {
            // What a cryptogram is padded with is told in words.
            let Some(text) = value.as_str().filter(|text| !text.is_empty() && name != "padding") else {
                continue;
            };
            // The first digits of a card number are not part of an eight-byte PIN block.
            let place = if name == "pan" { 5 } else { 0 };
            let mut altered = text.to_owned();
            let digit = if text[place..].starts_with('1') { "2" } else { "1" };
            altered.replace_range(place..=place, digit);
            let mut file = shared();
            crypto(&mut file)[at]["input"][name] = altered.into();
            let tally = tallied(&file);
            let id = case["id"].as_str().unwrap();
            let stopped = tally.failed() + tally.not_run_count();
            assert_eq!(stopped, 1, "{id}: {name}");
            assert!(tally.failed_ids().iter().all(|(_, failed)| *failed == id), "{id}: {name}");
        }
    }
}

#[test]
fn an_accepted_case_that_must_be_refused_fails() {
    for at in 0..crypto(&mut shared()).len() {
        let mut file = shared();
        let case = &mut crypto(&mut file)[at];
        let accepted = case["expected"].get("error").is_none();
        case["expected"] = json!({"error": "must be refused"});
        assert_eq!(tallied(&file).failed(), u64::from(accepted));
    }
}

/// JSON objects have no order: the same tags are the same field 55, other tags are another.
#[test]
fn tags_of_a_case_have_no_order() {
    let case =
        |tags: Value, field: &str| failed("emv-field55", json!({"tags": tags}), json!({"field55": field}));
    assert_eq!(case(json!({"9F27": "80", "9C": "00"}), "9F2701809C0100"), 0);
    assert_eq!(case(json!({"9C": "00", "9F27": "80"}), "9F2701809C0100"), 0);
    assert_eq!(case(json!({"9C": "01", "9F27": "80"}), "9F2701809C0100"), 1);
    assert_eq!(case(json!({"9F27": "80"}), "9F2701809C0100"), 1);
    assert_eq!(case(json!({"9F27": "80", "9C": "00", "5F34": "01"}), "9F2701809C0100"), 1);
    // The length in two bytes where one does.
    assert_eq!(case(json!({"9F27": "80", "9C": "00"}), "9F278101809C0100"), 1);
    let tags = json!({"tags": {"9C": "00", "9f27": "80"}, "length": "7"});
    assert_eq!(failed("emv-field55", json!({"field55": "9F2701809C0100"}), tags), 0);
    let fewer = json!({"tags": {"9C": "00"}});
    assert_eq!(failed("emv-field55", json!({"field55": "9F2701809C0100"}), fewer), 1);
}

#[test]
fn what_cannot_be_compared_is_not_run() {
    let case = |kind: &str, input: Value, expected: Value| {
        let file = json!({"crypto": [{"id": "x", "kind": kind, "input": input, "expected": expected}]});
        let tally = tallied(&file);
        assert_eq!((tally.run(), tally.not_run_count()), (0, 1), "{file}");
    };
    let tmk = json!({"tmk": "0123456789ABCDEFFEDCBA9876543210"});
    case("kcv-tdes", tmk.clone(), json!({"kcv8": "08D7B4FB", "surprise": "1"}));
    case("kcv-tdes", tmk.clone(), json!({"kcv8": 8}));
    case("kcv-tdes", tmk.clone(), json!({}));
    case("kcv-tdes", tmk.clone(), json!({"error": null, "note": "nothing"}));
    case("emv-field55", json!({"tags": 7}), json!({"length": 7}));
    case("kcv-tdes", tmk.clone(), json!({"error": "x", "kcv8": "08D7B4FB"}));
    case("kcv-tdes", json!({"tmk": "no hex"}), json!({"error": "x"}));
    case("kcv-tdes", json!({}), json!({"kcv8": "08D7B4FB"}));
    case("no-such-kind", tmk, json!({"kcv8": "08D7B4FB"}));
}

#[test]
fn what_is_no_test_file_is_malformed() {
    for text in [
        "[]",
        "{}",
        r#"{"crypto":{}}"#,
        r#"{"crypto":[{}]}"#,
        r#"{"crypto":[{"id":"x"}]}"#,
        r#"{"crypto":[{"id":"x","kind":"kcv-tdes"}]}"#,
        r#"{"messages":[1]}"#,
    ] {
        let tally = tallied(&serde_json::from_str(text).unwrap());
        assert_eq!(tally.malformed_places().len(), 1, "{text}");
        assert_eq!(tally.run() + tally.not_run_count(), 0, "{text}");
    }
}
