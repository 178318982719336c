//! The guide says what the tables do.

#[test]
fn the_checked_in_guide_is_printed_from_the_tables() {
    let checked_in = include_str!("../../../../docs/guide/sandbox.md");
    assert_eq!(checked_in, starpay_adapters::sandbox::guide(), "run `cargo xtask docs`");
}

#[test]
fn no_input_stands_twice_in_a_table() {
    for section in starpay_adapters::sandbox::guide().split("\n## ").skip(1) {
        let mut inputs: Vec<&str> = section
            .lines()
            .filter(|line| line.starts_with("| `"))
            .filter_map(|line| line.split('`').nth(1))
            .collect();
        let all = inputs.len();
        inputs.sort_unstable();
        inputs.dedup();
        assert_eq!(inputs.len(), all, "{section}");
    }
}
