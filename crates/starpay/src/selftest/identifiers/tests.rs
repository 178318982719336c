use super::*;
use serde_json::json;

fn shared() -> Value {
    serde_json::from_str(super::super::IDENTIFIERS).unwrap()
}

fn tally_of(file: &Value) -> Tally {
    let mut tally = Tally::default();
    run(file, parse_date("2026-11-22").unwrap(), &mut tally);
    tally
}

fn report(file: &Value) -> String {
    let mut out = Vec::new();
    tally_of(file).write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Paths of all cases: group, list inside it, place.
fn cases(file: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    for (group, list, _) in LISTS {
        let pointer = format!("/groups/{}/{list}", group.replace('.', "/"));
        let length = file.pointer(&pointer).and_then(Value::as_array).map_or(0, Vec::len);
        paths.extend((0..length).map(|at| format!("{pointer}/{at}")));
    }
    paths
}

/// The fields of a case that state what must come out.
const EXPECTATIONS: &[&str] = &[
    "subject_type",
    "reg_dept",
    "org_kind",
    "region",
    "holder",
    "sequence_first",
    "birth",
    "sex",
    "age",
    "adult",
    "state",
    "kind",
    "length",
    "network",
    "output",
    "bank_code",
    "area_code",
    "branch",
    "inst",
    "area",
    "mcc",
    "seq",
    "vendor",
    "device_type",
    "fee_fen",
    "merchant_fee_fen",
    "issuer_fee_fen",
    "network_fee_acquirer_side_fen",
    "acquirer_residual_fen",
    "expect",
    "reason_code",
    "severity",
    "eligible",
    "t1",
    "d1",
    "earliest_purge",
    "due",
    "action",
];

/// The same words as inputs of other groups.
fn is_expectation(path: &str, field: &str) -> bool {
    let input = match field {
        "birth" => path.contains("/age18/"),
        "kind" => path.contains("/other_id_docs/") || path.contains("/deadlines/"),
        "state" => path.contains("/terminal_binding/"),
        _ => false,
    };
    EXPECTATIONS.contains(&field) && !input
}

fn another(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => json!(!flag),
        Value::Number(number) => json!(number.as_i64().unwrap() + 1),
        Value::String(text) => json!(format!("{text}?")),
        Value::Null => json!("2099-01-01"),
        other => panic!("no expectation is {other}"),
    }
}

#[test]
fn every_shared_case_runs_and_passes() {
    let file = shared();
    let tally = tally_of(&file);
    assert_eq!((tally.failed(), tally.not_run_count()), (0, 0), "{}", report(&file));
    assert_eq!(tally.run(), cases(&file).len() as u64);
    // Every object with an id is a case, and no group may be forgotten.
    let ids = super::super::IDENTIFIERS.matches("\"id\":").count();
    let corporate_accounts = 5;
    assert_eq!(tally.run(), (ids + corporate_accounts) as u64);
}

/// Every way to change what one case expects: each stated expectation, or, where the list itself
/// is the expectation, a value that cannot be accepted.
fn changes(path: &str, case: &Value) -> Vec<Value> {
    let with = |field: &str| {
        let mut changed = case.clone();
        changed[field] = another(&case[field]);
        changed
    };
    match case.as_object() {
        None => vec![another(case)],
        Some(fields) => {
            let stated: Vec<Value> =
                fields.keys().filter(|field| is_expectation(path, field)).map(|field| with(field)).collect();
            if stated.is_empty() { vec![with("value")] } else { stated }
        }
    }
}

#[test]
fn a_changed_expectation_fails_exactly_its_case() {
    let file = shared();
    for path in cases(&file) {
        let case = file.pointer(&path).unwrap();
        let id = case.get("id").and_then(Value::as_str).unwrap_or("bank_card.corporate_account.");
        for change in changes(&path, case) {
            let mut changed = file.clone();
            *changed.pointer_mut(&path).unwrap() = change;
            let tally = tally_of(&changed);
            let failed = tally.failed_ids();
            assert!(failed.len() == 1 && failed[0].1.starts_with(id), "{path}: {failed:?}");
        }
    }
}

