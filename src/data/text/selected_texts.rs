//! Texts of a table as token ids, with their targets.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use tch::Tensor;

use crate::config::check::Invalid;
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::file_error::FileError;
use crate::data::rows::Rows;
use crate::data::split::Split;
use crate::data::split::stated_rows::StatedRows;
use crate::data::store::kept_table;
use crate::data::store::user_file::setting_error;
use crate::data::table::column::Column;
use crate::data::table::column_roles::ColumnRoles;
use crate::data::table::columns::weights_of;
use crate::data::table::csv_table::Table;
use crate::data::table::encode::{Encoding, Missing};
use crate::data::table::field_format::{ClassColumn, FieldFormat, TextColumns};
use crate::data::table::form::{Form, TableForm, TextForm};
use crate::data::table::target_kind::{ColumnTargets, TargetColumns, TargetKind};
use crate::data::text::settings::Text;
use crate::data::text::text_file;
use crate::data::text::tokenizer::{SPECIAL, TokenKind, Tokenizer};
use crate::data::text::vocabulary_limits::VocabularyLimits;
use crate::device::memory;
use crate::history::number::count;
use crate::io::byte_size::format_bytes;
use crate::tensor::shape::Shape;

/// Texts as ids, and their targets.
#[derive(Debug)]
pub struct SelectedTexts {
    form: TextForm,
    /// Ids of all rows, one after the other.
    ids: Vec<i32>,
    rows: usize,
    /// Largest possible number of ids of a vocabulary.
    id_count: usize,
    targets: ColumnTargets,
    weights: Option<Vec<f32>>,
    split: Option<StatedRows>,
    notes: Vec<String>,
}

impl Text {
    /// Reads the table. Returns it with the checksum of its file and the format of its fields.
    ///
    /// # Errors
    /// When the file cannot be read, or is no table; the key is relative to the source, as for all functions here.
    pub fn read(&self, split: &Split) -> Result<(Arc<Table>, String, FieldFormat), Invalid> {
        let target = self.target.list().first();
        let classes = target.zip(self.classes.as_ref());
        let classes = classes.map(|(name, classes)| ClassColumn { name: name.clone(), classes: classes.clone() });
        let is_class = self.task == Some(TargetKind::Classes) || classes.is_some();
        let mut text: Vec<String> = target.filter(|_| is_class).cloned().into_iter().collect();
        text.push(self.text.clone());
        text.extend(split.column.iter().map(|column| column.name().to_owned()).chain(split.group.clone()));
        let reading = FieldFormat {
            missing_values: Some(vec![String::new()]), // `None` and `null` are words
            classes,
            text: TextColumns::Named(text),
            ..FieldFormat::new(self.separator)
        };
        let mut wanted = vec![self.text.clone()];
        wanted.extend(self.target.list().iter().chain(&self.weights).cloned());
        wanted.extend(split.columns().into_iter().map(|(_, name)| name.to_owned()));
        let (path, wanted) = (Path::new(&self.path), Some(&wanted[..]));
        let read = kept_table::LAST.get_or_read(path, &reading, wanted, || text_file::read(path, &reading, wanted));
        let (table, sum) = read.map_err(|fault| self.path_error(fault))?;
        Ok((table, sum, reading))
    }

    /// Converts a fault of the file to an error of the setting `path`.
    pub fn path_error(&self, fault: FileError) -> Invalid {
        setting_error("path", &self.path, fault)
    }

