//! Output file and format of plots.
//!
//! A file named with `-o` is overwritten. Otherwise runner chooses the name of a file in the current directory, or in the
//! directory named with `-o`; it then overwrites only files that it has plotted itself.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;

use crate::cli::args::output_args::check_is_no_experiment;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::compare::group::{Group, union};
use crate::config::hint::{Hint, hinted};
use crate::io::{atomic_write, bounded_file};
use crate::plot::Plot;
use crate::plot::draw::page::PageOptions;
use crate::plot::format::parse::{Parsed, parse};
use crate::plot::format::svg::MADE_BY;
use crate::plot::format::{pdf, png};

/// Output file, format, size and title of a plot.
#[derive(Debug, clap::Args)]
pub struct PlotOutput {
    /// Output file (its extension sets the format), a directory, or `-` for stdout [default: a file in the current
    /// directory]
    #[arg(short = 'o', long = "output", value_name = "FILE|DIR", help_heading = "Output")]
    output: Option<PathBuf>,
    /// File format [default: the extension of the file, else svg]
    #[arg(long, value_enum, help_heading = "Output")]
    format: Option<Format>,
    /// Width in pixels (a PNG has twice as many) [default: automatic]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u16).range(240..=4000), help_heading = "Output")]
    width: Option<u16>,
    /// Height in pixels [default: automatic]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u16).range(200..=4000), help_heading = "Output")]
    height: Option<u16>,
    /// Title [default: that of the experiment]
    #[arg(long, value_name = "TEXT", help_heading = "Output")]
    title: Option<String>,
}

/// File format of a plot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Vector graphics
    Svg,
    /// Raster image at 2x scale
    Png,
    /// Vector graphics for LaTeX and print
    Pdf,
}

impl Format {
    fn extension(self) -> &'static str {
        match self {
            Format::Svg => "svg",
            Format::Png => "png",
            Format::Pdf => "pdf",
        }
    }
}

/// Output that `-o` names.
enum Destination {
    Stdout,
    /// A file with this name.
    File(PathBuf, Format),
    /// A directory, for a file name that runner chooses.
    Directory(PathBuf),
}

impl PlotOutput {
    /// Returns the requested size and title.
    pub fn page(&self) -> PageOptions {
        let [width, height] = [self.width, self.height].map(|side| side.map(f64::from));
        PageOptions { width, height, title: self.title.clone() }
    }

    /// Checks, before any data are read, that the plot can be written.
    ///
    /// # Errors
    /// If the file name has an unknown extension, or the directory is not writable.
    pub fn check(&self) -> anyhow::Result<()> {
        let folder = match self.destination()? {
            Destination::Stdout => return Ok(()),
            Destination::File(file, _) => {
                check_is_no_experiment(&file)?;
                file.parent().map(Path::to_path_buf).unwrap_or_default()
            }
            Destination::Directory(folder) => folder,
        };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
        atomic_write::can_write(folder)
            .with_context(|| format!("failed to write into `{}`", folder.display()))
            .context(output_hint())
    }

