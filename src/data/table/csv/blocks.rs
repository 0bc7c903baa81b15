//! Reads tables of numbers from the disk with one thread for each processor.
//!
//! A thread takes the next block of complete lines. Reading and hashing a block is done by one thread at a time, under
//! a lock. Outside the lock, the thread checks the block like [`CsvText`] and parses it with polars. The parsed columns
//! are joined in the order of the blocks. So the complete text is never in memory; reading, hashing and parsing run in
//! parallel; and a block is still in the CPU cache when it is parsed.
//!
//! Anything that is not a plain number (text, a missing value, damage) ends the attempt. The table is then read by
//! [`CsvText`], which reports what is wrong, if anything is.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use memchr::{memchr, memchr_iter, memrchr};
use polars::frame::DataFrame;
use polars::io::prelude::_csv_read_internal::read_chunk;
use polars::prelude::{Column, CsvParseOptions, DataType, Field, Schema, Series};

use crate::data::table::csv::csv_text::{BYTE_ORDER_MARK, CsvText};
use crate::device::fault::Fault;
use crate::device::memory::try_reserve;
use crate::tensor::threads;

/// Number of bytes of a block: the block and its parsed values fit in the CPU cache.
pub(crate) const AT_A_TIME: usize = 1 << 20;

/// Header of a table, and the numbers below it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct PlainNumbers {
    /// Record of the header.
    pub(crate) header: Vec<u8>,
    /// Columns, one for each field of the header.
    pub(crate) columns: Vec<PlainColumn>,
    /// Line on which each row begins, counted from 1.
    pub(crate) lines: Vec<usize>,
}

/// One column.
#[derive(Debug, PartialEq)]
pub(crate) enum PlainColumn {
    /// Numbers; never −0.
    Numbers(Vec<f64>),
    /// Text of each field.
    Text(Series),
}

/// Reads a table of finite numbers; the columns that `as_text` returns for the first block may have any text. Returns
/// `None` if the table has no rows, or another field. `at_a_time` is the number of bytes of a block.
pub(crate) fn read(
    source: impl Read + Send,
    separator: u8,
    as_text: impl Fn(&[u8]) -> Vec<usize>,
    at_a_time: usize,
) -> Option<PlainNumbers> {
    let mut blocks = Blocks { source, rest: Vec::new(), taken: 0, is_at_end: false };
    let (read, fails) = (Mutex::new(BlockJoiner::default()), AtomicBool::new(false));
    let mut first = vec![0; at_a_time];
    let filled = blocks.next(&mut first)??;
    let as_text = as_text(&first[..filled]);
    let one = |number: usize, block: &[u8]| {
        let inserted = Block::read(block, number, separator, &as_text)
            .and_then(|block| read.lock().expect("no thread panics while it puts a block").insert(number, block));
        if inserted.is_none() {
            fails.store(true, Ordering::Relaxed);
        }
    };
    if blocks.is_at_end {
        one(0, &first[..filled]);
    } else {
        let blocks = Mutex::new(blocks);
        let work = |mut block: Vec<u8>, mut next: Option<(usize, usize)>| {
            while let Some((number, filled)) = next.take() {
                one(number, &block[..filled]);
                if fails.load(Ordering::Relaxed) {
                    break;
                }
                next = take(&blocks, &mut block, &fails);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads::max_threads() {
                scope.spawn(|| {
                    let mut block = vec![0; at_a_time];
                    let next = take(&blocks, &mut block, &fails);
                    work(block, next);
                });
            }
            work(first, Some((0, filled)));
        });
    }
    let BlockJoiner { numbers: read, memory_error, .. } =
        read.into_inner().expect("no thread panics while it puts a block");
    if let Some(fault) = memory_error {
        fault.throw(); // reading as text would need more memory
    }
    (!fails.load(Ordering::Relaxed) && !read.lines.is_empty()).then_some(read)
}

/// Takes the next block and returns its number and length; `None` after the last block, or if the source cannot be
/// read.
fn take(blocks: &Mutex<Blocks<impl Read>>, block: &mut Vec<u8>, fails: &AtomicBool) -> Option<(usize, usize)> {
    let mut blocks = blocks.lock().expect("no thread panics while it takes a block");
    let number = blocks.taken;
    let Some(filled) = blocks.next(block) else {
        fails.store(true, Ordering::Relaxed);
        return None;
    };
    filled.map(|filled| (number, filled))
}

/// Source that is read block by block.
struct Blocks<R> {
    source: R,
    /// Rest of the last block: the beginning of an incomplete line.
    rest: Vec<u8>,
    taken: usize,
    is_at_end: bool,
}