    /// Checks the columns, and converts the texts to ids.
    ///
    /// # Errors
    /// When a column or a value is missing, a target has the wrong type, or the vocabulary would be empty.
    pub fn select(&self, table: &Table, split: &Split, reading: FieldFormat) -> Result<SelectedTexts, Invalid> {
        let features = [self.text.clone()];
        let names = self.target.list();
        let roles = ColumnRoles {
            task: self.task,
            classes: self.classes.as_deref(),
            features: Some(&features),
            weights: self.weights.as_deref(),
            split: Some(split),
            ..ColumnRoles::new(names)
        };
        let text = roles.columns(table, "text", &features)?[0];
        let target_columns = roles.columns(table, "target", names)?;
        if target_columns.is_empty() {
            return Err(Invalid::new("target", "lists no columns"));
        }
        if names.contains(&self.text) {
            return Err(Invalid::new("text", format!("is `{}`, which is also in `target`", self.text)));
        }
        let weights = roles.weight_column(table)?;
        let targets = target_columns.iter().map(|column| ("target", *column));
        for (key, column) in
            [("text", text)].into_iter().chain(targets).chain(weights.map(|column| ("weights", column)))
        {
            if let Some((row, _)) = column.first_missing() {
                let message = format!("has no value in {}, column `{}`", table.place(row), column.name);
                return Err(Invalid::new(key, message).hint("fill it in, or remove the row"));
            }
        }
        let rows: Vec<usize> = (0..table.rows()).collect();
        let task = roles.task(table, &target_columns)?;
        let targets = task.read(table, &target_columns, &rows, self.classes.as_deref())?;
        let weights = weights.map(|column| weights_of(table, column, &rows)).transpose()?;
        let mut notes = Vec::new();
        let split = Some(split).filter(|split| !split.columns().is_empty());
        let split = split.map(|split| roles.split_rows(split, table, &rows, &targets, &mut notes)).transpose()?;
        let classes = (task == TargetKind::Classes)
            .then(|| ClassColumn { name: names[0].clone(), classes: targets.names.clone() });
        let kept = features.iter().chain(classes.iter().map(|column| &column.name)).cloned().collect();
        let table_form = TableForm {
            encoding: Encoding { columns: Vec::new(), missing: Missing::Error },
            target: TargetColumns { names: names.to_vec(), task, classes: targets.names.clone() },
            reading: FieldFormat { classes, text: TextColumns::Named(kept), ..reading },
        };
        let TextIds { tokenizer, tokens, ids, id_count } = self.tokenize(text, &mut notes)?;
        let limits = VocabularyLimits { most: self.vocabulary, min_count: self.min_count };
        let form = TextForm { text: self.text.clone(), tokenizer, tokens, limits, table: table_form };
        Ok(SelectedTexts { form, ids, rows: rows.len(), id_count, targets, weights, split, notes })
    }

