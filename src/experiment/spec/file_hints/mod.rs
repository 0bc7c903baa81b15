//! Hints on mistakes in experiment files: the most similar known name, the notation of TOML in place of Python's, or the
//! setting that has another name in Keras, PyTorch or pandas.

mod changed_value;
mod keras_meaning;
mod notation;
mod other_place;
mod place;
mod plain_words;
mod python_call;
mod reworded;
mod unknown_names;
mod value_text;
mod without_mistake;
mod wrong_types;

pub use changed_value::place_in;
pub use keras_meaning::batch_norm_momentum;
pub use place::{Place, children};
pub use plain_words::{shorten, translate, with_new_list};
pub use reworded::reworded;
pub use unknown_names::{of_key, synonym};
pub use value_text::toml;
pub use without_mistake::of as without_mistake;

/// Returns the hint for an error message of serde or of the TOML parser; `None` if there is nothing to suggest.
pub fn hint(message: &str, place: Place) -> Option<String> {
    let is_toml = toml_edit::Document::parse(place.text).is_ok();
    let of_line = || unknown_names::of_line(place).or_else(|| notation::call_of_python(place));
    (!is_toml)
        .then(of_line)
        .flatten()
        .or_else(|| notation::hint(message, place.rest))
        .or_else(|| wrong_types::hint(message, place))
        .or_else(|| unknown_names::hint(message, place))
}
