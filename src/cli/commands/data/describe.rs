//! `runner data describe`: arguments, and statistics of the rows of a data set or a table.

use std::path::{MAIN_SEPARATOR, Path};

use anyhow::anyhow;

use crate::cli::commands::data::describe_text;
use crate::cli::exit::Exit;
use crate::cli::text::progress::progress_bar::Progress;
use crate::cli::text::shell_words::quoted;
use crate::cli::text::terminal;
use crate::cli::text::text_style::TextStyle;
use crate::config::hint::{hinted, into_error, with_hint};
use crate::config::suggest;
use crate::data::arrays::array_file::{ArrayFile, is_array_file};
use crate::data::file_error::FileError;
use crate::data::inspect::array_section::{ArraySummary, likely_settings, section_to_complete};
use crate::data::inspect::csv_section::csv_section;
use crate::data::inspect::describe::{ArrayDescription, Description, describe, describe_table};
use crate::data::inspect::detect::{DetectedTable, detect, read_separated};
use crate::data::inspect::image_section::ImageSummary;
use crate::data::inspect::proposal::propose;
use crate::data::inspect::text_section::{TextSection, text_section};
use crate::data::source::DataSpec;
use crate::data::source::arrays::Arrays;
use crate::data::source::data_source::DataSource;
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::manifest::Manifest;
use crate::data::store::user_file;
use crate::data::table::field_format::{FieldFormat, TextColumns};
use crate::data::table::recognize::dates::Dates;
use crate::data::table::recognize::number_format::NumberFormat;
use crate::data::table::{Column, Table};
use crate::io::separator;

/// Arguments of `runner data describe`.
#[derive(Debug, clap::Args)]
pub(crate) struct DescribeArgs {
    /// Data set, or path of a table (`.csv`, `.csv.gz`, `.jsonl`), of arrays (`.npz`, `.npy`, `.safetensors`) or of a
    /// directory of images
    #[arg(value_name = "NAME|FILE")]
    name: String,
    /// Target column of the table
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// Field separator of the table: `,`, `;`, `tab`, … [default: detected]
    #[arg(long, value_name = "CHARACTER", value_parser = separator::parse)]
    separator: Option<char>,
    /// Decimal mark of numbers: `.` or `,`
    #[arg(long, value_name = "MARK", default_value = ".")]
    decimal: char,
    /// Thousands separator of numbers, such as `.` in 1.299,99
    #[arg(long, value_name = "MARK")]
    thousands: Option<char>,
    /// Texts that count as missing, separated by commas: `,NA,?` means the empty field, `NA` and `?` [default: pandas' list]
    #[arg(long, value_name = "VALUES", value_delimiter = ',', allow_hyphen_values = true)]
    missing_values: Option<Vec<String>>,
    /// More texts that count as missing, in addition to `--missing-values`, such as `?`
    #[arg(long, value_name = "VALUES", value_delimiter = ',', allow_hyphen_values = true)]
    na_values: Vec<String>,
    /// Date columns, separated by commas
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    dates: Option<Vec<String>>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print a `[data.csv]` or `[data.text]` section for an experiment file
    #[arg(long, conflicts_with = "json")]
    toml: bool,
}

impl DescribeArgs {
    /// Returns how a user's table is read. Text columns are described as text.
    fn reading(&self) -> anyhow::Result<FieldFormat> {
        let numbers = NumberFormat { decimal: self.decimal, thousands: self.thousands };
        numbers.check().map_err(|fault| anyhow!("`--{}` {}", fault.key, fault.message))?;
        Ok(FieldFormat {
            missing_values: FieldFormat::missing_texts(self.missing_values.as_deref(), &self.na_values),
            numbers,
            text: TextColumns::All,
            dates: self.dates.clone().map_or_else(Vec::new, |names| Dates::Columns(names).columns()),
            ..FieldFormat::new(',')
        })
    }
}

/// Returns the data set with this name.
///
/// # Errors
/// If there is none.
pub(super) fn find_manifest(name: &str) -> anyhow::Result<Manifest> {
    Manifest::named(name)
        .ok_or_else(|| hinted(format!("there is no data set `{name}`"), suggest::hint(name, Manifest::names())))
}