impl<R: Read> Blocks<R> {
    /// Fills a block with complete lines and returns its length; the block grows if a line is longer. The outer `None`
    /// is a read error, the inner one the end of the source.
    fn next(&mut self, block: &mut Vec<u8>) -> Option<Option<usize>> {
        if block.len() < self.rest.len() {
            block.resize(self.rest.len(), 0);
        }
        let mut filled = self.rest.len();
        block[..filled].copy_from_slice(&self.rest);
        self.rest.clear();
        while !self.is_at_end {
            match self.source.read(&mut block[filled..]) {
                Ok(0) if filled < block.len() => self.is_at_end = true,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
            if filled < block.len() {
                continue;
            }
            match memrchr(b'\n', block) {
                Some(end) => {
                    self.rest.extend_from_slice(&block[end + 1..]);
                    filled = end + 1;
                    break;
                }
                None if memchr(b'\r', block).is_some() => return None, // another line end: this table cannot be read in blocks
                None => block.resize(2 * block.len(), 0),
            }
        }
        self.taken += 1;
        Some((filled > 0).then_some(filled))
    }
}

/// Parsed block.
struct Block {
    header: Option<Vec<u8>>,
    /// Number of fields of each record; `None` if there is no record.
    fields: Option<usize>,
    /// Numbers; `None` if there is no row.
    frame: Option<DataFrame>,
    /// Lines of the rows, counted from the first line of the block.
    lines: Vec<usize>,
    /// Number of lines.
    length: usize,
}

impl Block {
    /// Parses a block; `None` if the records have different numbers of fields, or a field is no finite number. A block
    /// that ends within quotes has an unclosed quote, and is `None` too.
    fn read(block: &[u8], number: usize, separator: u8, as_text: &[usize]) -> Option<Block> {
        if number > 0 && block.starts_with(BYTE_ORDER_MARK) {
            return None; // a byte order mark is allowed only at the start
        }
        let length = memchr_iter(b'\n', block).count();
        let Ok(checked) = CsvText::check(block, separator) else {
            let is_blank = number > 0 && block.trim_ascii().is_empty() && separator != b'\t';
            return is_blank.then_some(Block { header: None, fields: None, frame: None, lines: Vec::new(), length });
        };
        let above = usize::from(number == 0);
        let (rows, text) = (checked.lines.len() - above, checked.records(above, usize::MAX));
        Some(Block {
            header: (number == 0).then(|| checked.records(0, 1).to_vec()),
            fields: Some(checked.fields),
            frame: if rows > 0 { Some(plain_fields(text, checked.fields, rows, separator, as_text)?) } else { None },
            lines: checked.lines[above..].to_vec(),
            length,
        })
    }
}

/// Parses the fields of `rows` records; `None` if a field is no finite number, except in the columns `as_text`.
fn plain_fields(text: &[u8], fields: usize, rows: usize, separator: u8, as_text: &[usize]) -> Option<DataFrame> {
    let kind = |number: usize| if as_text.contains(&number) { DataType::String } else { DataType::Float64 };
    let names = (0..fields).map(|number| Field::new(format!("{number}").into(), kind(number)));
    let (schema, options) = (names.collect::<Schema>(), CsvParseOptions::default().with_separator(separator));
    let all: Vec<usize> = (0..fields).collect();
    let frame = read_chunk(text, &options, &schema, false, &all, 0, rows, None, rows, text.len(), Some(0)).ok()?;
    let is_plain = |column: &Column| match column.dtype() {
        DataType::String => true,
        _ => numbers(column).is_some_and(|numbers| numbers.iter().all(|one| one.is_finite())),
    };
    let is_plain = frame.height() == rows && frame.columns().iter().all(is_plain);
    is_plain.then_some(frame)
}

/// Returns the numbers of a column; `None` if one is missing.
fn numbers(column: &Column) -> Option<&[f64]> {
    column.as_materialized_series().f64().ok()?.cont_slice().ok()
}

impl PlainColumn {
    /// Creates an empty column of the same type.
    fn empty_like(column: &Column) -> PlainColumn {
        match column.dtype() {
            DataType::String => PlainColumn::Text(column.as_materialized_series().clear()),
            _ => PlainColumn::Numbers(Vec::new()),
        }
    }

    /// Reserves memory for `rows` more rows.
    fn reserve(&mut self, rows: usize) -> Result<(), Fault> {
        match self {
            PlainColumn::Numbers(column) => try_reserve(column, rows),
            PlainColumn::Text(_) => Ok(()), // polars appends the parsed fields without a copy
        }
    }

    /// Appends a parsed column; `None` if it has another type.
    fn append(&mut self, read: &Column) -> Option<()> {
        match self {
            PlainColumn::Numbers(column) => column.extend(numbers(read)?.iter().map(|number| number + 0.0)),
            PlainColumn::Text(column) => {
                column.append(read.as_materialized_series()).ok()?;
            }
        }
        Some(())
    }
}

/// Joins blocks in the order of the source.
#[derive(Default)]
struct BlockJoiner {
    numbers: PlainNumbers,
    /// Number of fields of a record.
    fields: usize,
    /// Numbers of blocks and of lines that are joined.
    blocks: usize,
    lines: usize,
    /// Blocks that are waiting for an earlier block.
    waiting: BTreeMap<usize, Block>,
    /// Error if there was not enough memory.
    memory_error: Option<Fault>,
}

impl BlockJoiner {
    /// Appends a block when all earlier blocks are there; `None` if it has other columns.
    fn insert(&mut self, number: usize, block: Block) -> Option<()> {
        self.waiting.insert(number, block);
        while let Some(block) = self.waiting.remove(&self.blocks) {
            self.append(block)?;
            self.blocks += 1;
        }
        Some(())
    }

