//! Options of `sbatch` that a user adds to a submission.

use std::time::Duration;

use anyhow::{anyhow, ensure};

use crate::config::hint::Hint;
use crate::slurm::duration;

/// Options of `sbatch`, as words of a command line.
#[derive(Clone, Copy, Debug)]
pub struct SbatchOptions<'a>(pub &'a [String]);

/// An option that a submission sets itself.
struct Reserved {
    long: &'static str,
    short: Option<char>,
    hint: &'static str,
}

/// The options that each submission sets itself.
const RESERVED: [Reserved; 4] = [
    Reserved { long: "array", short: Some('a'), hint: "omit it; `--workers N` of `runner sweep submit` sets it" },
    Reserved {
        long: "signal",
        short: None,
        hint: "omit it: the signal comes three minutes before the end, or after three quarters of a short time limit",
    },
    Reserved { long: "wrap", short: None, hint: "omit it: the script starts `runner`" },
    Reserved { long: "test-only", short: None, hint: "use `--print` to see the script" },
];

/// Further options that a submission of follow-up jobs sets itself.
const RESERVED_BY_CHAIN: [Reserved; 2] = [
    Reserved { long: "dependency", short: Some('d'), hint: "omit it, or omit `--chain`" },
    Reserved { long: "job-name", short: Some('J'), hint: "omit it: jobs that follow each other share a name" },
];

impl<'a> SbatchOptions<'a> {
    /// Checks that the words are options, and none that the submission sets itself. `has_chain` is whether follow-up jobs are
    /// submitted.
    ///
    /// # Errors
    /// When they are not.
    pub fn check(self, has_chain: bool) -> anyhow::Result<()> {
        for (place, word) in self.0.iter().enumerate() {
            // a word after an option may be its value
            let is_value = place > 0 && self.0[place - 1].starts_with('-') && !self.0[place - 1].contains('=');
            ensure!(
                word.starts_with('-') || is_value,
                anyhow!("`{word}` after `--` is not an option of sbatch")
                    .context(Hint("write options as `--name=value`".to_owned()))
            );
        }
        let chain = RESERVED_BY_CHAIN.iter().filter(|_| has_chain);
        for Reserved { long, short, hint } in RESERVED.iter().chain(chain) {
            let is_given = |word: &String| match (word.strip_prefix("--"), word.strip_prefix('-')) {
                // sbatch takes the beginning of a name, too
                (Some(option), _) => {
                    let name = option.split('=').next().unwrap_or_default();
                    name.len() >= 3 && long.starts_with(name)
                }
                (None, Some(option)) => short.is_some_and(|short| option.starts_with(short)),
                (None, None) => false,
            };
            if let Some(word) = self.0.iter().find(|word| is_given(word)) {
                let error = anyhow!("`{word}` cannot be among the options of sbatch: `runner` sets `--{long}`");
                return Err(error.context(Hint((*hint).to_owned())));
            }
        }
        Ok(())
    }

    /// Number of CPUs of a task.
    pub fn cpus(self) -> Option<usize> {
        self.value("cpus-per-task", Some('c'))?.parse().ok().filter(|cpus| *cpus > 0)
    }

    /// Memory of a task in bytes; `None` if the options do not limit it.
    pub fn memory(self) -> Option<u64> {
        let of_cpu = || self.value("mem-per-cpu", None).and_then(bytes)?.checked_mul(self.cpus().unwrap_or(1) as u64);
        // `--mem=0` means all memory of the machine
        self.value("mem", None).and_then(bytes).or_else(of_cpu).filter(|bytes| *bytes > 0)
    }

    /// Time limit of the job.
    pub fn time_limit(self) -> Option<Duration> {
        duration::parse(self.value("time", Some('t'))?)
    }

    /// Whether the job asks for GPUs.
    pub fn has_gpus(self) -> bool {
        let is_gpu = |long: &str, short| self.value(long, short).is_some_and(|number| number != "0");
        let of_resources = self.value("gres", None).is_some_and(|names| {
            names.split(',').any(|name| name.split(':').next() == Some("gpu") && !name.ends_with(":0"))
        });
        of_resources
            || is_gpu("gpus", Some('G'))
            || ["gpus-per-node", "gpus-per-task", "gpus-per-socket"].iter().any(|long| is_gpu(long, None))
    }

