//! `starpay demo`: the whole journey on an empty embedded store, as separate parties.
//!
//! The platform is the one `starpay serve` runs. The parties reach it over HTTP only; the virtual
//! terminal is a process of its own. Everything the parties keep lies beside the platform's data,
//! not in it: `parties/`, `terminal/`, `factory/`.

mod identity;
mod journey;
mod outbox;
mod party;
mod report;
mod story;
mod virtual_terminal;
mod wallet;

use crate::config::{Config, holds_installation};
use crate::serve::{Serving, runtime};
use crate::wiring::{self, Assembled};
use crate::{Failure, migrate, telemetry};
use journey::DemoJourney;
use outbox::Outbox;
use party::Party;
use report::{Form, News, Report};
use starpay_adapters::sandbox::Pace;
use starpay_app::port::Clock;
use starpay_app::view::NewAccessKey;
use starpay_app::{Actor, IdempotencyKey, Role};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use story::{Cast, Story};
use tokio_util::sync::CancellationToken;
use virtual_terminal::VirtualTerminal;
use wallet::Wallet;

/// Where the demo serves unless told otherwise.
const PORT: u16 = 8088;

/// A story to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum StoryName {
    /// 个体工商户: a noodle shop, from first contact to 已激活
    SoleProprietor,
}

/// Options of `starpay demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Exit when the journey is over: 0 only if the terminal is active
    #[arg(long)]
    once: bool,
    /// One JSON object a line: step, actor, ok, ms, state
    #[arg(long)]
    json: bool,
    /// Port on 127.0.0.1; 0 for any [default: 8088, with --once any]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Keep everything here and go on from it [default: a new temporary folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Pause this long before each step, to watch the page follow
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pause: u64,
    /// Which journey
    #[arg(long, value_enum, value_name = "NAME", default_value = "sole-proprietor")]
    story: StoryName,
    /// sqlite:PATH or postgres://… [default: embedded, in the data folder]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

/// Plays the journey, then keeps serving unless `--once`.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let (folder, temporary) = match &args.data {
        Some(folder) => {
            belongs_to_nobody_else(folder)?;
            (folder.clone(), None)
        }
        None => {
            let name = format!("starpay-demo-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            (folder.clone(), Some(folder))
        }
    };
    let outcome = play(&args, &folder);
    if let Some(folder) = temporary
        && args.once
        && outcome.is_ok()
    {
        // Nothing of a finished rehearsal is worth keeping; what cannot be removed does no harm.
        let _ = std::fs::remove_dir_all(folder);
    }
    outcome
}

/// A demo writes into a new or empty folder, or goes on in its own: never beside anybody else's data.
fn belongs_to_nobody_else(folder: &Path) -> Result<(), Failure> {
    let remedy = "name a new or empty folder, or the one an earlier demo was given";
    if holds_installation(folder) {
        return Err(Failure::usage(format!("{} is the data folder of an installation", folder.display()))
            .remedy(remedy));
    }
    let taken = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => {
            return Err(Failure::usage(format!("{}: {error}", folder.display())).remedy(remedy));
        }
        Ok(mut entries) => entries.next().is_some(),
    };
    if taken && !folder.join("platform").is_dir() {
        return Err(
            Failure::usage(format!("{} holds something that is no demo's", folder.display())).remedy(remedy)
        );
    }
    Ok(())
}

fn play(args: &Args, folder: &Path) -> Result<(), Failure> {
    let port = args.port.unwrap_or(if args.once { 0 } else { PORT });
    let mut config = Config::sandbox(&folder.join("platform"), SocketAddr::from(([127, 0, 0, 1], port)));
    config.deployment.channels = vec!["clearing_institution".to_owned(), "unionpay".to_owned()];
    if let Some(location) = &args.database {
        config.database.location = Some(location.clone());
    }
    config.make_data_folder()?;
    telemetry::install_to_file(&config.logs, &folder.join("demo.log"))?;
    migrate::migrate(&config)?;
    let assembled = wiring::assemble(&config, Pace::Documented)?;
    let source = Arc::new(DemoJourney::new(assembled.platform.clone()));
    runtime()?.block_on(async {
        let stop = CancellationToken::new();
        let mut serving =
            Serving::start_with_journey(&config, &assembled, Some(source.clone()), stop.clone()).await?;
        let server = format!("http://{}", serving.address);
        let stage = stage(&assembled, folder, &server, args).await?;
        let watcher = tokio::spawn({
            let source = Arc::clone(&source);
            async move { source.watch().await }
        });
        let form = if args.json { Form::Json } else { Form::People };
        let played = tokio::task::spawn_blocking({
            let source = Arc::clone(&source);
            move || perform(stage, form, &source)
        })
        .await
        .map_err(|error| Failure::failed(format!("the journey broke off: {error}")))?;
        source.over(played.is_ok());
        if !args.once && played.is_ok() {
            crate::serve::wait_for_signal(stop.clone()).await?;
        }
        watcher.abort();
        stop.cancel();
        serving.finish().await;
        played
    })
}

/// Everything the performance needs, ready.
struct Stage {
    cast: Cast,
    terminal: VirtualTerminal,
    wallet: Wallet,
    clock: Arc<dyn Clock>,
    server: String,
    folder: PathBuf,
    keep_serving: bool,
    pause: Duration,
    news: News,
}

