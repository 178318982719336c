//! Statements: one portable text, rewritten per engine.
//!
//! The portable subset and the three dialect tokens (`{for_update}`, `{skip_locked}`, `{bytes}`)
//! are the whole of what this crate writes. `$n` becomes `?n` on SQLite: rusqlite would bind `$n`
//! by order of appearance, which is silently wrong as soon as a number repeats.

/// The two engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Embedded, one process per data folder.
    Sqlite,
    /// A server or a group of servers.
    Postgres,
}

impl Engine {
    /// The name used in metrics and settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// A statement of the catalogue: a name and one portable text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    name: &'static str,
    text: &'static str,
}

impl Statement {
    pub(crate) const fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, text }
    }

    /// The constant's name, for messages and tests.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The portable text, with its tokens.
    #[must_use]
    pub const fn portable(&self) -> &'static str {
        self.text
    }

    /// The text in an engine's dialect.
    #[must_use]
    pub fn text(&self, engine: Engine) -> String {
        rewrite(self.text, engine)
    }

    /// What a connection keeps its prepared form under: where the text is, and how long.
    pub(crate) fn place(&self) -> Place {
        (self.text.as_ptr().addr(), self.text.len())
    }
}

/// The address and length of a statement's text, unique while the program runs.
pub(crate) type Place = (usize, usize);

/// Replaces the dialect tokens and, for SQLite, the parameter marks.
pub(crate) fn rewrite(text: &str, engine: Engine) -> String {
    let (for_update, skip_locked, bytes) = match engine {
        Engine::Sqlite => ("", "", "BLOB"),
        Engine::Postgres => ("FOR UPDATE", "SKIP LOCKED", "BYTEA"),
    };
    let text = text
        .replace("{for_update}", for_update)
        .replace("{skip_locked}", skip_locked)
        .replace("{bytes}", bytes);
    match engine {
        Engine::Sqlite => text.replace('$', "?"),
        Engine::Postgres => text,
    }
}

/// Declares statements and registers them in the module's `STATEMENTS`, which
/// [`catalogue`](crate::catalogue) lists: every one is prepared on both engines by a test.
macro_rules! sql {
    ($($(#[$doc:meta])* $name:ident = $($text:expr),+;)+) => {
        $($(#[$doc])* const $name: $crate::sql::Statement =
            $crate::sql::Statement::new(concat!(module_path!(), "::", stringify!($name)), concat!($($text),+));)+
        /// Every statement of this module.
        pub(crate) const STATEMENTS: &[$crate::sql::Statement] = &[$($name),+];
    };
}
pub(crate) use sql;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_marks_are_rewritten_per_engine() {
        let text = "SELECT CAST($2 AS {bytes}) FROM t WHERE a = $1 OR b = $1 {for_update} {skip_locked}";
        assert_eq!(rewrite(text, Engine::Sqlite), "SELECT CAST(?2 AS BLOB) FROM t WHERE a = ?1 OR b = ?1  ");
        assert_eq!(
            rewrite(text, Engine::Postgres),
            "SELECT CAST($2 AS BYTEA) FROM t WHERE a = $1 OR b = $1 FOR UPDATE SKIP LOCKED"
        );
    }
}
