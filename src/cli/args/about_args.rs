//! Name, tags and note of a run.

use crate::experiment::store::about::{About, parse_name, parse_note, parse_tag};

/// What is written about a run. It does not change the results, so the recorded command does not contain it.
#[derive(Clone, Debug, clap::Args)]
pub struct AboutArgs {
    /// Name of the run; commands accept it instead of the id. It must not look like an id: use at least one character
    /// other than 0–9 and a–f
    #[arg(long, value_name = "TEXT", value_parser = parse_name)]
    pub name: Option<String>,
    /// Tag of the run; repeatable
    #[arg(long = "tag", value_name = "TAG", value_parser = parse_tag)]
    pub tags: Vec<String>,
    /// Note about the run
    #[arg(long, value_name = "TEXT", value_parser = parse_note)]
    pub note: Option<String>,
}

impl AboutArgs {
    /// Returns what is stored with the run.
    pub fn about(&self) -> About {
        let mut about = About {
            name: self.name.clone(),
            note: self.note.clone().filter(|note| !note.is_empty()),
            ..About::default()
        };
        self.tags.iter().for_each(|tag| about.add_tag(tag));
        about
    }
}
