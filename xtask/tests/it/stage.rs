//! A made-up machine: a checkout, a `PATH` of scripts, and a log of what the scripts were asked.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A Python whose pip "downloads" empty wheels and whose `zipfile` "unpacks" them into a libtorch. The environments that it
/// makes hold a Python that logs what it is asked, and fails where `FAKE_CHECK` is a part of it.
///
/// `FAKE_PIP` chooses what goes wrong: `absent`, `old`, or `CAUSE-at-PACKAGE`.
const PYTHON: &str = r##"#!/bin/sh
PATH=/usr/bin:/bin
case "$1 $2 $3" in
"-m pip --version")
    case "$FAKE_PIP" in
    absent) echo "/fake/python3: No module named pip" >&2; exit 1 ;;
    old) echo "pip 19.0.3 from /fake (python 3.7)" ;;
    *) echo "pip 23.2.1 from /fake (python 3.11)" ;;
    esac ;;
"-m venv --clear")
    echo venv >> "$LOG"
    rm -rf "$5" && mkdir -p "$5/bin"
    printf '#!/bin/sh\nPATH=/usr/bin:/bin\necho "python $* [$(basename "$PWD"), $RUNNER_RUNS, $RUNNER_CHROMIUM]" >> "$LOG"\n' > "$5/bin/python"
    printf 'case "$FAKE_CHECK in $*" in " in "*) ;; *" in "*"$FAKE_CHECK"*) exit 1 ;; esac\n' >> "$5/bin/python"
    chmod +x "$5/bin/python" ;;
"-m pip --python")
    echo "install ${9##*checkout/}${11:+ and ${11##*checkout/}}" >> "$LOG"
    [ "$FAKE_PIP" = offline-at-install ] && { echo "ERROR: Network is unreachable" >&2; exit 1; }
    exit 0 ;;
"-m pip download")
    for last; do [ "$previous" = --dest ] && dest=$last; previous=$last; done
    name=${last%%==*}
    echo "download $last" >> "$LOG"
    file="$dest/$(echo "$name" | tr - _)-${last##*==}-py3-none-fake.whl"
    case "$FAKE_PIP" in
    offline-at-$name)
        echo "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...: [Errno -2] Name or service not known)': /simple/" >&2
        echo "ERROR: Could not find a version that satisfies the requirement $last (from versions: none)" >&2
        echo "ERROR: No matching distribution found for $last" >&2
        exit 1 ;;
    full-at-$name)
        echo "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device" >&2
        exit 1 ;;
    killed-at-$name)
        echo half > "$file"
        kill -9 $PPID
        exit 1 ;;
    waits-at-$name)
        until [ -e "$LOG.go" ]; do sleep 0.01; done ;;
    esac
    echo "Saved $file"
    echo wheel > "$file" ;;
"-c "*)
    case "$2" in
    *zipfile*)
        echo unpack >> "$LOG"
        "$LAY_OUT" "$3" "$FAKE_VARIANT" ;;
    *platform*) echo "${FAKE_PYTHON:-3.11.7}" ;;
    *find_spec*) printf "$FAKE_TORCH" ;;
    *ctypes*)
        echo load >> "$LOG"
        case "$FAKE_LOADER in $3" in
        " in "*) ;;
        *" in "*"$FAKE_LOADER_AT"*) echo "OSError: $FAKE_LOADER" >&2; exit 1 ;;
        esac ;;
    esac ;;
esac
"##;

/// Makes `$1` look like `.libtorch`, `$2` like its variant.
const LAY_OUT: &str = r##"#!/bin/sh
PATH=/usr/bin:/bin
torch="$1/torch" nvidia="$1/nvidia"
mkdir -p "$torch/lib" "$torch/include/torch/headeronly" "$torch/include/torch/csrc/api/include/torch" "$nvidia/cu13/lib"
printf '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 11\n#define TORCH_VERSION_PATCH 0\n' \
    > "$torch/include/torch/headeronly/version.h"
echo x > "$torch/include/torch/csrc/api/include/torch/torch.h"
for name in c10 torch torch_cpu; do echo x > "$torch/lib/lib$name.so"; done
for name in cudart cupti; do echo x > "$nvidia/cu13/lib/lib$name.so.13"; done
if [ "$2" = cuda ]; then
    mkdir -p "$nvidia/cudnn/lib"
    echo x > "$torch/lib/libtorch_cuda.so"
    echo x > "$nvidia/cu13/lib/libcublas.so.13"
    echo x > "$nvidia/cudnn/lib/libcudnn.so.9"
fi
"##;

pub struct Stage {
    folder: TempDir,
}

impl Stage {
    /// A machine with Python, pip and a compiler, and a checkout without libtorch.
    pub fn new() -> Self {
        let stage = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["bin", "checkout/xtask", "checkout/notebooks", "elsewhere"] {
            fs::create_dir_all(stage.path(folder)).unwrap();
        }
        fs::write(stage.path("checkout/notebooks/requirements.txt"), "polars==2.1.0\n").unwrap();
        fs::create_dir_all(stage.path("checkout/tests/browser")).unwrap();
        fs::write(stage.path("checkout/tests/browser/requirements.txt"), "").unwrap();
        stage.tool("python3", PYTHON);
        stage.tool("c++", "#!/bin/sh\nexit 0\n");
        stage.script("lay_out", LAY_OUT);
        stage
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn home(&self) -> PathBuf {
        self.path("checkout/.libtorch")
    }

    /// Puts a script on `PATH`.
    pub fn tool(&self, name: &str, text: &str) {
        self.script(&format!("bin/{name}"), text);
    }

    pub fn without(self, tool: &str) -> Self {
        fs::remove_file(self.path("bin").join(tool)).unwrap();
        self
    }

    pub fn script(&self, name: &str, text: &str) {
        let file = self.path(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A libtorch in `folder/torch`, as if a set-up had put it there.
    pub fn lay_out(&self, folder: &Path) {
        let status = Command::new(self.path("lay_out")).arg(folder).status().unwrap();
        assert!(status.success());
    }

    /// The binary, ready to be given arguments; it sees nothing of the real environment.
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
            .env("LAY_OUT", self.path("lay_out"))
            .current_dir(self.path("elsewhere"));
        command
    }

    /// Runs `xtask` with words, and variables such as `("FAKE_PIP", "absent")`.
    pub fn run(&self, words: &str, variables: &[(&str, &str)]) -> Said {
        let output = self.xtask().args(words.split_whitespace()).envs(variables.iter().copied()).output().unwrap();
        Said::from(output)
    }

    /// What the scripts were asked so far.
    pub fn log(&self) -> Vec<String> {
        fs::read_to_string(self.path("log")).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// How often a line that starts so is in the log.
    pub fn logged(&self, start: &str) -> usize {
        self.log().iter().filter(|line| line.starts_with(start)).count()
    }
}

/// How a run ended and what it said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Said {
    /// It failed with exit code 2 and one message that has all of `words`, and one hint.
    #[track_caller]
    pub fn refuses(&self, words: &[&str]) {
        assert_eq!(self.code, Some(2), "{self:?}");
        assert_eq!(self.stderr.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{self:?}");
        assert_eq!(self.stderr.matches("\nhint: ").count(), 1, "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is missing: {self:?}");
        }
    }

    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}
