//! The commands of `docs/guide/clusters.md`, in its order, in a cluster.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::cluster::Cluster;
use crate::support::{RUNNER, TestDir, assert_says};
use crate::sweep::sweep_run::{names, run, wait_for};

/// Beginnings of the titles of the sections whose commands are run.
const SECTIONS: [&str; 7] = ["2.", "3.", "4.", "5.", "6.", "7.", "One run as a job"];

/// Returns the commands of fenced blocks and of first columns of tables, each with the title of its section.
fn commands(guide: &str) -> Vec<(String, String)> {
    let (mut section, mut is_in_block, mut command) = (String::new(), false, String::new());
    let mut commands = Vec::new();
    for line in guide.lines() {
        match line.strip_prefix("## ") {
            Some(title) if !is_in_block => title.clone_into(&mut section),
            _ if line.starts_with("```") => is_in_block = !is_in_block,
            _ if is_in_block => {
                command += line.strip_prefix("$ ").unwrap_or(line);
                match command.strip_suffix('\\') {
                    Some(begun) => command = begun.to_owned(),
                    None => commands.push((section.clone(), std::mem::take(&mut command))),
                }
            }
            _ => {
                let of_table =
                    line.strip_prefix("| `").filter(|row| row.starts_with("runner ") && line.contains("` | "));
                commands.extend(
                    of_table.and_then(|row| row.split_once('`')).map(|(text, _)| (section.clone(), text.to_owned())),
                );
            }
        }
    }
    commands.retain(|(section, _)| SECTIONS.iter().any(|title| section.starts_with(title)));
    commands
}

#[test]
fn the_commands_of_the_guide_lead_to_a_finished_sweep() {
    let Some(cluster) = Cluster::start(&["nodes=2", "KillWait=30"]) else { return };
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/clusters.md");
    let commands = commands(&std::fs::read_to_string(guide).unwrap());
    let dir = TestDir::with_user_data_cache(); // it fetches MNIST
    let folder = Path::new(RUNNER).parent().unwrap().display().to_string();
    let mut former = String::new();
    for (section, text) in &commands {
        if *section != former && section.starts_with("7.") {
            cluster.wait_until_empty(); // the results are those of the complete sweep
        }
        section.clone_into(&mut former);
        let mut command = cluster.with(Command::new("bash"));
        command
            .args(["-c", text])
            .current_dir(dir.path(""))
            .env("CUDA_VISIBLE_DEVICES", "")
            .env("OMP_NUM_THREADS", "1");
        command.env_remove("RUNNER_RUNS").env_remove("RUNNER_SWEEPS");
        command.env("PATH", format!("{folder}:{}", std::env::var("PATH").unwrap()));
        let (code, stdout, stderr) = run(command);
        if text.contains("retry --failed") {
            assert_says(&stderr, &["no stack of the sweep has failed"]);
            continue;
        }
        assert_eq!(code, Some(0), "{text}\n{stdout}{stderr}");
        assert!(!text.contains("--space") || !stderr.contains("note: "), "a surprise in `{text}`: {stderr}");
        if text.contains("sweep verify") {
            assert_says(&stdout, &["verified: 16 configurations", "48 trials"]);
        }
    }
    for part in
        ["doctor --slurm", "data fetch", "--dry-run", "sweep submit", "sweep status", "sweep stop", "verify", "exp "]
    {
        assert!(commands.iter().any(|(_, text)| text.contains(part)), "the guide has no `{part}`: {commands:?}");
    }
    assert!(dir.path("best.toml").exists());
    // the run is a job that trains
    let runs = dir.path("runs/overfit_mnist");
    let has_trained = |run: &String| {
        let live: PathBuf = runs.join(run).join("live.jsonl");
        std::fs::read_to_string(live).is_ok_and(|epochs| epochs.lines().count() > 0)
    };
    wait_for(|| names(&runs).iter().any(has_trained));
    cluster.slurm("scancel", &["--user=root"]);
    cluster.wait_until_empty();
}
