//! `starpay backup` and `starpay restore`: everything in one sealed archive, and back.
//!
//! A backup goes through the running server (it streams the archive over the control port), or
//! opens the store itself when none runs. A restore fills an empty data folder: a new database, a
//! keystore under a new master key, the files. What was begun is finished there.

use crate::config::{Config, Where};
use crate::custody::{self, Custody};
use crate::way::Way;
use crate::wiring::{self, Assembled, secret_in};
use crate::{Failure, print};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use http::{HeaderMap, StatusCode, header};
use secrecy::SecretString;
use serde::Deserialize;
use starpay_adapters::files::ObjectFiles;
use starpay_app::{BackupOrder, BackupSummary, Error, Platform, RestoreSummary, RestoreTarget};
use starpay_keys::OsRandom;
use starpay_keys::passphrase::PASSPHRASE_CHARACTERS_MIN;
use starpay_web::ControlDoor;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Folder of the simulated world, in the data folder and in the archive.
const SANDBOX: &str = "sandbox";
/// Pieces of an archive under way to the command line.
const PIECES_MAX: usize = 8;

/// Options of `starpay backup`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Where,
    /// Where the archive goes; must not exist yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A file with the passphrase that seals the archive
    #[arg(long, value_name = "FILE")]
    passphrase_file: PathBuf,
}

/// Options of `starpay restore`.
#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// The archive
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// A file with the passphrase that sealed it
    #[arg(long, value_name = "FILE")]
    passphrase_file: PathBuf,
    #[command(flatten)]
    place: Where,
}

/// Writes the archive beside its final name, then moves it there whole.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let config = args.place.load()?;
    let passphrase = secret_in(&args.passphrase_file, "--passphrase-file")?;
    // A server that has begun to answer can only break off: the first rule is kept before it is asked.
    if passphrase.chars().count() < PASSPHRASE_CHARACTERS_MIN {
        return Err(in_words(&Error::invalid("passphrase_short", "passphrase")));
    }
    if args.out.exists() {
        return Err(Failure::usage(format!("{} exists", args.out.display())).remedy("name another file"));
    }
    let partial = args.out.with_extension("partial");
    let explain = |error: io::Error| Failure::failed(format!("{}: {error}", partial.display()));
    // Whatever lies there was left by a backup that broke off, or put there by somebody else: neither
    // its permissions nor what it points at are ours.
    match std::fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(explain(error)),
        Ok(()) | Err(_) => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial);
    let file = file.map_err(explain)?;
    let written = write(&config, &passphrase, &file).and_then(|()| file.sync_all().map_err(explain));
    match written.and_then(|()| std::fs::rename(&partial, &args.out).map_err(explain)) {
        Ok(()) => {
            let bytes = std::fs::metadata(&args.out).map_or(0, |meta| meta.len());
            print(&format!("{}: {bytes} bytes, sealed under the passphrase\n", args.out.display()))
        }
        Err(failure) => {
            // Half an archive opens under no passphrase; it would only be in the way.
            let _ = std::fs::remove_file(&partial);
            Err(failure)
        }
    }
}

fn write(config: &Config, passphrase: &str, mut file: &File) -> Result<(), Failure> {
    match Way::to_read(config)? {
        Way::Server(server) => {
            let mut archive =
                server.stream("/control/v1/backup", &serde_json::json!({"passphrase": passphrase}))?;
            io::copy(&mut archive, &mut file).map(|_| ()).map_err(|error| {
                Failure::failed(format!("the backup broke off: {error}")).remedy("see the server's log")
            })
        }
        Way::Own(own) => {
            let sink = file.try_clone().map_err(|error| Failure::failed(error.to_string()))?;
            let order = order(&config.data.folder, SecretString::from(passphrase), Box::new(sink))?;
            let platform = own.assembled.platform.clone();
            own.block_on(back_up(platform, order)).map(|_| ()).map_err(|error| in_words(&error))
        }
    }
}

/// Restores into an empty folder.
pub(crate) fn restore(args: RestoreArgs) -> Result<(), Failure> {
    let config = args.place.load()?;
    let passphrase = SecretString::from(secret_in(&args.passphrase_file, "--passphrase-file")?.as_str());
    let folder = &config.data.folder;
    let explain = |path: &Path, error: io::Error| Failure::failed(format!("{}: {error}", path.display()));
    let was_there = folder.exists();
    config.make_data_folder()?;
    if std::fs::read_dir(folder).map_err(|error| explain(folder, error))?.next().is_some() {
        return Err(Failure::usage(format!("{} is not empty", folder.display()))
            .remedy("restore into an empty folder; nothing is ever overwritten"));
    }
    let staging = folder.join(".restore");
    let restored = File::open(&args.from).map_err(|error| explain(&args.from, error)).and_then(|archive| {
        std::fs::create_dir(&staging).map_err(|error| explain(&staging, error))?;
        restore_into(&config, Box::new(archive), passphrase, &staging)
    });
    let summary = match restored {
        Ok(summary) => summary,
        Err(failure) => {
            // The folder was empty: what is in it now is half a restore and would be in the way.
            empty(folder).map_err(|error| explain(folder, error))?;
            if !was_there {
                std::fs::remove_dir(folder).map_err(|error| explain(folder, error))?;
            }
            return Err(failure);
        }
    };
    std::fs::remove_dir_all(&staging).map_err(|error| explain(&staging, error))?;
    print(&format!(
        "{}: restored the backup of {}: {} rows, {} files\n{}",
        folder.display(),
        summary.made_at,
        summary.rows,
        summary.files,
        args.place.going_on(folder)
    ))?;
    if summary.chain.clean {
        return Ok(());
    }
    Err(Failure::failed("what was backed up was not as it was written")
        .remedy("see what: starpay audit chain"))
}

