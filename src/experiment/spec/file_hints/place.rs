//! Place of a mistake in an experiment file.

/// Place of a mistake.
#[derive(Clone, Copy, Default)]
pub struct Place<'a> {
    /// Full key of the setting, such as `network.layers.0.linear`; empty if it is not known.
    pub key: &'a str,
    /// Text of the file from the mistake on.
    pub rest: &'a str,
    /// Text of the file.
    pub text: &'a str,
}
