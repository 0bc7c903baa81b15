//! Default values of settings, as functions for `#[serde(default = "…")]`.

/// Returns 1.
pub fn one<T: From<u8>>() -> T {
    T::from(1)
}

/// Returns `true`.
pub fn yes() -> bool {
    true
}
