//! Settings of a cluster, as `scontrol` shows them.

use std::collections::BTreeMap;

use crate::config::hint::Hint;
use crate::slurm::program;

/// Settings of a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    values: BTreeMap<String, String>,
    /// Its partitions.
    pub partitions: Vec<Partition>,
}

/// Partition of a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partition {
    /// Name.
    pub name: String,
    /// Whether jobs use it that name none.
    pub is_default: bool,
    /// Whether jobs can start.
    pub is_up: bool,
    /// Longest time of a job, as Slurm writes it; `None` without a limit.
    pub longest: Option<String>,
    /// Time of a job that names none; `None` for the longest.
    pub default_time: Option<String>,
    /// What becomes of jobs that are preempted; empty if that is a setting of the cluster.
    pub preempt_mode: String,
    /// Seconds from the choice of a job that is preempted to its end.
    pub grace: u64,
}

impl Settings {
    /// Asks `scontrol`.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn ask() -> anyhow::Result<Settings> {
        let ask = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            program::run("scontrol", &words, |_| {}).map_err(|error| {
                let hint = "check the cluster with `sinfo`; if Slurm does not answer, try again later";
                anyhow::Error::new(error).context(Hint(hint.to_owned()))
            })
        };
        Ok(Settings::parse(&ask(&["show", "config"])?, &ask(&["--oneliner", "show", "partition"])?))
    }

    /// Returns the settings in these outputs of `scontrol show config` and `scontrol --oneliner show partition`.
    pub fn parse(config: &str, partitions: &str) -> Settings {
        let pairs = config.lines().filter_map(|line| line.split_once('='));
        let values = pairs.map(|(key, value)| (key.trim().to_lowercase(), value.trim().to_owned())).collect();
        Settings { values, partitions: partitions.lines().filter_map(parse_partition).collect() }
    }

    /// Returns a setting; `None` if it has no value.
    pub fn get(&self, key: &str) -> Option<&str> {
        let value = self.values.get(&key.to_lowercase())?;
        (!value.is_empty() && value != "(null)").then_some(value)
    }

    /// Returns a setting that is a number, possibly with a unit: `30 sec`.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.get(key)?.split_whitespace().next()?.parse().ok()
    }

    /// Whether a setting, a list with commas, has this word.
    pub fn has(&self, key: &str, word: &str) -> bool {
        self.get(key).is_some_and(|value| value.split(',').any(|one| one.trim().eq_ignore_ascii_case(word)))
    }
}

/// Returns the partition of a line of `KEY=VALUE` words.
fn parse_partition(line: &str) -> Option<Partition> {
    let values: BTreeMap<&str, &str> = line.split_whitespace().filter_map(|word| word.split_once('=')).collect();
    let time = |key: &str| {
        let value = values.get(key).copied().filter(|value| !matches!(*value, "UNLIMITED" | "NONE" | "INFINITE"));
        value.map(str::to_owned)
    };
    Some(Partition {
        name: (*values.get("PartitionName")?).to_owned(),
        is_default: values.get("Default") == Some(&"YES"),
        is_up: values.get("State") == Some(&"UP"),
        longest: time("MaxTime"),
        default_time: time("DefaultTime"),
        preempt_mode: values.get("PreemptMode").copied().unwrap_or_default().to_owned(),
        grace: values.get("GraceTime").and_then(|seconds| seconds.parse().ok()).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "Configuration data as of 2026-11-29T18:00:00\n\
        KillWait                = 30 sec\n\
        GresTypes               = gpu,mps\n\
        SlurmctldParameters     = (null)\n\
        SLURM_CONF              = /etc/slurm/slurm.conf\n\n\
        Slurmctld(primary) at login is UP\n";

    #[test]
    fn settings_have_names_in_any_case_and_units() {
        let settings = Settings::parse(CONFIG, "");
        assert_eq!(settings.number("killwait"), Some(30));
        assert_eq!((settings.get("SlurmctldParameters"), settings.get("Nothing")), (None, None));
        assert!(settings.has("GresTypes", "gpu") && !settings.has("GresTypes", "gp"));
    }

    #[test]
    fn partitions_are_lines_of_words() {
        let line = "PartitionName=gpu AllowGroups=ALL Default=YES QoS=N/A DefaultTime=01:00:00 GraceTime=20 \
                    MaxTime=1-00:00:00 State=UP PreemptMode=REQUEUE\nPartitionName=old MaxTime=UNLIMITED State=DOWN\n";
        let gpu = Partition {
            name: "gpu".to_owned(),
            is_default: true,
            is_up: true,
            longest: Some("1-00:00:00".to_owned()),
            default_time: Some("01:00:00".to_owned()),
            preempt_mode: "REQUEUE".to_owned(),
            grace: 20,
        };
        let old = Partition { name: "old".to_owned(), ..Partition::default() };
        assert_eq!(Settings::parse("", line).partitions, [gpu, old]);
    }
}