/// Prints a description of the rows of a data set or of a user's table.
pub(crate) fn run(args: &DescribeArgs) -> anyhow::Result<Exit> {
    let (format, target) = (args.reading()?, args.target.as_deref());
    check_dates(args, &format)?;
    if args.toml {
        return print_toml(args, format);
    }
    let mut description = describe_data_or_table(&Cache::for_user(), &args.name, target, &format, args.separator)?;
    let has_no_table = !description.arrays.is_empty() || description.images.is_some() || !is_table(&args.name);
    let texts = if has_no_table { None } else { section_of_texts(args, &format) };
    let only_texts = texts.as_ref().filter(|texts| !texts.has_other_features);
    if let Some(TextSection { column, .. }) = only_texts {
        let columns = description.parts.iter_mut().flat_map(|part| &mut part.columns);
        columns.filter(|found| found.name == *column).for_each(|found| found.look_out = None); // it is used as text
    }
    if args.json {
        terminal::json(&description);
        return Ok(Exit::Done);
    }
    let manifest = Manifest::named(&args.name);
    terminal::out(&describe_text::render(manifest.as_ref(), &description));
    let has_section = !description.arrays.is_empty() || description.images.is_some();
    let section = if has_section { section_of_files(&args.name)? } else { None };
    if let Some(section) = section {
        terminal::out(&format!("\n{}", section.trim_end()));
    } else if let Some(texts) = only_texts {
        terminal::out(&format!("\n{}", describe_text::proposed_texts(texts, target.is_some())));
    } else if manifest.is_none() {
        match propose(Path::new(&args.name), format, args.separator, target) {
            Ok(proposal) => {
                terminal::out(&format!("\n{}", describe_text::proposed(&proposal, &args.name, target.is_some())));
                describe_text::note_on_texts(texts.as_ref(), &proposal);
                if let Some(target) = target {
                    terminal::say(&format!("\nnext: {}", new_command(&args.name, target)));
                }
            }
            Err(fault) if target.is_some() => {
                let note = format!("note: no settings are proposed: `{}` {}", args.name, fault.message);
                let page = TextStyle { width: terminal::stderr_width(), styled: false };
                terminal::say(&page.wrapped(&note, 2));
            }
            Err(_) => {}
        }
    }
    Ok(Exit::Done)
}

/// Returns the command that writes an experiment on a table.
fn new_command(table: &str, target: &str) -> String {
    let stem = Path::new(table).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let [stem, table, target] = [stem.trim_end_matches(".csv"), table, target].map(quoted);
    format!("runner new {stem} --csv {table} --target {target}")
}

/// Checks that a table has the columns of `--dates`.
///
/// # Errors
/// If it lacks one.
fn check_dates(args: &DescribeArgs, format: &FieldFormat) -> anyhow::Result<()> {
    let has_arrays = is_array_file(Path::new(&args.name)) || is_image_directory(&args.name);
    if format.dates.is_empty() || has_arrays || !is_table(&args.name) {
        return Ok(());
    }
    let plain = FieldFormat { dates: Vec::new(), ..format.clone() };
    let (table, ..) =
        read_separated(Path::new(&args.name), plain, args.separator).map_err(|fault| table_error(&args.name, fault))?;
    format.dates.iter().try_for_each(|date| find_column(&args.name, &table, &date.name).map(drop))
}

/// Prints the part `[data.csv]` of an experiment on a table.
///
/// # Errors
/// If the table cannot be read, or the target cannot be predicted.
fn print_toml(args: &DescribeArgs, format: FieldFormat) -> anyhow::Result<Exit> {
    if let Some(section) = section_of_files(&args.name)? {
        terminal::out(section.trim_end());
        return Ok(Exit::Done);
    }
    if !is_table(&args.name) {
        find_manifest(&args.name)?;
        let hint = format!("write `[data.{0}]`, or a whole experiment with `runner new NAME --data {0}`", args.name);
        return Err(hinted(format!("`--toml` is for tables, and `{}` is a named data set", args.name), hint));
    }
    let texts = section_of_texts(args, &format);
    if let Some(only_texts) = texts.as_ref().filter(|texts| !texts.has_other_features) {
        warn_of_guess(args, &only_texts.target);
        terminal::out(only_texts.toml.trim_end());
        return Ok(Exit::Done);
    }
    let proposal = propose(Path::new(&args.name), format, args.separator, args.target.as_deref())
        .map_err(|fault| table_error(&args.name, fault))?;
    warn_of_guess(args, &proposal.target);
    terminal::out(&csv_section(&proposal, &args.name));
    describe_text::note_on_texts(texts.as_ref(), &proposal);
    Ok(Exit::Done)
}

/// Warns that the target is a guess, if it was not stated.
fn warn_of_guess(args: &DescribeArgs, target: &str) {
    if args.target.is_none() {
        terminal::warn(&format!("the target `{target}` is a guess; choose the column to predict with `--target`"));
    }
}

/// Returns the `[data.text]` section of an experiment file for a table with a column of texts; `None` for other tables, and
/// if it cannot be read.
fn section_of_texts(args: &DescribeArgs, format: &FieldFormat) -> Option<TextSection> {
    let DetectedTable { table, format, .. } = detect(Path::new(&args.name), format.clone(), args.separator).ok()?;
    text_section(&args.name, &table, args.target.as_deref(), format.separator)
}

/// Returns whether the name is the path of a table.
fn is_table(name: &str) -> bool {
    Manifest::named(name).is_none() && (Path::new(name).exists() || name.contains(['.', '/', '*', MAIN_SEPARATOR]))
}

/// Returns whether the name is the path of a directory, which can only have images.
pub(crate) fn is_image_directory(name: &str) -> bool {
    Manifest::named(name).is_none() && Path::new(name).is_dir()
}

