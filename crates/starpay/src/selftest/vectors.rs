//! The cases of `vectors.json`.

use super::Tally;
use serde_json::Value;

/// Counts every vector: no kind is known here yet, so none can be called passed.
pub(crate) fn run(file: &Value, tally: &mut Tally) {
    for list in ["crypto", "messages", "captures"] {
        for case in file.get(list).and_then(Value::as_array).into_iter().flatten() {
            let text = |name| case.get(name).and_then(Value::as_str).unwrap_or(list);
            tally.not_run(text("kind"), text("id"), "no rule for this kind");
        }
    }
}
