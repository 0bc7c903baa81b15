use tempfile::TempDir;

use super::*;
use crate::run_dir::writer;

/// A run directory whose fallback directory is in `elsewhere`, next to the directory of runs.
fn run() -> (TempDir, RunDir) {
    let here = tempfile::tempdir().unwrap();
    let run =
        RunDir::create(&here.path().join("runs"), "digits", "title = \"x\"", &[], OffsetDateTime::UNIX_EPOCH).unwrap();
    let fallback_roots = vec![FallbackRoot { folder: here.path().join("elsewhere"), is_shared: false }];
    (here, RunDir { fallback_roots, ..run })
}

fn write_errors(run: &RunDir) -> WriteErrors {
    run.write_errors().unwrap()
}

#[test]
fn a_fallback_directory_has_the_name_of_the_run_or_of_the_sweep_and_its_stack() {
    let (_here, run) = run();
    let name = |path: &str| RunDir { path: PathBuf::from(path), ..run.clone() }.fallback_name();
    assert_eq!(name("/runs/digits/2026-1"), "digits-2026-1");
    assert_eq!(name("/sweeps/digits/2026-1/stacks/S001"), "digits-2026-1-S001");
}

/// File names in a directory, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn two_runs_in_the_same_second_have_folders_of_their_own() {
    let out = tempfile::tempdir().unwrap();
    let create = || RunDir::create(out.path(), "digits", "same", &[], OffsetDateTime::UNIX_EPOCH).unwrap();
    let (first, second) = (create(), create());
    assert_ne!(first.path(), second.path());
    let latest = std::fs::read_link(out.path().join("digits/latest")).unwrap();
    assert_eq!(Some(latest.as_os_str()), first.path().file_name(), "until one of them finishes");
    assert_eq!(std::fs::read_to_string(first.file(EXPERIMENT)).unwrap(), "same");
}

#[test]
fn a_file_in_the_way_is_told_with_the_remedy() {
    let out = tempfile::tempdir().unwrap();
    std::fs::write(out.path().join("file"), "").unwrap();
    let error = RunDir::create(&out.path().join("file"), "digits", "", &[], OffsetDateTime::UNIX_EPOCH).unwrap_err();
    assert!(error.downcast_ref::<Hint>().is_some());
}

#[test]
fn a_folder_has_one_writer_and_is_free_when_that_one_is_gone() {
    let (here, run) = run();
    run.write("a.json", b"a");
    let path = run.path().to_path_buf();
    let clone = run.clone();
    drop(run);
    let error = RunDir::open(&path).unwrap_err();
    let errors = crate::config::hint::in_a_line(&error);
    assert!(errors.contains("is being written by another runner"), "{errors}");
    drop(clone);
    // through the link that points elsewhere when the next run starts
    let again = RunDir::open(&here.path().join("runs/digits/latest/")).unwrap();
    assert_eq!(again.path(), path);
    drop(again);
    assert_eq!(names(&path), ["a.json", EXPERIMENT]);
    assert!(RunDir::open(&here.path().join("none")).is_err());
}

#[test]
fn what_a_dead_writer_has_left_is_removed_when_the_folder_is_opened() {
    let (_here, run) = run();
    let path = run.path().to_path_buf();
    drop(run);
    for left in [".a.json.4294967295.part", ".checkpoint.safetensors.1.part", writer::NAME] {
        std::fs::write(path.join(left), b"half").unwrap();
    }
    drop(RunDir::open(&path).unwrap());
    assert_eq!(names(&path), [EXPERIMENT]);
}

#[test]
fn a_folder_that_was_removed_is_made_anew_and_what_went_with_it_is_known() {
    let (here, run) = run();
    run.write("a.json", b"a");
    std::fs::remove_dir_all(here.path().join("runs")).unwrap();
    assert_eq!(write_errors(&run).missing, ["a.json"]);
    run.write("b.json", b"b");
    assert_eq!(names(run.path()), [writer::NAME, "b.json", EXPERIMENT]);
    assert!(here.path().join("runs/digits/latest").is_dir());
    assert!(RunDir::open(run.path()).is_err(), "it is locked");
    let missing = vec!["a.json".to_owned()];
    assert_eq!(write_errors(&run), WriteErrors { was_recreated: true, missing, ..WriteErrors::default() });
    std::fs::remove_dir_all(here.path().join("runs")).unwrap();
    run.try_write("c.json", b"c").unwrap();
    assert_eq!(names(run.path()), [writer::NAME, "c.json", EXPERIMENT]);
}

