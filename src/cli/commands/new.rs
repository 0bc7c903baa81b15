//! `runner new NAME`

use std::path::{Component, Path, PathBuf};

use anyhow::Context;

use crate::cli::args::user_defaults::FILE as DEFAULTS_FILE;
use crate::cli::commands::data::{image_summary, is_image_directory, table_error};
use crate::cli::commands::new_hints;
use crate::cli::exit::Exit;
use crate::cli::text::shell_words::{quoted, quoted_path};
use crate::cli::text::text_style::TextStyle;
use crate::cli::text::{number_format, terminal};
use crate::config::hint::hinted;
use crate::config::suggest;
use crate::data::arrays::array_file::{ArrayFile, is_array_file};
use crate::data::file_error::FileError;
use crate::data::inspect::array_section::ArraySummary;
use crate::data::inspect::csv_section::dropped_rows;
use crate::data::inspect::detect::read_separated;
use crate::data::inspect::image_section::sides;
use crate::data::inspect::problem::Problem;
use crate::data::inspect::proposal::{Proposal, Role, likely_targets, propose};
use crate::data::inspect::text_section::{TextSection, text_section};
use crate::data::store::manifest::Manifest;
use crate::data::table::field_format::{FieldFormat, TextColumns};
use crate::experiment::plan::study::Study;
use crate::experiment::spec::catalogue::OWN;
use crate::experiment::spec::source_text::SourceText;
use crate::experiment::template::{arrays, built_in, file, images};
use crate::io::{atomic_write, separator};

/// Arguments of `runner new`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Name of the experiment, or path of its TOML file
    name: String,
    /// Data set to train on, file of arrays (`.npz`, `.safetensors`) or directory of images [default: mnist]
    #[arg(long, value_name = "NAME|PATH", conflicts_with = "csv")]
    data: Option<String>,
    /// Table to train on (`.csv`, `.csv.gz`), or several files: `'data/*.csv'`
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Column of the table to predict
    #[arg(long, value_name = "COLUMN", requires = "csv")]
    target: Option<String>,
    /// Field separator of the table: `,`, `;`, `tab`, … [default: detected]
    #[arg(long, value_name = "CHARACTER", value_parser = separator::parse, requires = "csv")]
    separator: Option<char>,
    /// File to write [default: `NAME.toml`, in `./experiments` if it exists]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite an existing file
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  runner new first                                     a network on MNIST
  runner new tumors --data breast_cancer
  runner new churn --csv customers.csv --target churn  your own table
  runner new shapes --data shapes.npz                  your own arrays
  runner new pets --data pets                          your own images

The file has a comment for each choice. You can run it as it is, or change it.
`runner data list` lists the data sets, `runner data describe FILE` describes
a table.";

/// Data set of an experiment for which none is stated.
const DEFAULT_DATA: &str = "mnist";

/// Maximum number of columns that a message names.
const MOST_LISTED: usize = 40;

/// Writes a new experiment file, and prints the next commands.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    if let Some(command) = new_hints::meant_command(args.csv.is_none() && args.data.is_none(), &args.name) {
        let message = format!("expected a name for the experiment, but `{}` looks like data", args.name);
        return Err(hinted(message, format!("write `{command}`")));
    }
    let place = Place::of(args)?;
    if place.path.symlink_metadata().is_ok() && !args.force {
        let message = format!("`{}` already exists", place.path.display());
        return Err(hinted(message, "overwrite it with `--force`, or choose another name"));
    }
    let (mut text, summary) = match (&args.csv, args.data.as_deref()) {
        (Some(table), _) => of_table(args, table, &place)?,
        (None, Some(file)) if is_array_file(Path::new(file)) => of_arrays(file, &place)?,
        (None, Some(directory)) if is_image_directory(directory) => of_images(directory, &place)?,
        (None, _) => of_data_set(args, &place.name)?,
    };
    if place.path.file_stem().is_none_or(|stem| stem.to_string_lossy() != place.name) {
        text = text.replacen("title = ", &format!("name = {}\ntitle = ", toml_edit::Value::from(&*place.name)), 1);
    }
    let folder = std::path::absolute(&place.path).ok().and_then(|path| Some(path.parent()?.to_path_buf()));
    let (name, origin) = (place.name.clone(), place.path.display().to_string());
    let source = SourceText { name, origin, text, folder: folder.clone(), ..SourceText::default() };
    Study::new(&source, &[])?;
    if let Some(folder) = folder {
        std::fs::create_dir_all(&folder).with_context(|| format!("failed to create `{}`", folder.display()))?;
    }
    atomic_write::write_whole(&place.path, source.text.as_bytes())?;
    let page = TextStyle::of_output();
    let mut lines = vec![format!("wrote {}", place.path.display())];
    lines.extend(summary.iter().map(|line| page.wrapped(line, 2)));
    let experiment = quoted(&place.experiment);
    lines.extend(["next:".to_owned(), format!("  runner exp {experiment}"), format!("  runner show {experiment}")]);
    terminal::out(&lines.join("\n"));
    Ok(Exit::Done)
}