    fn append(&mut self, block: Block) -> Option<()> {
        if let Some(header) = block.header {
            self.fields = block.fields?;
            self.numbers = PlainNumbers { header, columns: Vec::new(), lines: Vec::new() };
        }
        if block.fields.is_some_and(|fields| fields != self.fields) {
            return None;
        }
        if let (Some(frame), true) = (&block.frame, self.numbers.columns.is_empty()) {
            self.numbers.columns = frame.columns().iter().map(PlainColumn::empty_like).collect();
        }
        let rows = block.lines.len();
        let room = |columns: &mut [PlainColumn]| columns.iter_mut().try_for_each(|column| column.reserve(rows));
        let reserved = room(&mut self.numbers.columns).and_then(|()| try_reserve(&mut self.numbers.lines, rows));
        if let Err(fault) = reserved {
            self.memory_error = Some(fault);
            return None;
        }
        for (column, read) in self.numbers.columns.iter_mut().zip(block.frame.iter().flat_map(DataFrame::columns)) {
            column.append(read)?;
        }
        self.numbers.lines.extend(block.lines.iter().map(|line| self.lines + line));
        self.lines += block.length;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::NamedFrom;
    use proptest::prelude::*;

    use super::*;

    fn no_text(_: &[u8]) -> Vec<usize> {
        Vec::new()
    }

    #[test]
    fn rows_of_many_blocks_stay_in_their_order_and_know_their_lines() {
        let rows: Vec<usize> = (0..9_999).collect();
        let text: String = rows.iter().map(|row| format!("{row},\"-{row}.5\"\n")).collect();
        let text = format!("\u{feff}\na,b\r\n\n{text}");
        for at_a_time in [10, 4096, 1 << 20] {
            let found = read(text.as_bytes(), b',', no_text, at_a_time).unwrap();
            assert_eq!(found.header, b"a,b\n");
            let numbers =
                |number: fn(f64) -> f64| PlainColumn::Numbers(rows.iter().map(|&r| number(r as f64)).collect());
            assert_eq!(found.columns, [numbers(|row| row), numbers(|row| -row - 0.5)]);
            assert_eq!(found.lines, (4..10_003).collect::<Vec<_>>());
            let found = read(text.as_bytes(), b',', |_| vec![1], at_a_time).unwrap();
            let texts: Vec<String> = rows.iter().map(|row| format!("-{row}.5")).collect();
            let texts = PlainColumn::Text(Series::new("1".into(), texts));
            assert_eq!(found.columns, [numbers(|row| row), texts]);
        }
    }

    #[test]
    fn one_field_that_is_no_number_and_one_record_that_is_too_short_are_found_in_any_block() {
        for (row, at_a_time) in [(0, 64), (9, 64), (99, 64), (199, 64), (0, 1 << 20), (199, 1 << 20)] {
            for odd in ["1,x\n", "1\n", "1,2,3\n", "1,\n", "\u{feff}1,2\n", "1,\"2\n", "1,2\"\n", ","] {
                let line = |number: usize| if number == row { odd } else { "1,2\n" };
                let text = format!("a,b\n{}", (0..200).map(line).collect::<String>());
                assert_eq!(read(text.as_bytes(), b',', no_text, at_a_time), None, "{odd:?}");
            }
        }
        assert_eq!(read(&b"a,b\n"[..], b',', no_text, AT_A_TIME), None);
        assert_eq!(read(&b""[..], b',', no_text, AT_A_TIME), None);
    }

    #[test]
    fn a_source_that_cannot_be_read_to_its_end_is_none() {
        struct FailingReader(usize);
        impl Read for FailingReader {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let Some(left) = self.0.checked_sub(1) else { return Err(ErrorKind::TimedOut.into()) };
                self.0 = left;
                buffer[..2].copy_from_slice(b"1\n");
                Ok(2)
            }
        }
        for reads in [0, 1, 50] {
            assert_eq!(read(b"a\n".chain(FailingReader(reads)), b',', no_text, 16), None);
        }
    }

    proptest! {
        #[test]
        fn blocks_of_any_length_are_read_as_the_whole(
            text in "a,b\n([0-9\",\n]{0,9}|1,2\n|\"1\",2\n){0,9}",
            at_a_time in 1..20_usize,
        ) {
            // if a block ends at a line end within quotes, only reading in blocks fails
            if let Some(read_in_blocks) = read(text.as_bytes(), b',', no_text, at_a_time) {
                prop_assert_eq!(Some(read_in_blocks), read(text.as_bytes(), b',', no_text, AT_A_TIME));
            }
        }
    }
}