    /// Converts the texts of a column to ids. Adds a note if the length of the texts needs attention.
    fn tokenize(&self, column: &Column, notes: &mut Vec<String>) -> Result<TextIds, Invalid> {
        let (tokens, lowercase, padding) = (self.tokens, self.lowercase, self.padding);
        let mut tokenizer = Tokenizer { tokens, lowercase, length: self.length.unwrap_or(1), padding };
        let (mut known, mut tokens): (HashMap<String, i32>, Vec<String>) = (HashMap::new(), Vec::new());
        let (distinct, places) = column.categories(); // each text that occurs is tokenized once
        let mut texts: Vec<Vec<i32>> = Vec::with_capacity(distinct.len());
        for text in &distinct {
            let mut ids = Vec::new();
            tokenizer.tokenize(text, &mut ids, |token| {
                known.get(token).copied().unwrap_or_else(|| {
                    let id = (SPECIAL + tokens.len()) as i32;
                    known.insert(token.to_owned(), id);
                    tokens.push(token.to_owned());
                    id
                })
            });
            texts.push(ids);
        }
        let texts: Vec<&[i32]> = places.iter().flatten().map(|&place| texts[place].as_slice()).collect();
        let mut lengths: Vec<usize> = texts.iter().map(|ids| ids.len()).collect();
        lengths.sort_unstable();
        let longest = lengths.last().copied().unwrap_or(0).max(1);
        tokenizer.length = self.length.unwrap_or(longest);
        notes.extend(self.note_on_length(&lengths));
        let values = texts.len().saturating_mul(tokenizer.length);
        let (wanted, free) = (values as u64 * 16, memory::free_main_memory());
        if wanted > free {
            let (wanted, free) = (format_bytes(wanted), format_bytes(free));
            let message = format!(
                "is {}, so that {} texts need {wanted} of memory, but only {free} is free",
                count(tokenizer.length),
                count(texts.len())
            );
            return Err(Invalid::new("length", message).hint("set a smaller `length`: longer texts are cut"));
        }
        let mut ids = Vec::with_capacity(values);
        texts.iter().for_each(|text| tokenizer.push_row(text, &mut ids));
        let mut counts = vec![0; tokens.len()];
        for place in ids.iter().filter_map(|&id| (id as usize).checked_sub(SPECIAL)) {
            counts.get_mut(place).into_iter().for_each(|count| *count += 1); // bytes are not counted
        }
        let limits = VocabularyLimits { most: self.vocabulary, min_count: self.min_count };
        let chosen = limits.chosen(&tokens, &counts).len();
        if chosen == 0 && self.tokens != TokenKind::Bytes {
            let most = counts.iter().max().copied().unwrap_or(0);
            let message = format!("is {}, but no token occurs more than {most} times", self.min_count);
            return Err(Invalid::new("min_count", message).hint("lower it: the vocabulary would be empty"));
        }
        let id_count = tokenizer.id_count(chosen);
        Ok(TextIds { tokenizer, tokens, ids, id_count })
    }

    /// Returns a note on texts that are cut, or on one that is much longer than others; `lengths` are ascending.
    fn note_on_length(&self, lengths: &[usize]) -> Option<String> {
        let longest = lengths.last().copied()?;
        let all = count(lengths.len());
        let most = lengths[(lengths.len() - 1) * 95 / 100];
        match self.length {
            Some(length) => {
                let cut = lengths.iter().filter(|&&found| found > length).count();
                let are = if cut == 1 { "is" } else { "are" };
                (cut > 0).then(|| format!("{} of {all} texts {are} cut: they have more than {length} tokens", count(cut)))
            }
            None => (longest > 2 * most).then(|| {
                format!(
                    "each row has {} tokens, as the longest text; 95 % of the texts have at most {}: write `length = {most}` \
                     to cut the others",
                    count(longest),
                    count(most)
                )
            }),
        }
    }
}

/// Texts as ids.
struct TextIds {
    tokenizer: Tokenizer,
    /// Tokens with the ids 2, 3, …; empty for bytes.
    tokens: Vec<String>,
    /// Ids of all rows, one after the other.
    ids: Vec<i32>,
    /// Largest possible number of ids of a vocabulary.
    id_count: usize,
}

impl SelectedTexts {
    /// Returns the description of the data set.
    pub fn info(&self) -> DatasetInfo {
        let [rows, validation_rows, test_rows] = self.split.as_ref().map_or([self.rows, 0, 0], StatedRows::counts);
        let sample = Shape::from([self.form.tokenizer.length as i64]);
        let training = DatasetInfo::new(sample, self.targets.target, rows, self.targets.names.clone());
        let (token_ids, notes) = (Some(self.id_count), self.notes.clone());
        DatasetInfo { test_rows, validation_rows, token_ids, notes, ..training }
    }

    /// Converts the rows to tensors. `sha256` is the checksum of the source.
    pub fn load(self, sha256: String) -> Loaded {
        let rows = Rows {
            features: Tensor::from_slice(&self.ids).view([-1, self.form.tokenizer.length as i64]),
            targets: self.targets.tensor(),
            weights: self.weights.as_deref().map(Tensor::from_slice),
        };
        let target = self.targets.target;
        let form = Form::Text(Box::new(self.form));
        Loaded::new(sha256, target, self.targets.names, rows, form).with_parts(self.split)
    }
}