    /// Writes the plot, and prints the name of its file and the remarks about it. `stem` is used if `-o` names no file.
    ///
    /// # Errors
    /// If the file cannot be written, or if it was not named with `-o`, exists and is not a plot of runner.
    pub fn write(&self, Plot { svg, notes }: Plot, stem: &str) -> anyhow::Result<Exit> {
        notes.iter().for_each(|note| terminal::warn(note));
        let height = svg.area().height;
        if self.height.is_some_and(|wanted| height > f64::from(wanted) + 1.0) {
            terminal::warn(&format!("the plot needs at least {height:.0} pixels of height"));
        }
        let title = svg.title().to_owned();
        let svg = svg.finish();
        let default_format = self.format.unwrap_or(Format::Svg);
        let (file, format) = match self.destination()? {
            Destination::Stdout => {
                terminal::bytes(&encode(&svg, &title, default_format)?)?;
                return Ok(Exit::Done);
            }
            Destination::File(file, format) => (file, format),
            Destination::Directory(folder) => {
                let file = folder.join(format!("{stem}.{}", default_format.extension()));
                if file.exists() && !is_runner_plot(&file) {
                    let shown = file.display();
                    return Err(hinted(
                        format!("`{shown}` exists and is not a plot of runner"),
                        format!("choose another file with `-o FILE`, or overwrite this one with `-o {shown}`"),
                    ));
                }
                (file, default_format)
            }
        };
        let bytes = encode(&svg, &title, format)?;
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("failed to create `{}`", folder.display()))
                .context(output_hint())?;
        }
        atomic_write::write_whole(&file, &bytes).context(output_hint())?;
        terminal::out(&file.display().to_string());
        Ok(Exit::Done)
    }

    /// Returns where `-o` and `--format` put the plot.
    fn destination(&self) -> anyhow::Result<Destination> {
        let Some(output) = &self.output else { return Ok(Destination::Directory(PathBuf::new())) };
        if output.as_os_str() == "-" {
            return Ok(Destination::Stdout);
        }
        if output.is_dir() || output.to_string_lossy().ends_with(std::path::MAIN_SEPARATOR) {
            return Ok(Destination::Directory(output.clone()));
        }
        let of_extension = |extension: &OsStr| Format::from_str(&extension.to_string_lossy(), true).ok();
        let by_extension = output.extension().and_then(of_extension);
        let shown = output.display();
        match (by_extension, self.format) {
            (Some(extension), Some(format)) if extension != format => {
                let [extension, format] = [extension, format].map(Format::extension);
                let message = format!("`-o {shown}` ends in `.{extension}`, but `--format` is `{format}`");
                Err(hinted(message, "leave `--format` out"))
            }
            (Some(format), _) | (None, Some(format)) => Ok(Destination::File(output.clone(), format)),
            (None, None) => {
                let hint = "use a file name that ends in `.svg`, `.png` or `.pdf`, a directory, or `--format`";
                Err(hinted(format!("`-o {shown}` does not end in `.svg`, `.png` or `.pdf`"), hint))
            }
        }
    }
}

fn output_hint() -> Hint {
    Hint("use `-o FILE` to write elsewhere".to_owned())
}

fn encode(svg: &str, title: &str, format: Format) -> anyhow::Result<Vec<u8>> {
    if format == Format::Svg {
        return Ok(svg.as_bytes().to_vec()); // the viewer chooses the fonts
    }
    let Parsed { tree, missing } = parse(svg)?;
    if !missing.is_empty() {
        let shown: String = missing.chars().take(20).collect();
        terminal::warn(&format!(
            "no font of this machine has the letters `{shown}`: they are drawn as boxes; install a font that has them, such \
             as the package `fonts-noto-cjk`, or write an SVG, for which the viewer chooses the fonts"
        ));
    }
    match format {
        Format::Pdf => pdf::render(&tree, title),
        Format::Png | Format::Svg => png::render(&tree),
    }
}

/// Returns whether a file is a plot of runner.
fn is_runner_plot(file: &Path) -> bool {
    let beginning = bounded_file::beginning(file, 1024).unwrap_or_default();
    png::is_made_by_runner(&beginning)
        || pdf::is_made_by_runner(&beginning)
        || String::from_utf8_lossy(&beginning).contains(MADE_BY)
}

/// Returns a file name without extension, made of the names of the runs and the kind of plot. `are_several_runs` is whether
/// more than one run is plotted.
pub fn default_file_stem(groups: &[Group], are_several_runs: bool, kind: &str) -> String {
    let experiments = union(groups.iter().map(|group| group.experiment().into_iter().collect()));
    let labels: Vec<&str> = groups.iter().map(|group| group.label.as_str()).collect();
    // runs without names of their own have labels with their directories, which are too long for a file name
    let have_names = |experiment: &str| labels.iter().all(|label| !label.starts_with(&format!("{experiment} ")));
    let names = match (&experiments[..], &labels[..]) {
        ([experiment], [_, _, ..])
            if groups.iter().all(|group| group.experiment().is_some())
                && !(are_several_runs && have_names(experiment)) =>
        {
            vec![*experiment]
        }
        _ => labels,
    };
    let joined = match names.len() {
        more @ 4.. => format!("{}-and-{}-more", names[0], more - 1),
        _ => names.join("-"),
    };
    safe_file_stem(&joined, kind)
}

/// Returns `NAME-KIND`, with every character that is not a letter, digit, dot, dash or underscore replaced by
/// a dash.
pub fn safe_file_stem(name: &str, kind: &str) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || "._-".contains(letter) { letter } else { '-' };
    let name: String = name.chars().map(plain).take(100).collect();
    let kind: String = kind.chars().map(plain).collect();
    format!("{}-{kind}", name.trim_matches(['-', '.']))
}
