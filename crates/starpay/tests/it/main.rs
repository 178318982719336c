//! The binary from outside.

#[cfg(test)]
mod custody;
#[cfg(test)]
mod guide;
#[cfg(test)]
mod installation;
