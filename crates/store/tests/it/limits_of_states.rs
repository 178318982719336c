//! Deadlines: the due rows and nothing else; and the newest row, however many there are.

use crate::aggregates::{draft, merchant, row, text};
use crate::stand::{Stand, at, on_both};
use starpay_store::aggregate::limit::{self, Due, Telling, Told};
use starpay_store::aggregate::{self, APPLICATION, AggregateRow, DEVICE, application, device};
use starpay_store::{Cursor, Value};
use uuid::Uuid;

fn due(stand: &Stand, state: &'static str, cutoff: i64, after: Option<Cursor>, limit: i64) -> Vec<Due> {
    stand.read(move |tx| limit::list_due(tx, &APPLICATION, state, at(cutoff), after, limit)).unwrap().rows
}

fn told(stand: &Stand) -> Vec<Told> {
    let told = stand.read(|tx| limit::list_told(tx, &APPLICATION, None, 10)).unwrap().rows;
    let count = stand.read(|tx| limit::count_told(tx, &APPLICATION)).unwrap();
    assert_eq!(i64::try_from(told.len()).unwrap(), count);
    told
}

#[test]
fn only_rows_whose_limit_counts_from_the_cutoff_or_earlier_are_found() {
    on_both(|stand| {
        let merchant = merchant(stand);
        let mut ids = Vec::new();
        for number in 0..5 {
            let mut row = draft(merchant, &format!("B-{number}"));
            row.limit_at = (number < 4).then(|| at(10 * number));
            ids.push(row.id);
            stand.write(move |tx| aggregate::insert(tx, &APPLICATION, &row)).unwrap();
        }
        let found =
            |cutoff| due(stand, "draft", cutoff, None, 10).iter().map(|due| due.id).collect::<Vec<_>>();
        assert_eq!(found(-1), Vec::<Uuid>::new());
        assert_eq!(found(19), ids[..2]);
        assert_eq!(found(20), ids[..3]);
        assert_eq!(found(1000), ids[..4], "one has no limit");
        assert!(due(stand, "ready", 1000, None, 10).is_empty());
        let page = stand.read(|tx| limit::list_due(tx, &APPLICATION, "draft", at(1000), None, 3)).unwrap();
        assert_eq!((page.rows.len(), due(stand, "draft", 1000, page.next, 3)[0].id), (3, ids[3]));
        let (first, second) = (ids[0], ids[1]);
        stand.write(move |tx| limit::set(tx, &APPLICATION, first, merchant, None)).unwrap();
        stand.write(move |tx| limit::set(tx, &APPLICATION, second, merchant, Some(at(500)))).unwrap();
        assert_eq!(found(499), ids[2..4]);
    });
}

#[test]
fn whoever_was_told_is_told_once_for_each_stay_in_a_state() {
    on_both(|stand| {
        let merchant = merchant(stand);
        let mut row = draft(merchant, "B-1");
        row.limit_at = Some(at(1));
        let (stored, id) = (row.clone(), row.id);
        stand.write(move |tx| aggregate::insert(tx, &APPLICATION, &stored)).unwrap();
        assert_eq!(due(stand, "draft", 5, None, 10).len(), 1);
        let tell = |now| stand.write(move |tx| limit::tell(tx, &APPLICATION, id, merchant, at(now))).unwrap();
        assert_eq!((tell(5), tell(6)), (Telling::First, Telling::Again));
        assert!(due(stand, "draft", 5, None, 10).is_empty());
        let seen = Told { id, merchant_id: merchant, state: "draft".into(), limit_at: at(1), told_at: at(5) };
        assert_eq!(told(stand), [seen]);
        let mut save = |state: &str, limit_at| {
            (row.state, row.limit_at, row.version) = (state.to_owned(), limit_at, row.version + 1);
            let next = row.clone();
            stand.write(move |tx| aggregate::save(tx, &APPLICATION, &next, next.version - 1)).unwrap();
        };
        // Something else about it changed: nobody is told again.
        save("draft", Some(at(1)));
        assert_eq!((told(stand).len(), due(stand, "draft", 5, None, 10).len()), (1, 0));
        // It went on and came back: that is another stay.
        save("submitted", Some(at(7)));
        assert_eq!((told(stand).len(), due(stand, "submitted", 7, None, 10).len()), (0, 1));
        assert_eq!(tell(8), Telling::First);
        save("withdrawn", None);
        assert_eq!(told(stand), []);
    });
}

#[test]
fn the_newest_is_found_among_more_than_a_page_holds() {
    on_both(|stand| {
        let (owner, other) = (merchant(stand), merchant(stand));
        let bound = |merchant: Uuid, serial: String| {
            let merchant = Value::Bytes(merchant.as_bytes().to_vec());
            row(
                Uuid::nil(),
                "delivered",
                vec![Value::Text(serial), text("STAR-A1"), Value::Null, merchant, Value::Null],
            )
        };
        let newest = stand
            .write(move |tx| {
                let mut newest: Option<(AggregateRow, AggregateRow)> = None;
                // The newest is neither written last nor has it the highest id.
                for number in 0..620_i64 {
                    let moment = at((number * 7 + 1) % 620);
                    let mut application = draft(owner, &format!("B-{number}"));
                    let mut terminal = bound(owner, format!("S-{number}"));
                    (application.created_at, terminal.created_at) = (moment, moment);
                    aggregate::insert(tx, &APPLICATION, &application)?;
                    aggregate::insert(tx, &DEVICE, &terminal)?;
                    if moment == at(619) {
                        newest = Some((application, terminal));
                    }
                }
                let mut foreign = (draft(other, "B-1"), bound(other, "S-other".to_owned()));
                (foreign.0.created_at, foreign.1.created_at) = (at(9999), at(9999));
                aggregate::insert(tx, &APPLICATION, &foreign.0)?;
                aggregate::insert(tx, &DEVICE, &foreign.1)?;
                Ok(newest)
            })
            .unwrap()
            .unwrap();
        let application = stand.read(move |tx| application::governing(tx, owner)).unwrap();
        assert_eq!(application, Some(newest.0));
        let terminal = stand.read(move |tx| device::latest_of_bound_merchant(tx, owner)).unwrap();
        assert_eq!(terminal, Some(newest.1));
        let none = stand.read(|tx| application::governing(tx, Uuid::nil())).unwrap();
        assert_eq!(none, None);
    });
}
