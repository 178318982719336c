use super::*;

fn shared() -> Value {
    serde_json::from_str(super::super::VECTORS).unwrap()
}

fn tallied(file: &Value) -> Tally {
    let mut tally = Tally::default();
    run(file, &mut tally);
    tally
}

/// Each shared case of a kind that is run.
fn runnable(file: &mut Value) -> Vec<&mut Value> {
    let known = |case: &Value| KINDS.iter().any(|(kind, _)| case["kind"] == *kind);
    file["crypto"].as_array_mut().unwrap().iter_mut().filter(|case| known(case)).collect()
}

#[test]
fn the_shared_vectors_pass_and_the_rest_is_not_called_passed() {
    let mut file = shared();
    let tally = tallied(&file);
    assert_eq!(tally.failed_ids(), [("", ""); 0]);
    assert!(tally.malformed_places().is_empty());
    let (all, runnable) = (count(&file), runnable(&mut file).len() as u64);
    let (messages, codes) = (24, 13);
    assert_eq!((tally.run(), tally.not_run_count()), (runnable + messages, all + codes - runnable - messages));
    assert_eq!(runnable, 9);
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
                names.filter(|name| !skipped.contains(&name.as_str())).map(|name| format!("/{object}/{name}")).collect()
            };
            // The key and the algorithm are for the code, which is a case of its own.
            let places = [
                vec!["/hex".to_owned()],
                inside("fields", &[]),
                inside("mac", &["mak", "algorithm"]),
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

#[test]
fn every_changed_expectation_fails() {
    let mut pristine = shared();
    for at in 0..runnable(&mut pristine).len() {
        let mut copy = shared();
        let names: Vec<String> = {
            let case = runnable(&mut copy).swap_remove(at);
            case["expected"].as_object().unwrap().keys().cloned().collect()
        };
        for name in names {
            let mut file = shared();
            let case = runnable(&mut file).swap_remove(at);
            if name == "error" {
                case["expected"] = serde_json::json!({"usage": "K0"});
            } else {
                let first = case["expected"][&name].as_str().unwrap().to_owned();
                let other = if first.starts_with('0') { "1" } else { "0" };
                case["expected"][&name] = format!("{other}{}", &first[1..]).into();
            }
            let id = case["id"].as_str().unwrap().to_owned();
            let tally = tallied(&file);
            let failed: Vec<&str> = tally.failed_ids().iter().map(|(_, id)| *id).collect();
            assert_eq!(failed, [id.as_str()], "{name}");
        }
    }
}

#[test]
fn an_accepted_case_that_must_be_refused_fails() {
    let mut pristine = shared();
    for at in 0..runnable(&mut pristine).len() {
        let mut file = shared();
        let case = runnable(&mut file).swap_remove(at);
        let accepted = case["expected"].get("error").is_none();
        case["expected"] = serde_json::json!({"error": "must be refused"});
        assert_eq!(tallied(&file).failed(), u64::from(accepted));
    }
}

#[test]
fn what_cannot_be_compared_is_not_run() {
    let case = |kind: &str, input: Value, expected: Value| {
        let file =
            serde_json::json!({"crypto": [{"id": "x", "kind": kind, "input": input, "expected": expected}]});
        let tally = tallied(&file);
        assert_eq!((tally.run(), tally.not_run_count()), (0, 1), "{file}");
    };
    let tmk = serde_json::json!({"tmk": "0123456789ABCDEFFEDCBA9876543210"});
    case("kcv-tdes", tmk.clone(), serde_json::json!({"kcv8": "08D7B4FB", "surprise": "1"}));
    case("kcv-tdes", tmk.clone(), serde_json::json!({"kcv8": 8}));
    case("kcv-tdes", tmk.clone(), serde_json::json!({}));
    case("kcv-tdes", tmk.clone(), serde_json::json!({"error": "x", "kcv8": "08D7B4FB"}));
    case("kcv-tdes", serde_json::json!({"tmk": "no hex"}), serde_json::json!({"error": "x"}));
    case("kcv-tdes", serde_json::json!({}), serde_json::json!({"kcv8": "08D7B4FB"}));
    case("no-such-kind", tmk, serde_json::json!({"kcv8": "08D7B4FB"}));
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