#[test]
fn files_that_the_folder_does_not_take_are_kept_elsewhere_and_brought_home() {
    let (here, run) = run();
    run.write("a.json", b"a");
    std::fs::remove_dir_all(run.path()).unwrap();
    std::fs::write(run.path(), b"in the way").unwrap();
    assert!(run.try_write("checkpoint", b"").is_err());
    assert_eq!(write_errors(&run), WriteErrors { missing: vec!["a.json".to_owned()], ..WriteErrors::default() });
    run.write("b.json", b"b, too early");
    run.write("b.json", b"b");
    run.write("c.json", b"c");
    let fallback = here.path().join("elsewhere/rescued").join(run.fallback_name());
    assert!(run.fallback_name().starts_with("digits-1970-01-01T000000Z-"), "{}", run.fallback_name());
    let errors = write_errors(&run);
    assert_eq!(errors.in_fallback, ["b.json", "c.json"].map(|name| fallback.join(name)));
    assert!(errors.reason.unwrap().contains("Not a directory"));
    assert_eq!(errors.missing, ["a.json"]);
    assert_eq!(names(&fallback), ["b.json", "c.json", EXPERIMENT]);

    std::fs::remove_file(run.path()).unwrap();
    run.write("c.json", b"c, in the end");
    let missing = vec!["a.json".to_owned()];
    assert_eq!(write_errors(&run), WriteErrors { was_recreated: true, missing, ..WriteErrors::default() });
    assert_eq!(names(run.path()), [writer::NAME, "b.json", "c.json", EXPERIMENT]);
    assert_eq!(std::fs::read(run.file("b.json")).unwrap(), b"b");
    assert_eq!(std::fs::read(run.file("c.json")).unwrap(), b"c, in the end");
    assert!(!fallback.exists());
}

#[test]
fn where_no_place_takes_a_file_all_that_were_tried_are_named_and_a_later_try_may_do() {
    let (here, run) = run();
    assert!(run.write_errors().is_none());
    std::fs::remove_dir_all(run.path()).unwrap();
    std::fs::write(run.path(), b"in the way").unwrap();
    std::fs::write(here.path().join("elsewhere"), b"in the way too").unwrap();
    run.write("a.json", b"a");
    let errors = write_errors(&run);
    assert_eq!(
        (errors.lost.clone(), errors.in_fallback.len(), errors.is_incomplete()),
        (vec!["a.json".to_owned()], 0, true)
    );
    assert!(errors.fallback_errors[0].contains("elsewhere") && errors.fallback_errors.len() == 1, "{errors:?}");
    assert!(errors.reason.unwrap().contains("Not a directory"));
    std::fs::remove_file(run.path()).unwrap();
    run.write("a.json", b"a");
    assert!(!write_errors(&run).is_incomplete());
}

#[test]
fn a_fall_back_place_that_is_full_has_a_next_one() {
    let (here, run) = run();
    std::fs::remove_dir_all(run.path()).unwrap();
    std::fs::write(run.path(), b"in the way").unwrap();
    let run = RunDir {
        fallback_roots: vec![
            FallbackRoot { folder: "/dev/null".into(), is_shared: false },
            run.fallback_roots[0].clone(),
        ],
        ..run
    };
    run.write("a.json", b"a");
    assert_eq!(
        write_errors(&run).in_fallback,
        [here.path().join("elsewhere/rescued").join(run.fallback_name()).join("a.json")]
    );
}

#[test]
fn what_may_help_is_waited_for_and_what_may_not_is_not() {
    let total = |kind: ErrorKind| retry_delays(&kind.into()).iter().sum::<u64>();
    for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::StaleNetworkFileHandle] {
        assert!((3000..10_000).contains(&total(kind)));
    }
    for kind in [ErrorKind::ReadOnlyFilesystem, ErrorKind::PermissionDenied, ErrorKind::FileTooLarge] {
        assert!(total(kind) < 1000);
    }
}