#[test]
fn a_valid_value_moved_among_the_invalid_fails_and_the_other_way_round() {
    let mut file = shared();
    for group in
        ["uscc", "bizreg15", "idcard18", "mobile", "bank_card", "cnaps", "terminal_no", "terminal_sn_tusn"]
    {
        let lists = &mut file["groups"][group];
        let (valid, invalid) = (lists["valid"].take(), lists["invalid"].take());
        (lists["valid"], lists["invalid"]) = (invalid, valid);
        let one = json!({ "meta": file["meta"], "groups": { group: file["groups"][group] } });
        let swapped = ["valid", "invalid"].map(|list| one["groups"][group][list].as_array().unwrap().len());
        assert_eq!(tally_of(&one).failed(), (swapped[0] + swapped[1]) as u64, "{group}");
    }
}

#[test]
fn what_is_not_known_is_not_run_and_never_passed() {
    let counts = |groups: Value| {
        let tally = tally_of(&json!({ "meta": { "reference_date": "2026-11-22" }, "groups": groups }));
        (tally.run(), tally.failed(), tally.not_run_count())
    };
    let mobile = |case: Value| json!({ "mobile": { "valid": [case] } });
    assert_eq!(counts(mobile(json!({ "value": "15400000001" }))), (1, 0, 0));
    assert_eq!(counts(mobile(json!({ "value": 15400000001_u64 }))), (0, 0, 1), "not a text");
    assert_eq!(counts(mobile(json!({ "id": "x" }))), (0, 0, 1), "no value");
    assert_eq!(counts(mobile(json!({ "value": "15400000001", "carrier": "?" }))), (0, 0, 1), "unknown field");
    assert_eq!(counts(mobile(json!({ "value": "1", "carrier": "?" }))), (1, 1, 0), "wrong is wrong");
    assert_eq!(counts(json!({ "mobile": { "ported": [{ "value": "1" }, { "value": "2" }] } })), (0, 0, 2));
    assert_eq!(counts(json!({ "fax": { "valid": [{ "value": "1" }] } })), (0, 0, 1));
    assert_eq!(counts(json!({ "fax": { "inner": { "cases": ["1"] } } })), (0, 0, 0), "bare texts are facts");
    let binding = json!({ "terminal_binding": { "cases": [{ "state": "lent", "bind_to": "M1", "expect": "accept" }] } });
    assert_eq!(counts(binding), (0, 0, 1), "unknown state");
    let ages = json!({ "age18": { "cases": [{ "birth": "2000-01-01", "today": "2026-01-01" }] } });
    assert_eq!(counts(ages), (0, 0, 1), "expects nothing");
}

/// Judged on another day than the file says, or on none it says, a birth date lies ahead.
#[test]
fn a_file_without_a_readable_day_is_judged_today() {
    let file = |meta: Value| json!({ "meta": meta, "groups": { "idcard18": { "valid": [{ "value": "440399200002291128" }] } } });
    let failed = |meta: Value, today: &str| {
        let mut tally = Tally::default();
        run(&file(meta), parse_date(today).unwrap(), &mut tally);
        assert_eq!(tally.run(), 1);
        tally.failed()
    };
    for meta in [json!({}), Value::Null, json!({ "reference_date": "soon" }), json!({ "reference_date": 7 })]
    {
        assert_eq!(failed(meta.clone(), "2026-11-22"), 0, "{meta}");
        assert_eq!(failed(meta, "1999-01-01"), 1);
    }
    for day in ["2026-11-22", "2026-11-22T00:00:00+08:00", "2026-11-22 08:00"] {
        assert_eq!(failed(json!({ "reference_date": day }), "1999-01-01"), 0, "{day}");
    }
    assert_eq!(failed(json!({ "reference_date": "1999-01-01T00:00:00" }), "2026-11-22"), 1);
}

