//! Finds experiments: shipped ones in the binary, files in `./experiments/`, and any file by its path.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::config::hint::Hint;
use crate::config::suggest;
use crate::data::store::cache::Cache;
use crate::experiment::spec::source_text::{SourceText, SpecError};
use crate::experiment::spec::{extends, file_hints};
use crate::io::atomic_write;
use crate::io::bounded_file;
use crate::io::file_format::FileFormat;

/// Files of an experiment with their paths, relative to the experiment file.
type Files = &'static [(&'static str, &'static [u8])];

/// The shipped experiments: name, text and files.
const SHIPPED: &[(&str, &str, Files)] = &include!(concat!(env!("OUT_DIR"), "/experiments.rs"));

/// The directory of user experiments.
pub const OWN: &str = "experiments";

/// Returns the shipped experiments, sorted by name. Their modules are written to the cache of data sets.
pub fn shipped() -> impl Iterator<Item = SourceText> {
    SHIPPED.iter().map(|(name, text, files)| SourceText {
        name: (*name).to_owned(),
        origin: format!("experiments/{name}.toml"),
        text: (*text).to_owned(),
        folder: folder_with(files),
        ..SourceText::default()
    })
}

/// Returns all shipped experiments and those in `./experiments/`, sorted by name, and the errors of files that cannot be
/// read. A file in `./experiments/` replaces a shipped experiment of the same name.
pub fn all() -> (Vec<SourceText>, Vec<anyhow::Error>) {
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for name in own_names() {
        match own(&name).and_then(|own| own.map(merged).transpose()) {
            Ok(own) => found.extend(own),
            Err(fault) => faults.push(fault),
        }
    }
    found.extend(shipped());
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found.dedup_by(|later, first| later.name == first.name);
    (found, faults)
}

/// Returns an experiment by its path, or by its name from `./experiments/NAME.toml` or the shipped experiments. It is merged
/// with the experiments that it extends.
///
/// # Errors
/// If there is no such experiment, one of the files cannot be read, or a setting has the meaning of Keras.
pub fn find(name: &str) -> anyhow::Result<SourceText> {
    let source = merged(as_written(name, None)?)?;
    match file_hints::batch_norm_momentum(&source.text) {
        Some(fault) => Err(source.locate(fault).into()),
        None => Ok(source),
    }
}

fn merged(source: SourceText) -> anyhow::Result<SourceText> {
    extends::resolve(source, &as_written)
}

/// Returns an experiment as its file is written. A file that extends the experiment of its name, `extending`, does not find
/// itself.
fn as_written(name: &str, extending: Option<&Path>) -> anyhow::Result<SourceText> {
    if let Some(fault) = not_an_experiment(name) {
        return Err(fault.into());
    }
    if extends::is_path(name) {
        return read(Path::new(name));
    }
    let path = own_path(name);
    if let Some(own) =
        own(name)?.filter(|_| extending.is_none_or(|file| path.canonicalize().ok().as_deref() != Some(file)))
    {
        return Ok(own);
    }
    shipped().find(|experiment| experiment.name == name).ok_or_else(|| {
        let names: Vec<String> = all().0.into_iter().map(|experiment| experiment.name).collect();
        let file = format!("{name}.toml");
        let similar = similar_file(&Path::new(name).with_extension("toml"));
        let near = suggest::nearest(name, names.iter().map(String::as_str)).map(str::to_owned).or(similar);
        let hint = match near {
            _ if Path::new(&file).is_file() => format!("did you mean `{file}`?"),
            _ if name.contains('=') => format!("write settings with `--set`: `--set {name}`"),
            _ if name.parse::<i64>().is_ok() => {
                "separate several values of an option by commas, without blanks: `--seeds 0,1,2`".to_owned()
            }
            Some(near) => format!("did you mean `{near}`?"),
            None => "name one that `runner list` shows, or the path of a file: `my/idea.toml`".to_owned(),
        };
        SpecError::new(format!("no experiment `{name}`"), hint).into()
    })
}

/// Writes the files of a shipped experiment to the cache of data sets, and returns the directory to which their paths are
/// relative. If a file cannot be written, the module that needs it reports that it is missing.
fn folder_with(files: Files) -> Option<PathBuf> {
    let folder = (!files.is_empty()).then(|| Cache::for_user().folder().join("experiments"))?;
    for (path, content) in files {
        let file = folder.join(path);
        if std::fs::read(&file).is_ok_and(|there| there == *content) {
            continue;
        }
        let _ = file.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| atomic_write::put(&file, content));
    }
    Some(folder)
}

/// Returns whether a name is the path of a table.
pub fn is_table(name: &str) -> bool {
    let plain = name.to_lowercase();
    [".csv", ".tsv"].iter().any(|ending| plain.trim_end_matches(".gz").ends_with(ending))
}

