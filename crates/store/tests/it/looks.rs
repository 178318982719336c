//! Looks at personal data: new ones are written, all of a page at once; repeated ones are not; old
//! ones go away.

use crate::stand::{Stand, at, id, on_both};
use starpay_domain::id::new_v7;
use starpay_store::Cursor;
use starpay_store::pii_access::{self, Onlooker, PiiAccessRow, Thing};
use uuid::Uuid;

fn thing(merchant: Uuid, what: &str) -> Thing {
    Thing { id: id(), merchant_id: merchant, what: what.to_owned() }
}

/// Somebody is shown these at so many seconds; how many became rows.
fn shown(stand: &Stand, actor: &'static str, things: &[Thing], seconds: i64) -> u64 {
    let (asked, since) = (things.to_vec(), at(seconds - 600));
    let news = stand.read(move |tx| pii_access::any_news(tx, actor, &asked, since)).unwrap();
    // Written under other ids, as a second transaction would.
    let things: Vec<_> = things.iter().map(|one| thing(one.merchant_id, &one.what)).collect();
    let written = stand
        .write(move |tx| {
            let by = Onlooker { actor, role: "reviewer", request_id: Some("req_1"), at: at(seconds) };
            pii_access::insert_news(tx, by, &things, since)
        })
        .unwrap();
    assert_eq!(news, written > 0);
    written
}

fn rows(stand: &Stand, merchant: Uuid, after: Option<Cursor>) -> Vec<PiiAccessRow> {
    stand.read(move |tx| pii_access::list_by_merchant(tx, merchant, after, 500)).unwrap().rows
}

#[test]
fn the_same_look_stands_once_within_its_while() {
    on_both(|stand| {
        let (one, other) = (id(), id());
        let form = thing(one, "app_1: contact.mobile");
        assert_eq!(shown(stand, "ak_1", std::slice::from_ref(&form), 1000), 1);
        assert_eq!(shown(stand, "ak_1", std::slice::from_ref(&form), 1599), 0);
        // Another person, another merchant, another thing, another time.
        assert_eq!(shown(stand, "ak_2", std::slice::from_ref(&form), 1599), 1);
        assert_eq!(shown(stand, "ak_1", &[form.clone(), thing(other, &form.what)], 1599), 1);
        assert_eq!(shown(stand, "ak_1", &[form.clone(), thing(one, "app_1: document licence")], 1599), 1);
        assert_eq!(shown(stand, "ak_1", &[form], 1601), 1);
        assert_eq!(shown(stand, "ak_1", &[], 1601), 0);
        let found = rows(stand, one, None);
        let said: Vec<_> = found.iter().map(|row| (row.actor.as_str(), row.at)).collect();
        assert_eq!(said.first(), Some(&("ak_1", at(1000))));
        assert_eq!(said.last(), Some(&("ak_1", at(1601))));
        assert_eq!((found.len(), rows(stand, other, None).len()), (4, 1));
        let first = &found[0];
        assert_eq!((first.role.as_deref(), first.request_id.as_deref()), (Some("reviewer"), Some("req_1")));
        assert_eq!(rows(stand, one, Some(Cursor { at: first.at, id: first.id })), found[1..]);
    });
}

#[test]
fn a_page_is_one_statement() {
    on_both(|stand| {
        let owner = id();
        let page: Vec<_> = (0..100).map(|number| thing(owner, &format!("app_{number}: contact"))).collect();
        let longer: Vec<_> = (0..250).map(|number| thing(owner, &format!("app_{number}: licence"))).collect();
        let before = stand.db.metrics().statements;
        assert_eq!(shown(stand, "ak_1", &page, 1000), 100);
        assert_eq!(stand.db.metrics().statements - before, 2, "one asks, one writes");
        assert_eq!(shown(stand, "ak_1", &page, 1000), 0);
        assert_eq!(shown(stand, "ak_1", &longer, 1000), 250);
        assert_eq!(rows(stand, owner, None).len(), 350);
    });
}

#[test]
fn looks_go_away_oldest_first_in_slices() {
    on_both(|stand| {
        let owner = id();
        for seconds in 0..7 {
            assert_eq!(shown(stand, "ak_1", &[thing(owner, &format!("app_{seconds}"))], seconds), 1);
        }
        // A look of before there were roles.
        let old = stand.literal(new_v7(at(0), [9; 10]));
        let owner_literal = stand.literal(owner);
        stand.poke(&format!(
            "INSERT INTO pii_access (id, merchant_id, actor, what, at) VALUES ({old}, {owner_literal}, 'ak_0', 'x', -1)"
        ));
        assert_eq!(rows(stand, owner, None)[0].role, None);
        let purge = |limit| stand.write(move |tx| pii_access::purge(tx, at(5), limit)).unwrap();
        assert_eq!((purge(4), rows(stand, owner, None)[0].at), (4, at(3)));
        assert_eq!((purge(4), purge(4), rows(stand, owner, None).len()), (2, 0, 2));
    });
}
