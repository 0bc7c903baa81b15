//! Settings of `[data.text]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::defaults;
use crate::config::texts::optional_texts;
use crate::data::table::column_roles::ColumnNames;
use crate::data::table::target_kind::TargetKind;
use crate::data::text::tokenizer::{PaddingSide, TokenKind};
use crate::io::separator;

/// Settings of `[data.text]`. Each text becomes a row of token ids for an `embedding`: 0 is padding, 1 an unknown token,
/// and the tokens of the training rows follow, the most frequent one first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Path of the file: `.csv`, or `.jsonl` with an object in each line; each can end in `.gz`. A relative path is relative
    /// to the experiment file.
    pub path: String,
    /// Column of the texts.
    #[serde(default = "text_column")]
    pub text: String,
    /// Target column, or a list of them.
    pub target: ColumnNames,
    /// Kind of the target. By default, text is classes and numbers are values; unclear cases are errors.
    #[serde(default)]
    pub task: Option<TargetKind>,
    /// Class names in order, such as `["0", "1"]`. Any other value in the target column is an error. By default, the
    /// distinct values in ascending order.
    #[serde(default, deserialize_with = "optional_texts")]
    pub classes: Option<Vec<String>>,
    /// What a token is: words between white space, characters, or bytes.
    #[serde(default)]
    pub tokens: TokenKind,
    /// Whether texts are converted to lower case.
    #[serde(default)]
    pub lowercase: bool,
    /// Maximum number of token ids, with those of padding and unknown tokens (Keras: `max_tokens`). By default, all tokens
    /// of the training rows are in the vocabulary.
    #[serde(default, alias = "max_tokens")]
    pub vocabulary: Option<usize>,
    /// Minimum number of times that a token occurs in the training rows; others are unknown.
    #[serde(default = "defaults::one::<usize>")]
    pub min_count: usize,
    /// Number of tokens of a row: longer texts are cut at the end, shorter ones padded. By default, that of the longest
    /// text.
    #[serde(default)]
    pub length: Option<usize>,
    /// Side on which short texts are padded.
    #[serde(default)]
    pub padding: PaddingSide,
    /// Column of sample weights, numbers above 0, as in `[data.csv]`.
    #[serde(default)]
    pub weights: Option<String>,
    /// Field separator of a CSV table: `","`, `";"`, `"tab"`, …
    #[serde(default = "separator::comma", deserialize_with = "separator::deserialize")]
    pub separator: char,
}

fn text_column() -> String {
    "text".to_owned()
}
