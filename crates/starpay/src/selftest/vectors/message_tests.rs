//! Messages whose `mac` says less, more, or something else than the shared ones do.

use super::*;
use serde_json::json;

/// Passed, failed, not run: of one shared message, changed.
fn counts(id: &str, change: impl Fn(&mut Value)) -> (u64, u64, u64) {
    let mut file = parse(super::super::VECTORS).unwrap();
    let mut case = file["messages"].as_array().unwrap().iter().find(|case| case["id"] == id).unwrap().clone();
    change(&mut case);
    file["crypto"] = json!([]);
    file["captures"] = json!([]);
    file["messages"] = json!([case]);
    let mut tally = Tally::default();
    run(&file, &mut tally);
    (tally.run() - tally.failed(), tally.failed(), tally.not_run_count())
}

const PASSED: (u64, u64, u64) = (1, 0, 0);
const FAILED: (u64, u64, u64) = (0, 1, 0);
const NOT_RUN: (u64, u64, u64) = (0, 0, 1);

fn sale(change: impl Fn(&mut Value)) -> (u64, u64, u64) {
    counts("sale-req-mag", change)
}

/// Field 64 of another code, everywhere it stands.
fn forged(case: &mut Value) {
    let message = case["hex"].as_str().unwrap();
    case["hex"] = format!("{}{}", &message[..message.len() - 16], "30".repeat(8)).into();
    case["fields"]["64"] = "30".repeat(8).into();
}

#[test]
fn a_key_may_be_named() {
    assert_eq!(sale(|case| case["mac"]["mak"] = "mak_single".into()), PASSED);
    assert_eq!(sale(|case| case["mac"] = "mak_single".into()), PASSED);
    assert_eq!(sale(|case| case["mac"] = json!({"key": "mak_single"})), PASSED);
    assert_eq!(sale(|case| case["mac"] = "mak_double".into()), FAILED);
    assert_eq!(sale(|case| case["mac"]["mak"] = "pik".into()), FAILED);
    assert_eq!(sale(|case| case["mac"] = "no_such_key".into()), NOT_RUN);
    assert_eq!(sale(|case| case["mac"]["mak"] = "no_such_key".into()), NOT_RUN);
    let forged_by_name = |case: &mut Value| {
        forged(case);
        case["mac"] = "mak_single".into();
    };
    assert_eq!(sale(forged_by_name), FAILED);
    // The name says which cipher it is.
    assert_eq!(counts("sale-req-mag-sm4", |case| case["mac"] = "sm4_mak".into()), PASSED);
    assert_eq!(counts("sale-req-mag-sm4", |case| case["mac"] = "mak_double".into()), FAILED);
}

#[test]
fn what_is_no_object_is_not_ignored() {
    for wrong in [json!([]), json!(7), json!(true), json!({}), json!({"algorithm": "ECB"})] {
        assert_eq!(sale(|case| case["mac"] = wrong.clone()), NOT_RUN, "{wrong}");
    }
    assert_eq!(sale(|case| case["mac"] = Value::Null), PASSED);
    for wrong in [json!("nonsense"), json!([]), json!(1)] {
        assert_eq!(
            counts("signin-resp-003", |case| case["field62_parts"] = wrong.clone()),
            NOT_RUN,
            "{wrong}"
        );
    }
    assert_eq!(counts("signin-resp-003", |case| case["field62_parts"] = Value::Null), PASSED);
}

#[test]
fn the_stages_of_a_code_are_compared() {
    let key = hex::decode("8FEADA6E5D612F31").unwrap();
    let mak = starpay_keys::working_key::TdesMak::from_bytes(&key).unwrap();
    let with = |name: &'static str, text: &dyn Fn(&str) -> String| {
        let text = |covered: &str| {
            let mac = starpay_keys::mac::unionpay_ecb_tdes(&mak, &hex::decode(covered).unwrap());
            text(
                match name {
                    "xor_block" => hex::encode(mac.xor_block()),
                    "enc_hex" => hex::encode(mac.encrypted()),
                    _ => hex::encode(mac.field_64()),
                }
                .as_str(),
            )
        };
        sale(|case| case["mac"][name] = text(case["mac"]["mab"].as_str().unwrap()).into())
    };
    for name in ["xor_block", "enc_hex", "field64"] {
        assert_eq!(with(name, &str::to_uppercase), PASSED, "{name}");
        assert_eq!(with(name, &|text| format!("{}00", &text[2..])), FAILED, "{name}");
    }
    assert_eq!(sale(|case| case["mac"]["surprise"] = "1".into()), NOT_RUN);
}

