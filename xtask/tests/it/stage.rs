//! A fake machine: a clone, a `PATH` of scripts, a fake pip, and a log of the calls.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

pub struct Stage {
    folder: TempDir,
}

impl Stage {
    /// A machine with Python, pip and a compiler, and a clone without libtorch.
    pub fn new() -> Self {
        let stage = Self { folder: tempfile::tempdir().unwrap() };
        for (module, text) in [("pip", include_str!("fake/pip.py")), ("venv", include_str!("fake/venv.py"))] {
            stage.file(&format!("modules/{module}/__init__.py"), "");
            stage.file(&format!("modules/{module}/__main__.py"), text);
        }
        stage.file("modules/ctypes/__init__.py", include_str!("fake/ctypes.py"));
        stage.file("elsewhere/empty", "");
        stage.file("checkout/notebooks/requirements.txt", "polars==2.1.0\n");
        stage.file("checkout/tests/browser/requirements.txt", "");
        stage.file("checkout/python/requirements-build.txt", "");
        stage.file("checkout/python/requirements-tests.txt", "");
        stage.file("checkout/python/check_wheel.py", include_str!("fake/check_wheel.py"));
        stage.file("checkout/xtask/Cargo.toml", "");
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
        std::os::unix::fs::symlink(scripts, stage.path("checkout/xtask/scripts")).unwrap();
        let python = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
        let (python, modules) = (String::from_utf8(python.stdout).unwrap(), stage.path("modules"));
        stage.tool(
            "python3",
            &format!("#!/bin/sh\nPYTHONPATH='{}' exec '{}' \"$@\"\n", modules.display(), python.trim()),
        );
        stage.tool("c++", "#!/bin/sh\nexit 0\n");
        stage
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn home(&self) -> PathBuf {
        self.path("checkout/.libtorch")
    }

    pub fn file(&self, name: &str, text: &str) {
        let file = self.path(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Creates an executable script.
    pub fn script(&self, name: &str, text: &str) {
        self.file(name, text);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Creates a script on `PATH`.
    pub fn tool(&self, name: &str, text: &str) {
        self.script(&format!("bin/{name}"), text);
    }

    pub fn without(self, tool: &str) -> Self {
        fs::remove_file(self.path("bin").join(tool)).unwrap();
        self
    }

    /// Writes a complete libtorch into `NAME/torch`.
    pub fn lay_out(&self, name: &str) {
        let version = "#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 11\n#define TORCH_VERSION_PATCH 0\n";
        self.file(&format!("{name}/torch/include/torch/headeronly/version.h"), version);
        let files = ["torch/include/torch/csrc/api/include/torch/torch.h".to_owned()];
        let libraries = ["c10", "torch", "torch_cpu"].map(|stem| format!("torch/lib/lib{stem}.so"));
        let cuda = ["cudart", "cupti"].map(|stem| format!("nvidia/cu13/lib/lib{stem}.so.13"));
        files.iter().chain(&libraries).chain(&cuda).for_each(|file| self.file(&format!("{name}/{file}"), "x"));
    }

    /// The program, without the real environment.
    pub fn xtask(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("HOME", self.path(""))
            .env("CARGO_MANIFEST_DIR", self.path("checkout/xtask"))
            .env("CARGO", self.path("bin/cargo"))
            .env("LIBTORCH", self.home().join("torch"))
            .env("LOG", self.path("log"))
            .current_dir(self.path("elsewhere"));
        command
    }

    /// Runs `xtask` with arguments and variables such as `("FAKE_PIP", "absent")`.
    pub fn run(&self, words: &str, variables: &[(&str, &str)]) -> Finished {
        let output = self.xtask().args(words.split_whitespace()).envs(variables.iter().copied()).output().unwrap();
        Finished::from(output)
    }

    /// The logged calls.
    pub fn log(&self) -> Vec<String> {
        fs::read_to_string(self.path("log")).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// The number of logged calls that start with `start`.
    pub fn logged(&self, start: &str) -> usize {
        self.log().iter().filter(|line| line.starts_with(start)).count()
    }
}

/// Exit code and output.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Finished {
    /// Exit code 2, and one error that contains all of `words` and one hint.
    #[track_caller]
    pub fn refuses(&self, words: &[&str]) {
        assert_eq!(self.stderr.matches("\nhint: ").count(), 1, "{self:?}");
        self.ends_with(2, words);
    }

    /// This exit code, and one error that contains all of `words`.
    #[track_caller]
    pub fn ends_with(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stderr.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is missing: {self:?}");
        }
    }

    /// Exit code 0, and stderr contains all of `words`.
    #[track_caller]
    pub fn succeeds(&self, words: &[&str]) {
        assert_eq!(self.code, Some(0), "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is missing: {self:?}");
        }
    }
}
