//! The files port on a real folder, and under every weather of the sandbox.

use crate::Stage;
use bytes::Bytes;
use starpay_adapters::files::ObjectFiles;
use starpay_adapters::sandbox::{FILES_WEATHER, Pace, SandboxFiles};
use starpay_app::port::{Files as _, PortError, Simulated};
use std::time::Duration;

fn text(value: &'static str) -> Bytes {
    Bytes::from_static(value.as_bytes())
}

#[tokio::test]
async fn an_object_is_written_once_read_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let files = ObjectFiles::in_folder(&folder.path().join("new/blobs")).unwrap();
    assert_eq!(files.adapter().simulated, Simulated::Live);
    for key in ["documents/b.sealed", "documents/a.sealed", "roots/a"] {
        files.put(key.to_owned(), text("sealed")).await.unwrap();
    }
    assert_eq!(files.get("documents/a.sealed".to_owned()).await.unwrap(), Some(text("sealed")));
    assert_eq!(files.get("documents/none".to_owned()).await.unwrap(), None);
    let listed = files.list("documents/".to_owned()).await.unwrap();
    let keys: Vec<&str> = listed.iter().map(|file| file.key.as_str()).collect();
    assert_eq!(keys, ["documents/a.sealed", "documents/b.sealed"]);
    assert_eq!(listed[0].size, 6);
    assert_eq!(files.list("documents/a".to_owned()).await.unwrap().len(), 1);
    assert_eq!(files.list(String::new()).await.unwrap().len(), 3);
    files.remove("documents/a.sealed".to_owned()).await.unwrap();
    files.remove("documents/a.sealed".to_owned()).await.unwrap();
    assert_eq!(files.get("documents/a.sealed".to_owned()).await.unwrap(), None);
}

#[tokio::test]
async fn an_object_never_changes() {
    let folder = tempfile::tempdir().unwrap();
    let files = ObjectFiles::in_folder(folder.path()).unwrap();
    files.put("documents/a".to_owned(), text("first")).await.unwrap();
    let second = files.put("documents/a".to_owned(), text("second")).await;
    assert!(matches!(second, Err(PortError::Refused { .. })), "{second:?}");
    assert_eq!(files.get("documents/a".to_owned()).await.unwrap(), Some(text("first")));
}

#[tokio::test]
async fn a_key_cannot_leave_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let files = ObjectFiles::in_folder(&folder.path().join("blobs")).unwrap();
    for key in ["../outside", "a/../../outside", "/etc/outside", "a//b", ""] {
        let outcome = files.put(key.to_owned(), text("x")).await;
        assert!(matches!(outcome, Err(PortError::Refused { .. })), "{key}: {outcome:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn the_sandbox_keeps_files_as_its_weather_says() {
    let word = |outcome: Result<(), PortError>| match outcome {
        Ok(()) => "done",
        Err(PortError::Unavailable { adapter, .. }) => adapter,
        Err(PortError::Unknown { .. }) => "unknown",
        Err(PortError::Refused { .. }) => "refused",
    };
    let wanted = [
        ("in-order", "done", true, "done"),
        ("slow", "done", true, "done"),
        ("full", "sandbox-files", false, "done"),
        ("closed", "sandbox-files", false, "sandbox-files"),
        ("answer-lost", "unknown", true, "done"),
    ];
    assert_eq!(wanted.map(|row| row.0), FILES_WEATHER);
    for (weather, put, is_written, get) in wanted {
        let stage = Stage::new();
        let folder = tempfile::tempdir().unwrap();
        let inside = ObjectFiles::in_folder(folder.path()).unwrap();
        let files = SandboxFiles::new(stage.paced(Pace::Immediate), inside.clone(), weather);
        assert_eq!(files.adapter().simulated, Simulated::Sandbox);
        assert_eq!(word(files.put("a".to_owned(), text("sealed")).await), put, "{weather}");
        assert_eq!(inside.get("a".to_owned()).await.unwrap().is_some(), is_written, "{weather}");
        assert_eq!(word(files.get("a".to_owned()).await.map(drop)), get, "{weather}");
        assert_eq!(word(files.list(String::new()).await.map(drop)), get, "{weather}");
        assert_eq!(word(files.remove("a".to_owned()).await), get, "{weather}");
    }
}

#[tokio::test]
async fn a_slow_store_of_files_keeps_the_caller_waiting() {
    let stage = Stage::new();
    let folder = tempfile::tempdir().unwrap();
    let inside = ObjectFiles::in_folder(folder.path()).unwrap();
    let slow = SandboxFiles::new(stage.world(), inside.clone(), "slow");
    let soon = Duration::from_millis(100);
    assert!(tokio::time::timeout(soon, slow.put("a".to_owned(), text("sealed"))).await.is_err());
    assert_eq!(inside.get("a".to_owned()).await.unwrap(), None);
}