/// Where the experiment is written.
struct Place {
    path: PathBuf,
    name: String,
    /// The experiment as `runner exp` takes it.
    experiment: String,
}

impl Place {
    /// Returns the place of a new experiment. A bare name is a file in `./experiments`, if there is such a directory, and
    /// else in the current directory.
    fn of(args: &Args) -> anyhow::Result<Place> {
        let is_path = args.name.ends_with(".toml") || Path::new(&args.name).components().count() > 1;
        let in_own = Path::new(OWN).join(format!("{}.toml", args.name));
        let path = match &args.output {
            Some(path) => path.clone(),
            None if args.name.ends_with(".toml") => PathBuf::from(&args.name),
            None if !is_path && Path::new(OWN).is_dir() => in_own.clone(),
            None => PathBuf::from(format!("{}.toml", args.name)),
        };
        if args.name.is_empty() && args.output.is_none() {
            return Err(hinted("the name of the experiment is empty", "write, for example, `runner new first`"));
        }
        if path.extension().is_none_or(|extension| extension != "toml") {
            let message = format!("`{}` is not the name of an experiment file", path.display());
            return Err(hinted(message, "end it with `.toml`"));
        }
        if path.file_name().is_some_and(|name| name == DEFAULTS_FILE) {
            let message = format!("`{DEFAULTS_FILE}` is the file of the project's defaults, not of an experiment");
            return Err(hinted(message, "choose another name"));
        }
        let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name =
            if is_path { stem(Path::new(&args.name).with_extension("toml").as_path()) } else { args.name.clone() };
        let experiment = if path == in_own { args.name.clone() } else { path.display().to_string() };
        Ok(Place { path, name, experiment })
    }
}

/// Returns the experiment on a named data set, and lines about it.
fn of_data_set(args: &Args, name: &str) -> anyhow::Result<(String, Vec<String>)> {
    let data = args.data.as_deref().unwrap_or(DEFAULT_DATA);
    let text = built_in::of_data_set(name, data).ok_or_else(|| {
        let near = suggest::nearest(data, Manifest::names());
        let hint = match data {
            "arrays" => "arrays of your own: `--data FILE.npz`".to_owned(),
            "images" => "images of your own, in a directory for each class: `--data DIRECTORY`".to_owned(),
            "csv" | "idx" => "a table of your own: `--csv FILE --target COLUMN`".to_owned(),
            _ => match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => new_hints::no_data(&args.name, data),
            },
        };
        let path = Path::new(data);
        let message = match path.exists() {
            true if path.is_dir() => format!("the directory `{data}` has no images"),
            true => format!("`{data}` is not a file of arrays"),
            false if near.is_some() => format!("there is no data set `{data}`"),
            false => format!("there is no data set, file or directory `{data}`"),
        };
        hinted(message, hint)
    })?;
    let more = match &args.data {
        Some(_) => String::new(),
        None => "; choose another with `--data NAME`, arrays with `--data FILE.npz`, or a table with `--csv FILE`"
            .to_owned(),
    };
    Ok((text, vec![format!("data set: {data}{more}")]))
}

/// Returns the experiment on a file of arrays, and lines about it.
fn of_arrays(file: &str, place: &Place) -> anyhow::Result<(String, Vec<String>)> {
    if !file.contains(',') {
        ArrayFile::open(Path::new(file)).map_err(|fault| table_error(file, fault))?; // before it is a setting
    }
    let read = ArraySummary::read(file).map_err(|fault| {
        let list = || format!("list its arrays with `runner data describe {}`", quoted(file));
        let hint = new_hints::names(file).or(fault.hint).unwrap_or_else(list);
        hinted(format!("`{file}`: `{}` {}", fault.key, fault.message), hint)
    })?;
    let written = relative_path(Path::new(file), place.path.parent().unwrap_or(Path::new("")));
    let text = arrays::of_arrays(&place.name, &read, &written).ok_or_else(|| {
        let hint =
            "print its data section with `runner data describe FILE --toml`, and write `[network]` and `[train]`";
        hinted(format!("`{file}` has yes-or-no labels, for which no experiment is proposed"), hint)
    })?;
    let (rows, sample) = (number_format::count(read.info.rows), &read.info.sample);
    let lines = vec![format!("target: {}", read.info.target), format!("features: {rows} rows of {sample} values")];
    Ok((text, lines))
}

/// Returns the experiment on a directory of images, and lines about it.
fn of_images(directory: &str, place: &Place) -> anyhow::Result<(String, Vec<String>)> {
    let read = image_summary(directory)?;
    let written = relative_path(Path::new(directory), place.path.parent().unwrap_or(Path::new("")));
    let text = images::of_images(&place.name, &read, &written);
    let (rows, sample) = (number_format::count(read.info.rows), &read.info.sample);
    let files = format!("files: {} images of {}", number_format::count(read.files.images), sides(&read.files));
    Ok((
        text,
        vec![format!("target: {}", read.info.target), files, format!("features: {rows} rows of {sample} values")],
    ))
}