/// Returns statistics of a data set or of a user's table.
///
/// # Errors
/// If there is neither, or if it cannot be read or has no column `target`.
pub(crate) fn describe_data_or_table(
    cache: &Cache,
    name: &str,
    target: Option<&str>,
    reading: &FieldFormat,
    separator: Option<char>,
) -> anyhow::Result<Description> {
    if is_array_file(Path::new(name)) {
        if target.is_some() {
            let message = format!("`--target` needs a table, and `{name}` has arrays");
            return Err(hinted(message, "leave `--target` out"));
        }
        return describe_arrays(name);
    }
    if is_image_directory(name) {
        let ImageSummary { settings, files, .. } = image_summary(name)?;
        let loaded = Progress::during(|progress| settings.load(&Split::default(), cache, progress))?;
        return Ok(Description { images: Some(files), ..describe(name, &loaded) });
    }
    if is_table(name) {
        let detected = detect(Path::new(name), reading.clone(), separator);
        let DetectedTable { table, sha256, na_values, .. } = detected.map_err(|fault| table_error(name, fault))?;
        let target = target.map(|target| find_column(name, &table, target)).transpose()?;
        return Ok(Description { na_values, ..describe_table(name, &table, sha256, target) });
    }
    describe_data_set(cache, &find_manifest(name)?, target)
}

/// Returns statistics of a data set.
fn describe_data_set(cache: &Cache, manifest: &Manifest, target: Option<&str>) -> anyhow::Result<Description> {
    let spec = DataSpec::by_name(&manifest.name).expect("every manifest has a loader");
    Progress::during(|progress| match spec.table(cache, progress)? {
        Some((table, sum)) => {
            let target = target.or(spec.target_column()).map(|target| find_column(&manifest.name, &table, target));
            Ok(describe_table(&manifest.name, &table, sum, target.transpose()?))
        }
        None if target.is_some() => {
            let message = format!("`--target` needs a table, and `{}` is not one", manifest.name);
            Err(hinted(message, "leave `--target` out"))
        }
        None => Ok(describe(&manifest.name, &spec.load(cache, progress)?)),
    })
}

/// Returns the arrays of a file, and statistics of the rows if they have the usual names.
///
/// # Errors
/// If the file or an array cannot be read.
fn describe_arrays(path: &str) -> anyhow::Result<Description> {
    let fault = |fault: FileError| table_error(path, fault);
    let mut file = ArrayFile::open(Path::new(path)).map_err(fault)?;
    let names = if file.is_single() { vec![path.to_owned()] } else { file.names() };
    let describe_array = |name: String| {
        let header = file.header(&name)?;
        let dtype = header.type_name().to_owned();
        Ok(ArrayDescription { name, shape: header.shape, dtype })
    };
    let arrays = names.into_iter().map(describe_array).collect::<Result<Vec<_>, FileError>>().map_err(fault)?;
    if file.is_single() || !Arrays::are_named_in(&file) {
        let sha256 = ArrayFile::sha256(Path::new(path)).map_err(fault)?;
        return Ok(Description { arrays, sha256, name: path.to_owned(), ..Description::default() });
    }
    let loaded = likely_settings(path).load(&Split::default(), &Cache::for_user(), &mut ())?;
    Ok(Description { arrays, ..describe(path, &loaded) })
}

/// Returns the `[data.arrays]` or `[data.images]` section of an experiment file; `None` for a table and a data set.
///
/// # Errors
/// If the file or an image cannot be read.
fn section_of_files(path: &str) -> anyhow::Result<Option<String>> {
    if !is_array_file(Path::new(path)) {
        return is_image_directory(path).then(|| Ok(image_summary(path)?.section(path))).transpose();
    }
    let file = ArrayFile::open(Path::new(path)).map_err(|fault| table_error(path, fault))?;
    Ok(Some(match !file.is_single() && Arrays::are_named_in(&file) {
        true => ArraySummary::read(path).map_err(into_error)?.section(path),
        false => section_to_complete(path, &file.names()),
    }))
}

/// Returns what is known of a directory of images.
///
/// # Errors
/// If it has no images, or an image is damaged.
pub(crate) fn image_summary(path: &str) -> anyhow::Result<ImageSummary> {
    ImageSummary::read(path)
        .map_err(|fault| with_hint(anyhow!("{}", fault.message.trim_start_matches("cannot be used: ")), fault.hint))
}

/// Returns the error of a file, with a hint that names the options of this command.
pub(crate) fn table_error(name: &str, fault: FileError) -> anyhow::Error {
    // characters such as `;` need quotes in a shell
    let for_command_line = |hint: String| match hint.split_once("Then write `separator = \"") {
        Some((question, separator)) => {
            let separator = separator.replace("`decimal = \",\"`", "`--decimal ,`").replacen("\"`", "'`", 1);
            format!("{question}Then write `--separator '{separator}")
        }
        None => hint,
    };
    user_file::file_error(&format!("`{name}`"), FileError { hint: fault.hint.map(for_command_line), ..fault })
}

/// Returns the column that an option names.
fn find_column<'t>(name: &str, table: &'t Table, target: &str) -> anyhow::Result<&'t Column> {
    table
        .column(target)
        .ok_or_else(|| hinted(format!("`{name}` has no column `{target}`"), suggest::hint(target, table.names())))
}