#[test]
fn a_terminal_bound_to_nobody_named_is_not_free() {
    let counts = |case: Value| {
        let tally = tally_of(&json!({ "groups": { "terminal_binding": { "cases": [case] } } }));
        (tally.run(), tally.failed(), tally.not_run_count())
    };
    let case = |state: &str, holder: Value, expect: &str| json!({ "state": state, "bound_to": holder, "bind_to": "M2", "expect": expect });
    assert_eq!(counts(case("in_stock", Value::Null, "accept")), (1, 0, 0));
    assert_eq!(counts(case("bound", json!("M2"), "idempotent_ok")), (1, 0, 0));
    assert_eq!(counts(case("bound", json!("M1"), "idempotent_ok")), (1, 1, 0));
    assert_eq!(counts(case("bound", Value::Null, "reject")), (1, 0, 0));
    assert_eq!(counts(case("bound", Value::Null, "accept")), (1, 1, 0));
    assert_eq!(counts(case("bound", Value::Null, "idempotent_ok")), (0, 0, 1));
    assert_eq!(counts(json!({ "state": "bound", "bind_to": "M2", "expect": "reject" })), (1, 0, 0));
    let blocked =
        json!({ "state": "bound", "bind_to": "M2", "expect": "reject", "reason_code": "sn_blocked" });
    assert_eq!(counts(blocked), (1, 1, 0));
}

#[test]
fn values_may_be_written_otherwise() {
    let counts = |group: &str, list: &str, case: Value| {
        let tally = tally_of(&json!({ "groups": { group: { list: [case] } } }));
        (tally.run(), tally.failed(), tally.not_run_count())
    };
    let fee = |rate: Value, fee: i64| {
        counts(
            "fees",
            "cases",
            json!({ "amount_fen": 100_000, "rate": rate, "cap_fen": null, "fixed_fen": 0, "fee_fen": fee }),
        )
    };
    for rate in [json!("0.006"), json!(".006"), json!("6E-3"), json!(0.006), json!(6e-3)] {
        assert_eq!(fee(rate.clone(), 600), (1, 0, 0), "{rate}");
        assert_eq!(fee(rate, 601), (1, 1, 0));
    }
    assert_eq!(fee(json!("0.6%"), 600), (0, 0, 1));
    assert_eq!(fee(json!(6), 600), (0, 0, 1));
    let lasting = |valid_to: Value, state: &str| {
        counts(
            "document_validity",
            "cases",
            json!({ "valid_from": "2016-11-23", "valid_to": valid_to, "today": "2026-11-22", "state": state }),
        )
    };
    assert_eq!(lasting(json!("长期"), "valid_longterm"), (1, 0, 0));
    assert_eq!(lasting(json!("长期"), "expired"), (1, 1, 0));
    assert_eq!(lasting(json!("some day"), "valid_longterm"), (0, 0, 1));
    let born = |now: &str, adult: bool| {
        counts("age18", "timezone_cases", json!({ "birth": "2008-02-29", "now_utc": now, "adult": adult }))
    };
    assert_eq!(born("2026-02-28T16:00", true), (1, 0, 0));
    assert_eq!(born("2026-02-28T15:59", false), (1, 0, 0));
    assert_eq!(born("2026-02-28T15:59", true), (1, 1, 0));
    let card = |length: &str| {
        counts(
            "bank_card",
            "valid",
            json!({ "value": "6200000000000013", "length": length, "comment": "x", "title": "x", "source": "x" }),
        )
    };
    assert_eq!(card("16"), (1, 0, 0));
    assert_eq!(card("17"), (1, 1, 0));
}

#[test]
fn a_malformed_file_names_the_place() {
    for (file, place) in [
        (json!([]), "groups is not an object"),
        (json!({ "groups": { "uscc": [] } }), "groups.uscc is not an object"),
        (json!({ "groups": { "uscc": { "valid": {} } } }), "groups.uscc.valid is not an array"),
        (json!({ "groups": { "uscc": { "valid": [7] } } }), "groups.uscc.valid[0] is not an object"),
    ] {
        assert_eq!(tally_of(&file).malformed_places(), [place]);
    }
}

#[test]
fn the_report_names_group_and_id_and_ends_with_the_counts() {
    let file = json!({ "groups": { "mobile": { "valid": [{ "id": "mobile.valid.77", "value": "1" }] } } });
    let report = report(&file);
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines[0], "mobile");
    assert!(lines[1].starts_with("  FAILED mobile.valid.77: refused: length"), "{report}");
    assert_eq!(lines.last(), Some(&r#"{"run":1,"failed":1,"not_run":0}"#));
    let forging = "x\n{\"run\":9,\"failed\":0,\"not_run\":0}\u{1b}[2J";
    let file = json!({ "groups": { "mobile": { "valid": [{ "id": forging, "value": "1" }] } } });
    assert_eq!(self::report(&file).lines().count(), 3);
    assert!(!self::report(&file).contains('\u{1b}'));
}
