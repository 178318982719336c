//! The small chart of open requirements: it falls to zero as the journey goes on.

/// A stepped line in a box of [`WIDTH`] × [`HEIGHT`], with the figures it was drawn from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curve {
    /// The `d` of the line.
    pub line: String,
    /// The `d` of the area under it.
    pub area: String,
    /// Open requirements after each step.
    pub counts: Vec<u32>,
}

/// Width of the drawing.
const WIDTH: u32 = 320;
/// Height of the drawing.
const HEIGHT: u32 = 64;
/// Room kept free at the edges, so that the line's end is not cut.
const MARGIN: u32 = 5;

/// The curve over the steps that know their count; `None` while there are fewer than two.
pub(super) fn curve(counts: &[u32], steps_in_all: usize) -> Option<Curve> {
    let most = counts.iter().copied().max().filter(|most| *most > 0 && counts.len() > 1)?;
    let across = u32::try_from(steps_in_all.max(counts.len()).saturating_sub(1)).ok()?.max(1);
    let x = |index: usize| {
        MARGIN + (WIDTH - 2 * MARGIN) * u32::try_from(index).unwrap_or(across).min(across) / across
    };
    let y = |count: u32| MARGIN + (HEIGHT - 2 * MARGIN) * (most - count) / most;
    let mut line = String::new();
    for (index, count) in counts.iter().enumerate() {
        let (to_x, to_y) = (x(index), y(*count));
        line.push_str(&match index {
            0 => format!("M{to_x} {to_y}"),
            _ => format!("H{to_x}V{to_y}"),
        });
    }
    let floor = HEIGHT - MARGIN;
    let area = format!("{line}V{floor}H{MARGIN}Z");
    Some(Curve { line, area, counts: counts.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_steps_down_to_the_floor() {
        let curve = curve(&[4, 4, 2, 0], 4).unwrap();
        assert_eq!(curve.line, "M5 5H108V5H211V32H315V59");
        assert_eq!(curve.counts, [4, 4, 2, 0]);
    }

    #[test]
    fn nothing_is_drawn_from_one_figure_or_from_zeros() {
        assert_eq!(super::curve(&[3], 9), None);
        assert_eq!(super::curve(&[0, 0], 2), None);
    }
}
