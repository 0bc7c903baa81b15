//! Where a picture is written to, and in what format.
//!
//! A file that is named is replaced. A name that runner chooses is one in the current folder, or in the one that is
//! named, and replaces nothing but a picture that runner drew.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::ValueEnum;

use crate::cli::text::terminal;
use crate::compare::group::{Group, union};
use crate::config::hint::Hint;
use crate::io::{atomic_write, bounded_file};
use crate::plot::draw::page::Size;
use crate::plot::format::png;
use crate::plot::format::svg::{MADE_BY, Svg};

/// Where a picture goes.
#[derive(Debug, clap::Args)]
pub struct Target {
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
}

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Vector graphics
    Svg,
    /// Raster image at 2x scale
    Png,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Format::Svg => "svg",
            Format::Png => "png",
        }
    }
}

/// What `-o` names.
enum Place {
    Output,
    File(PathBuf, Format),
    Folder(PathBuf),
}

impl Target {
    /// The size that was asked for.
    pub fn size(&self) -> Size {
        Size { width: self.width.map(f64::from), height: self.height.map(f64::from) }
    }

    /// Finds out before anything is read whether the file can be written.
    ///
    /// # Errors
    /// When its ending is not that of a format, or it cannot be written.
    pub fn check(&self) -> anyhow::Result<()> {
        let folder = match self.place()? {
            Place::Output => return Ok(()),
            Place::File(file, _) => file.parent().map(Path::to_path_buf).unwrap_or_default(),
            Place::Folder(folder) => folder,
        };
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
        atomic_write::can_write(here)
            .with_context(|| format!("failed to write into `{}`", here.display()))
            .context(elsewhere())
    }

    /// Writes the picture, and prints the name of its file.
    ///
    /// # Errors
    /// When it cannot be written, or a file that runner did not draw would be replaced unasked.
    pub fn write(&self, svg: Svg, stem: &str) -> anyhow::Result<()> {
        let height = svg.area().height;
        if self.height.is_some_and(|wanted| height > f64::from(wanted) + 1.0) {
            terminal::warn(&format!("the plot needs at least {height:.0} pixels of height"));
        }
        let svg = svg.finish();
        let chosen = self.format.unwrap_or(Format::Svg);
        let (file, format) = match self.place()? {
            Place::Output => return terminal::bytes(&encoded(&svg, chosen)?),
            Place::File(file, format) => (file, format),
            Place::Folder(folder) => {
                let file = folder.join(format!("{stem}.{}", chosen.ending()));
                if file.exists() && !is_ours(&file) {
                    let message = format!("`{}` exists and is not a plot of runner", file.display());
                    return Err(anyhow!(message).context(Hint("`-o FILE` names another, and replaces it".to_owned())));
                }
                (file, chosen)
            }
        };
        let bytes = encoded(&svg, format)?;
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("failed to create `{}`", folder.display()))
                .context(elsewhere())?;
        }
        atomic_write::write_whole(&file, &bytes).context(elsewhere())?;
        terminal::out(&file.display().to_string());
        Ok(())
    }

    fn place(&self) -> anyhow::Result<Place> {
        let Some(output) = &self.output else { return Ok(Place::Folder(PathBuf::new())) };
        if output.as_os_str() == "-" {
            return Ok(Place::Output);
        }
        if output.is_dir() || output.to_string_lossy().ends_with(std::path::MAIN_SEPARATOR) {
            return Ok(Place::Folder(output.clone()));
        }
        let ending = output.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let of_ending = match ending.as_deref() {
            Some("svg") => Some(Format::Svg),
            Some("png") => Some(Format::Png),
            _ => None,
        };
        let shown = output.display();
        match (of_ending, self.format) {
            (Some(ending), Some(format)) if ending != format => {
                let [ending, format] = [ending, format].map(|format| format.ending().to_uppercase());
                let message = format!("`-o {shown}` is {ending} by its name, and `--format` says {format}");
                Err(anyhow!(message).context(Hint("leave `--format` out".to_owned())))
            }
            (Some(format), _) => Ok(Place::File(output.clone(), format)),
            (None, Some(format)) => Ok(Place::File(output.clone(), format)),
            (None, None) => {
                let hint = "use a file name that ends in `.svg` or `.png`, a directory, or `--format`";
                Err(anyhow!("`-o {shown}` ends in neither `.svg` nor `.png`").context(Hint(hint.to_owned())))
            }
        }
    }
}

fn elsewhere() -> Hint {
    Hint("`-o FILE` names another place".to_owned())
}

fn encoded(svg: &str, format: Format) -> anyhow::Result<Vec<u8>> {
    match format {
        Format::Svg => Ok(svg.as_bytes().to_vec()),
        Format::Png => png::of(svg),
    }
}

/// Whether a file is a picture that runner drew.
fn is_ours(file: &Path) -> bool {
    let beginning = bounded_file::beginning(file, 1024).unwrap_or_default();
    png::is_ours(&beginning) || String::from_utf8_lossy(&beginning).contains(MADE_BY)
}

/// The name of a file, without its ending: the runs, and the kind of picture.
pub fn stem(groups: &[Group], kind: &str) -> String {
    let experiments = union(groups.iter().map(|group| group.experiment().into_iter().collect()));
    let labels: Vec<&str> = groups.iter().map(|group| group.label.as_str()).collect();
    let names = match (&experiments[..], &labels[..]) {
        ([experiment], [_, _, ..]) if groups.iter().all(|group| group.experiment().is_some()) => vec![*experiment],
        _ => labels,
    };
    let named = match names.len() {
        more @ 4.. => format!("{}-and-{}-more", names[0], more - 1),
        _ => names.join("-"),
    };
    stem_of(&named, kind)
}

/// A name as part of a file's: letters, digits, dots, dashes and underscores.
pub fn stem_of(name: &str, kind: &str) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || "._-".contains(letter) { letter } else { '-' };
    let name: String = name.chars().map(plain).take(100).collect();
    format!("{}-{kind}", name.trim_matches(['-', '.']))
}