#[test]
fn without_the_key_the_message_itself_is_compared() {
    let keyless = |change: &dyn Fn(&mut Value)| {
        sale(|case| {
            case["mac"].as_object_mut().unwrap().remove("mak");
            change(case);
        })
    };
    assert_eq!(keyless(&|_| ()), PASSED);
    assert_eq!(keyless(&|case| case["mac"]["mac_ascii"] = "C87CAEEE".into()), FAILED);
    assert_eq!(keyless(&|case| case["mac"]["mac_ascii"] = "c87caeef".into()), FAILED);
    assert_eq!(keyless(&|case| case["mac"]["mab"] = "0200".into()), FAILED);
    assert_eq!(keyless(&forged), FAILED);
    assert_eq!(keyless(&|case| case["mac"]["enc_hex"] = "00".into()), NOT_RUN);
}

#[test]
fn algorithms_are_named_in_many_ways() {
    for name in ["TDES ECB", "tdes-ecb", "UnionPay ECB", "ECB", "unionpay_ecb_des"] {
        assert_eq!(sale(|case| case["mac"]["algorithm"] = name.into()), PASSED, "{name}");
    }
    assert_eq!(sale(|case| case["mac"]["algorithm"] = Value::Null), PASSED);
    for name in ["SM4", "sm4 ecb", "UnionPay ECB SM4"] {
        assert_eq!(
            counts("sale-req-mag-sm4", |case| case["mac"]["algorithm"] = name.into()),
            PASSED,
            "{name}"
        );
        assert_eq!(sale(|case| case["mac"]["algorithm"] = name.into()), FAILED, "{name}");
    }
    for name in ["X9.19", "SM4 CBC", "AES-CMAC"] {
        assert_eq!(sale(|case| case["mac"]["algorithm"] = name.into()), NOT_RUN, "{name}");
    }
}

#[test]
fn prose_is_not_compared_and_a_length_may_be_text() {
    let told = |case: &mut Value| {
        for name in ["comment", "note", "direction", "title", "source"] {
            case[name] = "prose".into();
            case["mac"]["notes"] = "prose".into();
        }
        case["length"] = case["length"].to_string().into();
    };
    assert_eq!(sale(told), PASSED);
    assert_eq!(sale(|case| case["length"] = "60".into()), FAILED);
    assert_eq!(sale(|case| case["length"] = "long".into()), NOT_RUN);
    assert_eq!(sale(|case| case["error"] = "must be refused".into()), NOT_RUN);
}

/// Packed digits are hexadecimal ones, and a track's separator is one of them.
#[test]
fn a_track_is_written_either_way() {
    let track = |change: &dyn Fn(&str) -> String| {
        sale(|case| {
            let text = case["fields"]["35"].as_str().unwrap().to_owned();
            case["fields"]["35"] = change(&text).into();
        })
    };
    assert_eq!(track(&|text| text.replace('D', "=")), PASSED);
    assert_eq!(track(&str::to_lowercase), PASSED);
    assert_eq!(track(&|text| text.replace('D', "E")), FAILED);
    assert_eq!(track(&|text| text.replace('D', "")), FAILED);
    let in_pairs = |case: &mut Value| {
        let digits: Vec<char> = case["hex"].as_str().unwrap().chars().collect();
        let pairs: Vec<String> = digits.chunks(2).map(|pair| pair.iter().collect()).collect();
        case["hex"] = pairs.join(" ").into();
    };
    assert_eq!(sale(in_pairs), PASSED);
}
