//! Every statement is prepared on both engines, both schemas are compared, and every query has
//! an index.

use crate::stand::{Stand, new_database};
use starpay_store::catalogue::{self, all_statements};
use starpay_store::{Db, DbConfig, Engine, Location};
use std::collections::BTreeSet;

/// Words that would leave the portable subset.
const FORBIDDEN: [&str; 15] = [
    "now()",
    "current_timestamp",
    "jsonb",
    "->>",
    "unnest",
    "array[",
    "numeric",
    "::",
    "ilike",
    "offset ",
    "nextval",
    "glob ",
    "ifnull",
    "datetime",
    "interval",
];

#[test]
fn every_statement_is_in_the_portable_subset() {
    let mut names = BTreeSet::new();
    for statement in all_statements() {
        let text = statement.portable().to_lowercase();
        for word in FORBIDDEN {
            assert!(!text.contains(word), "{}: {word}", statement.name());
        }
        let mut tokens = text.replace("{for_update}", "").replace("{skip_locked}", "");
        tokens = tokens.replace("{bytes}", "");
        assert!(!tokens.contains(['{', '}', '?']), "{}: {text}", statement.name());
        assert!(names.insert(statement.name()), "two statements are named {}", statement.name());
    }
    assert!(names.len() > 150, "{}", names.len());
}

#[test]
fn every_statement_is_prepared_on_both_engines() {
    let sqlite = Stand::new(Engine::Sqlite);
    let Location::Sqlite { path } = &sqlite.config.location else { panic!() };
    let conn = rusqlite::Connection::open(path).unwrap();
    let url = new_database();
    Db::migrate(&DbConfig::parse(&url).unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        let driver = tokio::spawn(connection);
        for statement in all_statements() {
            let name = statement.name();
            let lite = statement.text(Engine::Sqlite);
            let lite = conn.prepare(&lite).unwrap_or_else(|error| panic!("{name}: {error}"));
            let prepared = client.prepare(&statement.text(Engine::Postgres)).await;
            let prepared = prepared.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            assert_eq!(lite.parameter_count(), prepared.params().len(), "{name}: parameters");
            assert_eq!(lite.column_count(), prepared.columns().len(), "{name}: columns");
            for param in prepared.params() {
                assert!(["int8", "text", "bytea"].contains(&param.name()), "{name}: a parameter is {param}");
            }
            for column in prepared.columns() {
                let kind = column.type_().name();
                assert!(["int8", "text", "bytea"].contains(&kind), "{name}: {} is {kind}", column.name());
            }
        }
        drop(client);
        drop(driver.await);
    });
}

/// SQLite's alone: its planner decides by the schema, so an empty table tells. PostgreSQL's decides by
/// how much is in a table; both have the same indexes, which is compared above.
#[test]
fn no_query_scans_a_growing_table() {
    let stand = Stand::new(Engine::Sqlite);
    let Location::Sqlite { path } = &stand.config.location else { panic!() };
    let conn = rusqlite::Connection::open(path).unwrap();
    let mut slow = Vec::new();
    for statement in all_statements() {
        let explain = format!("EXPLAIN QUERY PLAN {}", statement.text(Engine::Sqlite));
        let mut explain = conn.prepare(&explain).unwrap();
        let mut steps = explain.raw_query();
        while let Some(step) = steps.next().unwrap() {
            let step: String = step.get(3).unwrap();
            let bare = step.starts_with("SCAN")
                && !step.contains("USING")
                && catalogue::TABLES.iter().any(|table| step.split(' ').any(|word| word == *table));
            let small = statement.name().contains("policy") || statement.name().contains("root::LAST");
            // The few applications of one merchant, by what they are to it.
            let few = statement.name() == "application::governing";
            let sorts = step.contains("TEMP B-TREE FOR ORDER BY") && !few;
            if (bare || sorts) && !small {
                slow.push(format!("{}: {step}", statement.name()));
            }
        }
    }
    assert_eq!(slow, Vec::<String>::new());
}

/// What PostgreSQL would do when every way but an index is expensive. An index walked from end to
/// end is a scan as well, unless it is one of only those rows.
#[test]
fn no_query_scans_a_growing_table_on_postgresql() {
    let url = new_database();
    Db::migrate(&DbConfig::parse(&url).unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let slow = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        let driver = tokio::spawn(connection);
        client
            .batch_execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
            .await
            .unwrap();
        let asked = "SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NOT NULL";
        let partial = client.query(asked, &[]).await.unwrap();
        let partial: BTreeSet<String> = partial.iter().map(|row| row.get(0)).collect();
        let mut slow = Vec::new();
        for statement in all_statements() {
            let text = statement.text(Engine::Postgres);
            let count = client.prepare(&text).await.unwrap().params().len();
            let given =
                if count == 0 { String::new() } else { format!("({})", vec!["NULL"; count].join(", ")) };
            client.batch_execute(&format!("PREPARE explained AS {text}")).await.unwrap();
            let plan =
                client.query(&format!("EXPLAIN (COSTS OFF) EXECUTE explained{given}"), &[]).await.unwrap();
            client.batch_execute("DEALLOCATE explained").await.unwrap();
            let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
            // Policy is a small table, and an audit looks at every event.
            let all = statement.name().contains("policy") || statement.name().contains("audit::BARE_HEADS");
            let scans = scans_of(&plan, &partial).into_iter().filter(|_| !all);
            slow.extend(scans.map(|step| format!("{}: {step}", statement.name())));
        }
        drop(client);
        drop(driver.await);
        slow
    });
    assert_eq!(slow, Vec::<String>::new());
}

