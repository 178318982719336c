//! Pictures of the machines, drawn from the tables that drive them.
//!
//! `docs/generated/state-machines.md` is [`document`], written by `cargo xtask docs`; a test here
//! compares the two, so the page cannot fall behind the code.

use crate::machine::Edge;
use crate::party::{Limit, Owned, Owner, Then};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What a picture needs of a machine.
#[derive(Debug, Clone, Copy)]
pub struct Chart {
    /// The machine's name.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// Where it can begin.
    pub starts: &'static [&'static str],
    /// Every state.
    pub states: &'static [&'static str],
    /// Every legal move.
    pub edges: &'static [Edge],
    /// Who must act, for how long.
    pub owners: &'static [Owner],
}

const fn chart<M: Owned>(starts: &'static [&'static str], about: &'static str) -> Chart {
    Chart { name: M::NAME, about, starts, states: M::STATES, edges: M::EDGES, owners: M::OWNERS }
}

/// Every machine, in the order of the journey.
pub const CHARTS: &[Chart] = &[
    chart::<crate::application::Application>(
        &["draft"],
        "进件申请: from a draft to a merchant in good standing.",
    ),
    chart::<crate::visit::Visit>(&["offered"], "现场/视频核实: somebody of ours sees the business."),
    chart::<crate::agreement::Agreement>(&["offered"], "受理协议: one version, signed or not."),
    chart::<crate::registration::Registration>(&["pending"], "报送/入网: one channel opening one merchant."),
    chart::<crate::shipment::Shipment>(&["pending"], "发货单: one device on its way to one shop."),
    chart::<crate::device::Device>(&["in_stock"], "终端设备: one serial, at most one live merchant."),
    chart::<crate::device_auth::DeviceAuth>(
        &["preauthorised", "pending"],
        "设备身份: one set of device keys; one per device is accepted at a time.",
    ),
    chart::<crate::key_slot::KeySlot>(&["empty"], "密钥槽: one key of one terminal."),
    chart::<crate::activation::Activation>(
        &["code_issued"],
        "激活会话: a terminal becoming ready, step by step.",
    ),
    chart::<crate::capability::Capability>(&["unrequested"], "商户能力: one thing a merchant may do."),
    chart::<crate::requirement::state::RequirementState>(
        &["eventually_due", "currently_due"],
        "待办事项: one thing still missing; computed, never stored.",
    ),
];

/// One machine as a Mermaid state diagram.
#[must_use]
pub fn diagram(chart: &Chart) -> String {
    let mut arrows: Vec<((&str, &str), Vec<&str>)> = Vec::new();
    for edge in chart.edges {
        let ends = (edge.from, edge.to);
        match arrows.iter_mut().find(|(known, _)| *known == ends) {
            Some((_, events)) => events.push(edge.event),
            None => arrows.push((ends, vec![edge.event])),
        }
    }
    let mut text = String::from("stateDiagram-v2\n");
    for start in chart.starts {
        line(&mut text, format_args!("    [*] --> {start}"));
    }
    for ((from, to), events) in &arrows {
        line(&mut text, format_args!("    {from} --> {to}: {}", events.join(", ")));
    }
    for state in chart.states {
        if !chart.edges.iter().any(|edge| edge.from == *state) {
            line(&mut text, format_args!("    {state} --> [*]"));
        }
    }
    text
}

/// The page of all machines: a picture and a table of owners for each.
#[must_use]
pub fn document() -> String {
    let mut text = String::from(
        "# State machines\n\nWritten by `cargo xtask docs` from the tables in `crates/domain`; do not edit.\n\n\
         Each machine is drawn from its `EDGES`. The table below a picture says who must act in a state\n\
         and what happens when the time is over; the periods are policy, named here and kept in a table.\n",
    );
    for chart in CHARTS {
        line(&mut text, format_args!("\n## {}\n\n{}\n\n```mermaid", chart.name, chart.about));
        text.push_str(&diagram(chart));
        text.push_str("```\n\n| state | who acts | how long | then |\n|---|---|---|---|\n");
        let owners: BTreeMap<&str, &Owner> = chart.owners.iter().map(|owner| (owner.state, owner)).collect();
        for state in chart.states {
            match owners.get(state) {
                Some(owner) => owner_row(&mut text, owner),
                None => line(&mut text, format_args!("| `{state}` | nobody | for good | |")),
            }
        }
    }
    text
}

fn owner_row(text: &mut String, owner: &Owner) {
    let (how_long, then) = match owner.limit {
        Limit::Within(term, then) => (format!("`{}`", term.as_str()), after(then)),
        Limit::Until(fact, then) => (format!("until its `{fact}`"), after(then)),
        Limit::Unlimited(why) => (format!("no limit: {why}"), String::new()),
    };
    line(text, format_args!("| `{}` | {} | {how_long} | {then} |", owner.state, owner.party));
}

fn after(then: Then) -> String {
    match then {
        Then::Apply(event) => format!("`{event}`"),
        Then::Remind => "remind".to_owned(),
        Then::Escalate => "escalate".to_owned(),
    }
}

/// Writes a line; a `String` takes any text.
fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    if text.write_fmt(content).is_ok() {
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_what_the_tables_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/generated/state-machines.md");
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            page == document(),
            "docs/generated/state-machines.md is out of date: run `cargo xtask docs`"
        );
    }

    #[test]
    fn every_edge_is_drawn_and_every_beginning_exists() {
        for chart in CHARTS {
            let picture = diagram(chart);
            for Edge { from, event, to } in chart.edges {
                let drawn = picture.lines().any(|line| {
                    line.trim()
                        .strip_prefix(&format!("{from} --> {to}: "))
                        .is_some_and(|events| events.split(", ").any(|name| name == *event))
                });
                assert!(drawn, "{}: {from} --{event}--> {to}", chart.name);
            }
            assert!(chart.starts.iter().all(|start| chart.states.contains(start)), "{}", chart.name);
        }
    }

    #[test]
    fn no_machine_is_left_out() {
        let names: Vec<_> = CHARTS.iter().map(|chart| chart.name).collect();
        let expected = [
            "application",
            "visit",
            "agreement",
            "registration",
            "shipment",
            "device",
            "device_auth",
            "key_slot",
            "activation",
            "capability",
            "requirement",
        ];
        assert_eq!(names, expected);
    }
}
