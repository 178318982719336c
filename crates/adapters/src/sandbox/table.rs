//! The shape of the sandbox tables.

/// Which part of an input a table reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// 顺序码: characters 15 to 17 of an ID number, which no check digit constrains.
    SequenceDigits,
    /// The last four digits.
    LastFourDigits,
    /// The end of a text, closing brackets left out.
    Ending,
    /// What stands before the `@`.
    LocalPart,
    /// All of it.
    Whole,
}

impl Reads {
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::SequenceDigits => "digits 15–17",
            Self::LastFourDigits => "last four digits",
            Self::Ending => "ends with (a closing bracket after it is ignored)",
            Self::LocalPart => "the part before @",
            Self::Whole => "the whole word",
        }
    }

    fn matches(self, value: &str, trigger: &str) -> bool {
        match self {
            Self::SequenceDigits => value.get(14..17) == Some(trigger),
            Self::LastFourDigits => value.len() >= 4 && value.ends_with(trigger),
            Self::Ending => value.trim_end().trim_end_matches([')', '）', ']', '】']).ends_with(trigger),
            Self::LocalPart => value.split_once('@').is_some_and(|(local, _)| local == trigger),
            Self::Whole => value == trigger,
        }
    }
}

/// One row: this input gives that behaviour after so long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<B> {
    pub(super) trigger: &'static str,
    pub(super) behaviour: B,
    pub(super) delay_ms: u32,
}

/// Shorthand for the tables.
pub(super) const fn row<B>(trigger: &'static str, behaviour: B, delay_ms: u32) -> Row<B> {
    Row { trigger, behaviour, delay_ms }
}

/// The table of one port.
#[derive(Debug)]
pub(super) struct Table<B: 'static> {
    /// Port and adapter, for the guide.
    pub(super) port: &'static str,
    /// Name of the input that is read.
    pub(super) input: &'static str,
    pub(super) reads: Reads,
    /// What the delay means.
    pub(super) delay: &'static str,
    pub(super) rows: &'static [Row<B>],
    pub(super) otherwise: Row<B>,
}

impl<B> Table<B> {
    /// The row for an input.
    pub(super) fn decide(&self, value: &str) -> &Row<B> {
        self.rows.iter().find(|row| self.reads.matches(value, row.trigger)).unwrap_or(&self.otherwise)
    }

    /// The row with that trigger, as a counterpart remembers it; the last row when it has none.
    pub(super) fn recall(&self, trigger: &str) -> &Row<B> {
        self.rows.iter().find(|row| row.trigger == trigger).unwrap_or(&self.otherwise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_read_where_it_stands() {
        assert!(Reads::SequenceDigits.matches("110199199003079017", "901"));
        assert!(!Reads::SequenceDigits.matches("901199199003071124", "901"));
        assert!(!Reads::SequenceDigits.matches("short", "901"));
        assert!(Reads::LastFourDigits.matches("15400009001", "9001"));
        assert!(Reads::Ending.matches("样例小面馆（吊销）", "吊销"));
        assert!(!Reads::Ending.matches("吊销样例馆", "吊销"));
        assert!(Reads::LocalPart.matches("bounce@example.test", "bounce"));
        assert!(!Reads::LocalPart.matches("bouncer@example.test", "bounce"));
    }
}