/// The steps of a plan that read a whole table.
fn scans_of(plan: &[String], partial: &BTreeSet<String>) -> Vec<String> {
    let whole = |(at, step): &(usize, &String)| {
        let mut own = plan[at + 1..].iter().take_while(|line| !line.contains("->"));
        let index = step.split_once(" Scan using ").and_then(|(_, rest)| rest.split(' ').next());
        let walked = index.is_some_and(|index| !partial.contains(index));
        step.contains("Seq Scan on") || walked && !own.any(|line| line.contains("Index Cond:"))
    };
    plan.iter().enumerate().filter(whole).map(|(_, step)| step.trim().to_owned()).collect()
}

/// One line per table, column, index and rule, the same words for both engines.
fn sqlite_shape(path: &std::path::Path) -> BTreeSet<String> {
    let conn = rusqlite::Connection::open(path).unwrap();
    let rows = |sql: &str| -> Vec<Vec<String>> {
        let mut statement = conn.prepare(sql).unwrap();
        let width = statement.column_count();
        let rows = statement.query_map([], |row| (0..width).map(|at| row.get(at)).collect()).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut shape = BTreeSet::new();
    let columns = rows(
        "SELECT t.name, c.name, c.type, CASE c.\"notnull\" WHEN 1 THEN 'required' ELSE 'optional' END, \
         CAST(c.pk AS TEXT) FROM sqlite_master AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table' \
         AND t.name NOT LIKE 'refinery%' AND t.name NOT LIKE 'sqlite%'",
    );
    for column in columns {
        let [table, name, kind, required, key] = column.try_into().unwrap();
        shape.insert(format!("column {table}.{name} {kind} {required}"));
        if key != "0" {
            shape.insert(format!("key {table} {key} {name}"));
        }
    }
    let indexes = rows(
        "SELECT t.name, i.name, CASE i.\"unique\" WHEN 1 THEN 'unique' ELSE 'index' END, \
         CASE i.partial WHEN 1 THEN 'partial' ELSE 'whole' END, \
         (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) \
         FROM sqlite_master AS t, pragma_index_list(t.name) AS i WHERE t.type = 'table' AND i.origin = 'c'",
    );
    shape.extend(indexes.iter().map(|index| index.join(" ")));
    for table in rows("SELECT sql FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL") {
        let names = table[0].split("CONSTRAINT ").skip(1);
        shape.extend(names.map(|rest| format!("rule {}", rest.split_whitespace().next().unwrap())));
    }
    shape
}

fn postgres_shape(url: &str) -> BTreeSet<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        let driver = tokio::spawn(connection);
        let mut shape = BTreeSet::new();
        let asked = [
            "SELECT 'column ' || table_name || '.' || column_name || ' ' || CASE data_type \
             WHEN 'bigint' THEN 'INTEGER' WHEN 'bytea' THEN 'BLOB' WHEN 'text' THEN 'TEXT' ELSE data_type END \
             || ' ' || CASE is_nullable WHEN 'NO' THEN 'required' ELSE 'optional' END \
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'refinery%'",
            "SELECT 'key ' || table_name || ' ' || ordinal_position || ' ' || column_name \
             FROM information_schema.key_column_usage WHERE constraint_name LIKE '%\\_pk' \
             AND table_schema = 'public' AND table_name NOT LIKE 'refinery%'",
            "SELECT t.relname || ' ' || i.relname || ' ' || CASE WHEN x.indisunique THEN 'unique' ELSE 'index' END \
             || ' ' || CASE WHEN x.indpred IS NULL THEN 'whole' ELSE 'partial' END || ' ' || \
             (SELECT string_agg(a.attname, ', ' ORDER BY k.place) FROM unnest(x.indkey) WITH ORDINALITY \
             AS k(attnum, place) JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum) \
             FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid \
             JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = 'public' \
             AND NOT x.indisprimary AND t.relname NOT LIKE 'refinery%'",
            "SELECT 'rule ' || conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid \
             JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = 'public' \
             AND t.relname NOT LIKE 'refinery%'",
        ];
        for sql in asked {
            let rows = client.query(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            shape.extend(rows.iter().map(|row| row.get::<_, String>(0)));
        }
        drop(client);
        drop(driver.await);
        shape
    })
}

#[test]
fn both_engines_have_the_same_schema() {
    let sqlite = Stand::new(Engine::Sqlite);
    let Location::Sqlite { path } = &sqlite.config.location else { panic!() };
    let postgres = Stand::new(Engine::Postgres);
    let (lite, server) = (sqlite_shape(path), postgres_shape(postgres.url()));
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    assert_eq!(only(&lite, &server), Vec::<String>::new(), "only on SQLite");
    assert_eq!(only(&server, &lite), Vec::<String>::new(), "only on PostgreSQL");
    let tables: BTreeSet<&str> = lite
        .iter()
        .filter_map(|line| line.strip_prefix("column ")?.split_once('.').map(|(table, _)| table))
        .collect();
    assert_eq!(tables, catalogue::TABLES.iter().copied().collect::<BTreeSet<_>>());
}