/// Returns an error for the path of a table instead of an experiment.
pub fn not_an_experiment(name: &str) -> Option<SpecError> {
    const OTHERS: [(&str, &str); 8] = [
        (".jpeg", "an image"),
        (".jpg", "an image"),
        (".pdf", "a PDF"),
        (".png", "an image"),
        (".pt", "a file of PyTorch"),
        (".pth", "a file of PyTorch"),
        (".py", "a Python file"),
        (".svg", "an image"),
    ];
    let plain = name.to_lowercase();
    let plain = plain.trim_end_matches(".gz");
    let other = OTHERS.iter().find(|(ending, _)| plain.ends_with(ending)).map(|(_, what)| *what);
    let (what, hint) = if is_table(name) {
        let stem = Path::new(name).file_name().map_or(String::new(), |file| file.to_string_lossy().into_owned());
        let stem = stem.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or("NAME");
        let hint = format!("make an experiment of it: `runner new {stem} --csv {name} --target COLUMN`");
        ("a table".to_owned(), hint)
    } else if let Some(what) = other {
        let hint = if plain.ends_with(".pt") || plain.ends_with(".pth") {
            format!("write an experiment with `torchscript = \"{name}\"` in `[network]`: begin with `runner new NAME`")
        } else {
            "`runner list` lists the experiments; name the path of a file as `my/idea.toml`".to_owned()
        };
        (what.to_owned(), hint)
    } else {
        let format = FileFormat::of(&[], plain)?;
        let hint = match format {
            FileFormat::NumpyArchive => format!("make an experiment of it: `runner new NAME --data {name}`"),
            _ => "save the table as CSV, then `runner new NAME --csv FILE --target COLUMN`".to_owned(),
        };
        (format.to_string(), hint)
    };
    Some(SpecError::new(format!("`{name}` is {what}, not an experiment file"), hint))
}

/// Returns the names of the user experiments.
fn own_names() -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(OWN) else { return Vec::new() };
    entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let is_toml = path.extension().is_some_and(|extension| extension == "toml");
            is_toml.then(|| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))?
        })
        .collect()
}

/// Returns the user experiment of this name, if there is one.
fn own(name: &str) -> anyhow::Result<Option<SourceText>> {
    let path = own_path(name);
    if path.is_file() { read(&path).map(Some) } else { Ok(None) }
}

fn own_path(name: &str) -> PathBuf {
    Path::new(OWN).join(format!("{name}.toml"))
}

/// Returns the path of an experiment file with a similar name, in the same directory or in `./experiments`.
fn similar_file(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let beside = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    [beside, Path::new(OWN)].into_iter().find_map(|folder| {
        let files: Vec<String> = std::fs::read_dir(folder)
            .ok()?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|file| file.ends_with(".toml") && file != "runner.toml")
            .collect();
        // without the ending, which all have in common
        let stems = files.iter().filter_map(|file| file.strip_suffix(".toml"));
        let near = suggest::nearest(name.strip_suffix(".toml").unwrap_or(name), stems)?;
        let folder = if folder == Path::new(".") { Path::new("") } else { folder };
        Some(folder.join(format!("{near}.toml")).display().to_string())
    })
}

fn read(path: &Path) -> anyhow::Result<SourceText> {
    let origin = path.display().to_string();
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let text = bounded_file::read_to_string(path, bounded_file::EXPERIMENT).map_err(|error| {
        let message = format!("failed to read the experiment `{origin}`");
        let hint = match error.kind() {
            std::io::ErrorKind::InvalidData => "it is not a text file".to_owned(),
            _ if shipped().any(|experiment| experiment.name == name) => format!("did you mean `{name}`?"),
            std::io::ErrorKind::NotFound if similar_file(path).is_some() => {
                format!("did you mean `{}`?", similar_file(path).unwrap_or_default())
            }
            _ => "`runner list` shows the names of all experiments".to_owned(),
        };
        match error.kind() {
            std::io::ErrorKind::NotFound if !origin.ends_with(".toml") => {
                anyhow!("there is no experiment, file or directory `{origin}`").context(Hint(hint))
            }
            std::io::ErrorKind::NotFound => {
                anyhow!("the experiment file `{origin}` does not exist").context(Hint(hint))
            }
            std::io::ErrorKind::NotADirectory => {
                let file = path.ancestors().find(|part| part.is_file()).unwrap_or(path).display();
                let hint = format!("name the file, `{file}`, or an experiment");
                anyhow!("`{origin}` does not exist: `{file}` is a file").context(Hint(hint))
            }
            std::io::ErrorKind::IsADirectory => {
                anyhow!("`{origin}` is a directory, not an experiment file").context(Hint(hint))
            }
            _ => anyhow::Error::new(error).context(message).context(Hint(hint)),
        }
    })?;
    let folder = std::path::absolute(path).ok().and_then(|path| Some(path.parent()?.to_path_buf()));
    Ok(SourceText { name, origin, text, folder, ..SourceText::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::plan::study::Study;
    use crate::network::torchscript::{inspection, inspector};

    #[test]
    fn every_shipped_experiment_is_planned_and_round_trips() {
        inspection::set_inspector(inspector::inspect);
        for source in shipped() {
            let study = Study::new(&source, &[]).unwrap_or_else(|error| panic!("{error}"));
            let resolved = SourceText { text: study.spec.to_toml(), ..source.clone() };
            assert_eq!(study.spec.name.as_ref(), Some(&source.name));
            assert_eq!(resolved.parse().unwrap(), study.spec, "{}", resolved.text);
            assert!(study.spec.question.is_some() && study.spec.source.is_some(), "{}", source.name);
            let of_sweep = source.parse().unwrap().sweep.map_or(0, |sweep| sweep.expect.len());
            assert!(study.spec.expect.len() + of_sweep > 0, "{} expects nothing", source.name);
        }
    }
}
