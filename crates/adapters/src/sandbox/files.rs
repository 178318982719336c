//! 文件: the real folder, with the weather that the configuration asks for.
//!
//! Other sandboxes read what a merchant wrote. Objects arrive here sealed, so nothing in them can be
//! read: whoever tries a client against a failing file store says so in `[sandbox] files`.

use super::table::{Reads, Table, row};
use super::{Fault, World, sandbox};
use crate::files::ObjectFiles;
use bytes::Bytes;
use starpay_app::port::{AdapterName, Answer, FileMeta, Files, PortError};

/// How the store of files behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeping {
    /// As the folder does.
    InOrder,
    /// Reads, lists and removes, but has no room for anything new.
    Full,
    /// Nothing works: the same end for whatever is asked, but that a lost answer is one to writing.
    Fails(Fault),
}

impl Keeping {
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::InOrder => "kept in the folder, read from it",
            Self::Full => "writing is not available, nothing was written; reading goes on",
            Self::Fails(Fault::AnswerLost) => "writing: outcome unknown, written; reading goes on",
            Self::Fails(fault) => fault.meaning(),
        }
    }
}

pub(super) const OUTCOMES: Table<Keeping> = Table {
    port: "Files 文件 (`sandbox-files`)",
    input: "`files` in the section `[sandbox]` of the configuration",
    reads: Reads::Whole,
    delay: "until the answer",
    rows: &[
        row("slow", Keeping::InOrder, 2000),
        row("full", Keeping::Full, 0),
        row("closed", Keeping::Fails(Fault::Closed), 0),
        row("answer-lost", Keeping::Fails(Fault::AnswerLost), 0),
    ],
    otherwise: row("", Keeping::InOrder, 0),
};

/// What `[sandbox] files` may say, and what it says when it is absent.
pub const FILES_WEATHER: [&str; 5] = ["in-order", "slow", "full", "closed", "answer-lost"];

/// A folder of sealed objects that fails when it is asked to.
#[derive(Clone)]
pub struct SandboxFiles {
    world: World,
    folder: ObjectFiles,
    keeping: Keeping,
    delay_ms: u32,
}

const NAME: AdapterName = sandbox("sandbox-files");

impl SandboxFiles {
    /// That folder under one of [`FILES_WEATHER`]; any other word is fine weather.
    #[must_use]
    pub fn new(world: World, folder: ObjectFiles, weather: &str) -> Self {
        let row = OUTCOMES.decide(weather);
        Self { world, folder, keeping: row.behaviour, delay_ms: row.delay_ms }
    }

    /// Waits, and says whether what only reads or removes goes on.
    async fn reads(&self) -> Result<(), PortError> {
        self.world.wait(self.delay_ms).await;
        match self.keeping {
            Keeping::InOrder | Keeping::Full | Keeping::Fails(Fault::AnswerLost) => Ok(()),
            Keeping::Fails(fault) => Err(fault.error(NAME.name)),
        }
    }
}

impl Files for SandboxFiles {
    fn adapter(&self) -> AdapterName {
        NAME
    }

    fn put(&self, key: String, bytes: Bytes) -> Answer<'_, ()> {
        Box::pin(async move {
            self.world.wait(self.delay_ms).await;
            match self.keeping {
                Keeping::InOrder => self.folder.put(key, bytes).await,
                Keeping::Full => Err(Fault::Closed.error(NAME.name)),
                Keeping::Fails(fault) => {
                    if fault.is_done() {
                        self.folder.put(key, bytes).await?;
                    }
                    Err(fault.error(NAME.name))
                }
            }
        })
    }

    fn get(&self, key: String) -> Answer<'_, Option<Bytes>> {
        Box::pin(async move {
            self.reads().await?;
            self.folder.get(key).await
        })
    }

    fn list(&self, prefix: String) -> Answer<'_, Vec<FileMeta>> {
        Box::pin(async move {
            self.reads().await?;
            self.folder.list(prefix).await
        })
    }

    fn remove(&self, key: String) -> Answer<'_, ()> {
        Box::pin(async move {
            self.reads().await?;
            self.folder.remove(key).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_setting_stands_in_the_table() {
        let [fine, asked @ ..] = FILES_WEATHER;
        assert_eq!(OUTCOMES.rows.iter().map(|row| row.trigger).collect::<Vec<_>>(), asked);
        assert_eq!(OUTCOMES.decide(fine).behaviour, Keeping::InOrder);
    }
}