    /// Whether the log is in another file than that of the script.
    pub fn has_output(self) -> bool {
        self.value("output", Some('o')).is_some()
    }

    /// Returns the last value of an option.
    fn value(self, long: &str, short: Option<char>) -> Option<&'a str> {
        let SbatchOptions(words) = self;
        let value_at = |place: usize| -> Option<&'a str> {
            let word: &'a str = &words[place];
            let next = || words.get(place + 1).map(String::as_str);
            if let Some(option) = word.strip_prefix("--") {
                return match option.split_once('=') {
                    Some((name, value)) => (name == long).then_some(value),
                    None if option == long => next(),
                    None => None,
                };
            }
            let value = word.strip_prefix('-')?.strip_prefix(short?)?;
            if value.is_empty() { next() } else { Some(value) }
        };
        (0..words.len()).rev().find_map(value_at)
    }
}

/// Returns the bytes of a size such as `4G` or `512` (megabytes).
fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "K" | "KB" => 10,
        "" | "M" | "MB" => 20,
        "G" | "GB" => 30,
        "T" | "TB" => 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::hint::in_a_line;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_that_a_submission_sets_are_refused() {
        let error = |text: &str, has_chain: bool| {
            let words = words(text);
            SbatchOptions(&words).check(has_chain).err().map(|error| in_a_line(&error))
        };
        for allowed in ["", "--time=1:00 -p gpu --mem 4G -c2", "--account=x", "-d afterok:3 -J name", "--exclusive"] {
            assert_eq!(error(allowed, false), None, "{allowed}");
        }
        for refused in ["--array=0-3", "-a 0-3", "-a0-3", "--arr=1", "--signal=B:USR2@9", "--sig=USR1", "--wrap=x"] {
            let found = error(refused, false).unwrap();
            assert!(found.contains("cannot be among the options of sbatch"), "{found}");
        }
        assert!(error("--dependency=afterok:3", true).unwrap().contains("`--dependency`"));
        assert!(error("-Jname", true).unwrap().contains("`-Jname`"));
        assert!(error("job.sh", false).unwrap().contains("`job.sh` after `--` is not an option"));
        assert!(error("--mem=4G job.sh", false).unwrap().contains("`job.sh`"));
    }

    #[test]
    fn values_are_found_in_all_notations_and_the_last_one_counts() {
        let of = words("-c 2 --time=10:00 --cpus-per-task=4 --gres=tmp:3,gpu:a100:2");
        let options = SbatchOptions(&of);
        assert_eq!((options.cpus(), options.time_limit()), (Some(4), Some(Duration::from_secs(600))));
        assert!(options.has_gpus());
        let has_gpus = |text: &str| SbatchOptions(&words(text)).has_gpus();
        assert!(has_gpus("-G2") && has_gpus("--gpus-per-task 1") && has_gpus("--gres gpu"));
        assert!(!has_gpus("--gres=gpu:0") && !has_gpus("-G 0") && !has_gpus("-p gpu"));
        let has_output = |text: &str| SbatchOptions(&words(text)).has_output();
        assert!(has_output("--output=log") && has_output("-o log") && !has_output("--time=1"));
        assert_eq!(SbatchOptions(&words("-t90")).time_limit(), Some(Duration::from_secs(5400)));
        assert_eq!(SbatchOptions(&words("--time=UNLIMITED")).time_limit(), None);
        let memory = |text: &str| SbatchOptions(&words(text)).memory().map(|bytes| bytes >> 20);
        assert_eq!(memory("--mem=4G"), Some(4096));
        assert_eq!(memory("--mem 512"), Some(512));
        assert_eq!(memory("--mem-per-cpu=2GB -c 4"), Some(8192));
        assert_eq!(["--mem=0", "--mem=x", "-c 4", "--mem=99999999999T"].map(memory), [None; 4]);
    }
}
