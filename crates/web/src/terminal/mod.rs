//! `/terminal/v1`.
use crate::routes::Routes;
/// Every route of the terminals' control protocol.
pub(crate) fn routes() -> Routes {
    Routes::new("terminal")
}