/// Returns the experiment on a user's table, and lines about it.
fn of_table(args: &Args, table: &Path, place: &Place) -> anyhow::Result<(String, Vec<String>)> {
    let shown = table.display().to_string();
    let format = FieldFormat { text: TextColumns::All, ..FieldFormat::new(',') };
    let Some(target) = &args.target else {
        let (table, ..) = read_separated(table, format, args.separator).map_err(|fault| table_error(&shown, fault))?;
        let likely = likely_targets(&table);
        let columns = suggest::list_at_most(&table.names().collect::<Vec<_>>(), MOST_LISTED);
        let command =
            format!("runner new {} --csv {} --target {}", quoted(&args.name), quoted(&shown), quoted(likely[0]));
        return Err(hinted(
            format!("`--target` is missing: which column is predicted? `{shown}` has the columns {columns}"),
            format!("likely: {}, as in `{command}`", suggest::either(&likely)),
        ));
    };
    let proposal = propose(table, format.clone(), args.separator, Some(target)).map_err(|fault| {
        let section = fault.message.starts_with("has no column to predict").then(|| text_column(table, format, args));
        // the decimal mark is detected here
        let without_mark =
            |hint: String| hint.split_once(", and `decimal =").map_or(hint.clone(), |(first, _)| first.to_owned());
        let hint = section.flatten().or_else(|| fault.hint.map(without_mark));
        table_error(&shown, FileError { hint, ..fault })
    })?;
    if let Some(dropped) = dropped_rows(&proposal) {
        terminal::warn(&format!("the experiment {dropped}"));
    }
    let written = relative_path(table, place.path.parent().unwrap_or(Path::new("")));
    Ok((file::of_table(&place.name, &proposal, &written), summary(&proposal)))
}

/// Returns the hint on a table with a column of texts; `None` if it has none.
fn text_column(path: &Path, format: FieldFormat, args: &Args) -> Option<String> {
    let (table, _, format) = read_separated(path, format, args.separator).ok()?;
    let shown = quoted_path(path);
    let TextSection { column, .. } = text_section(&shown, &table, args.target.as_deref(), format.separator)?;
    Some(format!("for the texts in `{column}`, use `[data.text]`: `runner data describe {shown} --toml` prints it"))
}

/// Returns what was found in a table, a line each.
fn summary(proposal: &Proposal) -> Vec<String> {
    let used = proposal.columns.iter().filter(|(_, role)| !matches!(role, Role::Dropped(_))).count();
    let problem = match &proposal.problem {
        Problem::Values { .. } => "a number".to_owned(),
        Problem::Classes { names, .. } => {
            let (rarest, rows, share) = proposal.problem.rarest().expect("it has classes");
            let rare = if proposal.problem.can_be_stratified() { "" } else { ": too few for a stratified split" };
            let (rows, share) = (number_format::counted(rows, "row"), 100.0 * share);
            format!("{} classes, the rarest is `{rarest}` with {rows} ({share:.1} %){rare}", names.len())
        }
    };
    let mut lines = vec![
        format!("target: `{}`, {problem}", proposal.target),
        format!(
            "features: {} (columns used: {}), rows: {}",
            proposal.features,
            used,
            number_format::count(proposal.rows)
        ),
    ];
    let dropped = proposal.columns.iter().filter_map(|(name, role)| match role {
        Role::Dropped(why) => Some(format!("left out: `{name}` ({why})")),
        _ => None,
    });
    lines.extend(dropped);
    if proposal.duplicates > 0 {
        let (rows, equal) = if proposal.duplicates == 1 { ("row", "equals") } else { ("rows", "equal") };
        let left_out = if used < proposal.columns.len() { " if the left-out columns are ignored" } else { "" };
        let count = number_format::count(proposal.duplicates);
        lines.push(format!("{count} {rows} {equal} an earlier row{left_out}"));
    }
    lines
}

/// Returns the path of a table relative to the folder of the experiment file; absolute paths stay as they are.
fn relative_path(table: &Path, folder: &Path) -> String {
    let (Ok(from), Ok(to)) = (std::path::absolute(folder.join(".")), std::path::absolute(table)) else {
        return table.display().to_string();
    };
    if table.is_absolute() {
        return table.display().to_string();
    }
    let (from, to) = (plain(&from), plain(&to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[common..].iter().map(|_| "..".to_owned());
    up.chain(to[common..].iter().cloned()).collect::<Vec<_>>().join("/")
}

/// Returns the parts of an absolute path, without `.` and `..`.
fn plain(path: &Path) -> Vec<String> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()),
            other => parts.push(other.as_os_str().to_string_lossy().into_owned()),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_table_is_relative_to_the_folder_of_the_experiment() {
        for (table, folder, written) in [
            ("a.csv", "", "a.csv"),
            ("data/a.csv", "experiments", "../data/a.csv"),
            ("my/a.csv", "my", "a.csv"),
            ("../a.csv", "", "../a.csv"),
            ("./a.csv", "x/./y", "../../a.csv"),
            ("/tmp/a.csv", "x", "/tmp/a.csv"),
        ] {
            assert_eq!(relative_path(Path::new(table), Path::new(folder)), written, "{table} {folder}");
        }
    }
}