async fn stage(assembled: &Assembled, folder: &Path, server: &str, args: &Args) -> Result<Stage, Failure> {
    let story = match args.story {
        StoryName::SoleProprietor => "demo.sole-proprietor",
    };
    let identity = &identity::NOODLE_SHOP;
    let factory = folder.join("factory");
    std::fs::create_dir_all(&factory)?;
    let trust = factory.join("ca.pem");
    std::fs::write(&trust, assembled.keystore.root_certificate().to_pem())?;
    let news = News::default();
    let stranger = Party::stranger("applicant", server, story, news.clone());
    let mut hired = Vec::new();
    for (role, scope) in [
        (Role::FieldVerifier, None),
        (Role::Reviewer, None),
        (Role::Warehouse, None),
        (Role::Courier, Some(story::CARRIER)),
    ] {
        hired.push(stranger.with_token(role.as_str(), &hire(assembled, role, scope, story).await?));
    }
    let [field_verifier, reviewer, warehouse, courier]: [Party; 4] =
        hired.try_into().map_err(|_| Failure::failed("the cast is not complete"))?;
    let mut registries = Vec::new();
    for channel in &assembled.platform.deployment().channels {
        let token = hire(assembled, Role::Registry, Some(channel), story).await?;
        registries.push((channel.clone(), stranger.with_token("registry", &token)));
    }
    let outbox = Outbox::new(stranger.clone());
    Ok(Stage {
        cast: Cast { stranger, field_verifier, reviewer, registries, warehouse, courier, outbox },
        terminal: VirtualTerminal {
            server: server.to_owned(),
            trust,
            folder: folder.join("terminal"),
            serial: identity.serial.to_owned(),
            model: identity.model.to_owned(),
        },
        wallet: Wallet::in_folder(&folder.join("parties"))?,
        clock: Arc::clone(&assembled.clock),
        server: server.to_owned(),
        folder: folder.to_owned(),
        keep_serving: !args.once,
        pause: Duration::from_millis(args.pause),
        news,
    })
}

/// Gives a party its credential. The same story asks with the same key and gets the same one.
async fn hire(
    assembled: &Assembled,
    role: Role,
    scope: Option<&str>,
    story: &str,
) -> Result<String, Failure> {
    let owner =
        Actor { id: "demo".to_owned(), role: Role::Admin, merchant: None, subject: None, request: None };
    let bound = scope.map(|scope| format!(".{scope}")).unwrap_or_default();
    let key = IdempotencyKey::parse(&format!("{story}.{}{bound}", role.as_str()));
    let wanted = NewAccessKey {
        role: role.as_str().to_owned(),
        label: "demo".to_owned(),
        merchant_id: None,
        scope: scope.map(str::to_owned),
    };
    let made = assembled
        .platform
        .create_access_key(&owner, key, wanted)
        .await
        .map_err(|error| Failure::failed(format!("no credential for {}: {error}", role.as_str())))?;
    Ok(made.value.token)
}

fn perform(stage: Stage, form: Form, source: &DemoJourney) -> Result<(), Failure> {
    let mut report = Report::begin(form, stage.pause, stage.news.clone());
    report.announce(&format!(
        "Starpay 星支付 · demo (sandbox 沙箱, invented data 样例数据) · {}\n\
         its data: {} (stopped midway, it goes on with --data and this folder)\n",
        stage.server,
        stage.folder.display()
    ))?;
    let mut story = Story {
        cast: &stage.cast,
        identity: &identity::NOODLE_SHOP,
        report: &mut report,
        clock: &*stage.clock,
        wallet: &stage.wallet,
        journey: source,
    };
    story.play(&stage.terminal)?;
    report.say(&format!("\n{}", report.summary()))?;
    if stage.keep_serving {
        let text = format!(
            "   see the journey: {}/ (it counts changes of state; above is what each party did)\n   \
                its messages:    {}/dev/outbox\n   its data:        {}\n   Ctrl-C ends.",
            stage.server,
            stage.server,
            stage.folder.display()
        );
        report.say(&text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_writes_into_no_folder_but_its_own() {
        let home = tempfile::tempdir().unwrap();
        let at = home.path();
        assert!(belongs_to_nobody_else(&at.join("new")).is_ok() && belongs_to_nobody_else(at).is_ok());
        for (file, said) in [("notes.txt", "no demo's"), ("starpay.db", "of an installation")] {
            let folder = at.join(said);
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join(file), b"").unwrap();
            let refused = belongs_to_nobody_else(&folder).unwrap_err();
            assert!(refused.code() == Failure::USAGE && refused.to_string().contains(said), "{refused}");
            assert!(refused.to_string().contains("→ name a new or empty folder"), "{refused}");
        }
        let own = at.join("own");
        std::fs::create_dir_all(own.join("platform")).unwrap();
        assert!(belongs_to_nobody_else(&own).is_ok(), "stopped before its database was there");
        std::fs::write(own.join("platform/starpay.db"), b"").unwrap();
        assert!(belongs_to_nobody_else(&own).is_ok());
        assert!(belongs_to_nobody_else(&own.join("platform")).is_err(), "not inside a demo's platform");
    }
}