fn empty(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Puts the archive where the configuration wants it, the simulated world included.
fn restore_into(
    config: &Config,
    archive: Box<File>,
    passphrase: SecretString,
    staging: &Path,
) -> Result<RestoreSummary, Failure> {
    let files = ObjectFiles::in_folder(&config.files_folder())
        .map_err(|error| Failure::failed(format!("files: {error}")))?;
    custody::make_folders(config)?;
    let custody = Custody::of(config)?;
    let target = RestoreTarget {
        database: wiring::database_config(config)?,
        files: Arc::new(files),
        keystore: config.keystore_file(),
        master_key: custody.master,
        staging: staging.to_owned(),
        clock: wiring::clock(config),
        random: Arc::new(OsRandom),
    };
    let summary = crate::serve::runtime()?
        .block_on(starpay_app::restore(archive, passphrase, target))
        .map_err(|error| in_words(&error))?;
    let simulated = staging.join(SANDBOX);
    if simulated.is_dir() {
        let home = config.data.folder.join(SANDBOX);
        std::fs::rename(&simulated, &home)
            .map_err(|error| Failure::failed(format!("{}: {error}", home.display())))?;
    }
    Ok(summary)
}

async fn back_up(platform: Platform, order: BackupOrder) -> Result<BackupSummary, Error> {
    // Whoever holds the control token or the store's lock is the administrator.
    let actor = ControlDoor::administrator();
    platform.backup(&actor, order).await
}

fn order(
    folder: &Path,
    passphrase: SecretString,
    sink: Box<dyn Write + Send>,
) -> Result<BackupOrder, Failure> {
    let extras = walk(&folder.join(SANDBOX), SANDBOX)?;
    Ok(BackupOrder { passphrase, scratch: folder.to_owned(), extras, sink })
}

/// Every file under a folder, by its path from there behind `prefix`; none when it is not there.
fn walk(folder: &Path, prefix: &str) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), prefix.to_owned())];
    while let Some((folder, prefix)) = folders.pop() {
        let explain = |error: io::Error| Failure::failed(format!("{}: {error}", folder.display()));
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(explain)?,
        };
        for entry in entries {
            let entry = entry.map_err(explain)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            if entry.file_type().map_err(explain)?.is_dir() {
                folders.push((entry.path(), name));
            } else {
                found.push((name, entry.path()));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn in_words(error: &Error) -> Failure {
    let said = starpay_text::error(starpay_text::Language::En, error.code);
    let detail = error.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    match said {
        Some(said) => Failure::failed(format!("{}{detail}", said.message)).remedy(said.remedy),
        None => Failure::failed(format!("{error}{detail}")),
    }
}

/// What the control port offers besides the API.
pub(crate) fn router(assembled: &Assembled, folder: &Path) -> Router {
    let served = Served { platform: assembled.platform.clone(), folder: folder.to_owned() };
    Router::new().route("/control/v1/backup", post(serve)).with_state(served)
}

#[derive(Clone)]
struct Served {
    platform: Platform,
    folder: PathBuf,
}

#[derive(Deserialize)]
struct Wanted {
    passphrase: String,
}

/// `POST /control/v1/backup`: the archive, as it is made. A failure breaks the answer off.
async fn serve(
    State(served): State<Served>,
    Extension(door): Extension<ControlDoor>,
    headers: HeaderMap,
    Json(wanted): Json<Wanted>,
) -> Response {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if !shown.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(|token| door.opens_to(token)) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let (pieces, outgoing) = mpsc::channel::<Result<Bytes, io::Error>>(PIECES_MAX);
    let sink = Box::new(Outgoing(pieces.clone()));
    let order = match order(&served.folder, SecretString::from(wanted.passphrase), sink) {
        Ok(order) => order,
        Err(failure) => {
            tracing::error!(error = %failure, "backup failed");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    tokio::spawn(async move {
        match back_up(served.platform, order).await {
            Ok(summary) => {
                tracing::info!(rows = summary.rows, files = summary.files, bytes = summary.bytes, "backed up")
            }
            Err(error) => {
                tracing::error!(%error, detail = error.detail, "backup failed");
                // The reader must not take a short archive for a whole one.
                let _ = pieces.send(Err(io::Error::other("the backup failed"))).await;
            }
        }
    });
    let stream = futures_util::stream::unfold(outgoing, |mut outgoing| async {
        outgoing.recv().await.map(|piece| (piece, outgoing))
    });
    Body::from_stream(stream).into_response()
}

/// A writer whose bytes go out in the answer.
struct Outgoing(mpsc::Sender<Result<Bytes, io::Error>>);

impl Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len())
            .map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the reader went away"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
