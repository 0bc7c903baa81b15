//! Texts as rows of token ids: reading, tokenizing, and the vocabulary that is fitted to the training rows.

pub mod jsonl;
pub mod selected_texts;
pub mod settings;
pub mod text_file;
pub mod token_ids;
pub mod tokenizer;
pub mod vocabulary;
pub mod vocabulary_limits;
